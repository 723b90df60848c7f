import h5py
import numpy as np
import pytest
from scipy.io import loadmat, savemat

from spikeloom.core.numpy_snippets import NumpySnippets
from spikeloom.errors import DataError, MissingFileError, ParameterError, ReadError
from spikeloom.extractors.waveclus_snippets import (
    WaveClusSnippetsExtractor,
    read_waveclus_snippets,
    write_waveclus_snippets,
)

RATE = 24_000.0


def make_snippets(n_snippets=7, n_channels=4, nbefore=20):
    rng = np.random.default_rng(0)
    waves = rng.normal(0, 50, (n_snippets, 64, n_channels))
    frames = np.sort(rng.integers(0, 10**9, n_snippets))
    return NumpySnippets(waves, frames, RATE, nbefore=nbefore)


@pytest.mark.parametrize("n_snippets", [0, 1, 7])
@pytest.mark.parametrize("n_channels", [1, 4])
@pytest.mark.parametrize("nbefore", [1, 20, 64])
def test_what_is_written_is_read(tmp_path, n_snippets, n_channels, nbefore):
    snippets = make_snippets(n_snippets, n_channels, nbefore)
    path = tmp_path / "new" / "rat_spikes.mat"
    WaveClusSnippetsExtractor.write_snippets(snippets, path)
    read = read_waveclus_snippets(path)
    assert isinstance(read, WaveClusSnippetsExtractor)
    assert (read.nbefore, read.snippet_len) == (nbefore, 64)
    assert (read.sampling_frequency, read.get_num_channels()) == (RATE, n_channels)
    np.testing.assert_array_equal(read.get_snippets(), snippets.get_snippets())
    np.testing.assert_array_equal(read.get_frames(), snippets.get_frames())
    again = read.clone()
    np.testing.assert_array_equal(again.get_snippets(), snippets.get_snippets())
    assert again.check_if_json_serializable()


def test_files_are_as_wave_clus_has_them(tmp_path):
    snippets = make_snippets()
    write_waveclus_snippets(snippets, tmp_path / "rat_spikes.mat")
    content = loadmat(tmp_path / "rat_spikes.mat", simplify_cells=True)
    # wave_clus counts the peak with the samples before it, and times in milliseconds.
    assert content["par"] == {"sr": RATE, "w_pre": 21.0, "w_post": 43.0}
    np.testing.assert_allclose(content["index"], snippets.get_frames() / 24.0)
    np.testing.assert_array_equal(content["spikes"][:, 64:128], snippets.get_snippets()[:, :, 1])


def test_sorted_files_have_times_beside_classes(tmp_path):
    snippets = make_snippets()
    flat = snippets.get_snippets().swapaxes(1, 2).reshape(7, -1)
    classes = np.stack([np.arange(7) % 3, snippets.get_frames() / 24.0], axis=1)
    par = {"sr": RATE, "w_pre": 21.0, "w_post": 43.0, "detection": "neg"}
    path = tmp_path / "times_rat.mat"
    savemat(path, {"spikes": flat, "cluster_class": classes, "par": par})
    read = read_waveclus_snippets(str(path))
    np.testing.assert_array_equal(read.get_frames(), snippets.get_frames())
    np.testing.assert_array_equal(
        read.get_snippets([2, 0], channel_ids=[3]), snippets.get_snippets([2, 0], channel_ids=[3])
    )


def test_files_of_version_7_3_are_read(tmp_path):
    snippets = make_snippets()
    flat = snippets.get_snippets().swapaxes(1, 2).reshape(7, -1)
    path = tmp_path / "rat_spikes.mat"
    with h5py.File(path, "w", userblock_size=512) as file:
        file["spikes"] = flat.T
        file["index"] = (snippets.get_frames() / 24.0)[:, None]
        for key, value in {"sr": RATE, "w_pre": 21.0, "w_post": 43.0}.items():
            file[f"par/{key}"] = np.array([[value]])
    read = read_waveclus_snippets(path)
    np.testing.assert_array_equal(read.get_snippets(), snippets.get_snippets())
    np.testing.assert_array_equal(read.get_frames(), snippets.get_frames())


def test_what_wave_clus_cannot_have_is_refused(tmp_path):
    snippets = make_snippets()
    with pytest.raises(ParameterError, match=r"_spikes\.mat"):
        write_waveclus_snippets(snippets, tmp_path / "rat.mat")
    loose = NumpySnippets(np.zeros((1, 8, 1)), np.array([3]), RATE)
    with pytest.raises(ParameterError, match="aligned"):
        write_waveclus_snippets(loose, tmp_path / "rat_spikes.mat")
    two = NumpySnippets([np.zeros((1, 8, 1))] * 2, [np.array([3])] * 2, RATE, nbefore=2)
    with pytest.raises(ParameterError, match="2: write"):
        write_waveclus_snippets(two, tmp_path / "rat_spikes.mat")
    assert not list(tmp_path.iterdir())
    write_waveclus_snippets(snippets, tmp_path / "rat_spikes.mat")
    with pytest.raises(FileExistsError, match="overwrite=True"):
        write_waveclus_snippets(snippets, tmp_path / "rat_spikes.mat")
    write_waveclus_snippets(make_snippets(2), tmp_path / "rat_spikes.mat", overwrite=True)
    assert read_waveclus_snippets(tmp_path / "rat_spikes.mat").get_num_snippets() == 2


def test_other_files_are_refused(tmp_path):
    path = tmp_path / "rat_spikes.mat"
    with pytest.raises(MissingFileError, match="no file"):
        read_waveclus_snippets(path)
    path.write_bytes(b"no matlab" * 40)
    with pytest.raises(ReadError, match="cannot be read"):
        read_waveclus_snippets(path)
    par = {"sr": RATE, "w_pre": 21.0, "w_post": 43.0}
    faults = {
        "par/sr, par/w_post, par/w_pre": {"spikes": np.zeros((2, 64)), "index": [1.0, 2.0]},
        "no times": {"spikes": np.zeros((2, 64)), "par": par},
        "do not fit": {"spikes": np.zeros((2, 63)), "index": [1.0, 2.0], "par": par},
        "3 times": {"spikes": np.zeros((2, 64)), "index": [1.0, 2.0, 3.0], "par": par},
        "must be a number": {
            "spikes": np.zeros((2, 64)),
            "index": [1.0, 2.0],
            "par": {**par, "sr": "fast"},
        },
        r"par\.w_pre must be a number": {
            "spikes": np.zeros((2, 64)),
            "index": [1.0, 2.0],
            "par": {**par, "w_pre": np.nan},
        },
    }
    for message, content in faults.items():
        savemat(path, content)
        with pytest.raises(DataError, match=message):
            read_waveclus_snippets(path)
