"""Every file that SpikeInterface reads as well as we: real ones, and made ones of other formats.

A case tells in what the two differ on purpose, as patterns of facts (`making.object_facts`) with
the reason; whatever else differs is a fault.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from making.neo_samples import SAMPLES, format_name
from making.nwb_makers import make_nwb
from making.openephys_legacy_files import write_openephys_legacy
from making.recording_files import random_traces, write_mda, write_spikeglx
from making.sorting_files import (
    RATE,
    write_cellexplorer,
    write_hdsort,
    write_mclust,
    write_phy,
    write_spykingcircus,
)
from reference.mtscomp import write_cbin


@dataclass(frozen=True)
class Case:
    """A file, the function of both that reads it, and in what they differ on purpose."""

    kind: str
    function: str
    place: Path | str
    options: dict[str, Any] = field(default_factory=dict)
    differs: dict[str, str] = field(default_factory=dict)


_NO_VOLTAGE = dict.fromkeys(
    ("is_scaled", "gains", "offsets", "*_uV/0"),
    "words and lines are no voltage, so they have no gain to microvolts here",
)
_NO_VOLTAGE_IN_PROPERTIES = {
    f"property/{name}_to_uV": _NO_VOLTAGE["gains"] for name in ("gain", "offset")
}

_SYNC_GAIN = "of the sync word beside traces, which keeps its values here and has theirs there"

NEAREST_SAMPLE = "seconds go to the nearest sample here, and are cut off there"

_UNNAMED_CLUSTERS = dict.fromkeys(
    ("ids", "n_spikes/0", "spikes/0", "property/*"),
    "cluster_group.tsv names one cluster; there, the others and their spikes are dropped",
)

OE_NP = "oe_np_spikewrap/openephys/rawdata/sub-001/ses-001/ephys"
OE_STREAM = "Record Node 104#Neuropix-PXI-100.ProbeA-AP"
NWB = "locust1_si_tdc2/locust_trial1.nwb"
_NWB_SERIES = "acquisition/ElectricalSeries"
NWB_UNITS = "nwb_hdmfzarr/sub_anm00239123_ses_20170627T093549_ecephys_and_ogen.nwb"
_KWIK = "axona_tt8_dev/axona_tt8_dev.kwik"
_FLAT_LOCUST = {"sampling_frequency": 15_000.0, "dtype": "int16", "num_channels": 4}
_FLAT_RAW = {
    **_FLAT_LOCUST,
    "sampling_frequency": 20_000.0,
    "gain_to_uV": 0.195,
    "offset_to_uV": 1.0,
    "channel_ids": ["a", "b", "c", "d"],
}


def _recording(function, place, differs=None, **options):
    return Case("recording", function, place, options, differs or {})


def _sorting(function, place, differs=None, **options):
    return Case("sorting", function, place, options, differs or {})


REAL = {
    "spikeglx": _recording("read_spikeglx", "hybrid_np24_dev", stream_id="imec0.ap"),
    "spikeglx_names": _recording(
        "read_spikeglx", "hybrid_np24_dev", stream_id="imec0.ap", use_names_as_ids=True
    ),
    "spikeglx_sync": _recording(
        "read_spikeglx",
        "hybrid_np24_dev",
        stream_id="imec0.ap-SYNC",
        differs=_NO_VOLTAGE
        | _NO_VOLTAGE_IN_PROPERTIES
        | {"property/*physical_unit": "the unit of a word is no microvolt"},
    ),
    "spikeglx_event": Case(
        "event",
        "read_spikeglx_event",
        "hybrid_np24_dev",
        differs={"*": "the peer sees no events in the sync word of a probe, where the pulses are"},
    ),
    "openephys_np": _recording("read_openephys", OE_NP, stream_id="0"),
    "openephys_np_names": _recording("read_openephys", OE_NP, stream_name=OE_STREAM),
    "openephys_np_sync": _recording("read_openephys", OE_NP, stream_name=OE_STREAM + "SYNC"),
    "openephys_np_stamps": _recording("read_openephys", OE_NP, load_sync_timestamps=True),
    "openephys_np_event": Case(
        "event",
        "read_openephys_event",
        OE_NP,
        differs={"duration/Messages/*": "messages last no time; there, their duration is NaN"},
    ),
    "openephys_16": _recording("read_openephys", "oe_hippocampus16"),
    **{
        f"intan_{k}": _recording("read_intan", "intan_rhd/sampledata.rhd", stream_id=k)
        for k in ("0", "1", "2")
    },
    "intan_names": _recording(
        "read_intan", "intan_rhd/sampledata.rhd", stream_id="0", use_names_as_ids=True
    ),
    "intan_files_0": _recording("read_intan", "intan_ofps128/info.rhd", stream_id="0"),
    "intan_files_1": _recording(
        "read_intan",
        "intan_ofps128/info.rhd",
        dict.fromkeys(("rate", "times/0"), "values repeat at the amplifier's rate, as Intan says"),
        stream_id="1",
    ),
    "intan_files_4": _recording(
        "read_intan",
        "intan_ofps128/info.rhd",
        stream_id="4",
        differs=_NO_VOLTAGE | _NO_VOLTAGE_IN_PROPERTIES,
    ),
    "blackrock": _recording("read_blackrock", "blackrock_repack/rat128.ns5"),
    "blackrock_names": _recording(
        "read_blackrock", "blackrock_repack/rat128.ns5", use_names_as_ids=True
    ),
    "blackrock_sorting": _sorting(
        "read_blackrock_sorting",
        "blackrock_repack/rat128.nev",
        {"spikes/0": NEAREST_SAMPLE},
        sampling_frequency=30_000.0,
    ),
    "nwb": _recording("read_nwb_recording", NWB),
    "nwb_sorting": _sorting("read_nwb_sorting", NWB, electrical_series_path=_NWB_SERIES),
    "nwb_units": _sorting("read_nwb_sorting", NWB_UNITS, sampling_frequency=30_000.0, t_start=0.0),
    **{
        f"mearec_{name}{ending}": Case(kind, "read_mearec", f"mearec/{name}.h5", {}, differs)
        for name in ("tetrode_8u_20s", "nn32_12u_6s")
        for kind, ending, differs in (
            (
                "recording",
                "",
                {"property/gain_to_physical_unit": "it is 1 there, beside a gain to uV of 0.195"},
            ),
            ("sorting", "_sorting", {"spikes/0": NEAREST_SAMPLE}),
        )
    },
    "phy": _sorting("read_phy", "phy_template_phydata", _UNNAMED_CLUSTERS),
    "kilosort": _sorting("read_kilosort", "phy_template_phydata", _UNNAMED_CLUSTERS),
    **{
        f"{name}_{folder.partition('_')[0]}": _sorting(f"read_{name}", folder)
        for name in ("phy", "kilosort")
        for folder in ("ks_bme410_partial", "axona_tt8_dev/phy", "locust1_si_tdc2/phy")
    },
    "phy_hybrid": _sorting("read_phy", "hybrid_np24_dev/phy"),
    "kilosort_good": _sorting("read_kilosort", "hybrid_np24_dev/phy", keep_good_only=True),
    "phy_excluded": _sorting(
        "read_phy", "axona_tt8_dev/phy", exclude_cluster_groups=["mua", "noise"]
    ),
    "phy_bare": _sorting("read_phy", "axona_tt8_dev/phy", load_all_cluster_properties=False),
    "kilosort_all": _sorting("read_kilosort", "axona_tt8_dev/phy", remove_empty_units=False),
    "klusta": _sorting("read_klusta", "kwik_hybrid10s/hybrid_10sec.kwik"),
    "klusta_axona": _sorting("read_klusta", _KWIK),
    "klusta_excluded": _sorting("read_klusta", _KWIK, exclude_cluster_groups=["noise"]),
    "npz": _sorting("read_npz_sorting", "locust1_si_tdc2/sorting.npz"),
    "binary_folder": _recording("load", "locust1_si_tdc2/recording_binary"),
    "zarr": _recording("load", "locust1_si_tdc2/recording.zarr"),
    "read_zarr": _recording("read_zarr", "locust1_si_tdc2/recording.zarr"),
    "numpy_folder": _sorting("load", "locust1_si_tdc2/sorting_numpy_folder"),
    "zarr_sorting": _sorting("load", "locust1_si_tdc2/sorting.zarr"),
    "flat": _recording("read_binary", "locust_tdc/locust_trial_01.raw", **_FLAT_LOCUST),
    "flat_scaled": _recording("read_binary", "raw_4ch_1s/test-4ch-1s.dat", **_FLAT_RAW),
}
"""By name; places are relative to the folder of real data."""


def made_cases(folder, data_folder):
    """Write small files of other formats into a folder, and return their cases by name."""
    nwb = _copy_to_zarr(data_folder / NWB, folder)
    return {
        **_made_recordings(folder),
        **_made_sortings(folder),
        **_neo_cases(folder / "neo"),
        "nwb_zarr": _recording(
            "read_nwb_recording", nwb, {"starts": "numbers in zarr stay arrays of one there"}
        ),
        "nwb_zarr_sorting": _sorting("read_nwb_sorting", nwb, electrical_series_path=_NWB_SERIES),
    }


_PLEXON = dict.fromkeys(
    ("gains", "*_uV/0", "property/gain_to_uV", "property/physical_unit", "last/0"),
    "volts are taken for microvolts there, and blocks that differ in size are mixed up",
)

_NEO_DIFFERS = {
    "axona, tetrodes apart": dict.fromkeys(
        ("ids", "property/channel_name"), "tetrodes are numbered from the first on there"
    ),
    "plexon": _PLEXON,
    "plexon, later": _PLEXON | dict.fromkeys(("starts", "times/0"), "traces begin at 0 there"),
}

_NOT_READ_THERE = {
    *("axograph", "brainvision", "elan", "micromed", "winedr", "winwcp"),  # it has no function
    *("edf", "maxwell", "maxwell, older"),  # it needs pyedflib, and a download
    "biocam, BrainWave 4 sparse",  # it wants to be told how to fill gaps
}

NEO_NAMES = tuple(
    name
    for name in SAMPLES
    if name not in _NOT_READ_THERE and format_name(name) not in _NOT_READ_THERE
)


def _neo_cases(folder):
    cases = {}
    for name in NEO_NAMES:
        sample = SAMPLES[name](folder / name)
        function = f"read_{format_name(name)}".replace("openephys_legacy", "openephys")
        differs = _NEO_DIFFERS.get(name)
        cases[name] = _recording(function, sample.path, differs, **sample.options)
    return cases


def _copy_to_zarr(path, folder):
    """Copy an NWB file into a zarr store, but for references and specifications."""
    maker = make_nwb(folder, "zarr")

    def copy(name, node):
        known = {
            key: [str(one) for one in value] if key == "colnames" else value
            for key, value in node.attrs.items()
            if not isinstance(value, h5py.Reference)
        }
        if isinstance(node, h5py.Group):
            maker.group(name, **known)
        elif not h5py.check_ref_dtype(node.dtype):
            is_text = node.dtype.kind == "O"
            maker.array(name, node.asstr()[()].astype(str) if is_text else node[()], **known)

    with h5py.File(path) as file:
        for part in ("acquisition", "general", "units"):
            maker.group(part)
            file[part].visititems(lambda name, node, part=part: copy(f"{part}/{name}", node))
            copy(part, file[part])
    return maker.path


def _made_recordings(folder):
    traces = random_traces(600, 5)
    for k in range(2):
        write_spikeglx(folder / "glx", f"rat_g0_t{k}.imec0.ap", traces + k, first_sample=100 * k)
        write_spikeglx(folder / "glx", f"rat_g0_t{k}.nidq", traces + k, n_sync=0)
    write_spikeglx(folder / "cbin", "rat_g0_t0.imec0.ap", traces, suffix=".cbin")
    write_cbin(folder / "cbin/rat_g0_t0.imec0.ap.cbin", traces, 30_000.0, chunk_samples=250)
    write_openephys_legacy(folder / "legacy", random_traces(2048, 3))
    (folder / "mda").mkdir()
    write_mda(folder / "mda/raw.mda", traces.T)
    (folder / "mda/params.json").write_text('{"samplerate": 30000}')
    (folder / "mda/geom.csv").write_text("".join(f"0,{k}\n" for k in range(5)))
    return {
        "made_imec": _recording("read_spikeglx", folder / "glx", stream_id="imec0.ap"),
        "made_nidq": _recording("read_spikeglx", folder / "glx", stream_id="nidq"),
        "cbin_ibl": _recording("read_cbin_ibl", folder / "cbin"),
        "cbin_ibl_sync": _recording(
            "read_cbin_ibl",
            folder / "cbin",
            dict.fromkeys(("gains", "property/gain_to_uV", "*_uV/0"), _SYNC_GAIN),
            load_sync_channel=True,
        ),
        "legacy": _recording("read_openephys", folder / "legacy"),
        "mda": _recording("read_mda_recording", folder / "mda"),
    }


def _made_sortings(folder):
    tables = {
        "group": {1: "good", 3: "noise", 12: "mua"},
        "KSLabel": {1: "good", 3: "mua", 12: "good"},
        "ContamPct": {1: 0.5, 3: 100.0, 12: 1.5},
        "comment": {1: "", 3: "", 12: ""},
    }
    phy = write_phy(folder / "phy", **tables)
    write_mda(folder / "firings.mda", np.array([[1.0, 1, 1], [5, 9, 700], [2, 3, 2]]))
    cells = write_cellexplorer(folder / "cells", version="5")
    return {
        "made_phy": _sorting("read_phy", phy),
        "made_phy_excluded": _sorting("read_phy", phy, exclude_cluster_groups=["noise"]),
        "made_kilosort_good": _sorting("read_kilosort", phy, keep_good_only=True),
        "hdsort": _sorting(
            "read_hdsort",
            write_hdsort(folder / "hd.mat", version="5"),
            {"property/template": "samples come before channels here, whatever the version"},
        ),
        "mclust": _sorting("read_mclust", write_mclust(folder / "mclust"), sampling_frequency=RATE),
        "spykingcircus": _sorting("read_spykingcircus", write_spykingcircus(folder / "circus")),
        "cellexplorer": _sorting(
            "read_cellexplorer", cells, {"ids": "whole numbers are not called 1.0 here"}
        ),
        "mda_sorting": _sorting(
            "read_mda_sorting",
            folder / "firings.mda",
            sampling_frequency=RATE,
        ),
    }
