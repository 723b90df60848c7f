"""`Experiment`: a folder with raw data, arrays made from them, and one file that says what is what.

::

    metadata.json             what follows, see experiment_schema.json
    params.prm                parameters of traces, detection and clustering, here alone
    20160101_1.ns5            raw data, or links to them
    main/0/params.json        metadata of a channel group
    main/0/spike_times.npy    arrays of it
    main/0/raw_0.ns5          link to ../../20160101_1.ns5
    test/0/…                  another analysis

An array is a JSON list in ``metadata.json``, or a file (`spikeloom.extractors.array_files` lists
the formats). It is asked for by its path, or by an alias: a name in ``arrays`` of the metadata, or
a path without its ending, below the default folder (``0/spike_times``) or below the root
(``test/0/spike_times``).
"""

from collections.abc import Mapping
from copy import deepcopy
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from spikeloom.datasets.experiment_contents import describe_experiment
from spikeloom.datasets.experiment_metadata import (
    DEFAULT_FOLDER,
    METADATA_NAME,
    check_metadata,
    read_json_object,
    write_json_object,
)
from spikeloom.datasets.experiment_params import (
    flat_layout,
    read_params,
    read_probe,
    rig_layout,
)
from spikeloom.datasets.experiment_paths import checked_relative, path_to_read, path_to_write
from spikeloom.errors import DataError, MissingFileError, ParameterError
from spikeloom.extractors.array_files import WRITABLE_SUFFIXES, read_array_file, write_array_file
from spikeloom.extractors.trace_files import FLAT_SUFFIXES, TraceFilesRecording, read_traces

if TYPE_CHECKING:
    from probeinterface import ProbeGroup

METADATA_ALIAS = "metadata"
"""Alias of ``metadata.json`` itself."""


class Experiment:
    """A folder with the raw data of an experiment and the arrays that belong to them.

    Opening one reads ``metadata.json`` alone, and writes nothing.

    Parameters
    ----------
    metadata_path : str or Path, optional
        ``metadata.json``, or the folder that it is in.
    metadata_dict : dict, optional
        What such a file would hold. With a path or a folder, it is written there when metadata
        are written.
    base_dir : str or Path, optional
        Folder that paths are relative to; by default that of the metadata file, and the current
        one if nothing at all is given.

    Raises
    ------
    MissingFileError, ReadError
        If the metadata or the folder are absent, or no JSON.
    DataError
        If the metadata break the schema; the message says where, and what is allowed.

    Examples
    --------
    >>> import tempfile
    >>> exp = Experiment(metadata_dict={"name": "20160101"}, base_dir=tempfile.mkdtemp())
    >>> exp.write_array("0/spike_times", [35, 795, 812])
    >>> exp.read_array("0/spike_times")
    array([ 35, 795, 812])
    """

    def __init__(
        self,
        metadata_path: str | Path | None = None,
        metadata_dict: Mapping[str, Any] | None = None,
        base_dir: str | Path | None = None,
    ) -> None:
        path = None if metadata_path is None else Path(metadata_path)
        if path is not None and path.is_dir():
            path /= METADATA_NAME
        folder = Path(base_dir) if base_dir is not None else Path() if path is None else path.parent
        if not folder.is_dir():
            msg = f"There is no folder {folder}, which is to hold an experiment."
            raise MissingFileError(2, msg)
        self._base_dir = folder
        self._metadata_path = folder / METADATA_NAME if path is None else path
        if metadata_dict is None:
            self._metadata = read_json_object(self._metadata_path)
            check_metadata(self._metadata, str(self._metadata_path))
        else:
            check_metadata(metadata_dict, "metadata_dict")
            self._metadata = deepcopy(dict(metadata_dict))

    def __repr__(self) -> str:
        name = self._metadata.get("name", self._base_dir.resolve().name)
        return f"Experiment({name!r}, {len(self.metadata.get('arrays', {}))} named arrays)"

    def describe(self) -> dict[str, str]:
        """Return what it holds, for people, by what it is."""
        return describe_experiment(self)

    @property
    def base_dir(self) -> Path:
        """The root; all paths of the experiment are relative to it."""
        return self._base_dir

    @property
    def metadata(self) -> dict[str, Any]:
        """What ``metadata.json`` holds."""
        return self._metadata

    @property
    def default_folder(self) -> str:
        """Folder in which aliases such as ``0/spike_times`` are looked up first."""
        return str(self._metadata.get("default", DEFAULT_FOLDER))

    # --- metadata -------------------------------------------------------------------------------

    def read_metadata(self, alias_or_path: str = METADATA_ALIAS) -> dict[str, Any]:
        """Return a JSON file as a dictionary.

        Parameters
        ----------
        alias_or_path : str, default "metadata"
            A path below the root, or an alias: ``"0/params"`` for ``main/0/params.json``,
            ``"metadata"`` for ``metadata.json``.

        Raises
        ------
        MissingFileError, ReadError, DataError
            If the file is absent, is no JSON, or holds no object.
        ParameterError
            If the path leads out of the experiment.
        """
        if self._is_own(alias_or_path):
            return deepcopy(self._metadata)
        relative = self._resolve_json(alias_or_path)
        return read_json_object(path_to_read(self._base_dir, relative))

    def write_metadata(
        self, alias_or_path: str = METADATA_ALIAS, metadata: Mapping[str, Any] | None = None
    ) -> None:
        """Update a JSON file, in one step: what is given replaces what is there by the same name.

        Parameters
        ----------
        alias_or_path : str, default "metadata"
            As for `read_metadata`; a new file is made if there is none.
        metadata : mapping, optional
            What to write; nothing new by default, to write changes of `metadata`.

        Raises
        ------
        DataError
            If ``metadata.json`` would break its schema, or JSON cannot hold the values; nothing is
            written then.
        ParameterError
            If the path leads out of the experiment.
        WriteError
            If the file cannot be written.
        """
        new = dict(metadata or {})
        if self._is_own(alias_or_path):
            updated = {**self._metadata, **deepcopy(new)}
            check_metadata(updated, METADATA_NAME)
            write_json_object(self._metadata_path, updated)
            self._metadata = updated
            for name in ("params", "probe"):  # read again, for they may be other files now
                self.__dict__.pop(name, None)
            return
        relative = self._resolve_json(alias_or_path)
        path = path_to_write(self._base_dir, relative)
        before = read_json_object(path) if path.exists() else {}
        write_json_object(path, {**before, **new})

    def _is_own(self, alias_or_path: str) -> bool:
        return alias_or_path in {METADATA_ALIAS, METADATA_NAME}

    def _resolve_json(self, alias_or_path: str) -> str:
        relative = checked_relative(alias_or_path)
        if relative.lower().endswith(".json"):
            return relative
        found = (f"{self.default_folder}/{relative}.json", f"{relative}.json")
        there = next((one for one in found if (self._base_dir / one).exists()), None)
        return there or self._new_path(relative, ".json")

    def _new_path(self, alias: str, ending: str) -> str:
        """Return where something new goes: to the default folder unless the alias names another."""
        first, slash, _ = alias.partition("/")
        has_folder = slash and (first == self.default_folder or (self._base_dir / first).is_dir())
        return f"{alias}{ending}" if has_folder else f"{self.default_folder}/{alias}{ending}"

    # --- arrays ---------------------------------------------------------------------------------

    def read_array(self, alias_or_path: str) -> Any:  # noqa: ANN401 - an array, or what is like one
        """Return an array; where it is mapped, nothing of it is read yet.

        Parameters
        ----------
        alias_or_path : str
            An alias such as ``"0/spike_times"``, or a path below the root.

        Returns
        -------
        ndarray or LazyRows
            Raw data have shape (n_samples, n_channels).

        Raises
        ------
        MissingFileError, ReadError, DataError
            If there is no such array, or its file cannot be read.
        ParameterError
            If the alias could be several files, or leads out of the experiment.
        """
        listed = self._metadata.get("arrays", {}).get(alias_or_path)
        if isinstance(listed, list):
            return _as_array(alias_or_path, listed)
        relative = self._resolve_alias(alias_or_path)
        path = path_to_read(self._base_dir, relative)
        if path.suffix.lower() not in FLAT_SUFFIXES:
            return read_array_file(path)
        layout, options = flat_layout(self, path)
        if layout.n_channels is None or layout.dtype is None:
            layout = layout.filled_from(rig_layout(self))
        return read_array_file(path, layout, **options)

    def write_array(self, alias_or_path: str, array: ArrayLike) -> None:
        """Write an array, in one step.

        Parameters
        ----------
        alias_or_path : str
            An alias or a path, as for `read_array`. What is new is written as a ``.npy`` file
            unless the path has another ending; what is a list in the metadata stays one.
        array : array_like
            The values.

        Raises
        ------
        ParameterError
            If the file is a link or raw data, is of a format that is not written, cannot hold the
            array, or leads out of the experiment.
        WriteError
            If the file cannot be written; what was there is untouched.
        """
        listed = self._metadata.get("arrays", {})
        if isinstance(listed.get(alias_or_path), list):
            values = np.asarray(array).tolist()
            named = {**listed, alias_or_path: values if isinstance(values, list) else [values]}
            self.write_metadata(METADATA_ALIAS, {"arrays": named})
            return
        try:
            relative = self._resolve_alias(alias_or_path)
        except MissingFileError:
            relative = checked_relative(alias_or_path)
            relative = relative if Path(relative).suffix else self._new_path(relative, ".npy")
        if not relative.lower().endswith(WRITABLE_SUFFIXES):
            msg = (
                f"{relative} is no file that arrays are written to: those end in "
                f"{', '.join(WRITABLE_SUFFIXES)}. Raw data are never written."
            )
            raise ParameterError(msg)
        write_array_file(path_to_write(self._base_dir, relative), array)

    def _resolve_alias(self, alias: str) -> str:
        """Return the path of an alias or path, relative to the root.

        Raises
        ------
        MissingFileError
            If there is nothing of that name.
        ParameterError
            If it is a list in the metadata, could be several files, or leads out of the root.
        """
        entry = self._metadata.get("arrays", {}).get(alias)
        if isinstance(entry, list):
            msg = f"{alias} is a list in {METADATA_NAME}, not a file: use read_array({alias!r})."
            raise ParameterError(msg)
        if entry is not None:
            return checked_relative(entry["path"])
        relative = checked_relative(alias)
        tried = [f"{self.default_folder}/{relative}", relative]
        for one in (relative, tried[0]):
            path = self._base_dir / one
            if path.suffix and (path.is_file() or path.is_symlink()):
                return one
        if Path(relative).suffix in {*WRITABLE_SUFFIXES, *FLAT_SUFFIXES}:
            return relative
        for one in tried:
            found = self._with_ending(one)
            if len(found) > 1:
                msg = f"{alias} could be {' or '.join(found)}: give the path."
                raise ParameterError(msg)
            if found:
                return found[0]
        msg = (
            f"There is no array {alias}: neither arrays of {METADATA_NAME} nor a file "
            f"{' or '.join(f'{one}.*' for one in tried)} in {self._base_dir}."
        )
        raise MissingFileError(2, msg)

    def _with_ending(self, relative: str) -> list[str]:
        """Return the files of a name with any ending but that of metadata."""
        folder = (self._base_dir / relative).parent
        name = relative.rpartition("/")[2]
        if not folder.is_dir():
            return []
        return sorted(
            f"{relative}{path.suffix}"
            for path in folder.iterdir()
            if path.stem == name and path.suffix not in {"", ".json"} and not path.is_dir()
        )

    # --- parameters and raw data ----------------------------------------------------------------

    @cached_property
    def params(self) -> dict[str, Any]:
        """Parameters of the one file that has them, read once; empty if there is none."""
        return read_params(self)

    @cached_property
    def probe(self) -> "ProbeGroup | None":
        """Where channels are, read once; None if no file says it."""
        return read_probe(self)

    def read_traces(self) -> TraceFilesRecording:
        """Open the raw data as one recording; see `spikeloom.read_traces`.

        Raises
        ------
        ParameterError
            If the metadata list no raw data, or they do not go together.
        """
        entries = self._metadata.get("raw_files", [])
        paths = [one if isinstance(one, str) else one["path"] for one in entries]
        if not paths:
            msg = f"{METADATA_NAME} lists no raw_files."
            raise ParameterError(msg)
        files = [path_to_read(self._base_dir, path) for path in paths]
        flat = [path for path in files if path.suffix.lower() in FLAT_SUFFIXES]
        described = [flat_layout(self, path) for path in flat]
        if any(one != described[0] for one in described[1:]):
            msg = f"The flat files of {METADATA_NAME} are described differently; open each alone."
            raise ParameterError(msg)
        kwargs: dict[str, Any] = {}
        if described:
            layout, options = described[0]
            kwargs = {
                "n_channels": layout.n_channels,
                "dtype": layout.dtype,
                "sample_rate": layout.sample_rate,
                "gain_to_uV": layout.gain_to_uV,
                **options,
            }
        return read_traces(files, probe=self.probe, **kwargs)


def _as_array(alias: str, values: list[Any]) -> np.ndarray[Any, np.dtype[Any]]:
    try:
        return np.array(values)
    except ValueError as error:
        msg = f"{alias} of {METADATA_NAME} is no array: its rows have different lengths."
        raise DataError(msg) from error


def _read_array(path: str | Path) -> Any:  # noqa: ANN401 - an array, or what is like one
    """Open the array in a file, as its ending says."""
    return read_array_file(path)


def _write_array(path: str | Path, array: ArrayLike) -> None:
    """Write an array to a file, as its ending says."""
    write_array_file(path, array)
