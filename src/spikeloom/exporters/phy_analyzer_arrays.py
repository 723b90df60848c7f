"""The arrays of a phy dataset that a sorting analyzer holds, written file by file."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.analyzer.analyzer import SortingAnalyzer
from spikeloom.errors import MissingExtensionError
from spikeloom.exporters.phy_projections import padded_channels, write_projections


@dataclass(frozen=True, slots=True)
class PhyExport:
    """What is written, and of what."""

    analyzer: SortingAnalyzer
    """With all extensions that are needed."""
    units: NDArray[np.int64]
    """Position of the unit of each cluster: those that have spikes; shape (n_clusters,)."""
    mask: NDArray[np.bool_]
    """Channels of each of these; shape (n_clusters, n_channels)."""
    is_sparse: bool
    """Whether they differ in their channels."""
    template_mode: str

    @property
    def n_columns(self) -> int:
        """Most channels that a unit has."""
        return int(self.mask.sum(axis=1).max())


def _save(folder: Path, name: str, array: NDArray[Any]) -> None:
    np.save(folder / f"{name}.npy", array, allow_pickle=False)


def write_spikes(export: PhyExport, folder: Path, *, has_amplitudes: bool) -> None:
    """Write times and clusters of spikes, and their amplitudes if wanted."""
    table = export.analyzer.sorting.spike_table()
    cluster_of = np.full(export.analyzer.get_num_units(), -1, np.int64)
    cluster_of[export.units] = np.arange(export.units.size)
    clusters = cluster_of[table.unit_index][:, np.newaxis]
    _save(folder, "spike_times", np.asarray(table.sample_index, np.int64)[:, np.newaxis])
    _save(folder, "spike_templates", clusters)
    _save(folder, "spike_clusters", clusters)
    if has_amplitudes:
        amplitudes = _extension(export.analyzer, "spike_amplitudes").get_data()
        _save(folder, "amplitudes", np.asarray(amplitudes)[:, np.newaxis])


def write_templates(export: PhyExport, folder: Path) -> None:
    """Write templates on the channels of their units, and how similar they are."""
    extension = _extension(export.analyzer, "templates")
    dense = extension.get_templates(operator=export.template_mode, save=False)
    shape = (export.units.size, dense.shape[1], export.n_columns)
    templates = np.lib.format.open_memmap(folder / "templates.npy", "w+", np.float32, shape)
    listed = np.full((export.units.size, export.n_columns), -1, np.int64)
    for row, unit in enumerate(export.units):
        channels = np.flatnonzero(export.mask[row])
        templates[row, :, : channels.size] = dense[unit][:, channels]
        listed[row, : channels.size] = channels
    templates.flush()
    if export.is_sparse:
        # phy reads it under this name; templates_ind.npy, as KiloSort writes, it does not.
        _save(folder, "template_ind", listed)
    similarity = np.asarray(_extension(export.analyzer, "template_similarity").get_data())
    _save(folder, "similar_templates", similarity[np.ix_(export.units, export.units)])


def write_channels(export: PhyExport, folder: Path) -> NDArray[np.int64]:
    """Write what is known of channels; return the group of each."""
    analyzer = export.analyzer
    n_channels = analyzer.get_num_channels()
    given = analyzer.get_recording_property("group")
    groups = np.zeros(n_channels, np.int64) if given is None else _codes(given)
    probes, shanks = _probes_and_shanks(analyzer)
    # Without shanks, channels of other groups are no neighbours either.
    shanks = shanks if np.ptp(shanks) else groups
    ids = analyzer.channel_ids
    _save(folder, "channel_map", np.arange(n_channels, dtype=np.int32))
    _save(folder, "channel_map_si", ids.astype(str) if ids.dtype.kind == "O" else ids)
    _save(folder, "channel_positions", analyzer.get_channel_locations().astype(np.float32))
    _save(folder, "channel_groups", groups)
    _save(folder, "channel_shanks", shanks.astype(np.int32))
    if probes.any():
        _save(folder, "channel_probe", probes.astype(np.int32))
    for name in ("whitening_mat", "whitening_mat_inv"):
        _save(folder, name, np.eye(n_channels))
    return groups


def _probes_and_shanks(analyzer: SortingAnalyzer) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the probe of each channel, and its shank, counted over all probes."""
    probes: list[int] = []
    shanks: list[str] = []
    for index, probe in enumerate(analyzer.get_probegroup().probes):  # contacts are as channels
        n_contacts = probe.get_contact_count()
        ids = [""] * n_contacts if probe.shank_ids is None else probe.shank_ids
        probes += [index] * n_contacts
        shanks += [f"{index}:{shank}" for shank in ids]
    return np.array(probes, np.int64), _codes(np.array(shanks))


def _codes(values: NDArray[Any]) -> NDArray[np.int64]:
    """Return whole numbers as they are, and numbers from 0 for anything else."""
    if values.dtype.kind in "iub":
        return np.asarray(values, np.int64)
    found: NDArray[np.int64] = np.unique(values.astype(str), return_inverse=True)[1]
    return found.reshape(-1)


def write_features(export: PhyExport, folder: Path, job_kwargs: dict[str, Any]) -> None:
    """Write the features of all spikes, and the channels that they are on."""
    analyzer = export.analyzer
    mask = np.zeros((analyzer.get_num_units(), export.mask.shape[1]), bool)
    mask[export.units] = export.mask
    write_projections(analyzer, mask, folder / "pc_features.npy", **job_kwargs)
    listed = padded_channels(export.mask, analyzer.get_channel_locations())
    _save(folder, "pc_feature_ind", listed)


def write_waveforms(export: PhyExport, folder: Path) -> None:
    """Write the waveforms of the chosen spikes, on the channels of their units."""
    chosen: Any = _extension(export.analyzer, "random_spikes")
    waveforms = np.asarray(_extension(export.analyzer, "waveforms").data["waveforms"])
    units = chosen.unit_indices()
    shape = (*waveforms.shape[:2], export.n_columns)
    stem = "_phy_spikes_subset"
    path = folder / f"{stem}.waveforms.npy"
    written = np.lib.format.open_memmap(path, "w+", np.float32, shape)
    listed = np.full((len(units), export.n_columns), -1, np.int32)
    is_packed = export.analyzer.sparsity is not None
    for row, unit in enumerate(export.units):
        spikes = np.flatnonzero(units == unit)
        channels = np.flatnonzero(export.mask[row])
        columns = np.arange(channels.size) if is_packed else channels
        listed[spikes, : channels.size] = channels
        written[spikes, :, : channels.size] = waveforms[spikes][:, :, columns]
    written.flush()
    _save(folder, f"{stem}.channels", listed)
    _save(folder, f"{stem}.spikes", chosen.get_data())


def _extension(analyzer: SortingAnalyzer, name: str) -> Any:
    extension = analyzer.get_extension(name)
    if extension is None:
        msg = f"There is no {name}: call analyzer.compute({name!r}) first."
        raise MissingExtensionError(msg)
    return extension
