"""What becomes of the extensions of an analyzer whose units are merged or split."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.analyzer import dependencies, planner
from spikeloom.analyzer.analyzer import SortingAnalyzer, copied_sorting
from spikeloom.analyzer.copies import derived
from spikeloom.analyzer.core_templates import ComputeTemplates
from spikeloom.analyzer.extension import AnalyzerExtension
from spikeloom.analyzer.spike_values import BaseSpikeVectorExtension, places_of_units
from spikeloom.core.sparsity import ChannelSparsity
from spikeloom.core.unit_ids import plain_ids
from spikeloom.engine.options import split_job_kwargs
from spikeloom.errors import MissingExtensionError, ParameterError


class Recomputing:
    """Makes extensions for changed units: of what is known, or of traces.

    Parameters
    ----------
    analyzer : SortingAnalyzer
        The analyzer before.
    changed : sequence of unit ids
        Units of the new analyzer that the old one has not.
    is_verbose : bool
        Say more.
    job_kwargs : mapping
        How work is spread.
    """

    def __init__(
        self,
        analyzer: SortingAnalyzer,
        changed: Sequence[Any],
        *,
        is_verbose: bool,
        job_kwargs: Mapping[str, Any],
    ) -> None:
        self.is_verbose = is_verbose
        self.job_kwargs = dict(job_kwargs)
        self._old = analyzer
        self._changed = list(changed)
        self._left_out: list[str] = []
        self._values: dict[str, dict[str, Any]] = {}

    def make(
        self,
        extension: AnalyzerExtension,
        new: SortingAnalyzer,
        propagate: Callable[[], AnalyzerExtension],
        *,
        is_hard: bool = False,
    ) -> AnalyzerExtension | None:
        """Return an extension of the new analyzer; None if there is no way to it.

        Parameters
        ----------
        extension : AnalyzerExtension
            That of the old one.
        new : SortingAnalyzer
            The new one, with the extensions that this one came from.
        propagate : callable
            Returns what it makes itself of what is known.
        is_hard : bool, default False
            Compute what depends on traces.
        """
        if dependencies.lacks_origin(new, extension, self._left_out):
            self._left_out.append(extension.extension_name)
            return None
        if is_hard and isinstance(extension, BaseSpikeVectorExtension):
            return self._values_of_spikes(extension, new, propagate)
        if is_hard and isinstance(extension, ComputeTemplates):
            return self._templates(extension, new, propagate)
        try:
            return propagate()
        except NotImplementedError:
            if is_hard:
                return self._anew(extension, new)
            self._left_out.append(extension.extension_name)
            return None

    def warn_of_left_out(self, what: str) -> None:
        """Warn of extensions that are not in the new analyzer.

        Parameters
        ----------
        what : str
            What was done to units: "merged" or "split".
        """
        if self._left_out:
            message = (
                f"The extensions {', '.join(self._left_out)} do not know how units are {what}, and "
                "are left out: compute them for the new analyzer."
            )
            warnings.warn(message, UserWarning, stacklevel=4)

    # -- of traces ---------------------------------------------------------------------------

    def _anew(self, extension: AnalyzerExtension, new: SortingAnalyzer) -> AnalyzerExtension:
        fresh = _fresh(extension, new)
        options = self.job_kwargs if extension.need_job_kwargs else {}
        planner.run_alone(fresh, save=True, verbose=self.is_verbose, **options)
        return fresh

    def _templates(
        self,
        extension: ComputeTemplates,
        new: SortingAnalyzer,
        propagate: Callable[[], AnalyzerExtension],
    ) -> AnalyzerExtension:
        """Make templates of traces where there are no waveforms, which would be complete."""
        if new.has_extension("waveforms"):
            return propagate()
        _require_traces(extension, new)
        positions = np.asarray(new.sorting.ids_to_indices(self._changed), np.int64)
        found = extension._from_new_traces(new, positions, self.job_kwargs)
        return extension._with_data(new, extension._with_rows(new, positions, found))

    def _values_of_spikes(
        self,
        extension: BaseSpikeVectorExtension,
        new: SortingAnalyzer,
        propagate: Callable[[], AnalyzerExtension],
    ) -> AnalyzerExtension:
        """Compute values of the spikes of changed units; of all, if those of others depend on them.

        All extensions for which that is possible by now are computed in one pass.
        """
        name, is_by_unit = extension.extension_name, extension.is_by_unit
        if name not in self._values:
            _require_traces(extension, new)
            ready = [one for one in self._ready(new) if one.is_by_unit == is_by_unit]
            needed = {part for one in ready for part in _needs(one)}
            target = _part(new, self._changed, needed) if is_by_unit else new
            fresh = [_fresh(one, target) for one in ready]
            # Into memory, wherever the new analyzer will be kept: it is written when complete.
            planner._run(
                target, fresh, save=True, verbose=self.is_verbose, job_kwargs=self.job_kwargs
            )
            self._values.update({one.extension_name: one.data for one in fresh})
        if not is_by_unit:
            return new.extensions[name]
        made = propagate()
        places = places_of_units(new.sorting, self._changed)
        for key, values in made.data.items():
            made.data[key] = np.array(values)
            made.data[key][places] = self._values[name][key]
        return made

    def _ready(self, new: SortingAnalyzer) -> list[BaseSpikeVectorExtension]:
        """Return extensions of the old analyzer that can be computed for the new one."""
        found = []
        for name in dependencies.present(self._old):
            extension = self._old.get_extension(name)
            if not isinstance(extension, BaseSpikeVectorExtension) or name in self._values:
                continue
            required = extension.get_required_dependencies(**(extension.params or {}))
            if all(any(new.has_extension(o) for o in r.split("|")) for r in required):
                found.append(extension)
        return found


def _needs(extension: AnalyzerExtension) -> list[str]:
    return extension.get_any_dependencies(**(extension.params or {}))


def _fresh(extension: AnalyzerExtension, analyzer: SortingAnalyzer) -> AnalyzerExtension:
    """Return the extension of another analyzer, with the same parameters, not computed yet."""
    fresh = type(extension)(analyzer)
    fresh.params = deepcopy(extension.params)
    return fresh


def _part(analyzer: SortingAnalyzer, unit_ids: Sequence[Any], names: set[str]) -> SortingAnalyzer:
    """Return an analyzer of some units with some extensions."""
    rows = np.asarray(analyzer.sorting.ids_to_indices(unit_ids), np.int64)
    sparsity = analyzer.sparsity
    if sparsity is not None:
        ids = analyzer.unit_ids[rows]
        sparsity = ChannelSparsity(sparsity.mask[rows], ids, analyzer.channel_ids)

    def make(extension: AnalyzerExtension, new: SortingAnalyzer) -> AnalyzerExtension | None:
        if extension.extension_name not in names:
            return None
        return extension.copy(new, unit_ids=unit_ids)

    return derived(
        analyzer,
        sorting=copied_sorting(analyzer.sorting.select_units(unit_ids)),
        sparsity=sparsity,
        make_extension=make,
    )


def _require_traces(extension: AnalyzerExtension, new: SortingAnalyzer) -> None:
    if not (new.has_recording() or new.has_temporary_recording()):
        msg = (
            f"A hard merge computes {extension.extension_name} of traces. {new.why_no_recording()} "
            "Or use merging_mode='soft'."
        )
        raise MissingExtensionError(msg)


def rows_before(
    analyzer: SortingAnalyzer, unit_ids: Sequence[Any], changed: Sequence[Any]
) -> NDArray[np.int64]:
    """Return the position in an analyzer of each unit of one made of it; 0 for changed ones."""
    new = set(plain_ids(changed))
    return np.array(
        [0 if u in new else analyzer.sorting.id_to_index(u) for u in plain_ids(unit_ids)], np.int64
    )


def check_job_kwargs(job_kwargs: Mapping[str, Any]) -> None:
    """Raise ParameterError if something is no job option."""
    unknown, _ = split_job_kwargs(job_kwargs)
    if unknown:
        msg = f"There is no argument and no job option {', '.join(unknown)}."
        raise ParameterError(msg)
