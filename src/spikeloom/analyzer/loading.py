"""Open saved analyzers."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.analyzer import provenance
from spikeloom.analyzer.analyzer import SortingAnalyzer
from spikeloom.analyzer.extension import EXTENSIONS, get_available_analyzer_extensions
from spikeloom.analyzer.folder_store import FolderStore
from spikeloom.analyzer.provenance import PathMap
from spikeloom.analyzer.recording_info import RecordingInfo
from spikeloom.analyzer.saving import checked_options
from spikeloom.analyzer.stores import AnalyzerStore
from spikeloom.analyzer.waveform_places import is_waveform_folder, is_waveform_zarr
from spikeloom.analyzer.zarr_store import ZarrStore
from spikeloom.core import probes
from spikeloom.core.dumping import VECTORS
from spikeloom.core.loading import FOLDER_LOADERS
from spikeloom.core.numpy_folder_sorting import NumpyFolderSorting
from spikeloom.core.numpy_sorting import NumpySorting
from spikeloom.core.provenance import is_extractor_dict, map_extractors
from spikeloom.core.recording import BaseRecording
from spikeloom.core.sorting import BaseSorting
from spikeloom.core.sparsity import ChannelSparsity
from spikeloom.core.zarr_sorting import ZarrSortingExtractor
from spikeloom.errors import DataError, MissingFileError, ParameterError, ReadError
from spikeloom.storage.arrays import open_npy
from spikeloom.storage.numpy_files import open_records
from spikeloom.storage.provenance_json import read_provenance
from spikeloom.storage.stores import is_url, local_path
from spikeloom.storage.zarr_groups import ZarrGroup
from spikeloom.storage.zarr_opening import open_zarr
from spikeloom.storage.zarr_saving import is_zarr_folder

_READ_ONLY_URLS = ("http://", "https://")


@dataclass
class _Saved:
    """What a folder or a zarr store holds of an analyzer, besides its extensions."""

    store: AnalyzerStore
    sorting: BaseSorting
    settings: Mapping[str, Any]
    info: RecordingInfo
    mask: NDArray[np.bool_] | None
    recording: Mapping[str, Any] | None
    """How the recording is opened, as it was saved."""
    no_recording: str | None
    """Why that is not known."""
    times: Mapping[str, Any]
    """Times of samples, by the names that the recording's description has for them."""
    folder: Path | None
    """Folder that relative paths start from."""


def load_sorting_analyzer(
    folder: str | Path,
    load_extensions: bool = True,
    format: str = "auto",
    backend_options: Mapping[str, Any] | None = None,
    lazy: bool = False,
    read_only: bool = False,
    *,
    recording: BaseRecording | None = None,
    base_folder: str | Path | None = None,
    path_map: PathMap | None = None,
) -> SortingAnalyzer:
    """Open a saved analyzer; nothing is written.

    If its recording cannot be opened again, the analyzer is without it:
    ``analyzer.recording_error`` says why.

    Parameters
    ----------
    folder : str or Path
        A folder or zarr store that `create_sorting_analyzer` or ``save_as`` made, here or in
        SpikeInterface 0.101 to 0.105; for zarr also a URL.
    load_extensions : bool, default True
        Read all extensions now. Else, each is read when it is asked for.
    format : {"auto", "binary_folder", "zarr"}, default "auto"
        What the folder is.
    backend_options : mapping, optional
        ``storage_options`` to reach a URL, ``saving_options`` (compressor, filters) for what is
        computed.
    lazy : bool, default False
        Map arrays of a folder into memory instead of reading them; read extensions of a zarr store
        only when they are asked for.
    read_only : bool, default False
        Refuse to change what is saved.
    recording : BaseRecording, optional
        The recording, to be used instead of opening it as was saved.
    base_folder : str or Path, optional
        Folder that relative paths of the recording start from; that of the analyzer by default.
    path_map : mapping of str to str, optional
        New places of moved files, or of folders above them, by the old ones.

    Returns
    -------
    SortingAnalyzer

    Raises
    ------
    MissingFileError
        If there is nothing.
    DataError
        If it is no analyzer.
    ParameterError
        If the format is unknown, or the recording does not fit.
    """
    if format not in {"auto", "binary_folder", "zarr"}:
        msg = f"format must be 'auto', 'binary_folder' or 'zarr'; got {format!r}."
        raise ParameterError(msg)
    options = checked_options(backend_options)
    if format == "zarr" or (format == "auto" and _is_zarr(folder)):
        saved = _read_zarr(folder, options, is_read_only=read_only)
    else:
        saved = _read_folder(folder, is_read_only=read_only, is_lazy=lazy)
    analyzer = SortingAnalyzer(
        NumpySorting.from_sorting(saved.sorting, with_metadata=True, copy_spike_vector=not lazy),
        None,
        saved.info,
        sparsity=_sparsity(saved),
        return_in_uV=_return_in_uV(saved.settings),
        settings={k: v for k, v in saved.settings.items() if k in {"peak_sign", "peak_mode"}},
        store=saved.store,
    )
    analyzer.is_lazy = lazy
    if recording is not None:
        analyzer.set_recording(recording)
    else:
        _reopen_recording(analyzer, saved, base_folder, path_map)
    if load_extensions and not (lazy and saved.store.format == "zarr"):
        _load_known(analyzer)
    return analyzer


def load_sorting_analyzer_or_waveforms(
    folder: str | Path, sorting: BaseSorting | None = None
) -> SortingAnalyzer:
    """Open a saved analyzer, or a folder of waveforms of an older version.

    Parameters
    ----------
    folder : str or Path
        The folder.
    sorting : BaseSorting, optional
        For waveforms whose sorting cannot be opened again.
    """
    place = folder if is_url(folder) else local_path(folder)
    if isinstance(place, Path) and place.is_dir():
        if is_zarr_folder(place):
            is_older = is_waveform_zarr(open_zarr(place))
        else:
            is_older = is_waveform_folder(place) and not (place / "settings.json").is_file()
        if is_older:
            loader = FOLDER_LOADERS.get("WaveformExtractor")
            loaded: SortingAnalyzer = loader(place, sorting=sorting, output="SortingAnalyzer")
            return loaded
    return load_sorting_analyzer(folder)


def load_for_core(
    location: str | Path, *, storage_options: Mapping[str, Any] | None = None, **options: Any
) -> SortingAnalyzer:
    """Open an analyzer for `spikeloom.load`, which knows its storage options."""
    if storage_options is not None:
        given = dict(options.pop("backend_options", None) or {})
        options["backend_options"] = {**given, "storage_options": storage_options}
    return load_sorting_analyzer(location, **options)


def _is_zarr(folder: str | Path) -> bool:
    if is_url(folder):
        return True
    path = local_path(folder)
    return path.suffix == ".zarr" or any(
        (path / name).is_file() for name in (".zgroup", "zarr.json")
    )


def _return_in_uV(settings: Mapping[str, Any]) -> bool:
    return bool(settings.get("return_in_uV", settings.get("return_scaled", True)))


def _sparsity(saved: _Saved) -> ChannelSparsity | None:
    if saved.mask is None:
        return None
    return ChannelSparsity(saved.mask, saved.sorting.unit_ids, saved.info.channel_ids)


def _load_known(analyzer: SortingAnalyzer) -> None:
    """Load the extensions whose classes are known; say which are not."""
    get_available_analyzer_extensions()  # registers ours
    names = analyzer.get_saved_extension_names()
    unknown = [name for name in names if name not in EXTENSIONS]
    if unknown:
        message = (
            f"The analyzer in {analyzer.folder} has extensions that are unknown here, and are left "
            f"as they are: {', '.join(unknown)}."
        )
        warnings.warn(message, UserWarning, stacklevel=4)
    analyzer.load_all_saved_extension()


# -- folders ---------------------------------------------------------------------------------


def _read_folder(folder: str | Path, *, is_read_only: bool, is_lazy: bool) -> _Saved:
    if is_url(folder):
        msg = f"{folder} is a URL; only analyzers in the format 'zarr' can be opened from there."
        raise ParameterError(msg)
    root = local_path(folder).absolute()
    if not root.is_dir():
        msg = f"There is no folder {root}."
        raise MissingFileError(2, msg)
    attributes = root / "recording_info" / "recording_attributes.json"
    if not (attributes.is_file() and (root / "sorting").is_dir()):
        msg = (
            f"{root} holds no analyzer: it lacks sorting/ or recording_info/"
            "recording_attributes.json."
        )
        raise DataError(msg)
    settings = root / "settings.json"
    probes_file = root / "recording_info" / "probegroup.json"
    probegroup = None
    if probes_file.is_file():
        probegroup = probes.probegroup_of_dict(read_provenance(probes_file))
    mask = root / "sparsity_mask.npy"
    recording, no_recording = _recording_of_folder(root)
    return _Saved(
        store=FolderStore(root, is_read_only=is_read_only),
        sorting=NumpyFolderSorting(root / "sorting"),
        settings=read_provenance(settings) if settings.is_file() else {},
        info=RecordingInfo.from_dict(read_provenance(attributes), probegroup),
        mask=open_records(mask, is_mapped=is_lazy) if mask.is_file() else None,
        recording=recording,
        no_recording=no_recording,
        times=_Files(root),
        folder=root,
    )


class _Files(dict[str, Any]):
    """Files of times in a folder, opened when asked for."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def __missing__(self, name: str) -> Any:
        return open_npy(self._folder / Path(name).name)


def _recording_of_folder(root: Path) -> tuple[Mapping[str, Any] | None, str | None]:
    if (root / "recording.json").is_file():
        return read_provenance(root / "recording.json"), None
    for name in ("recording.pickle", "recording.pkl"):
        if (root / name).is_file():
            return None, (
                f"it is described in the pickle {name}, which is not read without being asked: "
                f"load(folder / {name!r}, base_folder=folder, trust_pickle=True) may give it."
            )
    return None, "it lived in memory when the analyzer was saved."


# -- zarr stores -----------------------------------------------------------------------------


def _read_zarr(location: str | Path, options: Mapping[str, Any], *, is_read_only: bool) -> _Saved:
    place: str | Path = str(location) if is_url(location) else local_path(location).absolute()
    store = ZarrStore(
        place,
        **options,
        is_read_only=is_read_only or str(place).startswith(_READ_ONLY_URLS),
    )
    root = store.root()
    attributes = root.attributes
    info = root.group("recording_info").attributes if "recording_info" in root else {}
    if "settings" not in attributes or "recording_attributes" not in info or "sorting" not in root:
        msg = f"{place} holds no analyzer: it lacks settings, sorting or recording_attributes."
        raise DataError(msg)
    described = info.get("probegroup")
    recording, no_recording = _recording_of_zarr(root)
    return _Saved(
        store=store,
        sorting=ZarrSortingExtractor(
            place, storage_options=options["storage_options"] or None, zarr_group="sorting"
        ),
        settings=attributes["settings"],
        info=RecordingInfo.from_dict(
            info["recording_attributes"],
            None if described is None else probes.probegroup_of_dict(described),
        ),
        mask=root.read_array("sparsity_mask") if "sparsity_mask" in root else None,
        recording=recording,
        no_recording=no_recording,
        times=_Arrays(root),
        folder=place if isinstance(place, Path) else None,
    )


class _Arrays(dict[str, Any]):
    """Arrays of times in a zarr group, read when asked for."""

    def __init__(self, group: ZarrGroup) -> None:
        super().__init__()
        self._group = group

    def __missing__(self, name: str) -> Any:
        return self._group.read_array(name)


def _recording_of_zarr(root: ZarrGroup) -> tuple[Mapping[str, Any] | None, str | None]:
    if "recording" not in root:
        return None, "it lived in memory when the analyzer was saved."
    try:
        return root.read_object("recording"), None
    except ReadError as error:
        return None, str(error)


# -- the recording ---------------------------------------------------------------------------


def _reopen_recording(
    analyzer: SortingAnalyzer,
    saved: _Saved,
    base_folder: str | Path | None,
    path_map: PathMap | None,
) -> None:
    """Give an analyzer its recording; or note why that cannot be."""
    if saved.recording is None:
        analyzer.recording_error = saved.no_recording
        return
    folder = saved.folder if base_folder is None else Path(base_folder)
    try:
        description = provenance.absolute(saved.recording, folder, path_map)
        analyzer.recording_description = _with_times(description, None)
        recording = provenance.open_recording(_with_times(description, saved.times))
        analyzer.set_recording(recording)
    except Exception as error:  # noqa: BLE001 - whatever a reader says: the analyzer does without
        analyzer.recording_error = f"{type(error).__name__}: {error}"


def _with_times(description: Mapping[str, Any], times: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return a description with the times of samples that it names, or without any for None."""
    whole = dict(description)
    whole["kwargs"] = map_extractors(
        whole["kwargs"], lambda inner: _with_times(inner, times), is_extractor_dict
    )
    names = whole.pop(VECTORS, None)
    if names and times is not None:
        whole["times_kwargs"] = [
            kwargs if name is None else kwargs | {"time_vector": times[name]}
            for kwargs, name in zip(whole["times_kwargs"], names, strict=True)
        ]
    return whole
