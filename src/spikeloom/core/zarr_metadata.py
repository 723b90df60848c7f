"""What zarr stores of saved objects hold besides the data: properties, annotations, provenance."""

import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.recfunctions import repack_fields
from numpy.typing import NDArray

from spikeloom.core.base import BaseExtractor
from spikeloom.core.class_names import stored_name
from spikeloom.core.dumping import for_files
from spikeloom.core.folder_metadata import (
    name_of_property,
    plain_annotations,
    property_of_name,
    set_object_properties,
)
from spikeloom.core.recording_snippets import BaseRecordingSnippets
from spikeloom.errors import ParameterError, SpikeloomError
from spikeloom.storage.json_fields import arguments_from, object_in
from spikeloom.storage.provenance_json import to_plain
from spikeloom.storage.stores import is_url, local_path
from spikeloom.storage.zarr_groups import ZarrGroup

_OBJECTS = "object_properties"

_RECORDS = "spikeloom_records"


def resolved_location(location: str | Path | None) -> str | Path:
    """Return a URL as it is, or an absolute path.

    Raises
    ------
    ParameterError
        If none is given.
    """
    if location is None:
        msg = "The path or URL of a zarr store is needed."
        raise ParameterError(msg)
    return str(location) if is_url(location) else local_path(location).absolute()


def write_zarr_metadata(
    extractor: BaseExtractor, group: ZarrGroup, source: BaseExtractor | None, cls: type
) -> None:
    """Write properties, annotations, probe and provenance into a zarr group.

    Parameters
    ----------
    extractor : BaseExtractor
        Whose metadata.
    group : ZarrGroup
        Where to.
    source : BaseExtractor or None
        What the saved object was made from, if its provenance is kept.
    cls : type
        The class that opens the group.
    """
    attributes: dict[str, Any] = {
        "num_segments": extractor.get_num_segments(),
        "annotations": plain_annotations(extractor),
        "provenance": _provenance(source),
        "zarr_class_info": dict(zip(("class", "module", "version"), stored_name(cls), strict=True)),
    }
    keys = list(extractor.get_property_keys())
    if isinstance(extractor, BaseRecordingSnippets) and extractor.has_probe():
        described = extractor.get_probegroup().to_dict(array_as_list=True)
        attributes |= {"probegroup": described, "probe": described}
        if group.format == 2:  # no older version reads format 3
            keys += ["contact_vector", "location"]  # where older versions look for the probe
    group.create_group("properties")
    objects = {}
    for key in dict.fromkeys(keys):
        values = extractor.get_property(key)
        if values is None:
            continue
        if values.dtype.hasobject:
            objects[key] = _plain_objects(key, values.tolist())
        else:
            _write_values(group, f"properties/{name_of_property(key)}", values)
    if objects:
        attributes[_OBJECTS] = {k: v for k, v in objects.items() if v is not None}
    group.set_attributes(attributes)


def _write_values(group: ZarrGroup, name: str, values: NDArray[Any]) -> None:
    """Write an array; in format 3, which has no arrays of any records, these as bytes."""
    if values.dtype.names is None or group.format == 2:
        group.write_array(name, values)
        return
    packed = repack_fields(np.ascontiguousarray(values))
    n_bytes = packed.dtype.itemsize * math.prod(packed.shape[1:])
    content = np.frombuffer(packed.tobytes(), np.uint8).reshape(len(packed), n_bytes)
    layout = {"dtype": packed.dtype.descr, "shape": packed.shape}
    group.write_array(name, content, attributes={_RECORDS: layout})


def _read_values(group: ZarrGroup, name: str) -> NDArray[Any]:
    values = group.read_array(name)
    layout = group.array_attributes(name).get(_RECORDS) if group.format == 3 else None
    if layout is None:
        return values
    with arguments_from(f"{_RECORDS} of the property {name!r}"):
        records: NDArray[Any] = np.frombuffer(values.tobytes(), _dtype_of(layout["dtype"]))
        return records.reshape(layout["shape"]).copy()


def _dtype_of(description: Any) -> np.dtype[Any]:
    """Return the dtype of records whose description went through JSON, which has no tuples."""
    if isinstance(description, str):
        return np.dtype(description)
    return np.dtype([
        (field[0], _dtype_of(field[1]), *(tuple(shape) for shape in field[2:]))
        for field in description
    ])


def _plain_objects(key: str, values: list[Any]) -> Any:
    try:
        return to_plain(values)
    except ParameterError as error:
        message = f"The property {key!r} cannot be saved, and is left out: {error}"
        warnings.warn(message, UserWarning, stacklevel=2)
        return None


def _provenance(source: BaseExtractor | None) -> Any:
    if source is None or not source.check_serializability("json"):
        return None
    description = source.to_dict(include_annotations=True, recursive=True)
    try:
        return to_plain(for_files(description))
    except ParameterError as error:
        message = f"The provenance cannot be written, and is left out: {error}"
        warnings.warn(message, UserWarning, stacklevel=2)
        return None


def read_zarr_metadata(extractor: BaseExtractor, group: ZarrGroup) -> None:
    """Set properties and annotations from what `write_zarr_metadata`, or another, wrote."""
    attributes = group.attributes
    annotations = object_in(attributes, "annotations", "The attributes of the zarr store")
    annotations.pop("probes_info", None)
    extractor._annotations.update(annotations)
    if "properties" in group:
        properties = group.group("properties")
        for key in properties.array_names():
            try:
                values = _read_values(properties, key)
            except SpikeloomError as error:
                message = f"The property {key!r} cannot be read, and is left out: {error}"
                warnings.warn(message, UserWarning, stacklevel=2)
                continue
            extractor.set_property(property_of_name(key), values)
    what = "The attributes of the zarr store"
    set_object_properties(extractor, object_in(attributes, _OBJECTS, what), what)
    extractor._check_stored()
