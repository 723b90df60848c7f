"""Small phy datasets of random numbers, with every file a sorter may write."""

from functools import cache

import numpy as np

RATE = 20_000.0
N_CHANNELS, N_RAW_CHANNELS = 8, 10
N_TEMPLATES, N_TEMPLATE_SAMPLES = 6, 20
N_SPIKES, N_SAMPLES = 400, 40_000

CHANNEL_MAP = np.array([9, 1, 2, 3, 4, 5, 6, 7], np.int32)


def make_arrays(seed=0, *, is_sparse=False):
    """Return the arrays of a dataset by the name of their file."""
    rng = np.random.default_rng(seed)
    templates = rng.normal(0, 0.02, (N_TEMPLATES, N_TEMPLATE_SAMPLES, N_CHANNELS))
    shape = -np.exp(-0.5 * ((np.arange(N_TEMPLATE_SAMPLES) - 8) / 2.0) ** 2)
    for k in range(N_TEMPLATES):
        distance = np.abs(np.arange(N_CHANNELS) - k)
        templates[k] += shape[:, None] * (1 + 0.1 * k) * np.exp(-distance)
    templates = templates.astype(np.float32)
    spike_templates = rng.integers(0, N_TEMPLATES, N_SPIKES).astype(np.uint32)
    similarity = rng.uniform(0, 1, (N_TEMPLATES, N_TEMPLATES)).astype(np.float32)
    listed = np.array([rng.permutation(N_CHANNELS)[:4] for _ in range(N_TEMPLATES)])
    arrays = {
        "spike_times": np.sort(rng.integers(0, N_SAMPLES, N_SPIKES)).astype(np.uint64),
        "spike_templates": spike_templates,
        "spike_clusters": spike_templates.astype(np.int32),
        "amplitudes": rng.uniform(5, 15, N_SPIKES),
        "channel_map": CHANNEL_MAP,
        "channel_positions": np.column_stack([
            np.arange(N_CHANNELS) % 2 * 20.0,
            np.arange(N_CHANNELS) * 15.0,
        ]),
        "channel_shanks": np.zeros(N_CHANNELS, np.int32),
        "templates": templates,
        "similar_templates": (similarity + similarity.T) / 2,
        "whitening_mat": np.eye(N_CHANNELS) + 0.1 * rng.normal(size=(N_CHANNELS, N_CHANNELS)),
        "pc_features": rng.normal(0, 1, (N_SPIKES, 3, 4)).astype(np.float32),
        "pc_feature_ind": listed.astype(np.uint32),
        "template_features": rng.normal(0, 1, (N_SPIKES, 3)).astype(np.float32),
        "template_feature_ind": np.array([
            rng.permutation(N_TEMPLATES)[:3] for _ in range(N_TEMPLATES)
        ]).astype(np.uint32),
    }
    arrays["whitening_mat_inv"] = np.linalg.inv(arrays["whitening_mat"])
    if is_sparse:
        columns = np.argsort(-np.abs(templates).max(axis=1), axis=1)[:, :5]
        arrays["template_ind"] = columns
        arrays["templates"] = np.take_along_axis(templates, columns[:, None, :], axis=2)
    return arrays


@cache
def make_raw(seed=0, *, dtype=np.int16):
    """Return raw data (N_SAMPLES, N_RAW_CHANNELS) with an offset and a slow drift; read-only."""
    rng = np.random.default_rng(seed + 1000)
    drift = 50 * np.sin(2 * np.pi * np.arange(N_SAMPLES) / RATE)
    noise = rng.normal(0, 100, (N_SAMPLES, N_RAW_CHANNELS))
    raw = np.round(200 + drift[:, None] + noise).astype(dtype)
    raw.setflags(write=False)
    return raw


def params_text(**changes):
    """Return the text of a ``params.py`` file; values are written as Python source."""
    values = {
        "dat_path": "recording.dat",
        "n_channels_dat": N_RAW_CHANNELS,
        "dtype": "int16",
        "offset": 0,
        "sample_rate": RATE,
        "hp_filtered": False,
    } | changes
    return "".join(f"{name} = {value!r}\n" for name, value in values.items())


def write_arrays(folder, arrays):
    """Write arrays as ``.npy`` files."""
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)


def write_phy_folder(folder, *, arrays=None, raw=None, tables=None, has_raw=True, **params):
    """Write a dataset to `folder`; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    write_arrays(folder, make_arrays() if arrays is None else arrays)
    if has_raw:
        (make_raw() if raw is None else raw).tofile(folder / "recording.dat")
    if tables is None:
        tables = {
            "cluster_group.tsv": "cluster_id\tgroup\n0\tgood\n1\tmua\n2\tnoise\n",
            "cluster_KSLabel.tsv": "cluster_id\tKSLabel\n0\tgood\n1\tmua\n",
            "cluster_metrics.csv": "cluster_id,snr,serial\n0,4.5,007\n1,nan,12\n3,1e1,\n",
        }
    for name, text in tables.items():
        (folder / name).write_text(text)
    (folder / "params.py").write_text(params_text(**params))
    return folder
