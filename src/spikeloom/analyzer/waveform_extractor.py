"""Waveform extractors: what SpikeInterface had before sorting analyzers, for scripts that use it.

There is one class of two names, a thin cover over a `SortingAnalyzer`.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from spikeloom.analyzer.core_templates import ComputeTemplates
from spikeloom.analyzer.core_waveforms import ComputeWaveforms
from spikeloom.analyzer.extension import AnalyzerExtension
from spikeloom.analyzer.template_statistics import Operator, operator_of, statistics
from spikeloom.analyzer.waveform_copies import kept_copy, operators_of
from spikeloom.analyzer.waveform_extensions import OLD_NAMES
from spikeloom.analyzer.waveform_facts import WaveformFacts
from spikeloom.analyzer.waveform_layout import sampled_indices
from spikeloom.core.recording import BaseRecording
from spikeloom.core.sorting import BaseSorting
from spikeloom.core.sparsity import ChannelSparsity
from spikeloom.errors import MissingExtensionError, ParameterError


class WaveformExtractor(WaveformFacts):
    """Waveforms and templates of the units of a sorting.

    Made by `extract_waveforms` and `load_waveforms`; it is there for older scripts. New ones
    better use a `SortingAnalyzer`, which is also at hand here, as ``we.sorting_analyzer``.

    Parameters
    ----------
    sorting_analyzer : SortingAnalyzer
        What it covers; any analyzer will do.

    Examples
    --------
    >>> import spikeloom as si
    >>> from spikeloom.analyzer import create_sorting_analyzer
    >>> recording, sorting = si.generate_ground_truth_recording(durations=[2.0], seed=1)
    >>> analyzer = create_sorting_analyzer(sorting, recording, sparse=False, progress_bar=False)
    >>> analyzer.compute(["random_spikes", "waveforms", "templates"], progress_bar=False)
    >>> we = WaveformExtractor(analyzer)
    >>> we
    WaveformExtractor: 4 channels - 10 units - 1 segments
      before:25 after:50 n_per_units:500
    >>> we.get_template("0").shape
    (75, 4)
    """

    def __repr__(self) -> str:
        sparse = " - sparse" if self.is_sparse() else ""
        counts = (
            f"{self.get_num_channels()} channels - {self.get_num_units()} units - "
            f"{self.get_num_segments()} segments"
        )
        more = ""
        if self._params:
            limit = self._params.get("max_spikes_per_unit")
            more = f"\n  before:{self.nbefore} after:{self.nafter} n_per_units:{limit}{sparse}"
        return f"WaveformExtractor: {counts}{more}"

    @staticmethod
    def create(
        recording: BaseRecording,
        sorting: BaseSorting,
        folder: str | Path | None,
        mode: str = "folder",
        remove_if_exists: bool = False,
        use_relative_path: bool = False,
        allow_unfiltered: bool = False,
        sparsity: ChannelSparsity | None = None,
    ) -> "WaveformExtractor":
        """Make one without waveforms: `set_params` and `run_extract_waveforms` come next."""
        from spikeloom.analyzer.waveform_creation import create  # noqa: PLC0415 - knows this class

        return create(
            recording,
            sorting,
            folder,
            mode,
            overwrite=remove_if_exists,
            use_relative_path=use_relative_path,
            allow_unfiltered=allow_unfiltered,
            sparsity=sparsity,
        )

    @staticmethod
    def load(
        folder: str | Path, with_recording: bool = True, sorting: BaseSorting | None = None
    ) -> Any:
        """Open saved ones; see `load_waveforms`."""
        from spikeloom.analyzer.waveform_loading import load_waveforms  # noqa: PLC0415 - knows this

        return load_waveforms(folder, with_recording, sorting)

    # -- waveforms ---------------------------------------------------------------------------

    def has_waveforms(self) -> bool:
        """Return whether there are waveforms."""
        return self.sorting_analyzer.has_extension("waveforms")

    def delete_waveforms(self) -> None:
        """Delete the waveforms, where they are kept as well; templates stay."""
        self._waveforms()
        self.sorting_analyzer.delete_extension("waveforms")

    def _waveforms(self) -> ComputeWaveforms:
        found = self.sorting_analyzer.get_extension("waveforms")
        if not isinstance(found, ComputeWaveforms):
            msg = "There are no waveforms: extract them first, run_extract_waveforms()."
            raise MissingExtensionError(msg)
        return found

    def set_params(
        self,
        ms_before: float = 1.0,
        ms_after: float = 2.0,
        max_spikes_per_unit: int | None = 500,
        return_scaled: bool = False,
        dtype: DTypeLike | None = None,
    ) -> None:
        """Set the parameters of the next `run_extract_waveforms`; what there is gets deleted.

        Parameters
        ----------
        ms_before, ms_after : float
            Milliseconds around a spike.
        max_spikes_per_unit : int or None, default 500
            None for all spikes.
        return_scaled : bool, default False
            In microvolts.
        dtype : dtype, optional
            Of the waveforms; that of the recording by default.
        """
        analyzer = self.sorting_analyzer
        if return_scaled and not self.recording.has_scaleable_traces():
            return_scaled = self.recording.dtype.kind not in "iu"
        for name in ("random_spikes", "waveforms", "templates"):
            if analyzer.has_extension(name):
                analyzer.delete_extension(name)
        analyzer.return_in_uV = return_scaled
        chosen = np.dtype(analyzer.get_dtype() if dtype is None else dtype)
        if return_scaled and chosen.kind in "iu":
            chosen = np.dtype(np.float32)
        self._params = {
            "ms_before": float(ms_before),
            "ms_after": float(ms_after),
            "max_spikes_per_unit": max_spikes_per_unit,
            "return_scaled": return_scaled,
            "dtype": chosen.name,
        }

    def sample_spikes(self, seed: int | None = None) -> dict[Any, NDArray[np.void]]:
        """Choose spikes at random; returns which were chosen of each unit."""
        limit = self._params.get("max_spikes_per_unit", 500)
        self.sorting_analyzer.compute("random_spikes", max_spikes_per_unit=limit, seed=seed)
        return {unit_id: self.get_sampled_indices(unit_id) for unit_id in self.unit_ids.tolist()}

    def run_extract_waveforms(self, seed: int | None = None, **job_kwargs: Any) -> None:
        """Choose spikes and extract their waveforms, as `set_params` says.

        Parameters
        ----------
        seed : int, optional
            Without it, each run chooses other spikes.
        **job_kwargs
            See `spikeloom.set_global_job_kwargs`.
        """
        windows = {key: self._param(key) for key in ("ms_before", "ms_after", "dtype")}
        limit = self._params["max_spikes_per_unit"]
        self.sorting_analyzer.compute(
            {
                "random_spikes": {"max_spikes_per_unit": limit, "seed": seed},
                "waveforms": windows,
            },
            **job_kwargs,
        )

    def get_sampled_indices(self, unit_id: Any) -> NDArray[np.void]:
        """Return which spikes of a unit have waveforms, in the order of these.

        Returns
        -------
        ndarray of shape (n_waveforms,)
            With the fields ``spike_index``, among those of the unit in a segment, and
            ``segment_index``.
        """
        return sampled_indices(self.sorting_analyzer, unit_id)

    def get_waveforms(
        self,
        unit_id: Any,
        with_index: bool = False,
        cache: bool = False,  # noqa: ARG002 - they are in memory
        lazy: bool = True,  # noqa: ARG002
        sparsity: ChannelSparsity | None = None,
        force_dense: bool = False,
    ) -> Any:
        """Return the waveforms of a unit.

        Parameters
        ----------
        unit_id : int or str
        with_index : bool, default False
            Return `get_sampled_indices` as well.
        cache, lazy : bool
            Without effect; they mattered before.
        sparsity : ChannelSparsity, optional
            Channels of each unit, instead of those that it has; only such as waveforms are on.
        force_dense : bool, default False
            On all channels; zero on those that are not the unit's.

        Returns
        -------
        waveforms : ndarray of shape (n_waveforms, n_samples, n_channels)
            On the unit's own channels only, if it is sparse.
        indices : ndarray of shape (n_waveforms,)
            If `with_index`.

        Raises
        ------
        MissingExtensionError
            If there are no waveforms.
        ParameterError
            If waveforms are not on channels of the sparsity given.
        """
        dense = self._waveforms().get_waveforms_one_unit(unit_id, force_dense=True)
        chosen = self._on_channels(dense, unit_id, sparsity, force_dense=force_dense)
        return (chosen, self.get_sampled_indices(unit_id)) if with_index else chosen

    def _on_channels(
        self,
        values: NDArray[Any],
        unit_id: Any,
        sparsity: ChannelSparsity | None,
        *,
        force_dense: bool,
    ) -> NDArray[Any]:
        """Return what is on all channels on those of a unit, last axis."""
        own = self.sparsity
        if sparsity is None:
            if own is None or force_dense:
                return values
            return own.sparsify_waveforms(values, unit_id)
        if own is not None:
            known = set(own.unit_id_to_channel_ids[unit_id].tolist())
            lacking = set(sparsity.unit_id_to_channel_ids[unit_id].tolist()) - known
            if lacking:
                msg = (
                    f"The waveforms of unit {unit_id!r} are sparse, and not on the channels "
                    f"{sorted(lacking, key=str)[:8]} of the sparsity given."
                )
                raise ParameterError(msg)
        chosen = sparsity.sparsify_waveforms(values, unit_id)
        return sparsity.densify_waveforms(chosen, unit_id) if force_dense else chosen

    def get_waveforms_segment(
        self, segment_index: int, unit_id: Any, sparsity: ChannelSparsity | None = None
    ) -> NDArray[Any]:
        """Return the waveforms of a unit in one segment; see `get_waveforms`."""
        waveforms, index = self.get_waveforms(unit_id, with_index=True, sparsity=sparsity)
        chosen: NDArray[Any] = waveforms[index["segment_index"] == segment_index]
        return chosen

    # -- templates ---------------------------------------------------------------------------

    def precompute_templates(
        self, modes: Iterable[str] = ("average", "std"), percentile: float | None = None
    ) -> None:
        """Compute templates, and keep them where the waveforms are.

        Parameters
        ----------
        modes : sequence of {"average", "std", "median", "percentile"}
            Which templates; those that are there already stay.
        percentile : float, optional
            For "percentile", from 0 to 100.
        """
        wanted = operators_of(modes, percentile)
        analyzer = self.sorting_analyzer
        found = analyzer.get_extension("templates")
        if not isinstance(found, ComputeTemplates):
            params = {key: self._param(key) for key in ("ms_before", "ms_after")}
            analyzer.compute("templates", operators=wanted, progress_bar=False, **params)
            return
        for operator in wanted:
            # Added one by one: what was computed from the others stays what it is.
            self._templates_of(found, operator)

    def _templates_of(self, templates: ComputeTemplates, operator: Operator) -> NDArray[Any]:
        for key, values in templates.data.items():
            if operator_of(key) == operator:  # whatever the number looks like
                return np.asarray(values)
        name, number = operator if isinstance(operator, tuple) else (operator, None)
        is_saved = not self.sorting_analyzer.is_read_only()
        computed: NDArray[Any] = templates.get_templates(None, name, number, save=is_saved)
        return computed

    def get_all_templates(
        self,
        unit_ids: Iterable[Any] | None = None,
        mode: str = "average",
        percentile: float | None = None,
    ) -> NDArray[Any]:
        """Return templates, on all channels; they are computed if they were not.

        Parameters
        ----------
        unit_ids : sequence, optional
            Units; all by default.
        mode : {"average", "std", "median", "percentile"}
            Which templates.
        percentile : float, optional
            For "percentile", from 0 to 100.

        Returns
        -------
        ndarray of shape (n_units, n_samples, n_channels)
        """
        (operator,) = operators_of([mode], percentile)
        if not self.sorting_analyzer.has_extension("templates"):
            self.precompute_templates([mode], percentile)
        found = self.sorting_analyzer.get_extension("templates")
        if not isinstance(found, ComputeTemplates):
            msg = "There are no templates: call precompute_templates()."
            raise MissingExtensionError(msg)
        templates = self._templates_of(found, operator)
        if unit_ids is None:
            return templates
        return templates[self.sorting.ids_to_indices(list(unit_ids))]

    def get_template(
        self,
        unit_id: Any,
        mode: str = "average",
        sparsity: ChannelSparsity | None = None,
        force_dense: bool = False,
        percentile: float | None = None,
    ) -> NDArray[Any]:
        """Return the template of a unit.

        Parameters
        ----------
        unit_id : int or str
        mode, percentile
            See `get_all_templates`.
        sparsity, force_dense
            See `get_waveforms`.

        Returns
        -------
        ndarray of shape (n_samples, n_channels)
            On the unit's own channels only, if it is sparse.
        """
        template = self.get_all_templates([unit_id], mode, percentile)[0]
        return self._on_channels(template, unit_id, sparsity, force_dense=force_dense)

    def get_template_segment(
        self,
        unit_id: Any,
        segment_index: int,
        mode: str = "average",
        sparsity: ChannelSparsity | None = None,
        percentile: float | None = None,
    ) -> NDArray[Any]:
        """Return the template of a unit in one segment; see `get_template`."""
        waveforms = self.get_waveforms_segment(segment_index, unit_id, sparsity)
        found = statistics(
            waveforms,
            np.zeros(len(waveforms), np.int64),
            [0],
            operators_of([mode], percentile),
            n_channels=waveforms.shape[2],
        )
        template: NDArray[Any] = next(iter(found.values()))[0]
        return template

    # -- extensions --------------------------------------------------------------------------

    def has_extension(self, extension_name: str) -> bool:
        """Return whether an extension is there, under its name of today or of before."""
        return self.sorting_analyzer.has_extension(_today(extension_name))

    def load_extension(self, extension_name: str) -> AnalyzerExtension | None:
        """Return an extension; None if it is not there."""
        return self.sorting_analyzer.get_extension(_today(extension_name))

    def delete_extension(self, extension_name: str) -> None:
        """Delete an extension, where it is kept as well."""
        self.sorting_analyzer.delete_extension(_today(extension_name))

    def get_available_extension_names(self) -> list[str]:
        """Return the names of the extensions that are there."""
        analyzer = self.sorting_analyzer
        return list(dict.fromkeys([*analyzer.extensions, *analyzer.get_saved_extension_names()]))

    # -- others ------------------------------------------------------------------------------

    def select_units(
        self,
        unit_ids: Sequence[Any],
        new_folder: str | Path | None = None,
        use_relative_path: bool = False,
    ) -> "WaveformExtractor":
        """Return one of some units, in memory or in a new folder."""
        selected = WaveformExtractor(self.sorting_analyzer.select_units(unit_ids))
        if new_folder is None:
            return selected
        format = "zarr" if self.format == "zarr" else "binary"
        return selected.save(new_folder, format, use_relative_path)

    def save(
        self,
        folder: str | Path,
        format: str = "binary",
        use_relative_path: bool = False,
        overwrite: bool = False,
        sparsity: ChannelSparsity | None = None,
    ) -> "WaveformExtractor":
        """Save it, with all that was computed, and return the saved one.

        Parameters
        ----------
        folder : str or Path
            Where to; ``.zarr`` is appended for zarr.
        format : {"binary", "zarr"}
            As a folder of npy files, or as a zarr store.
        use_relative_path : bool, default False
            Describe the places of recording and sorting as seen from the folder.
        overwrite : bool, default False
            Replace what is there.
        sparsity : ChannelSparsity, optional
            Save waveforms and templates on these channels only. Of what was computed from them,
            nothing is saved then.

        Raises
        ------
        ParameterError
            If it is sparse already and a sparsity is given.
        WriteError
            If something is there already, or it cannot be written.
        """
        saved = kept_copy(
            self.sorting_analyzer,
            folder,
            format,
            use_relative_path=use_relative_path,
            overwrite=overwrite,
            sparsity=sparsity,
        )
        return WaveformExtractor(saved)


MockWaveformExtractor = WaveformExtractor


def _today(extension_name: str) -> str:
    return OLD_NAMES.get(extension_name, extension_name)
