"""Load a `TemplateModel` from the files of a phy dataset."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.raw_traces import RawTraces
from spikeloom.core.unit_conversion import SAMPLE_MAX
from spikeloom.datasets.features import SparseFeatures
from spikeloom.datasets.template import TemplateModel
from spikeloom.datasets.templates import N_CLOSEST_CHANNELS, SIGNAL_MAX, TemplateSet
from spikeloom.datasets.waveform_pool import WaveformPool, make_pool
from spikeloom.errors import DataError, SpikeloomError
from spikeloom.extractors.cluster_tables import read_cluster_tables
from spikeloom.extractors.mtscomp_files import CompressedTraces
from spikeloom.extractors.phy_arrays import PhyFolder, as_indices, as_labels, squeeze
from spikeloom.extractors.phy_params import PhyParams, read_phy_params
from spikeloom.kernels.jit import takes_dtype
from spikeloom.storage.arrays import open_flat, open_npy

_NOT_ATTRIBUTES = frozenset(
    f"spike_{name}"
    for name in ("clusters", "templates", "samples", "times", "times_reordered", "amplitudes")
)


@dataclass
class _Loading:
    """What is known while a dataset is being read."""

    params: PhyParams
    files: PhyFolder
    notes: dict[str, str] = field(default_factory=dict)

    def warn(self, text: str) -> None:
        self.files.warnings.append(text)


def load_template_model(params_path: Path, *, trust_params: bool = False) -> TemplateModel:
    """Open a KiloSort, SpyKING CIRCUS or phy dataset; nothing is written.

    Parameters
    ----------
    params_path : Path
        The ``params.py`` file, or the folder that holds it.
    trust_params : bool, default False
        Run ``params.py`` as Python instead of reading plain values from it.

    Raises
    ------
    MissingFileError
        If ``params.py`` or ``spike_times.npy`` is absent, or there are neither clusters nor
        templates of spikes.
    ReadError
        If a required file cannot be read.
    DataError
        If required files contradict each other.
    """
    params_path = Path(params_path)
    if params_path.is_dir():
        params_path /= "params.py"
    params = read_phy_params(params_path, trust=trust_params)
    loading = _Loading(params, PhyFolder(params.dir_path, list(params.warnings)))
    return _load(loading)


def _load(loading: _Loading) -> TemplateModel:
    params, files = loading.params, loading.files
    samples = _load_spike_samples(loading)
    spike_templates, spike_clusters, clusters_path = _load_assignments(loading, samples.size)
    stored = files.optional_unsqueezed("templates", 3)
    channel_map = _load_channel_map(loading, stored)
    n_channels = channel_map.size
    positions = _load_positions(loading, n_channels)
    shanks = _load_integers(loading, "channel_shanks", n_channels)
    templates = _load_templates(loading, stored, positions, shanks)
    n_templates = templates.n_templates if templates else int(spike_templates.max(initial=-1)) + 1
    if int(spike_templates.max(initial=-1)) >= n_templates:
        loading.warn(
            f"spike_templates.npy names template {spike_templates.max()}, but templates.npy has "
            f"{n_templates} templates only; the spikes of the others have none."
        )
    similarity = _load_similarity(loading, n_templates)
    tables = read_cluster_tables(files.folder)
    traces = _load_traces(loading, channel_map, samples)
    return TemplateModel(
        params=params,
        spike_samples=samples,
        spike_clusters=spike_clusters,
        spike_templates=spike_templates,
        amplitudes=files.vector("amplitudes", samples.size),
        channel_map=channel_map,
        channel_positions=positions,
        channel_shanks=shanks,
        channel_probes=_load_integers(loading, "channel_probe", n_channels),
        traces=traces,
        templates=templates,
        stored_similarity=similarity,
        listed_channels=_load_listed_channels(loading, n_channels),
        features=_load_features(loading, "pc_features", spike_templates, n_channels),
        template_features=_load_features(
            loading, "template_features", spike_templates, n_templates
        ),
        waveform_pool=_load_pool(loading),
        spike_samples_reordered=_load_reordered(loading, samples.size),
        spike_attributes=_load_attributes(loading, samples.size),
        labels=tables.labels,
        label_texts=tables.texts,
        label_files=tables.origin,
        spike_clusters_path=clusters_path,
        notes=loading.notes,
        warnings=(*files.warnings, *tables.warnings),
    )


def _fits(loading: _Loading, name: str, array: NDArray[Any] | None, length: int) -> bool:
    return loading.files.warn_if_wrong(name, array, length)


def _load_spike_samples(loading: _Loading) -> NDArray[np.int64]:
    """Read ``spike_times.npy`` (samples), or the ALF files (seconds)."""
    files = loading.files
    if files.find("spike_times") is None:
        seconds_files = sorted(files.folder.glob("spikes.times*.npy"))
        samples_files = sorted(files.folder.glob("spikes.samples*.npy"))
        if samples_files:
            samples = _as_samples(squeeze(open_npy(samples_files[0])), samples_files[0].name)
        elif seconds_files:
            seconds = squeeze(open_npy(seconds_files[0]))
            samples = np.round(seconds * loading.params.sampling_frequency).astype(np.int64)
        else:
            samples = _as_samples(files.required("spike_times"))  # raises, naming the file
    else:
        samples = _as_samples(files.required("spike_times"))
    if samples.ndim != 1:
        msg = f"spike_times.npy in {files.folder} has shape {samples.shape}; one axis is expected."
        raise DataError(msg)
    decreasing = np.flatnonzero(samples[1:] < samples[:-1])
    if decreasing.size:
        k = int(decreasing[0])
        msg = (
            f"spike_times.npy in {files.folder} must not decrease, but spike {k + 1} at sample "
            f"{samples[k + 1]} comes after spike {k} at sample {samples[k]} "
            f"({decreasing.size} such places). Sort spike_times.npy and all files that go with it."
        )
        raise DataError(msg)
    if samples.size and samples[0] < 0:
        loading.warn(f"The first spike is at sample {samples[0]}, before the recording starts.")
    return samples


def _as_samples(array: NDArray[Any], name: str = "spike_times.npy") -> NDArray[np.int64]:
    if array.dtype == np.uint64:
        # The same bytes: no recording has 2**63 samples, and a memory map stays one.
        return array.view(np.int64)
    if array.dtype.kind == "f":
        if not (np.abs(array.astype(np.float64)) < SAMPLE_MAX).all():
            msg = f"{name} holds numbers that are no samples: they are too large, or no numbers."
            raise DataError(msg)
        if np.any(array != np.floor(array)):
            msg = f"{name} holds fractions: are these seconds? It must hold sample indices."
            raise DataError(msg)
        return array.astype(np.int64)
    return array if array.dtype == np.int64 else array.astype(np.int64)


def _load_assignments(
    loading: _Loading, n_spikes: int
) -> tuple[NDArray[np.int32], NDArray[np.int32], Path]:
    """Read templates and clusters of spikes; each stands in for the other where it is absent."""
    files = loading.files
    clusters_path = files.find("spike_clusters")
    if files.find("spike_templates") is None and clusters_path is not None:
        clusters = as_labels(files.required("spike_clusters"), "spike_clusters")
        loading.warn("There is no spike_templates.npy; spike_clusters.npy is taken for it.")
        templates = clusters
    else:
        templates = as_labels(files.required("spike_templates"), "spike_templates")
        clusters = templates
        if clusters_path is not None:
            clusters = as_labels(files.required("spike_clusters"), "spike_clusters")
    # The one file that other programs rewrite, some of them in place: no memory map of it.
    clusters = clusters.copy()
    clusters.setflags(write=False)
    for name, array in (("spike_templates", templates), ("spike_clusters", clusters)):
        if array.shape != (n_spikes,):
            msg = (
                f"{name}.npy in {files.folder} has shape {array.shape}, but spike_times.npy has "
                f"{n_spikes} spikes. The files do not belong together."
            )
            raise DataError(msg)
    return templates, clusters, clusters_path or files.folder / "spike_clusters.npy"


def _load_channel_map(loading: _Loading, stored: NDArray[Any] | None) -> NDArray[np.int64]:
    array = loading.files.optional("channel_map")
    if array is not None:
        channel_map = as_indices(array, "channel_map").reshape(-1)
        if channel_map.size and channel_map.min() < 0:
            msg = "channel_map.npy holds negative channels."
            raise DataError(msg)
        return channel_map
    n_channels = loading.params.n_channels_dat
    if n_channels is None and stored is not None:
        n_channels = stored.shape[2]
    if n_channels is None:
        positions = loading.files.required("channel_positions")
        n_channels = len(positions)
    loading.warn(f"There is no channel_map.npy; channels 0 to {n_channels - 1} are assumed.")
    return np.arange(n_channels)


def _load_positions(loading: _Loading, n_channels: int) -> NDArray[np.float64]:
    array = loading.files.optional_unsqueezed("channel_positions", 2)
    linear = np.column_stack([np.zeros(n_channels), 20.0 * np.arange(n_channels)])
    if array is None or array.shape != (n_channels, 2):
        shape = "is absent" if array is None else f"has shape {array.shape}"
        loading.warn(
            f"channel_positions.npy {shape} where {(n_channels, 2)} is expected; channels are "
            "laid out in one column, 20 um apart."
        )
        return linear
    positions = np.nan_to_num(np.asarray(array, np.float64))
    if len(np.unique(positions, axis=0)) < n_channels:
        loading.warn(
            "channel_positions.npy gives several channels the same position; channels are laid "
            "out in one column, 20 um apart."
        )
        return linear
    return positions


def _load_integers(loading: _Loading, name: str, n_channels: int) -> NDArray[np.int64]:
    is_there = loading.files.vector(name, n_channels) is not None
    indices = loading.files.optional_indices(name) if is_there else None
    return np.zeros(n_channels, np.int64) if indices is None else indices


def _load_traces(
    loading: _Loading, channel_map: NDArray[np.int64], samples: NDArray[np.int64]
) -> RawTraces | None:
    params = loading.params
    if not params.dat_paths:
        loading.notes["traces"] = "params.py names no raw data file (dat_path is empty)."
        return None
    absent = [path for path in params.dat_paths if not path.is_file()]
    if absent:
        loading.notes["traces"] = f"The raw data file {absent[0]} is not there."
        loading.warn(f"{loading.notes['traces']} Traces and raw waveforms are not shown.")
        return None
    try:
        pieces = tuple(_open_raw(params, path) for path in params.dat_paths)
        names = tuple(str(path) for path in params.dat_paths)
        traces = RawTraces(pieces, channel_map, params.sampling_frequency, names)
    except (SpikeloomError, ValueError) as error:
        loading.notes["traces"] = str(error)
        loading.warn(f"The raw data cannot be shown: {error}")
        return None
    n_late = int(samples.size - np.searchsorted(samples, traces.n_samples))
    if n_late:
        loading.warn(
            f"{n_late} of {samples.size} spikes come after the end of the raw data "
            f"({traces.n_samples / params.sampling_frequency:.1f} s): is n_channels_dat right?"
        )
    return traces


def _open_raw(params: PhyParams, path: Path) -> NDArray[Any]:
    if path.suffix == ".npy":
        return open_npy(path)
    if path.suffix == ".cbin":
        return cast("NDArray[Any]", CompressedTraces(path))  # it is read like an array
    if params.n_channels_dat is None:
        msg = f"{params.path.name} gives no n_channels_dat, so {path.name} cannot be read."
        raise DataError(msg)
    return open_flat(
        path,
        dtype=params.dtype,
        n_channels=params.n_channels_dat,
        offset_bytes=params.offset_bytes,
    )


def _load_templates(
    loading: _Loading,
    stored: NDArray[Any] | None,
    positions: NDArray[np.float64],
    shanks: NDArray[np.int64],
) -> TemplateSet | None:
    n_channels = len(positions)
    if stored is None:
        loading.notes["templates"] = "There is no usable templates.npy."
        return None
    channels = loading.files.optional_indices("template_ind", 2)
    if channels is not None and channels.shape != (stored.shape[0], stored.shape[2]):
        loading.warn(
            f"template_ind.npy has shape {channels.shape}, which does not go with templates.npy "
            f"of shape {stored.shape}; it is ignored."
        )
        channels = None
    if channels is None and stored.shape[2] != n_channels:
        loading.notes["templates"] = (
            f"templates.npy has {stored.shape[2]} channels, but the dataset has {n_channels}."
        )
        loading.warn(loading.notes["templates"])
        return None
    return TemplateSet(
        stored=stored,
        stored_channels=None if channels is None else np.where(channels < n_channels, channels, -1),
        unwhitening=_load_unwhitening(loading, n_channels),
        channel_positions=positions,
        channel_shanks=shanks,
        scaling=_number(loading, "template_scaling", loading.params.template_scaling),
        n_closest_channels=int(_number(loading, "n_closest_channels", N_CLOSEST_CHANNELS)),
        amplitude_threshold=_number(loading, "amplitude_threshold", 0.0),
    )


def _number(loading: _Loading, name: str, default: float) -> float:
    value = loading.params.extra.get(name, default)
    if not isinstance(value, (int, float)) or not abs(value) < SIGNAL_MAX:
        msg = f"{loading.params.path} says {name}={value!r}, which is no number, or too large."
        raise DataError(msg)
    return value


def _load_similarity(loading: _Loading, n_templates: int) -> NDArray[np.floating[Any]] | None:
    matrix = loading.files.optional_unsqueezed("similar_templates", 2)
    if matrix is None:
        return None
    # Without templates.npy, templates that no spike names may be missing from the count.
    if matrix.shape[0] != matrix.shape[1] or matrix.shape[0] < n_templates:
        loading.warn(
            f"similar_templates.npy has shape {matrix.shape} instead of "
            f"{(n_templates, n_templates)}; it is ignored."
        )
        return None
    matrix = np.asarray(np.nan_to_num(matrix))
    if len(matrix) > 1 and not np.any(matrix[~np.eye(len(matrix), dtype=np.bool_)]):
        loading.warn(
            "similar_templates.npy says that no template is like any other; the similarity is "
            "computed from the templates instead."
        )
        return None
    return matrix


def _load_unwhitening(loading: _Loading, n_channels: int) -> NDArray[np.float64] | None:
    """Read the inverse whitening matrix, or compute it; None if it is the identity."""
    matrix = loading.files.optional_unsqueezed("whitening_mat_inv", 2)
    if matrix is None:
        whitening = loading.files.optional_unsqueezed("whitening_mat", 2)
        if whitening is None:
            return None
        try:
            matrix = np.linalg.inv(np.asarray(whitening, np.float64))
        except np.linalg.LinAlgError:
            loading.warn("whitening_mat.npy cannot be inverted; templates are shown as stored.")
            return None
    if matrix.shape != (n_channels, n_channels):
        loading.warn(
            f"The whitening matrix has shape {matrix.shape}, but there are {n_channels} channels; "
            "templates are shown as stored."
        )
        return None
    matrix = np.asarray(matrix, np.float64)
    if not (np.abs(matrix) < SIGNAL_MAX).all():
        loading.warn(
            "The whitening matrix holds values that are no numbers, or too large; templates are "
            "shown as stored."
        )
        return None
    return None if np.array_equal(matrix, np.eye(n_channels)) else matrix


def _load_features(
    loading: _Loading, name: str, spike_templates: NDArray[np.int32], n_columns: int
) -> SparseFeatures | None:
    """Read ``pc_features`` or ``template_features`` and the two files that go with them."""
    files = loading.files
    note = "features" if name == "pc_features" else name
    path = files.find(name)
    stored = files.optional(name) if path else None
    if stored is None or path is None:
        loading.notes[note] = f"There is no usable {name}.npy."
        return None
    # Restore the axes that squeezing took: (spikes, components, channels), or (spikes, columns).
    shape = open_npy(path).shape
    n_rows = shape[0] if shape else 1
    stored = stored.reshape(
        shape if len(shape) == 3 else (n_rows, 1, stored.size // max(n_rows, 1))
    )
    if not takes_dtype(stored.dtype):
        stored = stored.astype(np.float32)
    stem = "pc_feature" if name == "pc_features" else "template_feature"
    features = SparseFeatures(
        stored,
        files.optional_indices(f"{stem}_ind", 2),
        files.optional_indices(f"{stem}_spike_ids"),
        spike_templates,
        n_columns,
    )
    problem = _problem_of(features, files, name, stem)
    if problem:
        loading.warn(f"{problem}; the features are not shown.")
        loading.notes[note] = f"{problem}."
        return None
    return features


def _problem_of(features: SparseFeatures, files: PhyFolder, name: str, stem: str) -> str | None:
    """Tell why features and the two files that go with them do not fit together."""
    n_rows, _, n_columns = features.stored.shape
    n_spikes = features.spike_templates.size
    listed, ids = features.channel_ids, features.spike_ids
    for part, found in (("ind", listed), ("spike_ids", ids)):
        if found is None and files.find(f"{stem}_{part}") is not None:
            return f"{stem}_{part}.npy cannot be used"
    if ids is not None and ids.size and not 0 <= ids.min() <= ids.max() < n_spikes:
        return f"{stem}_spike_ids.npy names spikes that do not exist"
    n_expected = n_spikes if ids is None else ids.size
    if n_rows != n_expected:
        return f"{name}.npy has {n_rows} rows where {n_expected} are expected"
    if listed is None:
        if n_columns == features.n_channels:
            return None
        return f"{name}.npy has {n_columns} columns where {features.n_channels} are expected"
    if listed.shape[1] != n_columns:
        return f"{stem}_ind.npy has {listed.shape[1]} columns, {name}.npy {n_columns}"
    if len(listed) <= features.spike_templates.max(initial=-1):
        return f"{stem}_ind.npy has fewer rows than there are templates"
    return None


def _load_listed_channels(loading: _Loading, n_channels: int) -> NDArray[np.int64] | None:
    channels = loading.files.optional_indices("pc_feature_ind", 2)
    return None if channels is None else np.where(channels < n_channels, channels, -1)


def _load_pool(loading: _Loading) -> WaveformPool | None:
    files = loading.files
    stem = "_phy_spikes_subset"
    if any(files.find(f"{stem}.{part}") is None for part in ("waveforms", "channels", "spikes")):
        return None
    waveforms = files.optional_unsqueezed(f"{stem}.waveforms", 3)
    channels = files.optional_indices(f"{stem}.channels", 2)
    spikes = files.optional_indices(f"{stem}.spikes")
    if waveforms is None or channels is None or spikes is None:
        return None
    n_rows, _, n_columns = waveforms.shape
    if spikes.shape != (n_rows,) or channels.shape != (n_rows, n_columns):
        loading.warn(f"The {stem} files do not go together; they are ignored.")
        return None
    return make_pool(spikes, waveforms, channels)


def _load_reordered(loading: _Loading, n_spikes: int) -> NDArray[np.int64] | None:
    name = "spike_times_reordered"
    array = loading.files.vector(name, n_spikes)
    if array is None:
        return None
    try:
        return _as_samples(array, f"{name}.npy")
    except DataError as error:
        loading.warn(f"{error} It is ignored.")
        return None


def _load_attributes(loading: _Loading, n_spikes: int) -> dict[str, NDArray[Any]]:
    attributes = {}
    for path in sorted(loading.files.folder.glob("spike_*.npy")):
        if path.stem in _NOT_ATTRIBUTES:
            continue
        array = loading.files.optional(path.stem)
        if array is not None and _fits(loading, path.stem, array, n_spikes):
            attributes[path.stem.removeprefix("spike_")] = array
    return attributes
