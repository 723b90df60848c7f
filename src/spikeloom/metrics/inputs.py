"""What metrics are computed from: spikes, and what else there is about them."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.template_peaks import PeakSign
from spikeloom.errors import MissingExtensionError
from spikeloom.metrics.pc_features import PcFeatures
from spikeloom.metrics.spikes import MetricSpikes


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class UnitTemplates:
    """Templates of all units, and where they are."""

    templates: NDArray[np.floating]
    """In microvolts; (n_units, n_samples, n_channels)."""
    nbefore: int
    """Samples before the spike."""
    main_channels: NDArray[np.int64]
    """Position of each unit's main channel; (n_units,)."""
    channel_locations: NDArray[np.floating]
    """In micrometres; (n_channels, 2)."""
    sparsity_mask: NDArray[np.bool_] | None = None
    """Which channels each unit is on, all if None; (n_units, n_channels)."""
    peak_sign: PeakSign = "both"
    """Which way peaks go."""
    median_templates: NDArray[np.floating] | None = None
    """Median waveforms, for ``nn_advanced``; (n_units, n_samples, n_channels)."""

    def channels_of(self, unit_index: int) -> NDArray[np.int64]:
        """Return the positions of a unit's channels, increasing."""
        if self.sparsity_mask is None:
            return np.arange(self.templates.shape[2])
        return np.flatnonzero(self.sparsity_mask[unit_index])

    def of_units(self, units: Sequence[int]) -> "UnitTemplates":
        """Return the templates of some units, given by position."""
        rows = np.asarray(units, np.int64)
        mask, median = self.sparsity_mask, self.median_templates
        return replace(
            self,
            templates=self.templates[rows],
            main_channels=self.main_channels[rows],
            sparsity_mask=None if mask is None else mask[rows],
            median_templates=None if median is None else median[rows],
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class MetricInputs:
    """All that metrics may need; None for what there is not.

    Names are those of the analyzer extensions that hold it.
    """

    spikes: MetricSpikes
    """The spikes, perhaps of some periods only."""
    spike_amplitudes: NDArray[np.floating] | None = None
    """In microvolts, in the order of the spike vector; (n_spikes,)."""
    amplitude_scalings: NDArray[np.floating] | None = None
    """Relative to the template; (n_spikes,)."""
    spike_locations: NDArray[Any] | None = None
    """In micrometres, (n_spikes, n_dimensions) or structured with x and y."""
    templates: UnitTemplates | None = None
    """Average waveforms."""
    noise_levels: NDArray[np.floating] | None = None
    """By the median absolute deviation, in microvolts; (n_channels,)."""
    noise_std: NDArray[np.floating] | None = None
    """Standard deviation of the traces, in microvolts; from the recording; (n_channels,)."""
    principal_components: PcFeatures | None = None
    """Projections of sampled spikes."""
    waveforms: Sequence[NDArray[np.floating]] | None = None
    """Of each unit's sampled spikes, on its channels; (n_spikes, n_samples, n_channels_of_unit)."""
    noise_snippets: NDArray[np.floating] | None = None
    """Pieces of the recording at random times; (n_pieces, n_samples, n_channels)."""
    units: Sequence[int] | None = None
    """Positions of the units that matter, all by default: what takes long is NaN for the others."""
    shared: dict[Any, Any] = field(default_factory=dict)
    """What one metric computed and others use, by what it depends on."""

    def has(self, requirement: str) -> bool:
        """Tell whether something is there; ``"a|b"`` asks for either of two.

        Examples
        --------
        >>> from spikeloom.core.numpy_sorting import NumpySorting
        >>> from spikeloom.metrics.spikes import spikes_of_sorting
        >>> sorting = NumpySorting.from_unit_dict({"a": [10]}, 1000.0)
        >>> inputs = MetricInputs(
        ...     spikes=spikes_of_sorting(sorting, [100]), spike_amplitudes=np.array([-50.0])
        ... )
        >>> inputs.has("amplitude_scalings|spike_amplitudes"), inputs.has("templates")
        (True, False)
        """
        return any(
            getattr(self, _FIELDS.get(name, name)) is not None for name in requirement.split("|")
        )

    def need(self, requirement: str) -> Any:
        """Return something, or the first of several that is there.

        Raises
        ------
        MissingExtensionError
            If it is not there.
        """
        for name in requirement.split("|"):
            value = getattr(self, _FIELDS.get(name, name))
            if value is not None:
                return value
        msg = f"This metric needs {requirement.replace('|', ' or ')}: compute it first."
        raise MissingExtensionError(msg)


_FIELDS = {"recording": "noise_std"}
"""Fields that are named otherwise than what they come from."""
