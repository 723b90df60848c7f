"""Templates in zarr stores, as SpikeInterface keeps them.

::

    templates_array    (n_units, n_samples, n_channels), a chunk for each unit
    channel_ids, unit_ids
    sparsity_mask      if templates are sparse
    probe/             an array for each field of the contacts, annotations/, probe_planar_contour
    attributes         sampling_frequency, nbefore, is_in_uV (before: is_scaled)
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from spikeloom.errors import DataError, ParameterError
from spikeloom.storage.zarr_codecs import default_compressor
from spikeloom.storage.zarr_groups import ZarrGroup
from spikeloom.storage.zarr_opening import open_store, open_zarr
from spikeloom.storage.zarr_saving import saving_zarr

_PROBE_EXTRAS = ("annotations", "probe_planar_contour")


def save_templates(
    content: Mapping[str, Any], probe: Any, folder_path: str | Path, *, overwrite: bool
) -> None:
    """Save what ``Templates.to_dict`` gives, and the probe, to a zarr folder or URL."""
    with saving_zarr(folder_path, overwrite=overwrite) as save:
        write_templates(save.group, content, probe)


def read_templates(
    location: str | Path, *, storage_options: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return arguments for `Templates` from a zarr folder or URL."""
    return group_content(open_zarr(location, storage_options=storage_options))


def write_templates(group: ZarrGroup, content: Mapping[str, Any], probe: Any) -> None:
    """Write what ``Templates.to_dict`` gives, and the probe, to a group."""
    templates = np.asarray(content["templates_array"])
    group.write_array(
        "templates_array",
        templates,
        chunks=(1, *(max(1, n) for n in templates.shape[1:])),
        compressor=default_compressor(),
    )
    for name in ("channel_ids", "unit_ids", "sparsity_mask"):
        if content[name] is not None:
            group.write_array(name, np.asarray(content[name]))
    if probe is not None:
        _write_probe(group.create_group("probe"), probe)
    kept = {name: content[name] for name in ("sampling_frequency", "nbefore", "is_in_uV")}
    group.set_attributes(group.attributes | kept)


def group_content(group: ZarrGroup) -> dict[str, Any]:
    """Return arguments for `Templates` from a group.

    Raises
    ------
    DataError
        If there are no templates in it.
    """
    names, attributes = set(group.array_names()), group.attributes
    missing = {"templates_array", "channel_ids", "unit_ids"} - names
    missing |= {"sampling_frequency", "nbefore"} - set(attributes)
    if missing:
        msg = f"{group} holds no templates: {', '.join(sorted(missing))} is missing."
        raise DataError(msg)
    has_probe = "probe" in group.group_names()
    return {
        "templates_array": group.read_array("templates_array"),
        "sampling_frequency": float(attributes["sampling_frequency"]),
        "nbefore": int(attributes["nbefore"]),
        "is_in_uV": bool(attributes.get("is_scaled", attributes.get("is_in_uV", True))),
        "sparsity_mask": group.read_array("sparsity_mask") if "sparsity_mask" in names else None,
        "channel_ids": group.read_array("channel_ids"),
        "unit_ids": group.read_array("unit_ids"),
        "probe": _read_probe(group.group("probe")) if has_probe else None,
    }


def own_group(group: Any) -> ZarrGroup:
    """Return a group of the zarr package as one of ours.

    Raises
    ------
    ParameterError
        If it is none, or not in a folder.
    """
    if isinstance(group, ZarrGroup):
        return group
    root = getattr(getattr(group, "store", None), "root", None)
    if root is None:
        msg = f"A group of a zarr folder is needed; got {type(group).__name__} {group!r}."
        raise ParameterError(msg)
    store = open_store(str(root))
    version = group.metadata.zarr_format
    return ZarrGroup(store, group.path.strip("/"), version, is_writable=not group.read_only)


def _write_probe(group: ZarrGroup, probe: Any) -> None:
    contacts = probe.to_numpy(complete=True)
    for name in contacts.dtype.names:
        group.write_array(name, np.ascontiguousarray(contacts[name]))
    group.create_group("annotations", dict(probe.annotations))
    if probe.probe_planar_contour is not None:
        group.write_array("probe_planar_contour", np.asarray(probe.probe_planar_contour, "<f8"))


def _read_probe(group: ZarrGroup) -> Any:
    from probeinterface import Probe  # noqa: PLC0415 - takes a while to import

    names = [name for name in group.array_names() if name not in _PROBE_EXTRAS]
    columns = {name: group.read_array(name) for name in names}
    n_contacts = len(next(iter(columns.values()))) if columns else 0
    contacts = np.zeros(n_contacts, [(name, column.dtype) for name, column in columns.items()])
    for name, column in columns.items():
        contacts[name] = column
    probe = Probe.from_numpy(contacts)
    if "annotations" in group.group_names():
        for key, value in group.group("annotations").attributes.items():
            probe.annotate(**{key: value})
    if "probe_planar_contour" in group.array_names():
        probe.probe_planar_contour = group.read_array("probe_planar_contour")
    return probe
