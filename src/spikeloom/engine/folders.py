"""The folders of this process for temporary files and for datasets that are downloaded."""

import os
import tempfile
from pathlib import Path

DATASET_FOLDER_VARIABLES = ("SPIKELOOM_DATASET_FOLDER", "SPIKEINTERFACE_DATASET_FOLDER")

_tmp_folder: Path | None = None
_is_tmp_folder_set = False
_dataset_folder: Path | None = None


def get_global_tmp_folder() -> Path:
    """Return the folder for temporary files of this process; made at the first call.

    Examples
    --------
    >>> get_global_tmp_folder().is_dir()
    True
    """
    global _tmp_folder  # noqa: PLW0603 - this is what the function is for
    if _tmp_folder is None:
        base = Path(tempfile.gettempdir()) / "spikeloom_cache"
        base.mkdir(parents=True, exist_ok=True)
        _tmp_folder = Path(tempfile.mkdtemp(prefix="tmp_", dir=base))
    _tmp_folder.mkdir(parents=True, exist_ok=True)
    return _tmp_folder


def set_global_tmp_folder(folder: str | os.PathLike[str]) -> None:
    """Set the folder for temporary files; it is made when it is first asked for."""
    global _tmp_folder, _is_tmp_folder_set  # noqa: PLW0603 - this is what the function is for
    _tmp_folder = Path(folder).expanduser().absolute()
    _is_tmp_folder_set = True


def is_set_global_tmp_folder() -> bool:
    """Tell whether `set_global_tmp_folder` was called since the start or the last reset."""
    return _is_tmp_folder_set


def reset_global_tmp_folder() -> None:
    """Go back to a fresh folder in the system's place for temporary files."""
    global _tmp_folder, _is_tmp_folder_set  # noqa: PLW0603 - this is what the function is for
    _tmp_folder = None
    _is_tmp_folder_set = False


def get_global_dataset_folder() -> Path:
    """Return the folder for datasets that are downloaded; it need not exist.

    It is the one given to `set_global_dataset_folder`, else that of the environment variable
    ``SPIKELOOM_DATASET_FOLDER`` or ``SPIKEINTERFACE_DATASET_FOLDER``, else
    ``~/spikeinterface_datasets``: what was downloaded with SpikeInterface is found again.
    """
    if _dataset_folder is not None:
        return _dataset_folder
    for variable in DATASET_FOLDER_VARIABLES:
        if folder := os.environ.get(variable):
            return Path(folder).expanduser()
    return Path.home() / "spikeinterface_datasets"


def set_global_dataset_folder(folder: str | os.PathLike[str]) -> None:
    """Set the folder for datasets that are downloaded."""
    global _dataset_folder  # noqa: PLW0603 - this is what the function is for
    _dataset_folder = Path(folder).expanduser().absolute()


def is_set_global_dataset_folder() -> bool:
    """Tell whether `set_global_dataset_folder` was called."""
    return _dataset_folder is not None


def reset_global_dataset_folder() -> None:
    """Go back to the environment's or the default folder for datasets."""
    global _dataset_folder  # noqa: PLW0603 - this is what the function is for
    _dataset_folder = None
