"""Make the folder of an experiment, and find what is wrong with one."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from spikeloom.datasets.experiment import Experiment
from spikeloom.datasets.experiment_contents import array_aliases
from spikeloom.datasets.experiment_metadata import (
    DEFAULT_FOLDER,
    FORMAT,
    METADATA_NAME,
    VERSION,
    metadata_faults,
    read_json_object,
    write_json_object,
)
from spikeloom.datasets.experiment_paths import path_to_read
from spikeloom.errors import MissingFileError, ParameterError, SpikeloomError, WriteError
from spikeloom.extractors.trace_files import FLAT_SUFFIXES

_FIRST_GROUP = "0"


def create_experiment(
    folder: str | Path,
    raw_files: Sequence[str | Path] = (),
    *,
    name: str | None = None,
    flat: dict[str, Any] | None = None,
) -> Experiment:
    """Make a folder an experiment: its ``metadata.json``, and links to its raw data.

    Parameters
    ----------
    folder : str or Path
        The folder; made if there is none. Nothing that is in it is changed.
    raw_files : sequence of str or Path
        Files of raw data in the order of time, by their path, or by one relative to the folder.
        Those outside of the folder are linked into it.
    name : str, optional
        Name of the experiment, that of the folder by default.
    flat : dict, optional
        What is in flat files: ``n_channels``, ``dtype``, ``sample_rate``, ``offset``, ``fortran``
        and ``gain_to_uV``.

    Raises
    ------
    ParameterError
        If the folder is an experiment already, or there are two files of one name.
    MissingFileError
        If a file is absent.
    WriteError
        If something cannot be written.
    """
    root = Path(folder)
    if (root / METADATA_NAME).exists():
        msg = f"{root} is an experiment already: it has a {METADATA_NAME}."
        raise ParameterError(msg)
    files = [_raw_file(root, Path(path)) for path in raw_files]
    try:
        root.mkdir(parents=True, exist_ok=True)
        names = [_brought_in(root, path) for path in files]
        group = root / DEFAULT_FOLDER / _FIRST_GROUP
        group.mkdir(parents=True, exist_ok=True)
        for k, one in enumerate(names):
            _link(group / f"raw_{k}{Path(one).suffix}", Path("..", "..", *Path(one).parts))
    except OSError as error:
        msg = f"The experiment cannot be made in {root}: {error.strerror or error}."
        raise WriteError(error.errno or 0, msg) from error
    params = group / "params.json"
    if not params.exists():
        write_json_object(params, {"raw_files": names})
    entries = [
        {"path": one, **flat} if flat and Path(one).suffix.lower() in FLAT_SUFFIXES else one
        for one in names
    ]
    metadata = {
        "format": FORMAT,
        "version": VERSION,
        "name": name or root.resolve().name,
        "default": DEFAULT_FOLDER,
        "raw_files": entries,
    }
    experiment = Experiment(metadata_dict=metadata, base_dir=root)
    experiment.write_metadata()
    return experiment


def _raw_file(root: Path, path: Path) -> Path:
    for place in (path, root / path):
        if place.is_file():
            return place
    places = str(path) if path.is_absolute() else f"{path}, here or in {root}"
    msg = f"There is no file {places}."
    raise MissingFileError(2, msg)


def _brought_in(root: Path, path: Path) -> str:
    """Return the path of a file relative to the root, of one from elsewhere that of a link."""
    absolute = path.parent.resolve() / path.name
    if absolute.is_relative_to(root.resolve()):
        return absolute.relative_to(root.resolve()).as_posix()
    _link(root / path.name, path.resolve())
    return path.name


def _link(place: Path, target: Path) -> None:
    if place.is_symlink() and place.readlink() == target:
        return
    if place.exists() or place.is_symlink():
        msg = f"{place} is there already, and is not a link to {target}."
        raise ParameterError(msg)
    place.symlink_to(target)


def experiment_problems(path: str | Path) -> list[str]:
    """Return all that is wrong with an experiment, one sentence each; nothing if all is well.

    Parameters
    ----------
    path : str or Path
        ``metadata.json``, or the folder that it is in.

    Raises
    ------
    MissingFileError, ReadError, DataError
        If there are no metadata, or they are no JSON object.
    """
    given = Path(path)
    source = given / METADATA_NAME if given.is_dir() else given
    faults = metadata_faults(read_json_object(source))
    if faults:
        return [f"{source.name}: {fault}" for fault in faults]
    experiment = Experiment(source)
    return list(_problems(experiment))


def _problems(experiment: Experiment) -> Iterator[str]:
    metadata = experiment.metadata
    entries = metadata.get("raw_files", [])
    is_complete = True
    for one in entries:
        relative = one if isinstance(one, str) else one["path"]
        for problem in _problem(lambda path=relative: path_to_read(experiment.base_dir, path)):
            is_complete = False
            yield problem
    yield from _problem(lambda: experiment.params)
    yield from _problem(lambda: experiment.probe)
    if entries and is_complete:
        yield from _problem(experiment.read_traces)
    for alias in array_aliases(experiment):
        yield from _problem(lambda name=alias: experiment.read_array(name), alias)


def _problem(run: Any, name: str = "") -> Iterator[str]:  # noqa: ANN401 - called for its errors
    try:
        run()
    except SpikeloomError as error:
        text = str(error)
        yield f"{name}: {text}" if name and name not in text else text
