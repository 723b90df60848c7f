"""Open folders and zarr stores of waveforms, of this and of older versions."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from spikeloom.analyzer import provenance
from spikeloom.analyzer.analyzer import SortingAnalyzer, copied_sorting
from spikeloom.analyzer.loading import load_sorting_analyzer
from spikeloom.analyzer.recording_info import RecordingInfo
from spikeloom.analyzer.stores import AnalyzerStore
from spikeloom.analyzer.waveform_extensions import read_old_extensions
from spikeloom.analyzer.waveform_layout import read_core
from spikeloom.analyzer.waveform_places import (
    FolderPlace,
    WaveformPlace,
    ZarrPlace,
    is_waveform_folder,
    is_waveform_zarr,
)
from spikeloom.analyzer.waveform_stores import folder_store, zarr_store
from spikeloom.core import probes
from spikeloom.core.loading import load
from spikeloom.core.numpy_folder_sorting import NumpyFolderSorting
from spikeloom.core.recording import BaseRecording
from spikeloom.core.sorting import BaseSorting
from spikeloom.core.sparsity import ChannelSparsity
from spikeloom.core.zarr_sorting import ZarrSortingExtractor
from spikeloom.errors import DataError, MissingFileError, ParameterError, SpikeloomError
from spikeloom.storage.provenance_json import read_provenance
from spikeloom.storage.stores import is_url, local_path
from spikeloom.storage.zarr_opening import open_zarr
from spikeloom.storage.zarr_saving import is_zarr_folder

if TYPE_CHECKING:
    from spikeloom.analyzer.waveform_extractor import WaveformExtractor

_OUTPUTS = ("MockWaveformExtractor", "WaveformExtractor", "SortingAnalyzer")


def load_waveforms(
    folder: str | Path,
    with_recording: bool = True,
    sorting: BaseSorting | None = None,
    output: Literal[
        "MockWaveformExtractor", "WaveformExtractor", "SortingAnalyzer"
    ] = "MockWaveformExtractor",
    *,
    trust_pickle: bool = False,
) -> "WaveformExtractor | SortingAnalyzer":
    """Open waveforms; nothing is written.

    Parameters
    ----------
    folder : str or Path
        A folder or zarr store that `extract_waveforms` or ``save`` made, here or in SpikeInterface
        0.95 to 0.100; or that of a sorting analyzer.
    with_recording : bool, default True
        Open the recording, too. If that cannot be done, waveforms are without it, and
        ``we.sorting_analyzer.recording_error`` says why.
    sorting : BaseSorting, optional
        The sorting, if it cannot be opened as was noted.
    output : {"MockWaveformExtractor", "WaveformExtractor", "SortingAnalyzer"}
        What is returned. An analyzer is in memory: what is computed with it is kept nowhere.
    trust_pickle : bool, default False
        Read sorting and recording from pickles, where older versions wrote such: plain values
        only, nothing in them is ever run.

    Returns
    -------
    WaveformExtractor or SortingAnalyzer

    Raises
    ------
    MissingFileError
        If there is nothing.
    DataError
        If it holds no waveforms, or they do not fit the sorting.
    ParameterError
        If the sorting is needed, or an option is unknown.
    """
    from spikeloom.analyzer.waveform_extractor import WaveformExtractor  # noqa: PLC0415 - knows this

    if output not in _OUTPUTS:
        msg = f"output must be one of {', '.join(map(repr, _OUTPUTS))}; got {output!r}."
        raise ParameterError(msg)
    if is_url(folder):
        msg = f"{folder} is a URL; waveforms can only be opened in folders."
        raise ParameterError(msg)
    root = local_path(folder).absolute()
    if not root.is_dir():
        beside = root.with_name(f"{root.name}.zarr")
        hint = f" There is {beside.name}: load that." if beside.is_dir() else ""
        msg = f"There is no folder {root}.{hint}"
        raise MissingFileError(2, msg)
    is_analyzer = output == "SortingAnalyzer"
    options = {"with_recording": with_recording, "trust_pickle": trust_pickle}
    if is_zarr_folder(root):
        if is_waveform_zarr(open_zarr(root)):
            analyzer = _read_zarr(root, sorting, is_kept=not is_analyzer, **options)
        else:
            analyzer = load_sorting_analyzer(root)
    elif (root / "settings.json").is_file() or not is_waveform_folder(root):
        analyzer = load_sorting_analyzer(root)
    else:
        analyzer = _read_folder(root, sorting, is_kept=not is_analyzer, **options)
    return analyzer if is_analyzer else WaveformExtractor(analyzer)


def load_for_core(
    location: str | Path, *, storage_options: Mapping[str, Any] | None = None, **options: Any
) -> "WaveformExtractor | SortingAnalyzer":
    """Open waveforms for `spikeloom.load`, with those of its options that make sense here."""
    del storage_options
    recording = options.pop("recording", None)
    known = {"with_recording", "sorting", "output", "trust_pickle"}
    found = load_waveforms(location, **{k: v for k, v in options.items() if k in known})
    if recording is not None:
        found.set_recording(recording)
    return found


# -- folders ---------------------------------------------------------------------------------


def _read_folder(
    root: Path,
    sorting: BaseSorting | None,
    *,
    is_kept: bool,
    with_recording: bool,
    trust_pickle: bool,
) -> SortingAnalyzer:
    params = read_provenance(root / "params.json")
    own = (root / "sorting" / "numpysorting_info.json").is_file()
    if sorting is None:
        own_sorting = NumpyFolderSorting(root / "sorting") if own else None
        sorting = own_sorting or _described_sorting(root, trust_pickle=trust_pickle)
    recording, why, description = _recording_of_folder(root, trust_pickle=trust_pickle)
    if not with_recording:
        recording, why = None, "it was not asked for (with_recording=False)."
    attributes = root / "recording_info" / "recording_attributes.json"
    info = None
    if attributes.is_file():
        group = root / "recording_info" / "probegroup.json"
        probegroup = probes.probegroup_of_dict(read_provenance(group)) if group.is_file() else None
        info = RecordingInfo.from_dict(read_provenance(attributes), probegroup)
    sparsity = root / "sparsity.json"
    analyzer = _analyzer(
        root,
        sorting,
        info,
        recording,
        read_provenance(sparsity) if sparsity.is_file() else None,
        params,
    )
    analyzer.recording_error = None if analyzer.has_recording() else why
    analyzer.recording_description = description
    source = root / "sorting.json"
    if source.is_file():
        plain = read_provenance(source)
        analyzer.set_sorting_source(lambda: provenance.open_sorting_source(plain, root))
    _fill(analyzer, FolderPlace(root), params, root)
    if is_kept:
        is_read_only = not os.access(root, os.W_OK)
        _keep(analyzer, folder_store(root, has_sorting=own, is_read_only=is_read_only))
    else:
        _load_all(analyzer, folder_store(root, has_sorting=own, is_read_only=True))
    return analyzer


def _described_sorting(root: Path, *, trust_pickle: bool) -> BaseSorting:
    for name in ("sorting.json", "sorting.pickle", "sorting.pkl"):
        if not (root / name).is_file():
            continue
        if not name.endswith(".json") and not trust_pickle:
            msg = (
                f"The sorting of {root} is described in the pickle {name}, which is not read "
                "without being asked: pass trust_pickle=True, or give sorting=...."
            )
            raise ParameterError(msg)
        try:
            found = load(root / name, trust_pickle=trust_pickle)
        except (SpikeloomError, OSError, TypeError, ValueError, KeyError) as error:
            msg = (
                f"The sorting of {root}, which its waveforms need, cannot be opened ({error}). "
                "Give it: load_waveforms(folder, sorting=...)."
            )
            raise DataError(msg) from error
        if isinstance(found, BaseSorting):
            return found
        msg = f"{root / name} describes a {type(found).__name__}, no sorting: give sorting=...."
        raise DataError(msg)
    msg = f"{root} does not say what its sorting is: give it, load_waveforms(folder, sorting=...)."
    raise ParameterError(msg)


def _recording_of_folder(
    root: Path, *, trust_pickle: bool
) -> tuple[BaseRecording | None, str | None, dict[str, Any] | None]:
    """Return the recording, or why there is none, and how it is opened."""
    names = ["recording.json", *(["recording.pickle", "recording.pkl"] if trust_pickle else [])]
    for name in names:
        if not (root / name).is_file():
            continue
        description = None
        try:
            if name.endswith(".json"):
                description = provenance.absolute(read_provenance(root / name), root)
            found = load(root / name, trust_pickle=trust_pickle)
        except Exception as error:  # noqa: BLE001 - whatever a reader says: waveforms do without
            return None, f"{type(error).__name__}: {error}", description
        if isinstance(found, BaseRecording):
            return found, None, description
        return None, f"{name} describes a {type(found).__name__}.", None
    if any((root / name).is_file() for name in ("recording.pickle", "recording.pkl")):
        why = (
            "it is described in a pickle, which is not read without being asked: "
            "load_waveforms(folder, trust_pickle=True)."
        )
        return None, why, None
    return None, "it lived in memory when the waveforms were saved.", None


# -- zarr stores -----------------------------------------------------------------------------


def _read_zarr(
    root: Path,
    sorting: BaseSorting | None,
    *,
    is_kept: bool,
    with_recording: bool,
    trust_pickle: bool,  # noqa: ARG001 - there are none
) -> SortingAnalyzer:
    group = open_zarr(root)
    attributes = group.attributes
    params = attributes["params"]
    own = "sorting" in group
    described = attributes.get("sorting")
    if sorting is None and own:
        sorting = ZarrSortingExtractor(root, zarr_group="sorting")
    elif sorting is None and described is not None:
        sorting = provenance.open_sorting_source(described, root)
    if sorting is None:
        msg = (
            f"The sorting of {root}, which its waveforms need, cannot be opened. Give it: "
            "load_waveforms(folder, sorting=...)."
        )
        raise DataError(msg)
    recording, why, description = _recording_of_zarr(attributes.get("recording"), root)
    if not with_recording:
        recording, why = None, "it was not asked for (with_recording=False)."
    noted = group.group("recording_info").attributes if "recording_info" in group else {}
    info = None
    if "recording_attributes" in noted:
        probe = noted.get("probegroup")
        probegroup = None if probe is None else probes.probegroup_of_dict(probe)
        info = RecordingInfo.from_dict(noted["recording_attributes"], probegroup)
    analyzer = _analyzer(root, sorting, info, recording, attributes.get("sparsity"), params)
    analyzer.recording_error = None if analyzer.has_recording() else why
    analyzer.recording_description = description
    if described is not None:
        analyzer.set_sorting_source(lambda: provenance.open_sorting_source(described, root))
    _fill(analyzer, ZarrPlace(lambda _: group, root), params, None)
    if is_kept:
        is_read_only = not os.access(root, os.W_OK)
        _keep(analyzer, zarr_store(root, has_sorting=own, is_read_only=is_read_only))
    else:
        _load_all(analyzer, zarr_store(root, has_sorting=own, is_read_only=True))
    return analyzer


def _recording_of_zarr(
    described: Mapping[str, Any] | None, root: Path
) -> tuple[BaseRecording | None, str | None, dict[str, Any] | None]:
    if described is None:
        return None, "it lived in memory when the waveforms were saved.", None
    description = None
    try:
        description = provenance.absolute(described, root)
        return provenance.open_recording(description), None, description
    except Exception as error:  # noqa: BLE001 - whatever a reader says: waveforms do without
        return None, f"{type(error).__name__}: {error}", description


# -- both ------------------------------------------------------------------------------------


def _analyzer(
    root: Path,
    sorting: BaseSorting,
    info: RecordingInfo | None,
    recording: BaseRecording | None,
    sparsity: Mapping[str, Any] | None,
    params: Mapping[str, Any],
) -> SortingAnalyzer:
    if info is None:
        if recording is None:
            msg = f"{root} tells nothing of its recording, which cannot be opened either."
            raise DataError(msg)
        info = RecordingInfo.of(recording)
    analyzer = SortingAnalyzer(
        copied_sorting(sorting),
        None,
        info,
        sparsity=None if sparsity is None else _fitting(sparsity, sorting, info),
        return_in_uV=bool(params.get("return_scaled", True)),
    )
    analyzer.set_sorting_source(lambda: sorting)
    if recording is not None and not info.differences(recording, with_dtype=False):
        analyzer.set_recording(recording)
    return analyzer


def _fitting(
    described: Mapping[str, Any], sorting: BaseSorting, info: RecordingInfo
) -> ChannelSparsity:
    """Return the sparsity with units and channels in the order of sorting and recording."""
    known = ChannelSparsity.from_dict(described)
    channels = known.unit_id_to_channel_ids
    lacking = [unit_id for unit_id in sorting.unit_ids.tolist() if unit_id not in channels]
    if lacking:
        msg = f"The sparsity of the waveforms lacks the units {lacking[:8]} of the sorting."
        raise DataError(msg)
    chosen = {unit_id: channels[unit_id] for unit_id in sorting.unit_ids.tolist()}
    return ChannelSparsity.from_unit_id_to_channel_ids(chosen, sorting.unit_ids, info.channel_ids)


def _fill(
    analyzer: SortingAnalyzer,
    place: WaveformPlace,
    params: Mapping[str, Any],
    folder: Path | None,
) -> None:
    read_core(analyzer, place, params)
    read_old_extensions(analyzer, place, folder)


def _keep(analyzer: SortingAnalyzer, store: AnalyzerStore) -> None:
    """Let an analyzer keep what it computes where its waveforms are, and load what is there."""
    analyzer.store = store
    analyzer.load_all_saved_extension()


def _load_all(analyzer: SortingAnalyzer, store: AnalyzerStore) -> None:
    """Load what is kept beside the waveforms, for an analyzer that stays in memory."""
    memory = analyzer.store
    analyzer.store = store
    try:
        analyzer.load_all_saved_extension()
    finally:
        analyzer.store = memory
