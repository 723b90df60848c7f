"""What folders of saved objects hold besides the data: properties, annotations, probe, provenance.

Written so that SpikeInterface 0.102 to 0.105 read it, each in its way; read from all of them.
"""

import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.core import probes
from spikeloom.core.base import BaseExtractor
from spikeloom.core.dumping import for_files
from spikeloom.core.recording_snippets import BaseRecordingSnippets
from spikeloom.errors import DataError, ParameterError, SpikeloomError
from spikeloom.storage.arrays import npy_writer
from spikeloom.storage.atomic import write_atomic
from spikeloom.storage.json_fields import as_object, object_in, read_object
from spikeloom.storage.numpy_files import open_records
from spikeloom.storage.provenance_json import to_plain, write_provenance

if TYPE_CHECKING:
    from probeinterface import ProbeGroup

_OBJECTS = "object_properties.json"

_UNSAFE = re.compile(r'[/\\:*?"<>|#\x00-\x1f]|^\.|%(?=[0-9A-Fa-f]{2})|~(?=[0-9A-F]{2})')
"""Characters that a file system or web server takes for something else, or that stand for one."""


def write_metadata(extractor: BaseExtractor, folder: Path, source: BaseExtractor | None) -> None:
    """Write properties, annotations, probe and provenance into `folder`.

    Parameters
    ----------
    extractor : BaseExtractor
        Whose metadata.
    folder : Path
        Where to.
    source : BaseExtractor or None
        What the saved object was made from, if its provenance is kept. Paths in it are relative to
        `folder`, or to where it will be: a folder beside it.
    """
    write_properties(extractor, folder / "properties")
    write_provenance(folder / "annotations.json", plain_annotations(extractor))
    if isinstance(extractor, BaseRecordingSnippets) and extractor.has_probe():
        write_probegroup(extractor.get_probegroup(), folder)
    if source is not None:
        write_source(source, folder)


def read_metadata(extractor: BaseExtractor, folder: Path) -> None:
    """Set properties, annotations and probe from what `write_metadata`, or another, wrote."""
    vector = read_properties(extractor, folder / "properties")
    annotations = None
    if (folder / "annotations.json").is_file():
        annotations = read_object(folder / "annotations.json")
        extractor._annotations.update(annotations)
    si_folder = folder / "si_folder.json"
    older: Mapping[str, Any] = {}
    if si_folder.is_file():
        older = object_in(read_object(si_folder), "annotations", si_folder)
        # Before 0.105 they stood here alone; since then the main ones stand here, too.
        known = annotations if annotations is not None else ()
        extractor._annotations.update({
            k: v for k, v in older.items() if k not in known and v is not None
        })
    extractor._annotations.pop("probes_info", None)
    extractor._check_stored()
    if isinstance(extractor, BaseRecordingSnippets):
        probegroup = read_probegroup(folder, vector, older.get("probes_info", ()))
        if probegroup is not None:
            extractor._restore_probegroup(probegroup)


def write_properties(extractor: BaseExtractor, folder: Path) -> None:
    """Write each property as a ``.npy`` file; those of Python objects together as JSON."""
    folder.mkdir(exist_ok=True, parents=True)
    objects: dict[str, Any] = {}
    keys = list(extractor.get_property_keys())
    if isinstance(extractor, BaseRecordingSnippets) and extractor.has_probe():
        keys += ["contact_vector", "location"]  # where older versions look for the probe
    for key in dict.fromkeys(keys):
        values = extractor.get_property(key)
        if values is None:
            continue
        if values.dtype.hasobject:
            try:
                objects[key] = to_plain(values.tolist())
            except ParameterError as error:
                message = f"The property {key!r} cannot be saved, and is left out: {error}"
                warnings.warn(message, UserWarning, stacklevel=2)
            continue
        write_atomic(folder / f"{name_of_property(key)}.npy", npy_writer(values))
    if objects:
        write_provenance(folder / _OBJECTS, objects)


def read_properties(extractor: BaseExtractor, folder: Path) -> NDArray[Any] | None:
    """Set the properties of a folder; return the contact vector, which is the probe, if any."""
    vector = None
    for path in sorted(folder.glob("*.npy")) if folder.is_dir() else ():
        if path.name.startswith("._"):  # macOS leaves such behind
            continue
        try:
            values = np.array(open_records(path, is_mapped=False))
        except SpikeloomError as error:
            message = f"The property {path.stem!r} cannot be read, and is left out: {error}"
            warnings.warn(message, UserWarning, stacklevel=2)
            continue
        key = property_of_name(path.stem)
        if key == "contact_vector":
            vector = values
        else:
            extractor.set_property(key, values)
    if (folder / _OBJECTS).is_file():
        set_object_properties(extractor, read_object(folder / _OBJECTS), folder / _OBJECTS)
    return vector


def set_object_properties(
    extractor: BaseExtractor, listed: Mapping[str, Any], where: object
) -> None:
    """Set properties of Python objects from lists that a file holds; raises DataError if wrong."""
    for key, values in listed.items():
        if not isinstance(values, list):
            msg = f"{where}: {key} must be a list; got {type(values).__name__}."
            raise DataError(msg)
        objects = np.empty(len(values), object)
        objects[:] = values
        extractor.set_property(key, objects)


def name_of_property(key: str) -> str:
    """Return the name of a file, or of an array, that holds a property.

    Examples
    --------
    >>> name_of_property("a/b"), property_of_name("a~2Fb")
    ('a~2Fb', 'a/b')
    """
    return _UNSAFE.sub(lambda match: f"~{ord(match[0]):02X}", key)


def property_of_name(stem: str) -> str:
    """Return the property that a file or array of this name holds."""
    return re.sub("~([0-9A-F]{2})", lambda match: chr(int(match[1], 16)), stem)


def write_probegroup(probegroup: "ProbeGroup", folder: Path) -> None:
    """Write the probes under the names of this and of older versions."""
    from probeinterface import __version__ as version  # noqa: PLC0415 - takes a while to import

    described = {
        "specification": "probeinterface",
        "version": version,
        **probegroup.to_dict(array_as_list=True),
    }
    for name in ("probegroup.json", "probe.json"):
        write_provenance(folder / name, described)


def read_probegroup(
    folder: Path, vector: NDArray[Any] | None, probes_info: Any = ()
) -> "ProbeGroup | None":
    """Return the probes of a folder, contacts in the order of channels; None if it has none."""
    group: ProbeGroup | None
    if (folder / "probegroup.json").is_file():
        return probes.probegroup_of_dict(read_object(folder / "probegroup.json"))
    if (folder / "probe.json").is_file():
        group = probes.in_order_of_channels(read_object(folder / "probe.json"))
    elif vector is not None:
        group = probes.probegroup_of_contact_vector(vector)
    else:
        return None
    if group is not None:
        for probe, info in zip(group.probes, probes_info or (), strict=False):
            probe.annotations.update(as_object(info, folder / "si_folder.json"))
    return group


def write_source(source: BaseExtractor, folder: Path) -> None:
    """Write where the data came from, if plain values can say it."""
    if not source.check_serializability("json"):
        return
    description = source.to_dict(include_annotations=True, recursive=True, relative_to=folder)
    try:
        write_provenance(folder / "provenance.json", for_files(description))
    except ParameterError as error:
        message = f"The provenance cannot be written, and is left out: {error}"
        warnings.warn(message, UserWarning, stacklevel=2)


def write_si_folder(extractor: BaseExtractor, folder: Path, class_path: str) -> None:
    """Write ``si_folder.json``, which says how to open the folder.

    Parameters
    ----------
    extractor : BaseExtractor
        Whose main properties and annotations it names.
    folder : Path
        Where to.
    class_path : str
        Import path of the class that opens the folder.
    """
    described = extractor.to_dict(include_annotations=True, include_extra_metadata=False)
    properties = {
        k: v for k, v in described["properties"].items() if v is None or not v.dtype.hasobject
    }
    described |= {
        "class": class_path,
        "module": "spikeinterface",
        "kwargs": {"folder_path": "."},
        "annotations": plain_annotations(extractor),
        "properties": properties,
        "relative_paths": True,
    }
    from spikeloom.core.class_names import PEER_VERSION  # noqa: PLC0415 - only here

    described["version"] = PEER_VERSION
    write_provenance(folder / "si_folder.json", described)


def plain_annotations(extractor: BaseExtractor) -> dict[str, Any]:
    """Return the annotations that plain values can say."""
    plain = {}
    for key in extractor.get_annotation_keys():
        try:
            plain[key] = to_plain(extractor.get_annotation(key, copy=False))
        except ParameterError as error:
            message = f"The annotation {key!r} cannot be saved, and is left out: {error}"
            warnings.warn(message, UserWarning, stacklevel=2)
    return plain


def read_folder_description(folder: Path, name: str, class_name: str) -> dict[str, Any]:
    """Return the description of a folder's content, with absolute paths.

    Raises
    ------
    DataError
        If it describes something of another class.
    """
    from spikeloom.core.provenance import with_absolute_paths  # noqa: PLC0415 - only here

    description = read_object(folder / name)
    if not str(description.get("class", "")).endswith(f".{class_name}"):
        msg = f"{folder} does not hold a {class_name}: {name} says {description.get('class')!r}."
        raise DataError(msg)
    return with_absolute_paths(description, folder)
