"""Synthetic datasets in phy's format, large enough to measure speed on."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.lib.format import open_memmap

N_SAMPLES_TEMPLATE = 82
N_LISTED_CHANNELS = 16
N_COMPONENTS = 3
NOISE_SD = 20

_BLOCK_S = 10
_ROWS_PER_CHUNK = 250_000
_DONE = "recipe.json"


@dataclass(frozen=True)
class Recipe:
    """What a dataset is made of; the same recipe always makes the same files."""

    n_spikes: int
    n_clusters: int
    duration_s: float
    n_channels: int = 64
    sampling_frequency: int = 30_000
    has_values: bool = True
    """Whether raw data and features are noise; else they are holes in files of full length."""
    seed: int = 0

    @property
    def n_samples(self) -> int:
        """Length of the recording in samples."""
        return round(self.duration_s * self.sampling_frequency)


def make_dataset(folder: Path, recipe: Recipe) -> Path:
    """Write a dataset unless it is there already; return the path of its ``params.py``."""
    done = folder / _DONE
    params = folder / "params.py"
    if done.is_file() and json.loads(done.read_text()) == asdict(recipe):
        return params
    folder.mkdir(parents=True, exist_ok=True)
    done.unlink(missing_ok=True)
    rng = np.random.default_rng(recipe.seed)
    clusters = _write_spikes(folder, recipe, rng)
    _write_templates(folder, recipe, rng)
    _write_features(folder, recipe, rng)
    _write_raw(folder, recipe, rng)
    groups = ["good", "mua", "noise", "unsorted"]
    lines = [f"{i}\t{groups[i % 4]}" for i in np.unique(clusters)]
    (folder / "cluster_group.tsv").write_text("\n".join(["cluster_id\tgroup", *lines]) + "\n")
    params.write_text(
        "dat_path = 'raw.dat'\n"
        f"n_channels_dat = {recipe.n_channels}\n"
        "dtype = 'int16'\n"
        "offset = 0\n"
        f"sample_rate = {recipe.sampling_frequency}.\n"
        "hp_filtered = False\n"
    )
    done.write_text(json.dumps(asdict(recipe)))
    return params


def channel_positions(n_channels: int) -> np.ndarray:
    """Return the positions of a probe with two staggered columns, in um."""
    k = np.arange(n_channels)
    return np.column_stack([32.0 * (k % 2), 20.0 * (k // 2) + 10.0 * (k % 2)])


def _main_channels(recipe: Recipe) -> np.ndarray:
    return np.arange(recipe.n_clusters) * recipe.n_channels // recipe.n_clusters


def _distances(recipe: Recipe) -> np.ndarray:
    """Return the distance of every channel to each cluster's main one."""
    positions = channel_positions(recipe.n_channels)
    offsets = positions[None] - positions[_main_channels(recipe)][:, None]
    return np.hypot(offsets[..., 0], offsets[..., 1])  # (n_clusters, n_channels)


def _write_spikes(folder: Path, recipe: Recipe, rng: np.random.Generator) -> np.ndarray:
    """Write Poisson trains whose rates differ by two orders of magnitude."""
    margin = N_SAMPLES_TEMPLATE
    samples = np.sort(rng.integers(margin, recipe.n_samples - margin, recipe.n_spikes))
    rates = np.clip(rng.lognormal(0.0, 1.0, recipe.n_clusters), 0.05, 8.0)
    clusters = rng.choice(recipe.n_clusters, recipe.n_spikes, p=rates / rates.sum())
    clusters = clusters.astype(np.int32)
    np.save(folder / "spike_times.npy", samples.astype(np.int64))
    np.save(folder / "spike_templates.npy", clusters)
    np.save(folder / "spike_clusters.npy", clusters)
    np.save(folder / "amplitudes.npy", rng.normal(20.0, 3.0, recipe.n_spikes))
    return clusters


def _write_templates(folder: Path, recipe: Recipe, rng: np.random.Generator) -> None:
    t = np.arange(N_SAMPLES_TEMPLATE) - N_SAMPLES_TEMPLATE // 2
    widths = rng.uniform(5.0, 12.0, recipe.n_clusters)[:, None]
    shapes = np.exp(-0.5 * ((t - widths) / (2 * widths)) ** 2) * 0.4
    shapes -= np.exp(-0.5 * (t / widths) ** 2)
    spread = np.exp(-_distances(recipe) / 30.0)
    templates = shapes[:, :, None] * spread[:, None, :]  # (n_clusters, n_samples, n_channels)
    n = recipe.n_channels
    near = np.exp(-np.abs(np.subtract.outer(np.arange(n), np.arange(n))) / 0.7)
    np.save(folder / "whitening_mat_inv.npy", near)
    np.save(folder / "whitening_mat.npy", np.linalg.inv(near))
    np.save(folder / "templates.npy", (templates @ np.linalg.inv(near)).astype(np.float32))
    flat = templates.reshape(recipe.n_clusters, -1)
    flat /= np.linalg.norm(flat, axis=1, keepdims=True)
    np.save(folder / "similar_templates.npy", (flat @ flat.T).astype(np.float32))
    np.save(folder / "channel_map.npy", np.arange(n, dtype=np.int32))
    np.save(folder / "channel_positions.npy", channel_positions(n))


def _write_features(folder: Path, recipe: Recipe, rng: np.random.Generator) -> None:
    listed = np.argsort(_distances(recipe), axis=1, kind="stable")[:, :N_LISTED_CHANNELS]
    np.save(folder / "pc_feature_ind.npy", listed.astype(np.uint32))
    shape = (recipe.n_spikes, N_COMPONENTS, N_LISTED_CHANNELS)
    features = open_memmap(folder / "pc_features.npy", "w+", np.float32, shape)
    if recipe.has_values:
        for first in range(0, recipe.n_spikes, _ROWS_PER_CHUNK):
            chunk = features[first : first + _ROWS_PER_CHUNK]
            chunk[:] = rng.standard_normal(chunk.shape, np.float32)
    features.flush()


def _write_raw(folder: Path, recipe: Recipe, rng: np.random.Generator) -> None:
    """Write noise of a few seconds again and again: as good as new noise for measuring time."""
    n_bytes = 2 * recipe.n_samples * recipe.n_channels
    with (folder / "raw.dat").open("wb") as file:
        if recipe.has_values:
            shape = (_BLOCK_S * recipe.sampling_frequency, recipe.n_channels)
            block = np.rint(NOISE_SD * rng.standard_normal(shape, np.float32)).astype(np.int16)
            for first in range(0, n_bytes, block.nbytes):
                file.write(block.data.cast("B")[: n_bytes - first])
        file.truncate(n_bytes)
