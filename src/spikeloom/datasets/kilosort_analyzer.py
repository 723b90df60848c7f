"""Folders of KiloSort as analyzers, with what the sorter found out of spikes and units."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.analyzer.analyzer import SortingAnalyzer, copied_sorting
from spikeloom.analyzer.core_templates import ComputeTemplates
from spikeloom.analyzer.extension import AnalyzerExtension
from spikeloom.analyzer.main_channels import PROPERTY
from spikeloom.analyzer.recording_info import RecordingInfo
from spikeloom.core.excess_spikes import remove_excess_spikes
from spikeloom.core.recording import BaseRecording
from spikeloom.core.sorting import BaseSorting
from spikeloom.core.sparsity import ChannelSparsity
from spikeloom.core.unit_conversion import samples_to_ms
from spikeloom.datasets.template import TemplateModel
from spikeloom.datasets.template_loading import load_template_model
from spikeloom.errors import ParameterError
from spikeloom.extractors.phy_sorting import read_phy
from spikeloom.postprocessing.spike_locations import ComputeSpikeLocations

if TYPE_CHECKING:
    from probeinterface import ProbeGroup

_OF_KILOSORT_4 = ("ops.npy", "kept_spikes.npy", "spike_positions.npy")
"""Files that only KiloSort 4 writes; none of them but the last is read."""


@dataclass(frozen=True)
class _UnitTemplates:
    """The template of each unit."""

    average: NDArray[np.float32]
    """(n_units, n_samples, n_channels); zero on channels that are not a unit's."""
    mask: NDArray[np.bool_]
    """Channels of each unit; (n_units, n_channels)."""
    main_channels: NDArray[np.int64]
    """Position of the channel on which each unit is largest, for the sorter."""

    @property
    def n_before(self) -> int:
        """Samples before the spike: where most units are largest."""
        traces = np.abs(self.average[np.arange(len(self.average)), :, self.main_channels])
        peaks = np.argmax(traces[traces.any(axis=1)], axis=1)
        return int(np.median(peaks)) if peaks.size else self.average.shape[1] // 2


def read_kilosort_as_analyzer(  # noqa: PLR0917 - SpikeInterface's arguments
    folder_path: str | Path,
    recording: BaseRecording | None = None,
    unwhiten: bool = True,  # noqa: FBT001, FBT002 - SpikeInterface's
    gain_to_uV: ArrayLike | None = None,
    offset_to_uV: ArrayLike | None = None,
) -> SortingAnalyzer:
    """Make an analyzer of a folder of KiloSort, without computing anything anew.

    Parameters
    ----------
    folder_path : str or Path
        The folder with ``params.py``.
    recording : BaseRecording, optional
        What was sorted; channels that the sorter left out are left out.
    unwhiten : bool, default True
        Undo the whitening of templates.
    gain_to_uV, offset_to_uV : float or array_like of shape (n_channels,), optional
        Microvolts of a stored value of the recording = gain * value + offset. By default those of
        the recording, or ``uV_per_bit`` of ``params.py``; else nothing is in microvolts.

    Returns
    -------
    SortingAnalyzer
        In memory, with the extensions ``random_spikes``, ``templates`` and, of KiloSort 4,
        ``spike_locations``, as far as the files for them are there.

    Raises
    ------
    MissingFileError, ReadError
        If the times or the clusters of spikes are absent or damaged.
    DataError
        If files contradict each other.
    ParameterError
        If the recording has not the channels that were sorted.

    Notes
    -----
    The shape of templates is right; their size is that of the sorter, which multiplies each of them
    by the amplitude of a spike. A unit that was made of several templates has their mean, weighted
    by its spikes. Channels of a unit are those on which its templates are not zero.

    Examples
    --------
    >>> import spikeloom as si
    >>> analyzer = si.read_kilosort_as_analyzer("rat/kilosort4")  # doctest: +SKIP
    >>> analyzer.compute(["unit_locations", "template_similarity"])  # doctest: +SKIP
    """
    model, sorting = load_template_model(Path(folder_path)), read_phy(folder_path)
    gain = model.gain_uV if gain_to_uV is None else gain_to_uV
    if recording is not None:
        recording = _sorted_channels(recording, model)
        if gain is not None and not recording.has_scaleable_traces():
            recording.set_channel_gains(gain)
            recording.set_channel_offsets(0.0 if offset_to_uV is None else offset_to_uV)
        if gain_to_uV is None and recording.has_scaleable_traces():
            gain = recording.get_channel_gains()
        sorting = remove_excess_spikes(sorting, recording)
    info = _info_of(model) if recording is None else RecordingInfo.of(recording)
    templates = _unit_templates(model, sorting, unwhiten=unwhiten)
    copied, sparsity = copied_sorting(sorting), None
    if templates is not None:
        copied.set_property(PROPERTY, info.channel_ids[templates.main_channels])
        sparsity = ChannelSparsity(templates.mask, copied.unit_ids, info.channel_ids)
    analyzer = SortingAnalyzer(
        copied, recording, info, sparsity=sparsity, return_in_uV=gain is not None
    )
    analyzer.set_sorting_source(lambda: sorting)
    analyzer.compute("random_spikes", seed=0, progress_bar=False)
    if templates is not None:
        scaled = templates.average * np.asarray(1.0 if gain is None else gain, np.float32)
        n_before = templates.n_before
        rate = analyzer.sampling_frequency
        params = {
            "operators": ["average"],
            "ms_before": samples_to_ms(n_before, rate),
            "ms_after": samples_to_ms(scaled.shape[1] - n_before, rate),
        }
        _add(ComputeTemplates(analyzer), {"average": scaled}, params)
    places = model.spike_attributes.get("positions")
    if places is not None and places.ndim == 2:
        locations = _in_order(places, model, sorting, info.n_samples[0])
        _add(ComputeSpikeLocations(analyzer), {"spike_locations": locations}, {})
    return analyzer


def _add(extension: AnalyzerExtension, data: dict[str, Any], params: dict[str, Any]) -> None:
    """Give an analyzer a result that was computed elsewhere."""
    extension.params, extension.data = params, data
    extension.run_info = {"run_completed": True, "runtime_s": None}
    extension.sorting_analyzer.extensions[extension.extension_name] = extension


def _sorted_channels(recording: BaseRecording, model: TemplateModel) -> BaseRecording:
    """Return a recording with the channels that were sorted, and places for them."""
    channels, n_channels = model.channel_map, recording.get_num_channels()
    if channels.size and channels.max() >= n_channels:
        msg = (
            f"{model.folder} names channel {channels.max()} of the recording, which has "
            f"{n_channels} channels. Is it the one that was sorted?"
        )
        raise ParameterError(msg)
    chosen: BaseRecording = recording.select_channels(recording.channel_ids[channels])
    if not chosen.has_probe():
        chosen.set_probegroup(_probes(model), in_place=True)
    return chosen


def _info_of(model: TemplateModel) -> RecordingInfo:
    """Return what a folder tells of its recording."""
    n_samples = int(model.spike_samples.max(initial=0)) + round(model.sampling_frequency)
    if model.traces is not None:
        # A few spikes may be beyond the end.
        n_samples = max(model.traces.n_samples, int(model.spike_samples.max(initial=-1)) + 1)
    return RecordingInfo(
        channel_ids=np.array([str(channel) for channel in model.channel_map]),
        sampling_frequency=model.sampling_frequency,
        n_samples=[n_samples],
        is_filtered=bool(model.params.extra.get("hp_filtered")),
        dtype=np.dtype(model.params.dtype),
        probegroup=_probes(model),
    )


def _probes(model: TemplateModel) -> "ProbeGroup":
    from probeinterface import Probe, ProbeGroup  # noqa: PLC0415 - takes a while to import

    probe, group = Probe(ndim=2, si_units="um"), ProbeGroup()
    probe.set_contacts(
        model.channel_positions,
        shapes="circle",
        shape_params={"radius": 5},
        shank_ids=[str(shank) for shank in model.channel_shanks],
    )
    probe.set_device_channel_indices(np.arange(model.n_channels))
    group.add_probe(probe)
    return group


def _unit_templates(
    model: TemplateModel, sorting: BaseSorting, *, unwhiten: bool
) -> _UnitTemplates | None:
    if model.templates is None or not model.templates.n_templates:
        return None
    channels = range(model.n_channels)
    whitened = replace(model.templates, unwhitening=None)
    of_templates = np.stack([whitened.dense(k, channels) for k in range(whitened.n_templates)])
    if not of_templates.size:  # of no samples, or on no channels
        return None
    average = np.zeros((sorting.get_num_units(), *of_templates.shape[1:]), np.float32)
    for k, counts in enumerate(_spikes_of_templates(model, sorting, whitened.n_templates)):
        used = np.flatnonzero(counts)
        if used.size:
            average[k] = np.average(of_templates[used], axis=0, weights=counts[used])
    mask = np.any(average != 0, axis=1)
    main_channels = np.argmax(np.ptp(average, axis=1), axis=1)
    matrix = model.templates.unwhitening
    if unwhiten and matrix is not None:
        # KiloSort 4 multiplies traces by its matrix from the left, older versions from the right.
        is_left = any((model.folder / name).is_file() for name in _OF_KILOSORT_4)
        average = average @ (matrix.T if is_left else matrix).astype(np.float32)
        average *= mask[:, np.newaxis]
    return _UnitTemplates(average, mask, main_channels)


def _spikes_of_templates(
    model: TemplateModel, sorting: BaseSorting, n_templates: int
) -> NDArray[np.int64]:
    """Return how many spikes of each unit are of each template, (n_units, n_templates).

    A unit without spikes has the template of its own number.
    """
    n_units = sorting.get_num_units()
    has_template = model.spike_templates < n_templates
    units = _unit_of_spikes(model, sorting)[has_template]
    pairs = units * n_templates + model.spike_templates[has_template]
    counts = np.bincount(pairs, minlength=n_units * n_templates).reshape(n_units, n_templates)
    clusters = _clusters(sorting)
    alone = np.flatnonzero(~counts.any(axis=1) & (clusters < n_templates))
    counts[alone, clusters[alone]] = 1
    return counts


def _clusters(sorting: BaseSorting) -> NDArray[np.int64]:
    """Return the number in the files of the cluster of each unit."""
    return np.asarray(sorting.get_property("original_cluster_id"), np.int64)


def _unit_of_spikes(model: TemplateModel, sorting: BaseSorting) -> NDArray[np.int64]:
    """Return the position of the unit of each spike, as spikes are in the files."""
    clusters = _clusters(sorting)
    order = np.argsort(clusters)
    return order[np.searchsorted(clusters[order], model.spike_clusters)]


def _in_order(
    places: NDArray[Any], model: TemplateModel, sorting: BaseSorting, n_samples: int
) -> NDArray[np.void]:
    """Return the place of each spike, as a table in the order of the spike vector."""
    is_inside = (model.spike_samples >= 0) & (model.spike_samples < n_samples)
    units = _unit_of_spikes(model, sorting)[is_inside]
    order = np.lexsort((units, model.spike_samples[is_inside]))
    rows = places[is_inside][order]
    table = np.zeros(len(rows), [(axis, np.float32) for axis in "xyz"[: places.shape[1]]])
    with np.errstate(over="ignore"):  # of places beyond all, which become infinite
        for k, axis in enumerate(table.dtype.names or ()):
            table[axis] = rows[:, k]
    return table
