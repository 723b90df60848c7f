"""Recordings that Intan's software split into a file every few minutes."""

from pathlib import Path
from typing import Any, Literal

from spikeloom.core.recording import BaseRecording
from spikeloom.core.segments import AppendSegmentRecording, ConcatenateSegmentRecording
from spikeloom.errors import MissingFileError, ParameterError
from spikeloom.extractors.neo_readers import NEO_CLASSES

_SUFFIXES = (".rhd", ".rhs")


def read_split_intan_files(
    folder_path: str | Path,
    mode: Literal["append", "concatenate"] = "concatenate",
    stream_id: str | None = None,
    stream_name: str | None = None,
    all_annotations: bool = False,
    use_names_as_ids: bool = False,
    ignore_integrity_checks: bool = False,
) -> BaseRecording:
    """Open all Intan files of a folder as one recording, in the order of their names.

    Parameters
    ----------
    folder_path : str or Path
        Folder with ``.rhd`` or ``.rhs`` files, whose names end in date and time.
    mode : {"concatenate", "append"}, default "concatenate"
        Make one segment of all files, or one of each.
    stream_id, stream_name : str, optional
        Which stream; needed if there are several.
    all_annotations, use_names_as_ids, ignore_integrity_checks : bool, default False
        See `read_intan`.

    Raises
    ------
    MissingFileError
        If there are no such files.
    ParameterError
        If the mode is unknown, or if files do not go together.
    """
    if mode not in {"append", "concatenate"}:
        msg = f"mode must be 'concatenate' or 'append'; got {mode!r}."
        raise ParameterError(msg)
    folder = Path(folder_path)
    inside = sorted(folder.iterdir()) if folder.is_dir() else []
    paths = [path for path in inside if path.suffix.lower() in _SUFFIXES]
    if not paths:
        msg = f"{folder} holds no .rhd or .rhs files."
        raise MissingFileError(2, msg)
    kwargs: dict[str, Any] = {
        "stream_id": stream_id,
        "stream_name": stream_name,
        "all_annotations": all_annotations,
        "use_names_as_ids": use_names_as_ids,
        "ignore_integrity_checks": ignore_integrity_checks,
    }
    parts: list[BaseRecording] = [NEO_CLASSES["intan"](path, **kwargs) for path in paths]
    if mode == "append":
        return AppendSegmentRecording(parts)
    return ConcatenateSegmentRecording(parts)
