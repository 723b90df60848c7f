"""The main channel of each unit: the one on which it is strongest."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.core.ids import IdIndex
from spikeloom.core.quick_templates import templates_of_some_spikes
from spikeloom.core.recording import BaseRecording
from spikeloom.core.sorting import BaseSorting
from spikeloom.core.template_peaks import PeakMode, PeakSign, check_peak, main_channels
from spikeloom.core.unit_conversion import ms_to_samples
from spikeloom.errors import MissingExtensionError, ParameterError

if TYPE_CHECKING:
    from spikeloom.analyzer.analyzer import SortingAnalyzer

PROPERTY = "main_channel_id"
"""Property of a sorting that holds the id of the main channel of each unit."""

_MS_BEFORE, _MS_AFTER = 1.0, 2.5

_SEED = 2205
"""Of the choice of spikes where none is given, so that channels can be found again."""


def find_main_channels(analyzer: "SortingAnalyzer") -> NDArray[np.int64]:
    """Find the main channels of an analyzer that does not know them, and note them in its sorting.

    They come from its templates if it has some, else from a few spikes of each unit.

    Parameters
    ----------
    analyzer : SortingAnalyzer
        The analyzer.

    Returns
    -------
    ndarray of shape (n_units,) and dtype int64
        Positions of channels.

    Raises
    ------
    MissingExtensionError
        If there are neither templates nor a recording.
    """
    templates = analyzer.get_loaded("templates")
    sign, mode = checked_peak(analyzer.peak_sign, analyzer.peak_mode)
    if templates is not None:
        averages: Any = templates.get_templates(operator="average")  # type: ignore[attr-defined]
        nbefore = int(templates.nbefore)  # type: ignore[attr-defined]
        found = main_channels(np.asarray(averages), nbefore, sign, mode)
    elif analyzer.has_recording() or analyzer.has_temporary_recording():
        found = estimate_main_channels(analyzer.recording, analyzer.sorting, sign, mode)
    else:
        msg = (
            "The main channels of this analyzer are not known, and it has no templates to find "
            f"them from. {analyzer.why_no_recording()}"
        )
        raise MissingExtensionError(msg)
    analyzer.sorting.set_property(PROPERTY, analyzer.channel_ids[found])
    return found


def estimate_main_channels(
    recording: BaseRecording,
    sorting: BaseSorting,
    peak_sign: PeakSign = "both",
    peak_mode: PeakMode = "extremum",
    *,
    n_spikes: int = 100,
    seed: int | None = None,
    **job_kwargs: Any,
) -> NDArray[np.int64]:
    """Find the main channel of each unit by the average of some of its spikes.

    Parameters
    ----------
    recording : BaseRecording
        The recording.
    sorting : BaseSorting
        Its spikes.
    peak_sign, peak_mode
        What counts as strong; see `spikeloom.core.template_peaks.channel_amplitudes`.
    n_spikes : int, default 100
        Spikes of each unit.
    seed : int, optional
        For the choice of spikes.
    **job_kwargs
        See `spikeloom.set_global_job_kwargs`.

    Returns
    -------
    ndarray of shape (n_units,) and dtype int64
        Positions of channels; 0 for units without spikes.
    """
    if not sorting.get_num_units():
        return np.zeros(0, np.int64)
    averages = templates_of_some_spikes(
        recording,
        sorting,
        n_spikes=n_spikes,
        ms_before=_MS_BEFORE,
        ms_after=_MS_AFTER,
        seed=_SEED if seed is None else seed,
        return_in_uV=recording.has_scaleable_traces(),
        **job_kwargs,
    )
    nbefore = ms_to_samples(_MS_BEFORE, recording.sampling_frequency)
    return main_channels(averages, nbefore, peak_sign, peak_mode)


def checked_peak(peak_sign: str, peak_mode: str) -> tuple[PeakSign, PeakMode]:
    """Return sign and mode; raises ParameterError if there are no such."""
    check_peak(peak_sign, peak_mode)
    return peak_sign, peak_mode  # type: ignore[return-value]  # that was checked


def known_main_channels(
    sorting: BaseSorting, recording: BaseRecording, given: ArrayLike | None
) -> NDArray[np.int64] | None:
    """Return the main channels that are given, or that a sorting says; None if neither.

    Raises
    ------
    ParameterError
        If they are not one channel of the recording for each unit.
    """
    if given is not None:
        channels = np.asarray(given)
        n_channels = recording.get_num_channels()
        is_fit = channels.shape == (sorting.get_num_units(),) and channels.dtype.kind in "iu"
        if not is_fit or ((channels < 0) | (channels >= n_channels)).any():
            msg = (
                f"main_channel_indices needs a channel, 0 to {n_channels - 1}, for each of the "
                f"{sorting.get_num_units()} units; got {given!r:.200}."
            )
            raise ParameterError(msg)
        return channels.astype(np.int64)
    ids = sorting.get_property(PROPERTY)
    if ids is None:
        return None
    positions = IdIndex(recording.channel_ids, "channel id").positions(ids.tolist())
    return np.asarray(positions, np.int64)
