"""Recordings into which the templates of spikes are added when they are read."""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.core.class_names import stored_as
from spikeloom.core.ids import Indices
from spikeloom.core.recording import BaseRecording, BaseRecordingSegment
from spikeloom.core.sorting import BaseSorting
from spikeloom.errors import ParameterError

_N_DIMENSIONS, _N_DIMENSIONS_UPSAMPLED = 3, 4
_BORDER_SHARE = 0.01


@stored_as("spikeinterface.core.generate.InjectTemplatesRecording")
class InjectTemplatesRecording(BaseRecording):
    """A recording with a template added at each spike of a sorting.

    Parameters
    ----------
    sorting : BaseSorting
        The spikes.
    templates : array_like of shape (n_units, n_samples, n_channels)
        Template of each unit; or (n_units, n_samples, n_channels, n_fractions), each at several
        fractions of a sample.
    nbefore : int, optional
        Sample of a template that is put on the sample of its spike; by default the one where
        templates are largest.
    amplitude_factor : float or array_like of shape (n_spikes,), optional
        What templates are multiplied by, in the order of the spike vector.
    parent_recording : BaseRecording, optional
        What they are added to; zeros by default.
    num_samples : int or list of int, optional
        Length of each segment if there is no parent; by default, until the last template ends.
    upsample_vector : array_like of shape (n_spikes,), optional
        Which fraction each spike takes, if templates have several.
    check_borders : bool, default False
        Warn if templates are not close to 0 at their ends.

    Raises
    ------
    ParameterError
        If the parts do not fit together.

    Examples
    --------
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> sorting = NumpySorting.from_unit_dict({"a": [2, 6]}, 30_000.0)
    >>> template = np.array([[[0.0], [-5.0], [1.0]]], np.float32)
    >>> recording = InjectTemplatesRecording(sorting, template, nbefore=1, num_samples=10)
    >>> recording.get_traces().ravel().tolist()
    [0.0, 0.0, -5.0, 1.0, 0.0, 0.0, -5.0, 1.0, 0.0, 0.0]
    """

    def __init__(
        self,
        sorting: BaseSorting,
        templates: ArrayLike,
        nbefore: int | None = None,
        amplitude_factor: ArrayLike | None = None,
        parent_recording: BaseRecording | None = None,
        num_samples: int | Sequence[int] | None = None,
        upsample_vector: ArrayLike | None = None,
        check_borders: bool = False,
    ) -> None:
        array = _checked_templates(templates, sorting)
        if check_borders:
            _warn_of_borders(array)
        if nbefore is None:
            others = tuple(axis for axis in range(array.ndim) if axis != 1)
            nbefore = int(np.abs(array).max(axis=others).argmax()) if array.size else 0
        table = sorting.spike_table()
        scales = _per_spike(amplitude_factor, table.n_spikes, "amplitude_factor", array.dtype)
        fractions = _fractions(upsample_vector, table.n_spikes, array)
        if parent_recording is None:
            ids: Any = list(range(array.shape[2]))
            super().__init__(sorting.sampling_frequency, ids, array.dtype)
        else:
            _check_parent(parent_recording, sorting, array.shape[2])
            ids, dtype = parent_recording.channel_ids, parent_recording.dtype
            super().__init__(sorting.sampling_frequency, ids, dtype)
            parent_recording.copy_metadata(self)
            self._parent = parent_recording
        lengths = _lengths(num_samples, sorting, array.shape[1], parent_recording)
        self.templates: NDArray[Any] = array
        """Templates of the units, as they were given."""
        flat = as_single_templates(array)
        for k, n_samples in enumerate(lengths):
            spikes = table.segment_slice(k)
            templates_of_spikes = table.unit_index[spikes]
            if fractions is not None:
                n_fractions = array.shape[3]
                templates_of_spikes = templates_of_spikes * n_fractions + fractions[spikes]
            segment = InjectTemplatesRecordingSegment(
                table.sample_index[spikes] - nbefore,
                templates_of_spikes,
                None if scales is None else scales[spikes],
                flat,
                sampling_frequency=self.sampling_frequency,
                dtype=self.dtype,
                parent=None if parent_recording is None else parent_recording.segments[k],
                n_samples=n_samples,
            )
            self.add_recording_segment(segment)
        self._kwargs = {
            "sorting": sorting,
            "templates": array,
            "nbefore": int(nbefore),
            "amplitude_factor": _as_plain_array(amplitude_factor),
            "upsample_vector": fractions,
            "check_borders": False,  # once is enough
        }
        if parent_recording is None:
            self._kwargs["num_samples"] = lengths
        else:
            self._kwargs["parent_recording"] = parent_recording

    def _extra_metadata_to_dict(self, description: dict[str, Any]) -> None:
        super()._extra_metadata_to_dict(description)
        templates = self._kwargs.get("templates")
        if templates is not None:
            # JSON has lists only; without a parent the traces are of this type.
            description["templates_dtype"] = templates.dtype.name

    @classmethod
    def _handle_kwargs_backward_compatibility(
        cls, old_kwargs: dict[str, Any], full_dict: Mapping[str, Any]
    ) -> dict[str, Any]:
        dtype = full_dict.get("templates_dtype")
        if dtype is None:
            return old_kwargs
        return {**old_kwargs, "templates": np.asarray(old_kwargs["templates"], dtype)}


inject_templates = InjectTemplatesRecording


class InjectTemplatesRecordingSegment(BaseRecordingSegment):
    """A segment with a template added at each spike.

    Parameters
    ----------
    starts : ndarray of shape (n_spikes,) and dtype int64
        Where the template of each spike begins, increasing.
    template_indices : ndarray of shape (n_spikes,)
        Which template it is.
    scales : ndarray of shape (n_spikes,), optional
        What it is multiplied by.
    templates : ndarray of shape (n_templates, n_template_samples, n_channels)
        Templates.
    sampling_frequency : float
        In Hz.
    dtype : dtype
        Number type of the traces.
    parent : BaseRecordingSegment, optional
        What templates are added to; zeros by default.
    n_samples : int
        Length.
    """

    returns_new_arrays = True
    """Whether what `get_traces` returns belongs to the caller."""

    def __init__(
        self,
        starts: NDArray[np.int64],
        template_indices: NDArray[np.integer],
        scales: NDArray[np.floating] | None,
        templates: NDArray[Any],
        *,
        sampling_frequency: float,
        dtype: np.dtype[Any],
        parent: BaseRecordingSegment | None,
        n_samples: int,
    ) -> None:
        times = {} if parent is None else parent.get_times_kwargs()
        super().__init__(**(times or {"sampling_frequency": sampling_frequency}))
        self._starts = starts
        self._template_indices = template_indices
        self._scales = scales
        self._templates = templates
        self._dtype = dtype
        self._parent_segment = parent
        self._n_samples = n_samples

    def get_num_samples(self) -> int:
        """Return the number of samples of each channel."""
        return self._n_samples

    def get_traces(
        self,
        start_frame: int | None = None,
        end_frame: int | None = None,
        channel_indices: Indices | Sequence[int] | None = None,
    ) -> NDArray[Any]:
        """Return traces with templates added, a new array."""
        start = start_frame or 0
        end = self._n_samples if end_frame is None else end_frame
        n_channels = self._templates.shape[2]
        selection = slice(None) if channel_indices is None else channel_indices
        channels = np.arange(n_channels)[selection]
        traces = self._background(start, end, channel_indices, channels.size)
        n_template_samples = self._templates.shape[1]
        first, last = np.searchsorted(self._starts, [start - n_template_samples + 1, end])
        if first < last and channels.size:
            self._add_templates(traces, slice(first, last), start, channels)
        return traces

    def _background(
        self,
        start: int,
        end: int,
        channel_indices: Indices | Sequence[int] | None,
        n_channels: int,
    ) -> NDArray[Any]:
        """Return what templates are added to, an array of our own in the order of C."""
        parent = self._parent_segment
        if parent is None:
            return np.zeros((end - start, n_channels), self._dtype)
        traces = parent.get_traces(start, end, channel_indices)
        # Others may return a view of what they keep.
        is_ours = getattr(parent, "returns_new_arrays", False)
        if is_ours and traces.flags.c_contiguous and traces.flags.writeable:
            return traces
        return np.array(traces, order="C")

    def _add_templates(
        self, traces: NDArray[Any], spikes: slice, start: int, channels: NDArray[np.int64]
    ) -> None:
        # Late: numba is slow to import.
        from spikeloom.kernels.add_templates import (  # noqa: PLC0415
            add_templates,
            add_templates_to_channels,
        )

        starts = self._starts[spikes] - start
        indices = self._template_indices[spikes]
        scales = np.ones(starts.size, np.float32) if self._scales is None else self._scales[spikes]
        if channels.size == self._templates.shape[2] and np.all(np.diff(channels) == 1):
            add_templates(traces, starts, indices, scales, self._templates)
        else:
            add_templates_to_channels(traces, channels, starts, indices, scales, self._templates)


def as_single_templates(templates: NDArray[Any]) -> NDArray[Any]:
    """Return templates at all their fractions one after the other, in the order of C.

    Examples
    --------
    >>> as_single_templates(np.zeros((5, 120, 4, 3))).shape
    (15, 120, 4)
    """
    if templates.ndim == _N_DIMENSIONS_UPSAMPLED:
        n_samples, n_channels = templates.shape[1:3]
        templates = np.moveaxis(templates, 3, 1).reshape(-1, n_samples, n_channels)
    return np.ascontiguousarray(templates)


def _checked_templates(templates: ArrayLike, sorting: BaseSorting) -> NDArray[Any]:
    array = np.asarray(templates)
    if array.ndim not in {_N_DIMENSIONS, _N_DIMENSIONS_UPSAMPLED} or array.dtype.kind not in "fiu":
        msg = (
            "templates must be numbers of shape (n_units, n_samples, n_channels), or with a "
            f"fourth axis of fractions of a sample; got {array.dtype} of shape {array.shape}."
        )
        raise ParameterError(msg)
    if len(array) != sorting.get_num_units():
        msg = f"There are {len(array)} templates for {sorting.get_num_units()} units."
        raise ParameterError(msg)
    return array.astype(np.float32) if array.dtype == np.float16 else array


def _per_spike(
    values: ArrayLike | None, n_spikes: int, name: str, dtype: np.dtype[Any]
) -> NDArray[Any] | None:
    """Return one value for each spike; None for None."""
    if values is None:
        return None
    array = np.asarray(values)
    if array.ndim == 0:
        return np.full(n_spikes, array, np.float32)
    if array.shape != (n_spikes,):
        msg = f"{name} has shape {array.shape}; there are {n_spikes} spikes."
        raise ParameterError(msg)
    is_float = array.dtype in {np.dtype("f4"), np.dtype("f8")}
    return array if is_float else array.astype(np.promote_types(dtype, np.float64))


def _fractions(
    upsample_vector: ArrayLike | None, n_spikes: int, templates: NDArray[Any]
) -> NDArray[np.int64] | None:
    """Return the fraction that each spike takes; None if templates have only one."""
    if templates.ndim == _N_DIMENSIONS:
        return None
    if upsample_vector is None:
        msg = "Templates have several fractions of a sample: upsample_vector must choose one."
        raise ParameterError(msg)
    fractions = np.asarray(upsample_vector)
    n_fractions = templates.shape[3]
    is_wrong = fractions.shape != (n_spikes,) or fractions.dtype.kind not in "iu"
    if fractions.size == 0 == n_spikes:
        return np.zeros(0, np.int64)
    if is_wrong or fractions.min() < 0 or fractions.max() >= n_fractions:
        msg = (
            f"upsample_vector needs a whole number from 0 to {n_fractions - 1} for each of the "
            f"{n_spikes} spikes; got {fractions.dtype} of shape {fractions.shape}."
        )
        raise ParameterError(msg)
    return fractions.astype(np.int64)


def _check_parent(parent: BaseRecording, sorting: BaseSorting, n_channels: int) -> None:
    ours = (sorting.get_num_segments(), sorting.sampling_frequency, n_channels)
    theirs = (parent.get_num_segments(), parent.sampling_frequency, parent.get_num_channels())
    if ours != theirs:
        msg = (
            "Sorting and templates do not fit the parent recording: segments, sampling frequency "
            f"and channels are {ours} and {theirs}."
        )
        raise ParameterError(msg)


def _lengths(
    num_samples: int | Sequence[int] | None,
    sorting: BaseSorting,
    n_template_samples: int,
    parent: BaseRecording | None,
) -> list[int]:
    """Return the length of each segment in samples."""
    n_segments = sorting.get_num_segments()
    if num_samples is None:
        if parent is not None:
            return [parent.get_num_samples(k) for k in range(n_segments)]
        table = sorting.spike_table()
        return [table.last_spike_frame(k) + n_template_samples for k in range(n_segments)]
    lengths = [num_samples] if isinstance(num_samples, int | np.integer) else list(num_samples)
    if len(lengths) != n_segments:
        msg = f"num_samples has {len(lengths)} lengths for {n_segments} segments."
        raise ParameterError(msg)
    if parent is not None and lengths != [parent.get_num_samples(k) for k in range(n_segments)]:
        msg = "num_samples are those of the parent recording; leave num_samples out."
        raise ParameterError(msg)
    return [int(n_samples) for n_samples in lengths]


def _as_plain_array(values: ArrayLike | None) -> Any:
    if values is None or np.ndim(values) == 0:
        return values
    return np.asarray(values)


def _warn_of_borders(templates: NDArray[Any]) -> None:
    largest = float(np.abs(templates).max(initial=0.0))
    at_borders = float(np.abs(templates[:, [0, -1]]).max(initial=0.0))
    if at_borders > _BORDER_SHARE * largest:
        msg = (
            f"Templates are {at_borders:g} at their ends, more than a hundredth of their largest "
            f"value {largest:g}: make the window longer, or spikes will begin and end with steps."
        )
        warnings.warn(msg, stacklevel=3)
