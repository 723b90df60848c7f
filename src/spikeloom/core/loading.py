"""Load what was saved or dumped, whatever it is and whoever wrote it."""

from collections.abc import Callable, Mapping
from importlib import import_module
from operator import attrgetter
from pathlib import Path
from typing import Any

from spikeloom.core.dumping import VECTORS
from spikeloom.core.provenance import is_extractor_dict, make_extractor, map_extractors
from spikeloom.errors import DataError, MissingFileError, ParameterError
from spikeloom.registry import Registry
from spikeloom.storage.arrays import open_npy
from spikeloom.storage.json_fields import arguments_from
from spikeloom.storage.provenance_json import read_provenance
from spikeloom.storage.stores import is_url, local_path

FOLDER_LOADERS: Registry[Callable[..., Any]] = Registry(
    "kind of saved object", entry_point_group="spikeloom.folder_loaders"
)
"""Functions that open a folder or zarr store, by the name of the kind that the folder states."""

_OWN_LOADERS = {
    "Motion": "spikeloom.core.motion:load_motion",
    "Motion dict": "spikeloom.core.motion:Motion.from_dict",
    "Templates dict": "spikeloom.core.templates:Templates.from_dict",
    "Templates zarr": "spikeloom.core.templates:load_templates",
    "SortingAnalyzer": "spikeloom.analyzer.loading:load_for_core",
    "SortingAnalyzer zarr": "spikeloom.analyzer.loading:load_for_core",
    "WaveformExtractor": "spikeloom.analyzer.waveform_loading:load_for_core",
    "WaveformExtractor zarr": "spikeloom.analyzer.waveform_loading:load_for_core",
}
"""Loaders of this package, which are imported when they are needed."""

_OPTIONS = ("load_extensions", "backend_options", "lazy", "read_only", "recording", "path_map")
"""What loaders of other kinds take, and the objects of this room have no use for."""


def load(
    file_or_folder_or_dict: str | Path | Mapping[str, Any],
    *,
    base_folder: str | Path | bool | None = None,
    storage_options: dict[str, Any] | None = None,
    trust_pickle: bool = False,
    **kwargs: Any,
) -> Any:
    """Load a recording, a sorting or another object.

    Parameters
    ----------
    file_or_folder_or_dict : str, Path or dict
        A folder or zarr store that ``save`` made, a file that ``dump`` made, a URL of a zarr store
        (s3://, gs://, https://), or a dictionary of ``to_dict``; written by spikeloom or by
        SpikeInterface.
    base_folder : str, Path or True, optional
        Folder that relative paths in a file start from; True for the folder of the file.
    storage_options : dict, optional
        How to reach a remote store, as fsspec takes it.
    trust_pickle : bool, default False
        Read ``.pkl`` files, of plain values only, even though JSON would be safer.
    **kwargs
        For objects of other kinds: ``load_extensions``, ``backend_options``, ``lazy``,
        ``read_only``, ``recording``, ``path_map``.

    Returns
    -------
    object
        The recording, sorting, snippets, …

    Raises
    ------
    MissingFileError
        If there is nothing at the path.
    DataError
        If it is nothing that was saved.
    ParameterError
        If a file has another ending than .json, .pkl or .pickle, if it is a pickle and not to be
        trusted, or if an option is unknown.

    Examples
    --------
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> sorting = NumpySorting.from_unit_dict({"a": [1, 5]}, 30000.0)
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp()) / "sorting"
    >>> _ = sorting.save(folder=folder)
    >>> load(folder).get_unit_spike_train("a")
    array([1, 5])
    """
    unknown = sorted(set(kwargs) - set(_OPTIONS))
    if unknown:
        msg = f"load() knows no {', '.join(unknown)}. Known: {', '.join(_OPTIONS)}."
        raise ParameterError(msg)
    if isinstance(file_or_folder_or_dict, Mapping):
        if base_folder is True:
            msg = "base_folder=True means the folder of a file; for a dictionary give the folder."
            raise ParameterError(msg)
        return _load_dict(file_or_folder_or_dict, base_folder or None)
    if is_url(file_or_folder_or_dict):
        return _load_zarr(file_or_folder_or_dict, storage_options, kwargs)
    path = local_path(file_or_folder_or_dict)
    if path.is_file():
        return _load_file(path, base_folder, trust_pickle=trust_pickle)
    if path.is_dir():
        if base_folder not in {None, False, True}:
            kwargs["base_folder"] = base_folder  # which loaders of other kinds may take
        return _load_folder(path, storage_options, kwargs, trust_pickle=trust_pickle)
    if not path.suffix and path.with_name(f"{path.name}.zarr").is_dir():
        hint = f" There is {path.name}.zarr: load that."
    else:
        hint = (
            f" The folder above it {'exists' if path.parent.is_dir() else 'is not there either'}."
        )
    msg = f"There is nothing at {path}.{hint}"
    raise MissingFileError(2, msg)


def load_extractor(
    file_or_folder_or_dict: str | Path | Mapping[str, Any],
    base_folder: str | Path | bool | None = None,
) -> Any:
    """Load a recording, a sorting or another object; older name of `load`."""
    return load(file_or_folder_or_dict, base_folder=base_folder)


def _load_dict(description: Mapping[str, Any], base_folder: str | Path | None) -> Any:
    kind = description.get("object")
    if kind is None and "templates_array" in description:
        kind = "Templates"
    if kind is not None and not is_extractor_dict(description):
        return _loader(f"{kind} dict")(description)
    return make_extractor(description, base_folder)


def _load_file(path: Path, base_folder: str | Path | bool | None, *, trust_pickle: bool) -> Any:
    if path.suffix == ".json":
        description = read_provenance(path)
    elif path.suffix in {".pkl", ".pickle"}:
        description = _read_pickle(path, trust_pickle=trust_pickle)
    else:
        msg = (
            f"{path} is none of the files that dump() makes, which end in .json, .pkl or .pickle. "
            "For files of acquisition systems and sorters there are read_... functions."
        )
        raise ParameterError(msg)
    if not isinstance(description, Mapping):
        msg = f"{path} does not describe an object."
        raise DataError(msg)
    base = path.parent if base_folder is True else (base_folder or None)
    if description.get("relative_paths") and base is None:
        # Most likely they are relative to the file, which is where SpikeInterface puts it.
        base = path.parent
    return _load_dict(_with_vectors(description, path.parent), base)


def _with_vectors(description: Mapping[str, Any], folder: Path) -> Mapping[str, Any]:
    """Return a description with the times of samples that `dump_to_json` put into files."""
    if not is_extractor_dict(description):
        return description
    whole = dict(description)
    whole["kwargs"] = map_extractors(
        whole["kwargs"], lambda inner: _with_vectors(inner, folder), is_extractor_dict
    )
    names, times = whole.pop(VECTORS, None), whole.get("times_kwargs")
    if names:
        # Only the name counts: a file that is moved takes those beside it along.
        with arguments_from(f"{VECTORS} beside times_kwargs of a description"):
            whole["times_kwargs"] = [
                kwargs
                if name is None
                else {**kwargs, "time_vector": open_npy(folder / Path(name).name)}
                for kwargs, name in zip(times or (), names, strict=True)
            ]
    return whole


def _read_pickle(path: Path, *, trust_pickle: bool) -> Any:
    from spikeloom.storage.restricted_pickle import read_plain_pickle  # noqa: PLC0415 - rarely needed

    if not trust_pickle:
        msg = (
            f"{path} is a pickle, which can hold more than values. Pass trust_pickle=True to read "
            "the plain values in it (nothing in it is ever run), or dump the object to .json."
        )
        raise ParameterError(msg)
    return read_plain_pickle(path)


def _load_folder(
    folder: Path,
    storage_options: dict[str, Any] | None,
    kwargs: dict[str, Any],
    *,
    trust_pickle: bool,
) -> Any:
    if any((folder / name).exists() for name in (".zgroup", ".zattrs", "zarr.json")):
        return _load_zarr(folder, storage_options, kwargs)
    if (folder / "spikeinterface_info.json").is_file():
        kind = read_provenance(folder / "spikeinterface_info.json").get("object", "")
        if kind.startswith("Group["):
            keys = read_provenance(folder / "spikeinterface_info.json").get("dict_keys", ())
            return {
                key: load(folder / str(key), trust_pickle=trust_pickle, **kwargs) for key in keys
            }
        return _loader(kind)(folder, **kwargs)
    if (folder / "spikeinterface_log.json").is_file() and (folder / "sorter_output").is_dir():
        return _loader("sorter output")(folder, **kwargs)
    if (folder / "waveforms").is_dir() and (folder / "params.json").is_file():
        return _loader("WaveformExtractor")(folder, **kwargs)
    for name in ("si_folder.json", "cached.json", "cached.pkl", "cached.pickle"):
        if (folder / name).is_file():
            return _load_file(folder / name, folder, trust_pickle=trust_pickle)
    found = ", ".join(sorted(path.name for path in folder.iterdir())[:8]) or "nothing"
    msg = (
        f"{folder} is no folder that save() made: it has no si_folder.json, no "
        f"spikeinterface_info.json and is no zarr store. It holds {found}. For folders of "
        "acquisition systems and sorters there are read_... functions."
    )
    raise DataError(msg)


def _load_zarr(
    location: str | Path, storage_options: dict[str, Any] | None, kwargs: dict[str, Any]
) -> Any:
    from spikeloom.storage.zarr_opening import open_zarr  # noqa: PLC0415 - imports zarr

    group = open_zarr(location, storage_options=storage_options)
    kind = group.attributes.get("spikeinterface_info", {}).get("object")
    names = set(group.array_names())
    if kind is None and "templates_array" in names:
        kind = "Templates"
    if kind is None and "params" in group.attributes and "recording_info" in group:
        kind = "WaveformExtractor"
    if kind is not None:
        return _loader(f"{kind} zarr")(location, storage_options=storage_options, **kwargs)
    if "channel_ids" in names and "unit_ids" not in names:
        from spikeloom.core.zarr_recording import ZarrRecordingExtractor  # noqa: PLC0415

        return ZarrRecordingExtractor(location, storage_options, group=group)
    if "unit_ids" in names:
        from spikeloom.core.zarr_sorting import ZarrSortingExtractor  # noqa: PLC0415

        return ZarrSortingExtractor(location, storage_options, group=group)
    found = ", ".join(sorted(names)[:8]) or "no arrays"
    msg = f"{location} is a zarr store, but of nothing known: it holds {found}."
    raise DataError(msg)


def _loader(kind: str) -> Callable[..., Any]:
    if kind in FOLDER_LOADERS:
        return FOLDER_LOADERS.get(kind)
    if kind not in _OWN_LOADERS:
        msg = f"This version of spikeloom cannot load a {kind}."
        raise DataError(msg)
    module, _, name = _OWN_LOADERS[kind].partition(":")
    loader: Callable[..., Any] = attrgetter(name)(import_module(module))
    return loader
