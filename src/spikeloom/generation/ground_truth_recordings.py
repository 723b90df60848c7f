"""Recordings of made-up neurons in noise, whose spikes are known.

What is described in a file are seeds, places and parameters, from which any process makes the same
samples again.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from spikeloom.core.class_names import stored_as
from spikeloom.core.recording import BaseRecording
from spikeloom.core.sorting import BaseSorting
from spikeloom.errors import ParameterError
from spikeloom.generation.generated_sortings import generate_sorting
from spikeloom.generation.noise_recordings import NoiseGeneratorRecording
from spikeloom.generation.random_streams import Purpose, given_or_new_seed, random_stream
from spikeloom.generation.template_injection import InjectTemplatesRecording
from spikeloom.generation.template_shapes import draw_unit_parameters, generate_templates
from spikeloom.generation.unit_locations import generate_unit_locations

if TYPE_CHECKING:
    from probeinterface import Probe

_PROBE: Mapping[str, Any] = {
    "num_columns": 2,
    "xpitch": 20,
    "ypitch": 20,
    "contact_shapes": "circle",
    "contact_shape_params": {"radius": 6},
}
_SORTING: Mapping[str, Any] = {"firing_rates": 15, "refractory_period_ms": 4.0}
_NOISE: Mapping[str, Any] = {"noise_levels": 5.0, "strategy": "on_the_fly"}
_LOCATIONS: Mapping[str, Any] = {
    "margin_um": 10.0,
    "minimum_z": 5.0,
    "maximum_z": 50.0,
    "minimum_distance": 20,
}


@stored_as("spikeloom.generation.GroundTruthRecording")
class GroundTruthRecording(InjectTemplatesRecording):
    """A recording with made-up templates added at the spikes of a sorting.

    Parameters
    ----------
    sorting : BaseSorting
        The spikes.
    parent_recording : BaseRecording
        What templates are added to: noise.
    template_options : dict
        Arguments of `generate_templates`, its seed among them.
    upsample_vector : array_like of shape (n_spikes,), optional
        Which fraction of a sample each spike takes, if templates have several; drawn from the seed
        by default.

    Raises
    ------
    ParameterError
        If the parts do not fit together.

    Examples
    --------
    >>> from spikeloom.generation.generated_sortings import generate_sorting
    >>> sorting = generate_sorting(1, 30_000.0, durations=[1.0], seed=0)
    >>> noise = NoiseGeneratorRecording(2, 30_000.0, [1.0], seed=0)
    >>> options = dict(
    ...     channel_locations=[[0.0, 0.0], [0.0, 20.0]],
    ...     units_locations=[[0.0, 5.0, 10.0]],
    ...     sampling_frequency=30_000.0,
    ...     ms_before=1.0,
    ...     ms_after=3.0,
    ...     seed=0,
    ... )
    >>> GroundTruthRecording(sorting, noise, options).get_traces().shape
    (30000, 2)
    """

    def __init__(
        self,
        sorting: BaseSorting,
        parent_recording: BaseRecording,
        template_options: Mapping[str, Any],
        upsample_vector: ArrayLike | None = None,
    ) -> None:
        seed = given_or_new_seed(template_options.get("seed"))
        options = {**template_options, "seed": seed}
        params = options.get("unit_params") or {}
        n_units = sorting.get_num_units()
        # Ranges are drawn from now: a file has no tuples, and would give back values instead.
        options["unit_params"] = draw_unit_parameters(params, n_units, seed)
        templates = generate_templates(**options)
        given = upsample_vector
        if templates.ndim == 4 and upsample_vector is None:
            stream = random_stream(seed, Purpose.SPIKE_JITTER)
            n_spikes = sorting.spike_table().n_spikes
            upsample_vector = stream.integers(0, templates.shape[3], n_spikes)
        super().__init__(
            sorting,
            templates,
            nbefore=round(options["ms_before"] * sorting.sampling_frequency / 1000),
            parent_recording=parent_recording,
            upsample_vector=upsample_vector,
        )
        self._kwargs = {
            "sorting": sorting,
            "parent_recording": parent_recording,
            "template_options": options,
            "upsample_vector": None if given is None else np.asarray(given),
        }


def generate_ground_truth_recording(
    durations: Sequence[float] = (10.0,),
    sampling_frequency: float = 25000.0,
    num_channels: int = 4,
    num_units: int = 10,
    sorting: BaseSorting | None = None,
    probe: "Probe | None" = None,
    generate_probe_kwargs: Mapping[str, Any] = _PROBE,
    templates: ArrayLike | None = None,
    ms_before: float = 1.0,
    ms_after: float = 3.0,
    upsample_factor: int | None = None,
    upsample_vector: ArrayLike | None = None,
    generate_sorting_kwargs: Mapping[str, Any] = _SORTING,
    noise_kwargs: Mapping[str, Any] = _NOISE,
    generate_unit_locations_kwargs: Mapping[str, Any] = _LOCATIONS,
    generate_templates_kwargs: Mapping[str, Any] | None = None,
    dtype: DTypeLike = "float32",
    seed: int | None = None,
) -> tuple[InjectTemplatesRecording, BaseSorting]:
    """Make a recording of noise and spikes, and the sorting that it should be sorted into.

    Parameters
    ----------
    durations : list of float, default (10.0,)
        Length of each segment in seconds.
    sampling_frequency : float, default 25000.0
        In Hz.
    num_channels : int, default 4
        Number of channels, if no probe is given.
    num_units : int, default 10
        Number of units, if no sorting is given.
    sorting : BaseSorting, optional
        The spikes; drawn with `generate_sorting_kwargs` by default.
    probe : Probe, optional
        A probe of the probeinterface package; by default one of several columns.
    generate_probe_kwargs : dict
        For ``probeinterface.generate_multi_columns_probe``, with ``num_columns``.
    templates : array_like of shape (n_units, n_samples, n_channels[, n_fractions]), optional
        Templates in uV; made with `generate_templates_kwargs` by default.
    ms_before, ms_after : float
        Length of templates before and after the trough, in ms.
    upsample_factor : int, optional
        Let spikes lie between samples, at so many fractions of one.
    upsample_vector : array_like of shape (n_spikes,), optional
        Which fraction each spike takes; drawn by default.
    generate_sorting_kwargs : dict
        For `generate_sorting`.
    noise_kwargs : dict
        For `NoiseGeneratorRecording`.
    generate_unit_locations_kwargs : dict
        For `generate_unit_locations`.
    generate_templates_kwargs : dict, optional
        For `generate_templates`.
    dtype : {"float32", "float64"}
        Number type of the traces.
    seed : int, optional
        The same seed and the same other arguments give the same recording; None is a new seed.

    Returns
    -------
    recording : InjectTemplatesRecording
        Named ``GroundTruthRecording``, with probe, in uV (gain 1), annotated as filtered.
    sorting : BaseSorting
        Named ``GroundTruthSorting``, with the property ``main_channel_id``, the channel on which
        a unit is largest, and ``gt_unit_locations`` in um if templates were made.

    Raises
    ------
    ParameterError
        If the parts do not fit together, or if an argument makes no sense.

    Examples
    --------
    >>> recording, sorting = generate_ground_truth_recording(durations=[2.0], seed=0)
    >>> recording.get_traces().shape, sorting.get_num_units()
    ((50000, 4), 10)
    >>> sorting.get_property("gt_unit_locations").shape
    (10, 3)
    """
    seed = given_or_new_seed(seed)
    if sorting is None:
        options = {"seed": seed, **generate_sorting_kwargs}
        sorting = generate_sorting(num_units, sampling_frequency, durations, **options)
    elif sorting.sampling_frequency != sampling_frequency:
        msg = (
            f"The sorting has {sorting.sampling_frequency} Hz, the recording is to have "
            f"{sampling_frequency} Hz: give sampling_frequency={sorting.sampling_frequency}."
        )
        raise ParameterError(msg)
    probe = _make_probe(num_channels, generate_probe_kwargs) if probe is None else _wired(probe)
    positions_um = probe.contact_positions[np.argsort(probe.device_channel_indices)]
    noise_options = {
        "dtype": dtype,
        "seed": seed,
        "noise_block_size": max(1, int(sampling_frequency)),
        **noise_kwargs,
    }
    noise = NoiseGeneratorRecording(
        len(positions_um), sampling_frequency, durations, **noise_options
    )
    if templates is None:
        location_options = {"seed": seed, **generate_unit_locations_kwargs}
        locations_um = generate_unit_locations(
            sorting.get_num_units(), positions_um, **location_options
        )
        template_options = {
            "channel_locations": positions_um,
            "units_locations": locations_um,
            "sampling_frequency": float(sampling_frequency),
            "ms_before": float(ms_before),
            "ms_after": float(ms_after),
            "upsample_factor": upsample_factor,
            "dtype": np.dtype(dtype).name,
            "seed": seed,
            **(generate_templates_kwargs or {}),
        }
        recording: InjectTemplatesRecording = GroundTruthRecording(
            sorting, noise, template_options, upsample_vector
        )
        sorting.set_property("gt_unit_locations", locations_um)
    else:
        window_ms = (ms_before, ms_after)
        recording = _inject_given(sorting, noise, templates, window_ms, upsample_vector, seed)
    recording.annotate(is_filtered=True)
    recording.set_probe(probe, in_place=True)
    recording.set_channel_gains(1.0)
    recording.set_channel_offsets(0.0)
    recording.name = "GroundTruthRecording"
    sorting.set_property("main_channel_id", recording.channel_ids[_main_channels(recording)])
    sorting.name = "GroundTruthSorting"
    return recording, sorting


def _inject_given(
    sorting: BaseSorting,
    noise: BaseRecording,
    templates: ArrayLike,
    window_ms: tuple[float, float],
    upsample_vector: ArrayLike | None,
    seed: int,
) -> InjectTemplatesRecording:
    """Add templates that somebody gave to noise."""
    array = np.asarray(templates)
    n_before, n_after = (round(span_ms * noise.sampling_frequency / 1000) for span_ms in window_ms)
    if array.ndim < 3 or array.shape[1] != n_before + n_after:
        msg = (
            f"Templates have shape {array.shape}; ms_before={window_ms[0]:g} and "
            f"ms_after={window_ms[1]:g} stand for {n_before} + {n_after} samples."
        )
        raise ParameterError(msg)
    if array.ndim == 4 and upsample_vector is None:
        stream = random_stream(seed, Purpose.SPIKE_JITTER)
        upsample_vector = stream.integers(0, array.shape[3], sorting.spike_table().n_spikes)
    return InjectTemplatesRecording(
        sorting,
        array,
        nbefore=n_before,
        parent_recording=noise,
        upsample_vector=None if array.ndim == 3 else upsample_vector,
    )


def _main_channels(recording: InjectTemplatesRecording) -> NDArray[np.int64]:
    """Return the channel on which each template is largest."""
    templates = recording.templates
    largest = np.abs(templates).max(axis=(1, 3) if templates.ndim == 4 else 1)
    return np.asarray(largest.argmax(axis=1), np.int64)


def _make_probe(num_channels: int, generate_probe_kwargs: Mapping[str, Any]) -> "Probe":
    """Make a probe of columns, the middle one with the contacts that are left over."""
    # Late: it takes a while to import.
    from probeinterface import generate_multi_columns_probe  # noqa: PLC0415

    options = dict(generate_probe_kwargs)
    n_columns = options.get("num_columns")
    if n_columns is None:
        msg = "generate_probe_kwargs needs num_columns, the number of columns of the probe."
        raise ParameterError(msg)
    if "num_contact_per_column" not in options:
        n_per_column = [num_channels // n_columns] * n_columns
        n_per_column[n_columns // 2] += num_channels % n_columns
        options["num_contact_per_column"] = n_per_column
    n_contacts = np.sum(np.broadcast_to(options["num_contact_per_column"], n_columns))
    if n_contacts != num_channels:
        msg = f"generate_probe_kwargs makes {n_contacts} contacts for {num_channels} channels."
        raise ParameterError(msg)
    probe = generate_multi_columns_probe(**options)
    probe.set_device_channel_indices(np.arange(num_channels))
    return probe


def _wired(probe: "Probe") -> "Probe":
    """Return a probe with a channel at each contact: a copy in their order if it is not wired."""
    n_contacts = probe.get_contact_count()
    wiring = probe.device_channel_indices
    if wiring is None:
        probe = probe.copy()
        probe.set_device_channel_indices(np.arange(n_contacts))
    elif not np.array_equal(np.sort(wiring), np.arange(n_contacts)):
        msg = (
            "Each contact of the probe needs a channel: device_channel_indices must be 0 to "
            f"{n_contacts - 1} in some order; got {np.asarray(wiring).tolist()[:16]}."
        )
        raise ParameterError(msg)
    return probe
