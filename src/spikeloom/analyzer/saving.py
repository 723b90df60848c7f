"""Write a whole analyzer, with its extensions, to a folder or a zarr store."""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from spikeloom.analyzer.extension_files import write_extension_files
from spikeloom.analyzer.extension_groups import write_extension_group
from spikeloom.analyzer.folder_store import FolderStore
from spikeloom.analyzer.provenance import described
from spikeloom.analyzer.stores import AnalyzerStore, MemoryStore
from spikeloom.analyzer.zarr_store import ZarrStore
from spikeloom.core.class_names import PEER_VERSION
from spikeloom.core.dumping import dump_to_json
from spikeloom.core.folder_metadata import write_probegroup
from spikeloom.core.numpy_folder_sorting import write_numpy_folder
from spikeloom.core.saving import is_saved_folder
from spikeloom.core.sorting import BaseSorting
from spikeloom.core.zarr_sorting import write_zarr_sorting
from spikeloom.errors import ParameterError
from spikeloom.storage.arrays import npy_writer
from spikeloom.storage.atomic import write_atomic
from spikeloom.storage.provenance_json import write_provenance
from spikeloom.storage.staged_saves import staged_save
from spikeloom.storage.stores import is_url, local_path
from spikeloom.storage.zarr_groups import ZarrGroup
from spikeloom.storage.zarr_opening import zarr_location
from spikeloom.storage.zarr_saving import ZarrSave, saving_zarr

if TYPE_CHECKING:
    from spikeloom.analyzer.analyzer import SortingAnalyzer

AnalyzerFormat = Literal["memory", "binary_folder", "zarr"]
"""Where an analyzer is kept."""

_INFO = {"version": PEER_VERSION, "dev_mode": False, "object": "SortingAnalyzer"}


def write_analyzer(
    analyzer: "SortingAnalyzer",
    format: str,
    folder: str | Path | None,
    *,
    backend_options: Mapping[str, Any] | None = None,
    overwrite: bool = False,
) -> AnalyzerStore:
    """Write an analyzer; nothing is at its place before all of it is written.

    Parameters
    ----------
    analyzer : SortingAnalyzer
        In memory, at least its extensions.
    format : {"memory", "binary_folder", "zarr"}
        How it is kept.
    folder : str, Path or None
        Where to; for zarr also a URL. ``.zarr`` is appended for zarr.
    backend_options : mapping, optional
        ``storage_options`` and ``saving_options``.
    overwrite : bool, default False
        Replace what is there.

    Returns
    -------
    AnalyzerStore
        Where it is kept now.

    Raises
    ------
    ParameterError
        If the format is unknown, or there is no folder.
    WriteError
        If something is there already, or it cannot be written.
    """
    check_place(format, folder)
    options = checked_options(backend_options)
    if format == "memory" or folder is None:
        return MemoryStore()
    if analyzer.has_recording() and not analyzer.recording.check_serializability("json"):
        message = (
            "The recording lives in memory, or is made of something that does: the saved analyzer "
            "cannot open it again. save(folder=...) the recording first, or give it again: "
            "load_sorting_analyzer(folder, recording=recording)."
        )
        warnings.warn(message, UserWarning, stacklevel=4)
    if format == "binary_folder":
        target = local_path(folder).absolute()
        with staged_save(target, overwrite=overwrite, is_replaceable=is_saved_folder) as staging:
            staging.path.mkdir(exist_ok=True)
            _write_folder(analyzer, staging.path)
        return FolderStore(target)
    location = zarr_location(folder if is_url(folder) else local_path(folder).absolute())
    with saving_zarr(
        location,
        overwrite=overwrite,
        storage_options=options["storage_options"],
        is_consolidated=True,
    ) as save:
        _write_zarr(analyzer, save, options["saving_options"])
    return ZarrStore(location, **options)


def check_place(format: str, folder: str | Path | None) -> None:
    """Raise ParameterError if there is no such format, or it needs another folder."""
    if format not in get_args(AnalyzerFormat):
        known = ", ".join(map(repr, get_args(AnalyzerFormat)))
        msg = f"format must be one of {known}; got {format!r}."
        raise ParameterError(msg)
    if format != "memory" and folder is None:
        msg = f"format={format!r} needs a folder: give folder=..."
        raise ParameterError(msg)
    if format == "binary_folder" and folder is not None and is_url(folder):
        msg = f"{folder} is a URL; format='binary_folder' needs a folder. Zarr can go to URLs."
        raise ParameterError(msg)


def checked_options(backend_options: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return ``storage_options`` and ``saving_options``; raises ParameterError for others."""
    given = dict(backend_options or {})
    known = ("storage_options", "saving_options")
    unknown = sorted(set(given) - set(known))
    if unknown:
        msg = f"backend_options has {', '.join(unknown)}; it takes {', '.join(known)}."
        raise ParameterError(msg)
    options = {key: dict(given.get(key) or {}) for key in known}
    unknown = sorted(set(options["saving_options"]) - {"compressor", "filters"})
    if unknown:
        msg = f"saving_options has {', '.join(unknown)}; it takes compressor and filters."
        raise ParameterError(msg)
    return options


def _settings(analyzer: "SortingAnalyzer") -> dict[str, Any]:
    in_uV = bool(analyzer.return_in_uV)
    return {**analyzer.settings, "return_in_uV": in_uV, "return_scaled": in_uV}


def _source_of(analyzer: "SortingAnalyzer") -> BaseSorting | None:
    source = analyzer.get_sorting_provenance()
    return source if source is not None and source.check_serializability("json") else None


def _write_folder(analyzer: "SortingAnalyzer", root: Path) -> None:
    write_provenance(root / "spikeinterface_info.json", _INFO)
    write_provenance(root / "settings.json", _settings(analyzer))
    (root / "sorting").mkdir()
    write_numpy_folder(analyzer.sorting, root / "sorting")
    source = _source_of(analyzer)
    provenance = None if source is None else described(source, root)
    if provenance is not None:
        # 0.105 looks for it beside the spikes, older versions here.
        for name in ("sorting/provenance.json", "sorting_provenance.json"):
            write_provenance(root / name, provenance)
    if analyzer.sparsity is not None:
        write_atomic(root / "sparsity_mask.npy", npy_writer(analyzer.sparsity.mask))
    if analyzer.has_recording():
        if analyzer.recording.check_serializability("json"):
            dump_to_json(analyzer.recording, root / "recording.json", relative_to=root)
    elif analyzer.recording_description is not None:
        write_provenance(root / "recording.json", analyzer.recording_description)
    info = root / "recording_info"
    write_provenance(info / "recording_attributes.json", analyzer.recording_info.to_dict())
    if analyzer.recording_info.probegroup is not None:
        write_probegroup(analyzer.recording_info.probegroup, info)
    (root / "extensions").mkdir()
    for name, extension in analyzer.extensions.items():
        write_extension_files(extension, root / "extensions" / name)


def _write_zarr(
    analyzer: "SortingAnalyzer", save: ZarrSave, saving_options: Mapping[str, Any]
) -> None:
    root = save.group
    # Paths are relative to a folder beside the final one, which is the same.
    base = None if save.staging is None else save.staging.path
    sorting = root.create_group("sorting")
    write_zarr_sorting(analyzer.sorting, sorting, source=None, **saving_options)
    source = _source_of(analyzer)
    provenance = None if source is None else described(source, base)
    if provenance is not None:
        sorting.set_attributes({**sorting.attributes, "provenance": provenance})
        root.write_object("sorting_provenance", provenance)  # where older versions look
    if analyzer.sparsity is not None:
        root.write_array("sparsity_mask", analyzer.sparsity.mask)
    description = _recording_description(analyzer, root, base)
    if description is not None:
        root.write_object("recording", description)
    attributes: dict[str, Any] = {"recording_attributes": analyzer.recording_info.to_dict()}
    if analyzer.recording_info.probegroup is not None:
        described_probes = analyzer.recording_info.probegroup.to_dict(array_as_list=True)
        attributes["probegroup"] = described_probes
    root.create_group("recording_info", attributes)
    extensions = root.create_group("extensions")
    for name, extension in analyzer.extensions.items():
        write_extension_group(extension, extensions.create_group(name), saving_options)
    root.set_attributes({"spikeinterface_info": _INFO, "settings": _settings(analyzer)})


def _recording_description(
    analyzer: "SortingAnalyzer", root: ZarrGroup, base: Path | None
) -> dict[str, Any] | None:
    if not analyzer.has_recording():
        return analyzer.recording_description
    written: dict[int, str] = {}

    def put_times(vector: Any) -> str:
        if id(vector) not in written:
            written[id(vector)] = f"recording_times{len(written)}"
            root.write_array(written[id(vector)], np.asarray(vector, np.float64))
        return written[id(vector)]

    return described(analyzer.recording, base, put_times)
