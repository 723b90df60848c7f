"""What recordings, sortings, events and snippets have in common.

Each has ids (of channels or units), segments (contiguous pieces of data), properties (a value for
each id), annotations (free remarks) and a provenance: the class and arguments it was made with,
from which it can be made again.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.core import provenance
from spikeloom.core.class_names import stored_name
from spikeloom.core.ids import IdIndex, Indices, as_ids
from spikeloom.core.properties import (
    MISSING_VALUES,
    delete_property,
    replace_property,
    slice_properties,
    update_property,
)
from spikeloom.core.segment import BaseSegment
from spikeloom.errors import ParameterError
from spikeloom.storage.json_fields import object_in

__all__ = ["BaseExtractor", "BaseSegment", "segment_list"]

_SERIALIZATIONS = ("memory", "json", "pickle")


class BaseExtractor:
    """Ids, segments, properties, annotations and provenance.

    Parameters
    ----------
    main_ids : array_like of shape (n_ids,)
        Ids of the channels or units: whole numbers or strings, each there once.
    """

    default_missing_property_values: ClassVar[Mapping[str, object]] = MISSING_VALUES
    installation_mesg: ClassVar[str] = ""
    _id_kind: ClassVar[str] = "id"
    _main_annotations: ClassVar[list[str]] = ["name"]
    _main_properties: ClassVar[list[str]] = []
    _skip_properties: ClassVar[list[str]] = []

    def __init__(self, main_ids: ArrayLike) -> None:
        self._main_ids: NDArray[Any] = as_ids(main_ids, self._id_kind)
        self._id_index = IdIndex(self._main_ids, self._id_kind)
        self._kwargs: dict[str, Any] = {}
        self._segments: list[Any] = []
        self._annotations: dict[str, Any] = {}
        self._properties: dict[str, NDArray[Any]] = {}
        self._serializability: dict[str, bool] = dict.fromkeys(_SERIALIZATIONS, True)
        self._preferred_mp_context: str | None = None
        self._parent: BaseExtractor | None = None
        self.extra_requirements: list[str] = []

    # -- who it is ---------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """What it is called: the annotation ``name``, else the name of its class."""
        name = self._annotations.get("name")
        return str(name) if name is not None else type(self).__name__

    @name.setter
    def name(self, value: str | None) -> None:
        if value is None:
            self._annotations.pop("name", None)
        else:
            self._annotations["name"] = value

    def get_parent(self) -> "BaseExtractor | None":
        """Return the object that this is a view of, or None."""
        return self._parent

    # -- segments ----------------------------------------------------------------------------

    @property
    def segments(self) -> list[Any]:
        """The segments, in order."""
        return self._segments

    def get_num_segments(self) -> int:
        """Return the number of segments."""
        return len(self._segments)

    def add_segment(self, segment: BaseSegment) -> None:
        """Append a segment."""
        self._segments.append(segment)
        segment.set_parent_extractor(self)

    def _check_segment_index(self, segment_index: int | None = None) -> int:
        n_segments = self.get_num_segments()
        if segment_index is None:
            if n_segments == 1:
                return 0
            msg = (
                f"Multi-segment object. Provide 'segment_index', between 0 and {n_segments - 1}."
                if n_segments
                else "This object has no segments."
            )
            raise ParameterError(msg)
        if isinstance(segment_index, bool) or not isinstance(segment_index, int | np.integer):
            msg = f"segment_index must be a whole number; got {segment_index!r}."
            raise ParameterError(msg)
        if not -n_segments <= segment_index < n_segments:
            msg = f"There is no segment {segment_index}: this object has {n_segments}."
            raise ParameterError(msg)
        return int(segment_index) % n_segments

    # -- ids ---------------------------------------------------------------------------------

    def ids_to_indices(
        self,
        ids: Iterable[Any] | None = None,
        prefer_slice: bool = False,
    ) -> Indices:
        """Return the positions of `ids`, all of them for None.

        Parameters
        ----------
        ids : list or ndarray, optional
            The ids.
        prefer_slice : bool, default False
            Return a slice where the positions are consecutive.

        Raises
        ------
        ParameterError
            If an id is unknown, or if `ids` is a single id instead of a list.
        """
        return self._id_index.positions(ids, prefer_slice=prefer_slice)

    def id_to_index(self, id: Any) -> int:
        """Return the position of one id; raises ParameterError if it is unknown."""
        return self._id_index.position(id)

    # -- annotations -------------------------------------------------------------------------

    def annotate(self, **new_annotations: Any) -> None:
        """Set annotations by keyword, replacing those that are there."""
        self._annotations.update(new_annotations)

    def set_annotation(self, annotation_key: str, value: Any, overwrite: bool = False) -> None:
        """Set one annotation.

        Raises
        ------
        ParameterError
            If it is there already and `overwrite` is False.
        """
        if annotation_key in self._annotations and not overwrite:
            msg = f"{annotation_key!r} is annotated already; use overwrite=True to replace it."
            raise ParameterError(msg)
        self._annotations[annotation_key] = value

    def get_annotation(self, key: str, copy: bool = True) -> Any:
        """Return an annotation (by default a copy), or None if there is none of this name."""
        value = self._annotations.get(key)
        return provenance.plain_copy({key: value})[key] if copy else value

    def get_annotation_keys(self) -> list[str]:
        """Return the names of the annotations."""
        return list(self._annotations)

    def delete_annotation(self, annotation_key: str) -> None:
        """Delete an annotation; raises ParameterError if there is none of this name."""
        if annotation_key not in self._annotations:
            known = ", ".join(self._annotations) or "none"
            msg = f"There is no annotation {annotation_key!r}. Known: {known}."
            raise ParameterError(msg)
        del self._annotations[annotation_key]

    # -- properties --------------------------------------------------------------------------

    def set_property(
        self,
        key: str,
        values: ArrayLike | None,
        ids: Iterable[Any] | None = None,
        missing_value: object = None,
    ) -> None:
        """Set a property for all ids, or for some.

        Parameters
        ----------
        key : str
            Its name.
        values : array_like of shape (n_ids, ...) or None
            One value for each id; None deletes the property.
        ids : list, optional
            Ids that the values belong to; others keep their value. All by default.
        missing_value : optional
            For the other ids, if the property is new. NaN, "" or None by default, by kind;
            whole numbers and truth values have no default.

        Raises
        ------
        ParameterError
            If the number of values is wrong, if they are of another kind than those that are
            there, or if a missing value is needed.
        """
        n_ids = len(self._main_ids)
        if values is None or ids is None:
            replace_property(self._properties, key, values, n_ids)
            return
        positions = np.asarray(self.ids_to_indices(ids))
        update_property(
            self._properties, key, values, positions, n_ids=n_ids, missing_value=missing_value
        )

    def get_property(self, key: str, ids: Iterable[Any] | None = None) -> NDArray[Any] | None:
        """Return the values of a property for `ids` (all by default), None if there is none."""
        values = self._properties.get(key)
        if values is None:
            values = self._virtual_property(key)
        if values is None or ids is None:
            return values
        picked: NDArray[Any] = values[self.ids_to_indices(ids)]
        return picked

    def _virtual_property(self, key: str) -> NDArray[Any] | None:  # noqa: ARG002 - for subclasses
        """Return a property that is worked out of something else, or None."""
        return None

    def get_property_keys(self) -> list[str]:
        """Return the names of the properties."""
        return list(self._properties)

    def delete_property(self, key: str) -> None:
        """Delete a property; raises UnknownNameError (a KeyError) if there is none of this name."""
        delete_property(self._properties, key)

    # -- what else people said of it ----------------------------------------------------------

    def copy_metadata(
        self,
        other: "BaseExtractor",
        only_main: bool = False,
        ids: Iterable[Any] | None = None,
        skip_properties: Iterable[str] | None = None,
    ) -> None:
        """Copy annotations and properties to another object.

        Parameters
        ----------
        other : BaseExtractor
            Where to; what it has of the same names is replaced.
        only_main : bool, default False
            Copy the main ones only.
        ids : list, optional
            Ids whose properties are copied: those of `other`, in its order. All by default.
        skip_properties : list of str, optional
            Properties to leave out.
        """
        positions = self.ids_to_indices(ids, prefer_slice=True)
        skipped = {*(skip_properties or ()), *self._skip_properties}
        keys = set(self._main_properties if only_main else self._properties) - skipped
        annotations = self._annotations
        if only_main:
            annotations = {k: annotations[k] for k in self._main_annotations if k in annotations}
        other._annotations = provenance.plain_copy(annotations)
        other._properties.update(slice_properties(self._properties, positions, keys=keys))
        other.extra_requirements.extend(self.extra_requirements)
        if self._preferred_mp_context is not None:
            other._preferred_mp_context = self._preferred_mp_context
        if not only_main:
            self._copy_extra_metadata(other, positions)

    def _copy_extra_metadata(self, other: "BaseExtractor", positions: Indices) -> None:
        """Copy what a subclass knows besides: probes."""

    def _extra_metadata_to_dict(self, description: dict[str, Any]) -> None:
        """Add what a subclass knows besides."""

    def _extra_metadata_from_dict(self, description: Mapping[str, Any]) -> None:
        """Restore what a subclass knows besides."""

    def _check_stored(self) -> None:
        """Check properties that a file told, if a subclass calculates with them."""

    def restore_metadata(self, description: Mapping[str, Any]) -> None:
        """Set annotations, properties and what else `to_dict` put into a dictionary."""
        annotations = object_in(description, "annotations", "The description")
        self._annotations.update({k: v for k, v in annotations.items() if v is not None})
        for key, values in object_in(description, "properties", "The description").items():
            if values is not None:
                self.set_property(key, values)
        self._extra_metadata_from_dict(description)
        self._check_stored()
        self._handle_extractor_backward_compatibility()

    @classmethod
    def _handle_kwargs_backward_compatibility(
        cls,
        old_kwargs: dict[str, Any],
        full_dict: Mapping[str, Any],  # noqa: ARG003 - for subclasses
    ) -> dict[str, Any]:
        """Return arguments that an older version wrote, as this one takes them."""
        return old_kwargs

    def _handle_extractor_backward_compatibility(self) -> None:
        """Bring what an older version wrote into today's form."""

    # -- provenance --------------------------------------------------------------------------

    def to_dict(
        self,
        include_annotations: bool = False,
        include_properties: bool = False,
        include_extra_metadata: bool = True,
        relative_to: str | Path | None = None,
        recursive: bool = False,
    ) -> dict[str, Any]:
        """Return a dictionary from which the object can be made again.

        Parameters
        ----------
        include_annotations, include_properties : bool, default False
            All of them; else the main ones only.
        include_extra_metadata : bool, default True
            Probe, and times that were set in memory.
        relative_to : str or Path, optional
            Folder that paths are relative to; needs `recursive`.
        recursive : bool, default False
            Turn the objects among the arguments into dictionaries, too.

        Raises
        ------
        ParameterError
            If `relative_to` is given without `recursive`.
        """
        if relative_to is not None and not recursive:
            msg = "relative_to needs recursive=True: paths within other objects are changed, too."
            raise ParameterError(msg)
        path, module, version = stored_name(type(self))
        kwargs: Any = self._kwargs
        if recursive:
            inner = {
                "include_annotations": include_annotations,
                "include_properties": include_properties,
                "include_extra_metadata": include_extra_metadata,
                "recursive": True,
            }
            kwargs = provenance.map_extractors(
                kwargs, lambda one: one.to_dict(**inner), lambda one: isinstance(one, BaseExtractor)
            )
        annotations = self._annotations
        if not include_annotations:
            annotations = {k: annotations[k] for k in self._main_annotations if k in annotations}
        properties: dict[str, Any] = dict(self._properties)
        if not include_properties:
            properties = {key: self._properties.get(key) for key in self._main_properties}
        description = {
            "class": path,
            "module": module,
            "version": version,
            "kwargs": dict(kwargs),
            "annotations": dict(annotations),
            "properties": properties,
            "relative_paths": False,
        }
        if include_extra_metadata:
            self._extra_metadata_to_dict(description)
        if relative_to is not None:
            description = provenance.with_relative_paths(description, relative_to)
        return description

    @staticmethod
    def from_dict(dictionary: Mapping[str, Any], base_folder: str | Path | None = None) -> Any:
        """Make the object that a dictionary of `to_dict` describes."""
        return provenance.make_extractor(dictionary, base_folder)

    def clone(self) -> Self:
        """Return an object like this one, with all annotations and properties."""
        description = self.to_dict(include_annotations=True, include_properties=True)
        description["annotations"] = provenance.plain_copy(description["annotations"])
        clone: Self = BaseExtractor.from_dict(description)
        return clone

    def __reduce__(self) -> tuple[Any, ...]:
        # Workers get all that is known, and make the object anew from it.
        return BaseExtractor.from_dict, (
            self.to_dict(include_annotations=True, include_properties=True),
        )

    def check_serializability(self, type: str) -> bool:
        """Return whether this object, and all it is made of, can go through ``"memory"`` (to
        another process), ``"json"`` or ``"pickle"`` (to a file).
        """  # noqa: D205
        if type not in _SERIALIZATIONS:
            msg = f"Unknown way {type!r}; known are {', '.join(_SERIALIZATIONS)}."
            raise ParameterError(msg)
        if not self._serializability.get(type, False):
            return False
        parts: list[BaseExtractor] = []
        provenance.map_extractors(
            self._kwargs, parts.append, lambda one: isinstance(one, BaseExtractor)
        )
        return all(part.check_serializability(type) for part in parts)

    def check_if_memory_serializable(self) -> bool:
        """Return whether it can be sent to another process."""
        return self.check_serializability("memory")

    def check_if_json_serializable(self) -> bool:
        """Return whether it can be described in JSON."""
        return self.check_serializability("json")

    def check_if_pickle_serializable(self) -> bool:
        """Return whether it can be described in a pickle."""
        return self.check_serializability("pickle")

    def get_preferred_mp_context(self) -> str | None:
        """Return how processes that work on this should start: ``"fork"``, ``"spawn"`` or None."""
        return self._preferred_mp_context

    # -- files -------------------------------------------------------------------------------

    def dump(self, file_path: str | Path, relative_to: str | Path | bool | None = None) -> None:
        """Write the provenance to a ``.json``, ``.pkl`` or ``.pickle`` file; `load` reads it."""
        from spikeloom.core.dumping import dump  # noqa: PLC0415 - it knows this class

        dump(self, file_path, relative_to=relative_to)

    def dump_to_json(
        self,
        file_path: str | Path | None = None,
        relative_to: str | Path | bool | None = None,
        **kinds: bool,
    ) -> None:
        """Write the provenance as JSON."""
        from spikeloom.core.dumping import dump_to_json  # noqa: PLC0415 - it knows this class

        dump_to_json(self, file_path, relative_to=relative_to, **kinds)

    def dump_to_pickle(
        self,
        file_path: str | Path | None = None,
        relative_to: str | Path | bool | None = None,
        **kinds: bool,
    ) -> None:
        """Write the provenance as a pickle of plain values."""
        from spikeloom.core.dumping import dump_to_pickle  # noqa: PLC0415 - it knows this class

        dump_to_pickle(self, file_path, relative_to=relative_to, **kinds)

    @staticmethod
    def load(file_or_folder_path: str | Path, base_folder: str | Path | None = None) -> Any:
        """Load what was dumped or saved; the same as `spikeloom.load`."""
        from spikeloom.core.loading import load  # noqa: PLC0415 - it knows this class

        return load(file_or_folder_path, base_folder=base_folder)

    def save(self, **kwargs: Any) -> Any:
        """Save to a folder, a zarr store or memory, and return the saved object.

        See `spikeloom.core.saving.save` for what it takes.
        """
        from spikeloom.core.saving import save  # noqa: PLC0415 - it knows this class

        return save(self, **kwargs)

    def save_to_folder(
        self, name: str | None = None, folder: str | Path | None = None, **kwargs: Any
    ) -> Any:
        """Save to a folder in the default format of its kind; older name of ``save()``."""
        return self.save(name=name, folder=folder, **kwargs)

    def save_to_memory(self, **kwargs: Any) -> Any:
        """Copy into memory; older name of ``save(format="memory")``."""
        return self.save(format="memory", **kwargs)

    def save_to_zarr(
        self, name: str | None = None, folder: str | Path | None = None, **kwargs: Any
    ) -> Any:
        """Save to a zarr store; older name of ``save(format="zarr")``."""
        return self.save(format="zarr", name=name, folder=folder, **kwargs)

    # -- for people --------------------------------------------------------------------------

    def __repr__(self) -> str:
        from spikeloom.core.display import describe  # noqa: PLC0415 - it knows this class

        return describe(self)

    def _repr_html_(self, display_name: bool = True) -> str:
        from spikeloom.core.display import describe_html  # noqa: PLC0415 - it knows this class

        return describe_html(self, display_name=display_name)


def segment_list(extractor: BaseExtractor, indices: Sequence[int]) -> list[Any]:
    """Return the segments at `indices`; raises ParameterError where there is none."""
    return [extractor.segments[extractor._check_segment_index(k)] for k in indices]
