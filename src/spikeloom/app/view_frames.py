"""Frames of views: computed on demand, kept by what they depend on.

A cluster id stands for the same spikes as long as it exists, so a frame is found again by view,
clusters and parameters; views that also show other clusters add the clustering revision.
"""

import math
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from spikeloom.app.frames import encode_frame
from spikeloom.errors import ParameterError
from spikeloom.viewdata.context import ViewContext
from spikeloom.viewdata.views import VIEWS

CACHE_BYTES_MAX = 256 << 20

_RESERVED = frozenset({"clusters", "revision"})


@dataclass(frozen=True, slots=True)
class FrameRequest:
    """What a page asks for."""

    view: str
    """Name of the view."""
    cluster_ids: tuple[int, ...]
    """Selected clusters."""
    revision: int
    """Clustering revision that the page knows."""
    params: tuple[tuple[str, str], ...]
    """Parameters, as text."""


def parse_request(view: str, query: Mapping[str, str]) -> FrameRequest:
    """Read a request from the query of an address.

    Raises
    ------
    ParameterError
        If cluster ids or the revision are no numbers.
    """
    try:
        text = query.get("clusters", "")
        cluster_ids = tuple(int(part) for part in text.split(",") if part)
        revision = int(query.get("revision", "0"))
    except ValueError:
        msg = f"clusters={text!r} and revision={query.get('revision')!r} must be whole numbers."
        raise ParameterError(msg) from None
    params = tuple(sorted((k, v) for k, v in query.items() if k not in _RESERVED))
    return FrameRequest(view, cluster_ids, revision, params)


class FrameCache:
    """The frames made last, up to a number of bytes."""

    def __init__(self, n_bytes_max: int = CACHE_BYTES_MAX) -> None:
        self._n_bytes_max = n_bytes_max
        self._n_bytes = 0
        self._frames: OrderedDict[FrameRequest, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, request: FrameRequest) -> bytes | None:
        """Return a known frame."""
        with self._lock:
            frame = self._frames.get(request)
            if frame is not None:
                self._frames.move_to_end(request)
            return frame

    def put(self, request: FrameRequest, frame: bytes) -> None:
        """Keep a frame; the ones used longest ago go."""
        with self._lock:
            self._n_bytes += len(frame) - len(self._frames.pop(request, b""))
            self._frames[request] = frame
            while self._n_bytes > self._n_bytes_max and len(self._frames) > 1:
                _, oldest = self._frames.popitem(last=False)
                self._n_bytes -= len(oldest)


def compute_frame(context: ViewContext, request: FrameRequest) -> bytes:
    """Compute the frame of a view.

    Raises
    ------
    UnknownNameError
        If there is no such view.
    ParameterError
        If a parameter is unknown or has a value that makes no sense.
    CurationError
        If a cluster does not exist any more.
    """
    view = VIEWS.get(request.view)
    given = dict(request.params)
    unknown = sorted(set(given) - set(view.params.__struct_fields__))
    if unknown:
        known = ", ".join(view.params.__struct_fields__)
        msg = f"The view {request.view!r} has no parameter {unknown[0]!r}. Known: {known}."
        raise ParameterError(msg)
    try:
        params = msgspec.convert(given, view.params, strict=False)
    except msgspec.ValidationError as error:
        msg = f"The view {request.view!r} cannot use these parameters: {error}."
        raise ParameterError(msg) from error
    for name in given:
        value = getattr(params, name)
        if isinstance(value, float) and not math.isfinite(value):
            msg = f"{name}={value} is not a number that the view {request.view!r} can use."
            raise ParameterError(msg)
    context.state.check_known(request.cluster_ids)
    return encode_frame(view.compute(context, list(request.cluster_ids), params))
