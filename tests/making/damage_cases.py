"""Whole files of each format that spikeloom reads itself, and what is done with what is opened."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import spikeloom as si
from making.phy_folders import make_arrays, write_phy_folder
from making.processes import REPOSITORY
from making.recording_files import random_traces, write_mda, write_openephys, write_spikeglx
from making.rich_objects import rich_recording, rich_sorting
from making.sorting_files import (
    RATE,
    write_alf,
    write_cellexplorer,
    write_hdsort,
    write_mclust,
    write_phy,
    write_spykingcircus,
    write_waveclus,
)
from reference.mtscomp import write_cbin
from spikeloom.core.npy_snippets import write_npy_snippets
from spikeloom.core.numpy_events import NumpyEvent
from spikeloom.core.numpy_snippets import NumpySnippets
from spikeloom.curation.curation_format import load_curation
from spikeloom.datasets.template_loading import load_template_model
from spikeloom.extractors.cluster_tables import read_cluster_tables
from spikeloom.extractors.prb_files import read_probe_file
from spikeloom.extractors.reading import recognise
from spikeloom.extractors.tar_arrays import read_tar_array, write_tar_array
from spikeloom.extractors.waveclus_snippets import read_waveclus_snippets

DATA_FOLDER = REPOSITORY.parent / "shared" / "data"

QUIET = {"progress_bar": False}


@dataclass(frozen=True)
class Case:
    """Files that are damaged one at a time, and what opens and uses them, given the seed."""

    files: list[Path]
    use: Callable[[int], object]


def case(files, read, look):
    """Return a case in which all readers are asked about some of the damaged files, too."""
    files = [files] if isinstance(files, Path) else sorted(files)

    def use(seed):
        if seed % 16 < 2:
            path = files[seed % len(files)]
            found = recognise(path if seed % 16 else path.parent)
            assert all(one.recognition.reason for one in found)
        look(read())

    return Case(files, use)


def files_below(folder, *, but=()):
    found = [path for path in folder.rglob("*") if path.is_file() and path.name not in but]
    assert found
    return found


# --- looks --------------------------------------------------------------------------------------


def _look_at_all(extractor):
    repr(extractor)
    for key in extractor.get_property_keys():
        extractor.get_property(key)
    dict(extractor._annotations)


def look_at_recording(recording):
    """Read what users read; what is absurd must not have been opened."""
    assert 0 < recording.sampling_frequency < np.inf
    ids = recording.channel_ids
    assert len(set(ids.tolist())) == len(ids)
    for k in range(recording.get_num_segments()):
        n_samples = recording.get_num_samples(k)
        traces = recording.get_traces(k, 0, min(5, n_samples))
        assert traces.shape == (min(5, n_samples), len(ids))
        recording.get_traces(k, max(0, n_samples - 5), n_samples)
        times = recording.get_times(k, 0, min(5, n_samples))
        assert np.isfinite(times).all()
        assert np.isfinite(recording.get_times(k, max(0, n_samples - 2), n_samples)).all()
    for scale in (recording.get_channel_gains(), recording.get_channel_offsets()):
        assert scale is None or not np.isinf(scale).any()
    if recording.has_scaleable_traces() and recording.get_num_segments():
        with np.errstate(all="ignore"):  # of values that another dtype makes of the same bytes
            recording.get_traces(0, 0, min(5, recording.get_num_samples(0)), return_in_uV=True)
    if recording.has_probe():
        assert np.isfinite(recording.get_channel_locations()).all()
    _look_at_all(recording)


def look_at_sorting(sorting):
    """Read all spikes and all that is known of units."""
    assert 0 < sorting.sampling_frequency < np.inf
    assert len(set(sorting.unit_ids.tolist())) == len(sorting.unit_ids)
    vector = sorting.to_spike_vector()
    assert (vector["unit_index"] < len(sorting.unit_ids)).all()
    assert (np.diff(vector["segment_index"]) >= 0).all()
    for k in range(sorting.get_num_segments()):
        for unit_id in sorting.unit_ids[:2]:
            times = sorting.get_unit_spike_train(unit_id, k, return_times=True)
            assert np.isfinite(times).all()
    _look_at_all(sorting)


def look_at_event(event):
    """Read the events of all channels."""
    for k in range(event.get_num_segments()):
        for channel_id in event.channel_ids:
            found = event.get_events(channel_id, k)
            times = event.get_event_times(channel_id, k)
            assert times.shape == found.shape
            assert np.isfinite(np.asarray(times, float)).all()
    _look_at_all(event)


def look_at_snippets(snippets):
    """Read snippets of all segments."""
    assert 0 < snippets.sampling_frequency < np.inf
    for k in range(snippets.get_num_segments()):
        frames = snippets.get_frames(segment_index=k)
        n_snippets = snippets.get_num_snippets(k)
        assert len(frames) == n_snippets
        found = snippets.get_snippets(list(range(min(3, n_snippets))), k)
        assert found.shape[1:] == (snippets.snippet_len, snippets.get_num_channels())
    _look_at_all(snippets)


def look_at_probes(group):
    """Read where contacts are."""
    assert group.get_contact_count() > 0
    for probe in group.probes:
        assert np.isfinite(probe.contact_positions).all()
    group.to_numpy(complete=True)


def look_at_model(model):
    """Read what the views of a dataset read."""
    assert 0 < model.sampling_frequency < np.inf
    assert np.isfinite(model.channel_positions).all()
    assert (np.diff(model.spike_samples) >= 0).all()
    assert model.spike_clusters.shape == model.spike_samples.shape == model.spike_templates.shape
    model.describe(), model.spike_groups.labels, model.labels, model.notes, model.duration_s
    assert model.gain_uV is None or 0 < model.gain_uV < np.inf
    spikes = np.arange(min(5, model.n_spikes))
    if model.templates is not None:
        for k in {0, model.n_templates - 1}:
            model.templates.get(k), model.templates.dense(k, [0, 1])
        assert len(model.templates.main_channels) == model.n_templates
    _ = model.template_similarity
    for features in (model.features, model.template_features):
        if features is not None:
            features.get(spikes, [0, 1])
    if model.traces is not None:
        model.traces.read(0, 5)


class AbsentError(Exception):
    """The real file that a case needs is not there."""


# --- recordings ---------------------------------------------------------------------------------


def real(name):
    """Return a file or folder of the real data sets."""
    path = DATA_FOLDER / name
    if not path.exists():
        raise AbsentError(name)
    return path


def copied(name, folder):
    """Copy a real file or folder into `folder`, and return the copy, which can be written."""
    source, target = real(name), folder / Path(name).name
    if source.is_dir():
        shutil.copytree(source, target, copy_function=shutil.copyfile)
    else:
        shutil.copyfile(source, target)
    for path in [target, *target.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    return target


def spikeglx(folder):
    name = "hybrid_np24_dev/rec_g0_t0.imec0.ap.meta"
    meta = copied(name, folder)
    random_traces(40, 25).tofile(meta.with_suffix(".bin"))
    return case(meta, lambda: si.read_spikeglx(folder), look_at_recording)


def np24(folder):
    name = "spikeglx_meta/NP2_4_shanks_save_different_electrodes.imec0.ap.meta"
    meta = copied(name, folder)
    random_traces(40, 385).tofile(meta.with_suffix(".bin"))
    return case(meta, lambda: si.read_spikeglx(folder), look_at_recording)


def spikeglx_streams(folder):
    """Traces and sync words of two triggers, and an NI board."""
    traces = random_traces(30, 4)
    for k in range(2):
        write_spikeglx(folder, f"x_g0_t{k}.imec0.ap", traces, first_sample=30 * k)
    write_spikeglx(folder, "x_g0_t0.nidq", traces)

    def look(_):
        for name in ("imec0.ap-SYNC", "nidq"):
            look_at_recording(si.read_spikeglx(folder, stream_name=name))
        look_at_event(si.read_spikeglx_event(folder))

    return case(folder.glob("*.meta"), lambda: None, look)


def openephys(folder):
    recording = folder / "experiment1/recording1"
    write_openephys(recording, random_traces(40, 4), names=["CH1", "CH2", "CH3", "ADC1"])
    stream = recording / "continuous/Rhythm-100"
    files = [recording / "structure.oebin", *stream.glob("*.npy")]

    def look(_):
        for id_ in ("0", "1"):
            look_at_recording(si.read_openephys(folder, stream_id=id_, load_sync_timestamps=True))

    return case(files, lambda: None, look)


def openephys_neuropixels(folder):
    name = "oe_np_spikewrap/openephys/rawdata/sub-001/ses-001/ephys/Record Node 104"
    node = copied(name, folder)
    shutil.rmtree(node / "experiment1/recording2")
    files = [node / "settings.xml", node / "experiment1/recording1/structure.oebin"]
    stream = "Record Node 104#Neuropix-PXI-100.ProbeA-AP"
    return case(files, lambda: si.read_openephys(node, stream_name=stream), look_at_recording)


def openephys_events(folder):
    name = "oe_np_spikewrap/openephys/rawdata/sub-001/ses-001/ephys/Record Node 104"
    node = copied(name, folder)
    shutil.rmtree(node / "experiment1/recording2")
    recording = node / "experiment1/recording1"
    files = [*(recording / "events").rglob("*.npy"), *recording.glob("*.txt")]
    return case(files, lambda: si.read_openephys_event(node), look_at_event)


def cbin(folder):
    write_cbin(folder / "x.cbin", random_traces(200, 4), 3e4, chunk_samples=64)
    files = [folder / "x.ch", folder / "x.cbin"]
    return case(files, lambda: si.read_cbin(folder / "x.cbin"), look_at_recording)


def cbin_ibl(folder):
    meta = copied("spikeglx_meta_ibl/sample3B_g0_t0.imec1.ap.meta", folder)
    write_cbin(meta.with_suffix(".cbin"), random_traces(30, 385), 3e4, chunk_samples=10)
    files = [meta, meta.with_suffix(".ch")]
    return case(files, lambda: si.read_cbin_ibl(folder), look_at_recording)


def mda(folder):
    write_mda(folder / "raw.mda", random_traces(200, 4).T)
    (folder / "params.json").write_text('{"samplerate": 30000, "spike_sign": -1}')
    (folder / "geom.csv").write_text("0,0\n0,10.5\n0,2\n-1e1,3\n")
    return case(folder.iterdir(), lambda: si.read_mda_recording(folder), look_at_recording)


def npy(folder):
    path = folder / "x.npy"
    np.save(path, random_traces(50, 4))
    return case(path, lambda: si.read_npy_recording(path, 3e4), look_at_recording)


def binary_folder(folder):
    recording = rich_recording((60, 20), n_probes=2)
    recording.save(folder=folder / "saved", **QUIET)
    files = files_below(folder, but=("traces_cached_seg0.raw", "traces_cached_seg1.raw"))
    return case(files, lambda: si.load(folder / "saved"), look_at_recording)


def binary_folder_of_spikeinterface(folder):
    saved = copied("locust1_si_tdc2/recording_binary", folder)
    files = files_below(saved, but=("traces_cached_seg0.raw",))
    return case(files, lambda: si.load(saved), look_at_recording)


def zarr_recording(folder):
    rich_recording((60, 20), n_probes=2).save(folder=folder / "x.zarr", format="zarr", **QUIET)
    return case(
        files_below(folder / "x.zarr"), lambda: si.load(folder / "x.zarr"), look_at_recording
    )


def zarr3_recording(folder):
    path = folder / "x.zarr"
    rich_recording((60, 20)).save(folder=path, format="zarr", zarr_format=3, **QUIET)
    return case(files_below(path), lambda: si.load(path), look_at_recording)


def zarr3_sorting(folder):
    path = folder / "x.zarr"
    rich_sorting().save(folder=path, format="zarr", zarr_format=3)
    return case(files_below(path), lambda: si.load(path), look_at_sorting)


def zarr_recording_of_spikeinterface(folder):
    store = copied("locust1_si_tdc2/recording.zarr", folder)
    files = [path for path in store.rglob(".z*") if path.is_file()]
    return case(files, lambda: si.load(store), look_at_recording)


def dumped(folder):
    """What `dump` writes: a description of a chain of views."""
    traces = random_traces(60, 4)
    traces.tofile(folder / "x.raw")
    recording = si.read_binary(folder / "x.raw", 3e4, "int16", 4, gain_to_uV=1.0, offset_to_uV=0.0)
    recording.set_times(np.arange(60) / 3e4 + 5)
    recording.frame_slice(5, 50).dump_to_json(folder / "x.json")
    return case(folder / "x.json", lambda: si.load(folder / "x.json"), look_at_recording)


# --- sortings -----------------------------------------------------------------------------------


def firings(folder):
    path = folder / "firings.mda"
    write_mda(path, np.arange(30.0).reshape(3, 10))
    return case(path, lambda: si.read_mda_sorting(path, 3e4), look_at_sorting)


def phy(folder):
    write_phy(folder / "phy", group={1: "good", 3: "mua"}, quality={1: 0.5, 3: 2, 12: "x"})

    def look(_):
        look_at_sorting(si.read_phy(folder / "phy"))
        look_at_sorting(si.read_kilosort(folder / "phy"))
        read_cluster_tables(folder / "phy")

    return case(files_below(folder), lambda: None, look)


def template_model(folder):
    write_phy_folder(folder / "phy", uV_per_bit=2.34)
    files = files_below(folder, but=("recording.dat",))
    path = folder / "phy/params.py"
    return case(files, lambda: load_template_model(path), look_at_model)


def template_model_sparse(folder):
    arrays = make_arrays(is_sparse=True)
    arrays["spike_times_reordered"] = arrays["spike_times"]
    arrays["spike_quality"] = arrays["amplitudes"]
    arrays["pc_feature_spike_ids"] = np.arange(0, 400, 2)
    arrays["pc_features"] = arrays["pc_features"][::2]
    arrays["channel_probes"] = arrays["channel_shanks"]
    write_phy_folder(folder / "phy", arrays=arrays, has_raw=False)
    path = folder / "phy/params.py"
    return case(files_below(folder), lambda: load_template_model(path), look_at_model)


def kilosort(folder):
    copied("phy_template_phydata", folder)
    folder /= "phy_template_phydata"
    names = ("spike_times", "spike_clusters", "spike_templates", "channel_map", "templates")
    files = [folder / "params.py", folder / "cluster_group.tsv"]
    files += [folder / f"{name}.npy" for name in names]

    def look(_):
        look_at_sorting(si.read_phy(folder))
        look_at_model(load_template_model(folder / "params.py"))

    return case(files, lambda: None, look)


def alf(folder):
    write_alf(folder / "alf")
    return case(files_below(folder), lambda: si.read_alf_sorting(folder / "alf"), look_at_sorting)


def mclust(folder):
    write_mclust(folder / "mclust")
    return case(
        files_below(folder), lambda: si.read_mclust(folder / "mclust", RATE), look_at_sorting
    )


def spykingcircus(folder):
    write_spykingcircus(folder / "x")
    path = folder / "x/rec.params"
    return case(path, lambda: si.read_spykingcircus(folder / "x"), look_at_sorting)


def waveclus(folder):
    path = write_waveclus(folder / "times_a.mat")
    return case(path, lambda: si.read_waveclus(path), look_at_sorting)


def hdsort(folder):
    path = write_hdsort(folder / "5.mat", version="5")
    return case(path, lambda: si.read_hdsort(path), look_at_sorting)


def cellexplorer(folder):
    path = write_cellexplorer(folder / "a", version="5", has_rate=False)
    return case(files_below(folder / "a"), lambda: si.read_cellexplorer(path), look_at_sorting)


def npz(folder):
    path = folder / "x.npz"
    sorting = rich_sorting()
    si.NpzSortingExtractor.write_sorting(sorting, path)
    return case(path, lambda: si.read_npz_sorting(path), look_at_sorting)


def numpy_folder(folder):
    rich_sorting().save(folder=folder / "saved")
    return case(files_below(folder), lambda: si.load(folder / "saved"), look_at_sorting)


def numpy_folder_of_spikeinterface(folder):
    saved = copied("locust1_si_tdc2/sorting_numpy_folder", folder)
    return case(files_below(saved), lambda: si.load(saved), look_at_sorting)


def npz_folder(folder):
    rich_sorting().save(folder=folder / "saved", format="npz_folder")
    return case(files_below(folder), lambda: si.load(folder / "saved"), look_at_sorting)


def zarr_sorting(folder):
    rich_sorting().save(folder=folder / "x.zarr", format="zarr")
    return case(files_below(folder / "x.zarr"), lambda: si.load(folder / "x.zarr"), look_at_sorting)


def zarr_sorting_of_spikeinterface(folder):
    store = copied("locust1_si_tdc2/sorting.zarr", folder)
    return case(files_below(store), lambda: si.load(store), look_at_sorting)


# --- snippets and events ------------------------------------------------------------------------


def _snippets():
    rng = np.random.default_rng(0)
    waveforms = rng.normal(0, 10, (6, 12, 3)).astype(np.float32)
    snippets = NumpySnippets([waveforms, waveforms], [np.arange(6) * 20] * 2, 3e4, nbefore=4)
    snippets.set_property("group", [0, 0, 1])
    return snippets


def npy_snippets(folder):
    path = folder / "x.npy"
    write_npy_snippets(_snippets().select_segments(0), path)
    return case(path, lambda: si.read_npy_snippets(path, 3e4, nbefore=4), look_at_snippets)


def snippets_folder(folder):
    _snippets().save(folder=folder / "saved")
    return case(files_below(folder), lambda: si.load(folder / "saved"), look_at_snippets)


def waveclus_snippets(folder):
    path = folder / "a_spikes.mat"
    si.WaveClusSnippetsExtractor.write_snippets(_snippets().select_segments(0), path)
    return case(path, lambda: read_waveclus_snippets(path), look_at_snippets)


def event_folder(folder):
    kind = [("time", "<f8"), ("duration", "<f8"), ("label", "<U10")]
    epochs = np.array([(1.0, 0.1, "left"), (2.0, 0.2, "rïght")], kind)
    event = NumpyEvent.from_dict([{3: epochs, 1: [0, 1, 2]}, {1: [5]}])
    event.set_property("line", ["ai0", "di3"])
    event.annotate(session="a")
    event.save(folder=folder / "saved")
    return case(files_below(folder), lambda: si.load(folder / "saved"), look_at_event)


def event_tables(folder):
    text, rows, records = (folder / name for name in ("a.tsv", "b.csv", "c.npy"))
    text.write_text("onset\tduration\tlabel\tchannel\n1.0\t0.5\ta\tx\n2.0\tn/a\tb\ty\n")
    rows.write_text("start_time,stop_time,name,n\n1.0,1.5,a,1\n2.0,3,b,2\n")
    np.save(records, np.array([(1.5, "on"), (0.5, "off")], [("time", "f8"), ("label", "U3")]))

    def look(_):
        for path in (text, rows, records):
            look_at_event(si.read_event_table(path))

    return case(files_below(folder), lambda: None, look)


# --- experiments, probes, parameters, curation --------------------------------------------------


def experiment(folder):
    root = folder / "20160101"
    exp = si.Experiment(
        metadata_dict={
            "format": "spikeloom-experiment",
            "version": 1,
            "raw_files": [{"path": "a.dat", "n_channels": 4, "dtype": "int16"}],
            "arrays": {"bad_channels": [3, 5], "times": {"path": "main/0/a.npy", "unit": "s"}},
            "user": {"rat": 7},
        },
        base_dir=_made(root),
    )
    exp.write_array("main/0/a.npy", np.arange(5))
    exp.write_array("main/0/b.txt", np.arange(6.0).reshape(3, 2))
    exp.write_array("main/0/c.tar", np.arange(6.0).reshape(3, 2))
    exp.write_metadata()
    (root / "main/0/params.json").write_text('{"a": [1, {"b": null}]}')
    np.arange(400, dtype="<i2").tofile(root / "a.dat")
    (root / "params.prm").write_text(
        "experiment_name = '20160101'\nprb_file = 'tetrode'\n"
        "traces = dict(raw_data_files=[experiment_name + '_2.dat'], sample_rate=20000.,\n"
        "              n_channels=4, dtype='int16')\n"
    )
    (root / "tetrode.prb").write_text("channel_groups = {0: {'channels': list(range(4))}}\n")
    files = files_below(root, but=("a.dat",))

    def look(exp):
        repr(exp), exp.metadata, exp.params, exp.read_metadata("0/params")
        for name in ("0/a", "0/b", "0/c", "times"):
            found = exp.read_array(name)
            np.asarray(found[:2] if found.ndim else found)
        exp.read_array("bad_channels")
        look_at_probes(exp.probe)
        look_at_recording(exp.read_traces())

    return case(files, lambda: si.Experiment(root), look)


def _made(folder):
    folder.mkdir()
    return folder


def tar_array(folder):
    path = folder / "x.tar"
    labels = {0: ["a", "b", "c"], 1: [1, 2]}
    values = np.arange(6.0).reshape(3, 2)
    write_tar_array(path, values, axes=("spike", "channel"), labels=labels, n_file_rows=2)

    def look(found):
        np.asarray(found.values[:2] if found.values.ndim else found.values)

    return case(path, lambda: read_tar_array(path), look)


def prb(folder):
    path = copied("kwik_hybrid10s/1x32_buzsaki.prb", folder)
    return case(path, lambda: read_probe_file(path), look_at_probes)


def probe_json(folder):
    path = folder / "probe.json"
    source = real("probes") / "neuronexus"
    shutil.copyfile(next(iter(sorted(source.rglob("*.json")))), path)
    return case(path, lambda: read_probe_file(path), look_at_probes)


def prm(folder):
    path = copied("kwik_hybrid10s/hybrid_10sec.prm", folder)
    return case(path, lambda: si.read_python(path), repr)


def curation(folder):
    paths = [folder / f"{k}.json" for k in range(3)]
    paths[0].write_text(
        '{"format_version": "2", "unit_ids": [0, 1, 2, 3, 4], "removed": [1], "label_definitions":'
        ' {"quality": {"label_options": ["good", "noise"], "exclusive": true}}, "manual_labels":'
        ' [{"unit_id": 0, "labels": {"quality": ["good"]}}], "merges": [{"unit_ids": [2, 3],'
        ' "new_unit_id": 7}], "splits": [{"unit_id": 4, "mode": "indices", "indices": [[0, 1]]}]}'
    )
    paths[1].write_text(
        '{"format_version": "1", "unit_ids": ["a", "b", "c"], "merge_unit_groups": [["a", "b"]],'
        ' "removed_units": ["c"], "manual_labels": [], "label_definitions": {}}'
    )
    paths[2].write_text(
        '{"labelsByUnit": {"1": ["good"], "2": ["mua", "x"]}, "mergeGroups": [[1, 2]]}'
    )

    def look(_):
        for path in paths:
            found = load_curation(path)
            repr(found), found.to_dict()

    return case(paths, lambda: None, look)


CASES = {
    make.__name__: make
    for make in (
        *(
            spikeglx,
            np24,
            spikeglx_streams,
            openephys,
            openephys_neuropixels,
            openephys_events,
            cbin,
            cbin_ibl,
        ),
        *(mda, npy, binary_folder, binary_folder_of_spikeinterface, zarr_recording, dumped),
        *(zarr_recording_of_spikeinterface, firings, phy, template_model, template_model_sparse),
        *(kilosort, alf, mclust, spykingcircus, waveclus, hdsort, cellexplorer, npz, npz_folder),
        *(numpy_folder, numpy_folder_of_spikeinterface, zarr_sorting, npy_snippets),
        *(zarr3_recording, zarr3_sorting),
        *(zarr_sorting_of_spikeinterface, snippets_folder, waveclus_snippets, event_folder),
        *(event_tables, experiment, tar_array, prb, probe_json, prm, curation),
    )
}
"""Makers of cases by name; each takes a new folder."""
