"""Make the folder of an experiment, tell what is in one, and find what is wrong with it."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from spikeloom.datasets.experiment import Experiment
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
from spikeloom.extractors.array_files import WRITABLE_SUFFIXES
from spikeloom.extractors.trace_files import FLAT_SUFFIXES

_FIRST_GROUP = "0"
_N_ARRAYS_MAX = 10_000


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
        Files of raw data in the order of time. Those outside of the folder are linked into it.
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
    files = [Path(path) for path in raw_files]
    for path in files:
        if not path.is_file():
            msg = f"There is no file {path}."
            raise MissingFileError(2, msg)
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


def describe_experiment(experiment: Experiment) -> dict[str, str]:
    """Return what an experiment holds, for people, by what it is."""
    metadata = experiment.metadata
    told = {
        "Name": str(metadata.get("name", experiment.base_dir.resolve().name)),
        "Folder": str(experiment.base_dir.resolve()),
    }
    if metadata.get("raw_files"):
        told |= _told_of_traces(experiment)
    try:
        told["Parameters"] = ", ".join(experiment.params) or "none"
        probe = experiment.probe
        told["Probe"] = "none" if probe is None else f"{probe.get_contact_count()} contacts"
    except SpikeloomError as error:
        told["Parameters"] = f"unreadable: {error}"
    for alias in array_aliases(experiment):
        told[alias] = _told_of_array(experiment, alias)
    return told


def _told_of_traces(experiment: Experiment) -> dict[str, str]:
    try:
        traces = experiment.read_traces()
    except SpikeloomError as error:
        return {"Raw data": f"unreadable: {error}"}
    names = ", ".join(one.name for one in traces.stretches)
    return {
        "Raw data": names,
        "Channels": str(traces.get_num_channels()),
        "Sample rate": f"{traces.sampling_frequency:g} Hz",
        "Duration": f"{traces.get_num_samples() / traces.sampling_frequency:.3f} s",
    }


def _told_of_array(experiment: Experiment, alias: str) -> str:
    try:
        array = experiment.read_array(alias)
    except SpikeloomError as error:
        return f"unreadable: {error}"
    return f"{array.dtype} {array.shape}"


def array_aliases(experiment: Experiment) -> list[str]:
    """Return the names of all arrays: those of the metadata, and files below the default folder."""
    named = list(experiment.metadata.get("arrays", {}))
    base = experiment.base_dir / experiment.default_folder
    return named + [alias for alias in _aliases_below(base) if alias not in named]


def _aliases_below(base: Path) -> Iterator[str]:
    """Yield paths below a folder; of files that only differ in their ending with the ending."""
    found = []
    for folder, folders, names in os.walk(base):  # links to folders are not followed
        folders.sort()
        for name in sorted(names):
            path = Path(folder, name)
            is_array = path.suffix in WRITABLE_SUFFIXES or path.is_symlink()
            if is_array and not name.startswith("."):
                found.append(path.relative_to(base))
            if len(found) >= _N_ARRAYS_MAX:
                break
    stems = [path.with_suffix("").as_posix() for path in found]
    for path, stem in zip(found, stems, strict=True):
        yield stem if stems.count(stem) == 1 else path.as_posix()


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
