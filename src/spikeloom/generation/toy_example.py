"""A small made-up recording with its spikes, for trying things out."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.numpy_sorting import NumpySorting
from spikeloom.core.sorting import BaseSorting
from spikeloom.errors import ParameterError
from spikeloom.generation.generated_sortings import generate_sorting
from spikeloom.generation.ground_truth_recordings import generate_ground_truth_recording
from spikeloom.generation.random_streams import given_or_new_seed
from spikeloom.generation.template_injection import InjectTemplatesRecording
from spikeloom.generation.template_shapes import generate_channel_locations, generate_templates
from spikeloom.generation.unit_locations import generate_unit_locations

_MS_BEFORE, _MS_AFTER = 1.5, 3.0

_NOISE_UV = 10.0

_REFRACTORY_MS = 4.0


def toy_example(
    duration: float | Sequence[float] = 10,
    num_channels: int = 4,
    num_units: int = 10,
    sampling_frequency: float = 30_000.0,
    num_segments: int = 2,
    average_peak_amplitude: float | None = -100,
    upsample_factor: int | None = None,
    contact_spacing_um: float = 40.0,
    num_columns: int = 1,
    spike_times: Sequence[Any] | None = None,
    spike_labels: Sequence[Any] | None = None,
    firing_rate: float = 3.0,
    seed: int | None = None,
) -> tuple[InjectTemplatesRecording, BaseSorting]:
    """Make a small recording of noise and spikes, and the sorting that belongs to it.

    `generate_ground_truth_recording` leaves more to choose.

    Parameters
    ----------
    duration : float or list of float, default 10
        Length of all segments, or of each, in seconds.
    num_channels, num_units : int
        How many.
    sampling_frequency : float, default 30000.0
        In Hz.
    num_segments : int, default 2
        How many.
    average_peak_amplitude : float, default -100
        Mean of the lowest values of all templates, in uV; None leaves them as they are made.
    upsample_factor : int, optional
        Let spikes lie between samples, at so many fractions of one.
    contact_spacing_um : float, default 40.0
        Distance between channels, and between columns.
    num_columns : int, default 1
        Columns of the probe.
    spike_times, spike_labels : list of array_like of shape (n_spikes,), optional
        Samples of spikes, and the number of their unit, in each segment; drawn by default.
    firing_rate : float, default 3.0
        Spikes of a unit per second, if they are drawn.
    seed : int, optional
        The same seed and the same other arguments give the same recording; None is a new seed.

    Returns
    -------
    recording : InjectTemplatesRecording
        With probe, in uV, not kept in memory.
    sorting : BaseSorting
        Its true spikes.

    Raises
    ------
    ParameterError
        If an argument makes no sense.

    Examples
    --------
    >>> recording, sorting = toy_example(duration=2.0, num_segments=1, seed=0)
    >>> recording.get_traces().shape, sorting.get_num_units()
    ((60000, 4), 10)
    """
    from probeinterface import Probe  # noqa: PLC0415 - takes a while to import

    durations = _durations(duration, num_segments)
    seed = given_or_new_seed(seed)
    positions_um = generate_channel_locations(num_channels, num_columns, contact_spacing_um)
    probe = Probe(ndim=2)
    probe.set_contacts(positions_um, shapes="circle", shape_params={"radius": 5})
    probe.create_auto_shape(probe_type="rect", margin=20.0)
    probe.set_device_channel_indices(np.arange(num_channels))
    templates = generate_templates(
        positions_um,
        generate_unit_locations(
            num_units, positions_um, margin_um=15.0, minimum_z=5.0, maximum_z=50.0, seed=seed
        ),
        sampling_frequency,
        _MS_BEFORE,
        _MS_AFTER,
        upsample_factor=upsample_factor,
        seed=seed,
    )
    if average_peak_amplitude is not None:
        lowest = templates.reshape(num_units, -1).min(axis=1)
        templates *= average_peak_amplitude / np.mean(lowest)
    sorting: BaseSorting
    if spike_times is None and spike_labels is None:
        sorting = generate_sorting(
            num_units,
            sampling_frequency,
            durations,
            firing_rates=firing_rate,
            refractory_period_ms=_REFRACTORY_MS,
            seed=seed,
        )
    else:
        samples, labels = (_of_segments(one, num_segments) for one in (spike_times, spike_labels))
        sorting = NumpySorting.from_samples_and_labels(
            samples, labels, sampling_frequency, np.arange(num_units)
        )
    return generate_ground_truth_recording(
        durations,
        sampling_frequency,
        sorting=sorting,
        probe=probe,
        templates=templates,
        ms_before=_MS_BEFORE,
        ms_after=_MS_AFTER,
        noise_kwargs={"noise_levels": _NOISE_UV, "strategy": "on_the_fly"},
        seed=seed,
    )


def _durations(duration: float | Sequence[float], n_segments: int) -> list[float]:
    listed = [duration] * n_segments if isinstance(duration, int | float) else list(duration)
    if len(listed) != n_segments or n_segments < 1:
        msg = (
            f"duration must be a number, or one for each of the {n_segments} segments; got "
            f"{duration!r}."
        )
        raise ParameterError(msg)
    return [float(one) for one in listed]


def _of_segments(given: Sequence[Any] | None, n_segments: int) -> list[NDArray[Any]]:
    if given is None or len(given) != n_segments:
        msg = (
            f"Give both spike_times and spike_labels, as lists with an array for each of the "
            f"{n_segments} segments."
        )
        raise ParameterError(msg)
    return [np.asarray(one) for one in given]
