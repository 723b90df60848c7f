"""Provenance files: how an object came to be, in JSON or in a pickle of plain values."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from spikeloom.core.base import BaseExtractor
from spikeloom.core.provenance import is_extractor_dict, map_extractors
from spikeloom.errors import ParameterError
from spikeloom.storage.arrays import npy_writer
from spikeloom.storage.atomic import write_atomic
from spikeloom.storage.pickle_writing import write_plain_pickle
from spikeloom.storage.provenance_json import encode_json

VECTORS = "time_vector_paths"
"""Key in a file for the names of files with the time of each sample, for which text is no place."""

_OLDER_ARGUMENTS = {
    "ChannelSliceRecording": {"recording": "parent_recording"},
    "FrameSliceRecording": {"recording": "parent_recording"},
}
"""Arguments that had another name before SpikeInterface 0.105, by class."""

_SECRET = re.compile(r"secret|token|passw|credential|^key$|access_key|account_key|sas_|signature")
"""Names of storage options that others must not see."""


def dump(
    extractor: BaseExtractor, file_path: str | Path, relative_to: str | Path | bool | None = None
) -> None:
    """Write the provenance of an object to a file.

    Passwords in ``storage_options`` of remote files are left out: whoever loads the file needs
    credentials where the file system looks for them, such as the environment.

    Parameters
    ----------
    extractor : BaseExtractor
        The object.
    file_path : str or Path
        A ``.json``, ``.pkl`` or ``.pickle`` file.
    relative_to : str, Path or bool, optional
        Folder that paths in it are relative to; True for that of the file. Absolute by default.

    Raises
    ------
    ParameterError
        If the name ends in something else, or the object cannot be described in such a file.
    """
    suffix = Path(file_path).suffix
    if suffix == ".json":
        dump_to_json(extractor, file_path, relative_to=relative_to)
    elif suffix in {".pkl", ".pickle"}:
        dump_to_pickle(extractor, file_path, relative_to=relative_to)
    else:
        msg = f"{file_path} must end in .json, .pkl or .pickle."
        raise ParameterError(msg)


def dump_to_json(
    extractor: BaseExtractor,
    file_path: str | Path | None = None,
    relative_to: str | Path | bool | None = None,
    *,
    include_extra_metadata: bool = True,
    include_properties: bool = False,
    include_annotations: bool = True,
) -> None:
    """Write the provenance as JSON; see `dump`."""
    _require(extractor, "json")
    path = _file(file_path, extractor, ".json")
    path.parent.mkdir(parents=True, exist_ok=True)
    description = extractor.to_dict(
        include_annotations=include_annotations,
        include_properties=include_properties,
        include_extra_metadata=include_extra_metadata,
        relative_to=_base(relative_to, path),
        recursive=True,
    )
    written: dict[int, str] = {}

    def apart(vector: Any) -> str:
        if id(vector) not in written:
            written[id(vector)] = f"{path.stem}_times{len(written)}.npy"
            writer = npy_writer(np.asarray(vector, np.float64))
            write_atomic(path.with_name(written[id(vector)]), writer)
        return written[id(vector)]

    write_atomic(path, encode_json(for_files(with_names(description, apart))))


def dump_to_pickle(
    extractor: BaseExtractor,
    file_path: str | Path | None = None,
    relative_to: str | Path | bool | None = None,
    *,
    include_properties: bool = True,
    include_annotations: bool = True,
) -> None:
    """Write the provenance as a pickle of plain values; see `dump`."""
    _require(extractor, "pickle")
    path = _file(file_path, extractor, ".pkl")
    path.parent.mkdir(parents=True, exist_ok=True)
    description = extractor.to_dict(
        include_annotations=include_annotations,
        include_properties=include_properties,
        relative_to=_base(relative_to, path),
        recursive=True,
    )
    write_plain_pickle(path, for_files(description, np.asarray))


def _require(extractor: BaseExtractor, way: str) -> None:
    if not extractor.check_serializability(way):
        msg = (
            f"This {type(extractor).__name__} lives in memory, or is made of something that does, "
            f"and cannot be described in a file: save(folder=...) it first."
        )
        raise ParameterError(msg)


def _file(file_path: str | Path | None, extractor: BaseExtractor, suffix: str) -> Path:
    if file_path is None:
        return Path(f"{extractor.name}{suffix}").absolute()
    path = Path(file_path).absolute()
    return path if path.suffix else path.with_name(path.name + suffix)


def _base(relative_to: str | Path | bool | None, path: Path) -> Path | None:
    if relative_to is None or relative_to is False:
        return None
    return path.parent if relative_to is True else Path(relative_to)


def for_files(
    description: dict[str, Any], change_vector: Callable[[Any], Any] | None = None
) -> dict[str, Any]:
    """Return a description, and those within it, as all versions of SpikeInterface read them.

    Parameters
    ----------
    description : dict
        As `to_dict` returns it with ``recursive=True``.
    change_vector : callable, optional
        Takes the times of all samples of a segment (an array, or what reads like one) and returns
        what stands for them; by default they are left out, which text is no place for.
    """

    def change(one: dict[str, Any]) -> dict[str, Any]:
        if "times_kwargs" in one:
            one["times_kwargs"] = [_changed(k, change_vector) for k in one["times_kwargs"]]
        return _with_older_names(_without_secrets(one))

    return _changed_each(description, change)


def _changed(
    times_kwargs: dict[str, Any], change_vector: Callable[[Any], Any] | None
) -> dict[str, Any]:
    vector = times_kwargs["time_vector"]
    if vector is None:
        return times_kwargs
    return times_kwargs | {"time_vector": change_vector(vector) if change_vector else None}


def _without_secrets(one: dict[str, Any]) -> dict[str, Any]:
    """Leave passwords for remote files out: files get passed on."""
    options = one["kwargs"].get("storage_options")
    if isinstance(options, Mapping):
        one["kwargs"] = one["kwargs"] | {"storage_options": _public(options)}
    return one


def _public(options: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: _public(value) if isinstance(value, Mapping) else value
        for key, value in options.items()
        if value == "anon" or not _SECRET.search(str(key).lower())
    }


def _with_older_names(one: dict[str, Any]) -> dict[str, Any]:
    """Rename arguments as older versions know them; newer ones understand them, too."""
    names = _OLDER_ARGUMENTS.get(one["class"].rpartition(".")[2], {})
    one["kwargs"] = {names.get(key, key): value for key, value in one["kwargs"].items()}
    return one


def _changed_each(
    description: dict[str, Any], change: Callable[[dict[str, Any]], dict[str, Any]]
) -> dict[str, Any]:
    """Return a copy of a description with `change` made to it, and to those within it."""
    whole = dict(description)
    whole["kwargs"] = map_extractors(
        whole["kwargs"], lambda inner: _changed_each(inner, change), is_extractor_dict
    )
    return change(whole)


def with_names(description: dict[str, Any], apart: Callable[[Any], str]) -> dict[str, Any]:
    """Return a description with the names of files in place of vectors of times."""

    def change(one: dict[str, Any]) -> dict[str, Any]:
        vectors = [kwargs["time_vector"] for kwargs in one.get("times_kwargs", ())]
        if any(vector is not None for vector in vectors):
            one[VECTORS] = [None if vector is None else apart(vector) for vector in vectors]
        return one

    return _changed_each(description, change)
