"""Segments: contiguous pieces of the data of an object."""

import weakref
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spikeloom.core.base import BaseExtractor


class BaseSegment:
    """A contiguous piece of data of an object; knows the object without keeping it alive."""

    def __init__(self) -> None:
        self._parent_extractor: weakref.ref[BaseExtractor] | None = None

    @property
    def parent_extractor(self) -> "BaseExtractor | None":
        """The object that this is a segment of."""
        return self._parent_extractor() if self._parent_extractor is not None else None

    def set_parent_extractor(self, parent_extractor: "BaseExtractor") -> None:
        """Say what object this is a segment of."""
        self._parent_extractor = weakref.ref(parent_extractor)

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if key != "_parent_extractor"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._parent_extractor = None
