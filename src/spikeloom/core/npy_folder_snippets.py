"""Folders of saved snippets, which SpikeInterface reads and writes, too."""

from pathlib import Path
from typing import Any

from numpy.typing import DTypeLike

from spikeloom.core.class_names import stored_as, stored_name
from spikeloom.core.folder_metadata import (
    read_folder_description,
    read_metadata,
    write_metadata,
    write_si_folder,
)
from spikeloom.core.npy_snippets import NpySnippetsExtractor, n_bytes_of, records_writer
from spikeloom.core.snippets import BaseSnippets
from spikeloom.errors import ParameterError
from spikeloom.storage.json_fields import arguments_from
from spikeloom.storage.provenance_json import write_provenance
from spikeloom.storage.staged_saves import staged_save

_INFO_FILE = "npy.json"


@stored_as("spikeinterface.core.npyfoldersnippets.NpyFolderSnippets")
class NpyFolderSnippets(NpySnippetsExtractor):
    """Snippets that were saved to a folder.

    Parameters
    ----------
    folder_path : str or Path
        The folder.

    Raises
    ------
    MissingFileError, ReadError
        If a file is absent or damaged.
    DataError
        If this is a folder of something else.
    """

    def __init__(self, folder_path: str | Path) -> None:
        folder = Path(folder_path)
        description = read_folder_description(folder, _INFO_FILE, "NpySnippetsExtractor")
        with arguments_from(folder / _INFO_FILE):
            super().__init__(**description["kwargs"])
        read_metadata(self, folder)
        self._kwargs = {"folder_path": str(folder.absolute())}


def read_npy_snippets_folder(folder_path: str | Path) -> NpyFolderSnippets:
    """Read snippets that were saved to a folder; see `NpyFolderSnippets`."""
    return NpyFolderSnippets(folder_path)


def save_snippets(
    snippets: BaseSnippets,
    folder: str | Path,
    *,
    overwrite: bool = False,
    dtype: DTypeLike | None = None,
) -> NpyFolderSnippets:
    """Save snippets to a folder and return the saved ones; this is ``snippets.save(folder=...)``.

    Parameters
    ----------
    snippets : BaseSnippets
        The snippets.
    folder : str or Path
        Where to.
    overwrite : bool, default False
        Replace what was saved there before.
    dtype : dtype, optional
        Type to write in; that of the snippets by default.

    Raises
    ------
    WriteError
        If the folder is there already (a FileExistsError, too), or cannot be written.
    ParameterError
        If there are no segments, or if annotations or properties hold what files cannot.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from spikeloom.core.numpy_snippets import NumpySnippets
    >>> snippets = NumpySnippets(np.ones((2, 32, 4)), np.array([50, 90]), 30000.0, nbefore=10)
    >>> saved = save_snippets(snippets, Path(tempfile.mkdtemp()) / "snippets")
    >>> saved.get_frames(), saved.nbefore
    (array([50, 90]), 10)
    """
    if not snippets.get_num_segments():
        msg = "Snippets without a segment cannot be saved: there is no file that would hold them."
        raise ParameterError(msg)
    target = Path(folder)
    with staged_save(
        target,
        overwrite=overwrite,
        is_replaceable=_is_saved,
        needed_bytes=n_bytes_of(snippets, dtype),
    ) as staging:
        staging.path.mkdir()
        names = [f"traces_cached_seg{k}.npy" for k in range(snippets.get_num_segments())]
        for k, file_name in enumerate(names):
            with (staging.path / file_name).open("xb") as file:
                records_writer(snippets, k, dtype)(file)
        write_provenance(staging.path / _INFO_FILE, _info(snippets, names))
        write_metadata(snippets, staging.path, source=None)
        write_si_folder(snippets, staging.path, stored_name(NpyFolderSnippets)[0])
    return NpyFolderSnippets(target)


def _is_saved(folder: Path) -> bool:
    return (folder / "si_folder.json").is_file()


def _info(snippets: BaseSnippets, file_names: list[str]) -> dict[str, Any]:
    """Return what makes the snippets of a folder again, with paths relative to it."""
    path, module, version = stored_name(NpySnippetsExtractor)
    gains, offsets = snippets.get_channel_gains(), snippets.get_channel_offsets()
    return {
        "class": path,
        "module": module,
        "version": version,
        "kwargs": {
            "file_paths": file_names,
            "sampling_frequency": snippets.sampling_frequency,
            "channel_ids": snippets.channel_ids,
            "nbefore": snippets.nbefore,
            "gain_to_uV": gains,
            "offset_to_uV": offsets,
        },
        "annotations": {},
        "properties": {"group": None, "gain_to_uV": gains, "offset_to_uV": offsets},
        "relative_paths": True,
    }
