"""Write waveforms with all that belongs to them, laid out as SpikeInterface 0.100 does.

Besides what that version knows, there is a copy of the sorting, so that a folder can be opened
wherever it is taken to, and what else was computed, as in the folder of an analyzer.
"""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spikeloom.analyzer.core_templates import ComputeTemplates
from spikeloom.analyzer.core_waveforms import ComputeWaveforms
from spikeloom.analyzer.extension_files import write_extension_files
from spikeloom.analyzer.extension_groups import write_extension_group
from spikeloom.analyzer.provenance import described
from spikeloom.analyzer.waveform_layout import params_of, template_arrays, waveform_arrays
from spikeloom.analyzer.waveform_places import (
    FolderPlace,
    WaveformPlace,
    ZarrPlace,
    is_replaceable,
)
from spikeloom.analyzer.waveform_stores import WaveformStore, folder_store, zarr_store
from spikeloom.core.dumping import dump_to_json
from spikeloom.core.folder_metadata import write_probegroup
from spikeloom.core.numpy_folder_sorting import NumpyFolderSorting, write_numpy_folder
from spikeloom.core.sorting import BaseSorting
from spikeloom.core.zarr_sorting import write_zarr_sorting
from spikeloom.errors import ParameterError
from spikeloom.storage.provenance_json import to_plain, write_provenance
from spikeloom.storage.staged_saves import refuse_taken, staged_save
from spikeloom.storage.stores import is_url, local_path
from spikeloom.storage.zarr_groups import ZarrGroup
from spikeloom.storage.zarr_opening import zarr_location
from spikeloom.storage.zarr_saving import saving_zarr

if TYPE_CHECKING:
    from spikeloom.analyzer.analyzer import SortingAnalyzer

FORMATS = ("binary", "zarr")
"""How waveforms are kept; ``"folder"`` is another word for the first."""


def place_of(folder: str | Path, format: str) -> Path:
    """Return where waveforms are written to; raises ParameterError if that cannot be."""
    if format not in {*FORMATS, "folder"}:
        msg = f"format must be 'binary' or 'zarr'; got {format!r}."
        raise ParameterError(msg)
    if is_url(folder):
        msg = f"{folder} is a URL; waveforms are written to folders. Use a SortingAnalyzer there."
        raise ParameterError(msg)
    path = local_path(folder)
    return Path(zarr_location(path) if format == "zarr" else path).absolute()


def refuse_early(folder: str | Path, format: str, *, overwrite: bool) -> None:
    """Refuse a place that is taken, before anything is computed; raises WriteError."""
    target = place_of(folder, format)
    refuse_taken(target, overwrite=overwrite, is_replaceable=is_replaceable)


def write_waveforms(
    analyzer: "SortingAnalyzer",
    folder: str | Path,
    format: str = "binary",
    *,
    use_relative_path: bool = False,
    overwrite: bool = False,
) -> WaveformStore:
    """Write the waveforms, and what else was computed; all of it at once, or nothing.

    Parameters
    ----------
    analyzer : SortingAnalyzer
        Its extensions are in memory.
    folder : str or Path
        Where to; ``.zarr`` is appended for zarr.
    format : {"binary", "zarr"}
        How it is kept.
    use_relative_path : bool, default False
        Describe the places of recording and sorting as seen from the folder.
    overwrite : bool, default False
        Replace what is there.

    Returns
    -------
    WaveformStore
        Where it is kept now.

    Raises
    ------
    WriteError
        If something is there already, or it cannot be written.
    """
    target = place_of(folder, format)
    if analyzer.has_recording() and not analyzer.recording.check_serializability("json"):
        message = (
            "The recording lives in memory, or is made of something that does: the saved waveforms "
            "cannot open it again. save(folder=...) the recording first, or give it again: "
            "load_waveforms(folder).set_recording(recording)."
        )
        warnings.warn(message, UserWarning, stacklevel=4)
    if format == "zarr":
        with saving_zarr(target, overwrite=overwrite, is_consolidated=True) as save:
            base = target if save.staging is None else save.staging.path
            _fill_zarr(analyzer, save.group, base, is_relative=use_relative_path)
        return zarr_store(target, has_sorting=True)
    with staged_save(target, overwrite=overwrite, is_replaceable=is_replaceable) as staging:
        staging.path.mkdir(exist_ok=True)
        _fill_folder(analyzer, staging.path, is_relative=use_relative_path)
    return folder_store(target, has_sorting=True)


def _fill_folder(analyzer: "SortingAnalyzer", root: Path, *, is_relative: bool) -> None:
    (root / "sorting").mkdir()
    write_numpy_folder(analyzer.sorting, root / "sorting")
    source = _source_of(analyzer)
    if source is None:
        dump_to_json(NumpyFolderSorting(root / "sorting"), root / "sorting.json", relative_to=root)
    else:
        dump_to_json(source, root / "sorting.json", relative_to=root if is_relative else None)
    if analyzer.has_recording():
        if analyzer.recording.check_serializability("json"):
            base = root if is_relative else None
            dump_to_json(analyzer.recording, root / "recording.json", relative_to=base)
    elif analyzer.recording_description is not None:
        write_provenance(root / "recording.json", analyzer.recording_description)
    info = root / "recording_info"
    write_provenance(info / "recording_attributes.json", analyzer.recording_info.to_dict())
    if analyzer.recording_info.probegroup is not None:
        write_probegroup(analyzer.recording_info.probegroup, info)
    if analyzer.sparsity is not None:
        write_provenance(root / "sparsity.json", analyzer.sparsity.to_dict())
    _fill(analyzer, FolderPlace(root))
    for name, extension in _others(analyzer).items():
        write_extension_files(extension, root / "extensions" / name)


def _fill_zarr(
    analyzer: "SortingAnalyzer", root: ZarrGroup, base: Path, *, is_relative: bool
) -> None:
    write_zarr_sorting(analyzer.sorting, root.create_group("sorting"), source=None)
    attributes: dict[str, Any] = {}
    relative_to = base if is_relative else None
    source = _source_of(analyzer)
    if source is not None:
        attributes["sorting"] = described(source, relative_to)
    if analyzer.has_recording():
        attributes["recording"] = described(analyzer.recording, relative_to)
    elif analyzer.recording_description is not None:
        attributes["recording"] = to_plain(analyzer.recording_description)
    if analyzer.sparsity is not None:
        attributes["sparsity"] = to_plain(analyzer.sparsity.to_dict())
    root.set_attributes({key: value for key, value in attributes.items() if value is not None})
    info: dict[str, Any] = {"recording_attributes": analyzer.recording_info.to_dict()}
    if analyzer.recording_info.probegroup is not None:
        info["probegroup"] = analyzer.recording_info.probegroup.to_dict(array_as_list=True)
    root.create_group("recording_info", info)
    _fill(analyzer, ZarrPlace(lambda _: root, base, is_new=True))
    extensions = root.create_group("extensions")
    for name, extension in _others(analyzer).items():
        write_extension_group(extension, extensions.create_group(name), {})


def _fill(analyzer: "SortingAnalyzer", place: WaveformPlace) -> None:
    place.write_params(params_of(analyzer))
    waveforms = analyzer.get_extension("waveforms")
    if isinstance(waveforms, ComputeWaveforms):
        place.replace_waveforms(waveform_arrays(waveforms))
    templates = analyzer.get_extension("templates")
    if isinstance(templates, ComputeTemplates):
        for name, values in template_arrays(templates).items():
            place.write(name, values)


def _others(analyzer: "SortingAnalyzer") -> dict[str, Any]:
    """Return the extensions that older versions have no place for."""
    analyzer.load_all_saved_extension()
    own = ("waveforms", "templates")
    return {name: one for name, one in analyzer.extensions.items() if name not in own}


def _source_of(analyzer: "SortingAnalyzer") -> BaseSorting | None:
    """Return where the sorting came from, if files can say it and it has the same spikes."""
    source = analyzer.get_sorting_provenance()
    if source is None or not source.check_serializability("json"):
        return None
    is_same = np.array_equal(source.unit_ids, analyzer.unit_ids) and np.array_equal(
        source.to_spike_vector(), analyzer.sorting.to_spike_vector()
    )
    return source if is_same else None
