"""What single formats have besides traces of electrodes, and what their headers may not say."""

import struct
import warnings

import h5py
import numpy as np
import pytest

import spikeloom as si
from making.alphaomega_files import make_alphaomega
from making.axona_files import make_axona
from making.blackrock_files import TICKS_PER_S, write_nsx
from making.clinical_files import make_elan
from making.hdf5_array_files import make_biocam4, make_maxwell, make_maxwell_old
from making.intan_files import make_rhd, make_rhs
from making.neuralynx_files import AD_BIT_VOLTS, make_neuralynx, write_ncs
from making.neuroexplorer_files import make_neuroexplorer
from making.neuroscope_files import make_neuroscope
from making.openephys_legacy_files import make_openephys_legacy
from making.patch_clamp_files import make_axon
from making.plexon_files import make_plexon, write_plx
from making.recording_files import random_traces
from making.spikegadgets_files import make_spikegadgets, make_spikegadgets_neuropixels
from spikeloom.errors import DataError, ParameterError, ReadError
from spikeloom.extractors.neo_readers import read_neo

pytest.importorskip("neo.rawio")


@pytest.mark.parametrize("make", [make_rhd, make_rhs])
def test_digital_inputs_of_intan(make, tmp_path):
    sample, lines, *_ = make(tmp_path)
    recording = si.read_intan(sample.path, stream_name="USB board digital input channel")
    np.testing.assert_array_equal(recording.get_traces(), lines)
    np.testing.assert_array_equal(recording.get_traces(0, 100, 300)[:, 1], lines[100:300, 1])
    assert recording.channel_ids.tolist() == ["DIGITAL-IN-01", "DIGITAL-IN-02"]
    assert not recording.has_scaleable_traces()


def test_stimulation_of_intan(tmp_path):
    sample, _, stimuli = make_rhs(tmp_path)
    recording = si.read_intan(sample.path, stream_name="Stim channel")
    # The lower byte is the size of the current in steps, its highest bit the sign.
    np.testing.assert_array_equal(np.abs(recording.get_traces()), stimuli & 0xFF)
    assert recording.get_property("physical_unit").tolist() == ["A", "A"]


def test_analog_inputs_of_spikegadgets(tmp_path):
    sample, inputs = make_spikegadgets(tmp_path)
    recording = si.read_spikegadgets(sample.path, stream_name="ECU")
    np.testing.assert_array_equal(recording.get_traces(), inputs)
    np.testing.assert_array_equal(recording.get_traces(0, 3, 9, ["AccelY"])[:, 0], inputs[3:9, 1])


def test_neuropixels_probes_of_spikegadgets(tmp_path):
    recording = si.read(make_spikegadgets_neuropixels(tmp_path).path)
    # Every other electrode: the first column of each row, 20 µm further up.
    np.testing.assert_allclose(np.diff(recording.get_channel_locations()[:, 1]), 20)
    assert recording.get_probe().contact_annotations["stereotactic_dv"].tolist() == [2] * 8
    shifts = recording.get_property("inter_sample_shift")
    assert shifts[0] == shifts[1] == 0
    assert (np.diff(shifts[::2]) > 0).all()


def test_blackrock_with_times_of_each_sample(tmp_path):
    pieces = (random_traces(300, 3), random_traces(200, 3, seed=1))
    starts = (2_000_000_000, 4_000_000_000)
    write_nsx(tmp_path / "x.ns2", pieces, starts, version=(3, 0), resolution=1_000_000_000)
    with pytest.raises(ReadError, match="gap_tolerance_ms"):
        si.read_blackrock(tmp_path / "x.ns2")
    recording = si.read_blackrock(tmp_path / "x.ns2", gap_tolerance_ms=2)
    assert [recording.get_start_time(k) for k in (0, 1)] == [2, 4]
    for k, piece in enumerate(pieces):
        np.testing.assert_array_equal(recording.get_traces(k), piece)
        np.testing.assert_array_equal(recording.get_traces(k, 5, 99, ["2"])[:, 0], piece[5:99, 1])
    assert recording.sampling_frequency == TICKS_PER_S / 30


def test_wells_and_recordings_of_maxwell(tmp_path):
    sample = make_maxwell(tmp_path / "wells", n_wells=3)
    with pytest.raises(ParameterError, match="stream_name='well002'"):
        si.read_maxwell(sample.path)
    recording = si.read_maxwell(sample.path, stream_id="well001")
    assert recording.stream_name == "well001"
    np.testing.assert_array_equal(recording.get_property("electrode"), [100, 101, 102, 103])
    np.testing.assert_array_equal(recording.get_channel_locations()[:, 0], 17.5 * np.arange(4))
    both = make_maxwell(tmp_path / "both", recordings=("rec0000", "rec0001"))
    with pytest.raises(ReadError, match="rec0001"):
        si.read_maxwell(both.path)
    assert si.read_maxwell(both.path, rec_name="rec0001").get_num_samples() == 1000


def test_electrodes_of_the_older_maxwell(tmp_path):
    recording = si.read_maxwell(make_maxwell_old(tmp_path).path)
    np.testing.assert_array_equal(recording.get_property("electrode"), [100, 101, 103])
    np.testing.assert_array_equal(recording.get_channel_locations()[:, 0], [0, 17.5, 52.5])


def test_maxwell_files_that_are_compressed(tmp_path, capsys):
    sample = make_maxwell(tmp_path, filters={"chunks": (4, 100), "compression": "gzip"})
    content = sample.path.read_bytes()
    gzip = struct.pack("<4H", 1, 8, 1, 1)  # its number, length of its name, flags, one argument
    assert content.count(gzip) == 1
    # The number of MaxWell's own compression, which needs a plugin.
    sample.path.write_bytes(content.replace(gzip, struct.pack("<4H", 32_012, 8, 1, 1)))
    recording = si.read_maxwell(sample.path)
    assert recording.get_num_samples() == 1000
    with pytest.raises(ReadError, match=r"x\.raw\.h5"):
        recording.get_traces(0, 0, 5)
    capsys.readouterr()  # neo prints where the plugin is to be had


def test_probes_that_cannot_be_read_are_left_out(tmp_path):
    sample = make_biocam4(tmp_path)
    with h5py.File(sample.path, "r+") as file:
        told = file["ExperimentSettings"][0].replace(b"MeaPlate", b"MeaSaucer")
        del file["ExperimentSettings"]
        file["ExperimentSettings"] = np.array([told])
    with pytest.warns(UserWarning, match="probe of .* is left out"):
        recording = si.read_biocam(sample.path)
    assert not recording.has_probe()
    np.testing.assert_array_equal(recording.get_traces(), sample.segments[0])


def test_arguments_that_spikeinterface_has(tmp_path):
    made = make_maxwell(tmp_path / "m")
    assert si.read_maxwell(made.path, install_maxwell_plugin=True).get_num_channels() == 4
    sample = make_biocam4(tmp_path / "b")
    recording = si.read_biocam(sample.path, mea_pitch=10, electrode_width=5)
    assert recording.get_channel_locations().max() == 10
    recording.dump(tmp_path / "x.json")
    assert si.load(tmp_path / "x.json").get_channel_locations().max() == 10


def test_inverted_inputs_of_neuralynx(tmp_path):
    traces = random_traces(600, 1)
    write_ncs(tmp_path / "CSC1.ncs", [traces[:, 0]], [0], is_inverted=True)
    recording = si.read_neuralynx(tmp_path)
    # SpikeInterface turns traces over and leaves the gain positive; microvolts are the same.
    np.testing.assert_array_equal(recording.get_traces(), traces)
    np.testing.assert_allclose(recording.get_channel_gains(), -AD_BIT_VOLTS * 1e6)


def test_plexon_tells_that_it_paused(tmp_path):
    traces = random_traces(300, 1)
    write_plx(tmp_path / "x.plx", traces)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        si.read_plexon(tmp_path / "x.plx")
    content = bytearray((tmp_path / "x.plx").read_bytes())
    struct.pack_into("<I", content, len(content) - 16 - 200 + 4, 40_000)
    (tmp_path / "x.plx").write_bytes(content)
    with pytest.warns(UserWarning, match="WB-Wideband paused"):
        recording = si.read_plexon(tmp_path / "x.plx")
    np.testing.assert_array_equal(recording.get_traces(), traces)


@pytest.mark.parametrize(("make", "suffix"), [(make_axona, ".bin"), (make_neuroscope, ".dat")])
def test_opening_by_the_file_of_the_traces(make, suffix, tmp_path):
    sample = make(tmp_path)
    recording = si.read(sample.path.with_suffix(suffix))
    np.testing.assert_array_equal(recording.get_traces(), sample.segments[0])


def test_neuroscope_with_settings_elsewhere(tmp_path):
    sample = make_neuroscope(tmp_path)
    moved = sample.path.rename(tmp_path / "other.xml")
    recording = read_neo(tmp_path / "x.dat", "neuroscope", xml_file_path=moved)
    np.testing.assert_array_equal(recording.get_traces(), sample.segments[0])


@pytest.mark.parametrize("make", [make_neuralynx, make_alphaomega])
def test_files_that_are_opened_by_their_folder(make, tmp_path):
    sample = make(tmp_path / "x")
    with pytest.raises(DataError, match="give the folder that it is in"):
        si.read(sample.files[0])


def test_gaps_of_open_ephys_at_every_sample(tmp_path):
    sample = make_openephys_legacy(tmp_path / "oe", gap=300)
    recording = si.read_openephys_legacy(sample.path, stream_id="CH")
    expected = sample.segments[0]
    for start in range(1000, 1400, 7):
        for n_samples in (1, 30, 1100):
            found = recording.get_traces(0, start, start + n_samples)
            np.testing.assert_array_equal(found, expected[start : start + n_samples])


def replaced(path, old, new):
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new, 1))


@pytest.mark.parametrize(
    ("make", "name", "old", "new", "told"),
    [
        (make_elan, "x.eeg.ent", b"\n4\n", b"\n400000000\n", "number of channels is 400000000"),
        (make_neuroscope, "x.xml", b"<nChannels>5", b"<nChannels>500000", "nChannels is 500000"),
        (make_neuroscope, "x.xml", b"<param", b"<!ENTITY a 'b'><param", "entities"),
        (
            lambda folder: make_spikegadgets(folder)[0],
            *("x.rec", b'numBytes="6"', b'numBytes="999999999"', "numBytes is 999999999"),
        ),
        (
            *(make_axon, "x.abf", struct.pack("<IIq", 1, 512, 1)),
            *(struct.pack("<IIq", 1, 512, 1 << 40), "section 0 has 1099511627776 entries"),
        ),
        (
            *(make_neuroexplorer, "x.nex", struct.pack("<4i", 0, 0, 1, 4)),
            *(struct.pack("<4i", 0, 0, 1, 1 << 30), "have 1073741824 characters"),
        ),
        (
            *(make_alphaomega, "x.mpx", struct.pack("<Hc", 60, b"h")),
            *(struct.pack("<Hc", 0, b"h"), "block at byte 0 has 0 bytes"),
        ),
    ],
)
def test_headers_that_neo_would_believe(make, name, old, new, told, tmp_path):
    sample = make(tmp_path / "x")
    replaced(tmp_path / "x" / name, old, new)
    function = {
        "x.eeg.ent": "elan", "x.xml": "neuroscope", "x.rec": "spikegadgets", "x.abf": "axon",
        "x.mpx": "alphaomega", "x.nex": "neuroexplorer",
    }[name]  # fmt: skip
    with pytest.raises(DataError, match=told):
        read_neo(sample.path, function)


def test_plexon_stays_in_microvolts(tmp_path):
    sample = make_plexon(tmp_path / "x")
    recording = si.read_plexon(sample.path)
    assert recording.get_property("physical_unit").tolist() == ["mV", "mV"]
    # 16 bits over 10 V, amplified 1000 times: a step is a seventh of a microvolt.
    np.testing.assert_allclose(recording.get_channel_gains(), 10e6 / 2**16 / 1000)


def test_nix(tmp_path):
    pytest.importorskip("nixio")
    neo, units = pytest.importorskip("neo"), pytest.importorskip("quantities")
    traces = np.random.default_rng(0).normal(0, 50, (2, 300, 3)).astype("<f4")
    block = neo.Block()
    for k, one in enumerate(traces):
        segment = neo.Segment()
        times = {"sampling_rate": 1000 * units.Hz, "t_start": 2 * k * units.s}
        segment.analogsignals.append(neo.AnalogSignal(one, units="uV", name="x", **times))
        segment.events.append(neo.Event(np.array([0.1]) * units.s, labels=["drug"], name="e"))
        train = neo.SpikeTrain(np.array([0.01, 0.25]) * units.s, t_stop=5 * units.s, name="u")
        segment.spiketrains.append(train)
        block.segments.append(segment)
    path = tmp_path / "x.nix"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with neo.io.NixIO(str(path), "ow") as file:
            file.write_block(block)
    recording = si.read(path)
    assert type(recording).__name__ == "NixRecordingExtractor"
    assert [recording.get_start_time(k) for k in range(2)] == [0, 2]
    np.testing.assert_array_equal(recording.get_channel_gains(), 1)
    for k, expected in enumerate(traces):
        np.testing.assert_array_equal(recording.get_traces(k), expected)
        found = recording.get_traces(k, 5, 50, recording.channel_ids[[2, 0]])
        np.testing.assert_array_equal(found, expected[5:50, [2, 0]])
    events = si.read_neo_event(path, "nix").get_events(channel_id="0", segment_index=0)
    assert [(one["time"], str(one["label"])) for one in events] == [(0.1, "drug")]
    sorting = si.read_neo_sorting(path, "nix")
    assert sorting.get_unit_spike_train(0, 0).tolist() == [10, 250]
