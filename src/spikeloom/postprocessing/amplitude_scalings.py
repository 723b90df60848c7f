"""The extension ``amplitude_scalings``: how large each spike is beside its unit's template."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from spikeloom.analyzer.chunk_pass import TraceBlock
from spikeloom.analyzer.extension import register_result_extension
from spikeloom.analyzer.spike_values import BaseSpikeVectorExtension, SpikeWork
from spikeloom.core.class_names import stored_as
from spikeloom.core.sparsity import ChannelSparsity
from spikeloom.core.spike_vector import SpikeTable
from spikeloom.core.template_source import template_source
from spikeloom.core.unit_conversion import ms_to_samples
from spikeloom.errors import ParameterError


@dataclass(frozen=True)
class ScalingFitter:
    """Fits templates to the traces around spikes."""

    templates: NDArray[np.float64]
    """Shape (n_units, n_channels, n_window)."""
    mask: NDArray[np.bool_]
    """Channels that a fit looks at; shape (n_units, n_channels)."""
    nbefore: int
    """Samples of the templates before the spike."""
    delta: int
    """How far spikes may be apart to collide, in samples; -1 if that is not looked at."""

    @cached_property
    def sums(self) -> NDArray[np.float64]:
        """Sums of templates over time, nan where they are zero; shape (n_units, n_channels)."""
        is_zero = ~self.templates.any(axis=2)
        return np.where(is_zero, np.nan, self.templates.sum(axis=2))

    @cached_property
    def shares_channels(self) -> NDArray[np.bool_]:
        """Which units can collide; shape (n_units, n_units)."""
        counts = self.mask.astype(np.int32)
        return counts @ counts.T > 0

    @cached_property
    def energies(self) -> NDArray[np.float64]:
        """Sums of squares of templates, nan if they are on other channels, too; (n_units,)."""
        goes_beyond = np.any(~np.isnan(self.sums) & ~self.mask, axis=1)
        energies: NDArray[np.float64] = np.einsum("uct,uct->u", self.templates, self.templates)
        return np.where(goes_beyond, np.nan, energies)

    @property
    def margin(self) -> int:
        """Samples needed around a spike."""
        nafter = int(self.templates.shape[2]) - self.nbefore
        return max(self.nbefore, nafter) + max(0, self.delta)

    def __call__(
        self, block: TraceBlock, spikes: SpikeTable, chosen: NDArray[np.int64]
    ) -> tuple[NDArray[Any], ...]:
        """Return scalings, and which spikes collide."""
        from spikeloom.kernels.spike_scalings import (  # noqa: PLC0415 - imports numba
            Shapes,
            Windows,
            fit_scalings,
        )

        segment_index, start, end = block.chunk
        reach = max(0, self.delta)
        near = spikes.window(segment_index, start - reach, end + reach)
        scalings, has_collided = np.zeros(chosen.size, np.float32), np.zeros(chosen.size, bool)
        starts = spikes.sample_index[near] - (self.nbefore + block.first_sample)
        units = spikes.unit_index[near].astype(np.int64)
        windows = Windows(block.raw, scale_of(block), starts, units)
        shapes = Shapes(self.templates, self.sums, self.mask, self.shares_channels, self.energies)
        fit_scalings(windows, shapes, chosen - near.start, self.delta, scalings, has_collided)
        return scalings, has_collided


def scale_of(block: TraceBlock) -> NDArray[np.float32]:
    """Return gains and offsets of a chunk, shape (2, n_channels); 1 and 0 where there are none."""
    if block.scale is not None:
        return block.scale
    scale = np.zeros((2, block.raw.shape[1]), np.float32)
    scale[0] = 1
    return scale


@register_result_extension
@stored_as("spikeinterface.postprocessing.amplitude_scalings.ComputeAmplitudeScalings")
class ComputeAmplitudeScalings(BaseSpikeVectorExtension):
    """By how much the template of its unit has to be scaled to look like a spike.

    The scaling is the slope of the regression, with an intercept, of the traces around the spike on
    the template. Where spikes of units that share channels are close to each other, all of them are
    fitted together, none of them negatively.

    Parameters
    ----------
    sparsity : ChannelSparsity or dict, optional
        Channels of each unit that are looked at, which must be the unit's in a sparse analyzer;
        those of the analyzer by default.
    max_dense_channels : int or None, default 16
        With how many channels a dense analyzer may do without `sparsity`. None is no limit.
    ms_before, ms_after : float, optional
        Part of the template that is fitted, in milliseconds before a spike and from it on; all of
        it by default.
    handle_collisions : bool, default True
        Fit spikes that collide together.
    delta_collision_ms : float, default 2
        How far spikes may be apart to collide: from so much before a spike up to, but not at, so
        much behind it.

    Notes
    -----
    The data ``amplitude_scalings`` (float32) and ``collision_mask`` (bool) are of shape
    (n_spikes,). Scalings are zero for units whose template is.
    """

    extension_name = "amplitude_scalings"
    depend_on = ["templates"]  # noqa: RUF012 - as SpikeInterface's classes have it
    nodepipeline_variables = ["amplitude_scalings", "collision_mask"]  # noqa: RUF012
    is_by_unit = False

    def _set_params(
        self,
        sparsity: ChannelSparsity | Mapping[str, Any] | None = None,
        max_dense_channels: int | None = 16,
        ms_before: float | None = None,
        ms_after: float | None = None,
        handle_collisions: bool = True,
        delta_collision_ms: float = 2,
    ) -> dict[str, Any]:
        if delta_collision_ms < 0:
            msg = f"delta_collision_ms must not be negative; got {delta_collision_ms}."
            raise ParameterError(msg)
        return {
            # As a dictionary, which can be saved.
            "sparsity": sparsity.to_dict() if isinstance(sparsity, ChannelSparsity) else sparsity,
            "max_dense_channels": max_dense_channels,
            "ms_before": ms_before,
            "ms_after": ms_after,
            "handle_collisions": handle_collisions,
            "delta_collision_ms": delta_collision_ms,
        }

    def _get_spike_work(self) -> tuple[SpikeWork, Sequence[DTypeLike]]:
        analyzer, params = self.sorting_analyzer, self.params or {}
        source = template_source(analyzer)
        fs = analyzer.sampling_frequency
        n_samples = source.templates.shape[1]
        parts = [source.nbefore, n_samples - source.nbefore]
        for k, key in enumerate(("ms_before", "ms_after")):
            if params[key] is not None:
                wanted = ms_to_samples(params[key], fs)
                if not 0 <= wanted <= parts[k]:
                    msg = f"{key} must not be longer than that of the templates; got {params[key]}."
                    raise ParameterError(msg)
                parts[k] = wanted
        window = slice(source.nbefore - parts[0], source.nbefore + parts[1])
        cut = np.asarray(source.templates[:, window], np.float64).transpose(0, 2, 1)
        delta = (
            ms_to_samples(params["delta_collision_ms"], fs) if params["handle_collisions"] else -1
        )
        mask = self._mask()
        return (
            ScalingFitter(np.ascontiguousarray(cut), mask, parts[0], delta),
            [np.dtype(np.float32), np.dtype(bool)],
        )

    def _mask(self) -> NDArray[np.bool_]:
        analyzer, params = self.sorting_analyzer, self.params or {}
        given = params["sparsity"]
        if given is None:
            if analyzer.sparsity is not None:
                return analyzer.sparsity.mask
            n_channels, limit = analyzer.get_num_channels(), params["max_dense_channels"]
            if limit is not None and n_channels > limit:
                msg = (
                    f"A dense analyzer of {n_channels} channels needs a sparsity=...; or set "
                    f"max_dense_channels, which is {limit}, to None."
                )
                raise ParameterError(msg)
            return np.ones((analyzer.get_num_units(), n_channels), bool)
        sparsity = ChannelSparsity.from_dict(given)
        fits = (
            sparsity.unit_ids.tolist() == analyzer.unit_ids.tolist()
            and sparsity.channel_ids.tolist() == analyzer.channel_ids.tolist()
        )
        if not fits:
            msg = "The sparsity is of other units or channels than the analyzer."
            raise ParameterError(msg)
        if analyzer.sparsity is not None and np.any(sparsity.mask & ~analyzer.sparsity.mask):
            msg = "The sparsity has channels that the analyzer's sparsity has not."
            raise ParameterError(msg)
        return sparsity.mask


compute_amplitude_scalings = ComputeAmplitudeScalings.function_factory()
