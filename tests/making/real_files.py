"""Every real file, how it is opened, and what a correct reader says of it.

The facts are those of the README beside the data, as far as a table can tell them.
"""

from dataclasses import dataclass, field
from typing import Any

from making.reader_cases import NWB, NWB_UNITS, OE_NP, OE_STREAM


@dataclass(frozen=True)
class RealRecording:
    """Place, facts, and arguments that choose the stream or tell what is in a flat file."""

    place: str
    n_channels: int
    rate: float
    n_samples: tuple[int, ...]
    has_probe: bool = False
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class RealSorting:
    """Place, facts, and arguments."""

    place: str
    n_units: int
    n_spikes: int
    rate: float
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class RealEvents:
    """Place, and number of events by channel in each segment."""

    place: str
    counts: dict[str, tuple[int, ...]]
    options: dict[str, Any] = field(default_factory=dict)


_FLAT_LOCUST = {"sampling_frequency": 15_000.0, "num_channels": 4, "dtype": "int16"}
_FLAT_RAW = _FLAT_LOCUST | {"sampling_frequency": 20_000.0}
_LOCUST = (4, 15_000.0, (431_548,))
_HYBRID = "hybrid_np24_dev"
_RHD, _FILES = "intan_rhd/sampledata.rhd", "intan_ofps128/info.rhd"

RECORDINGS = {
    "spikeglx": RealRecording(_HYBRID, 24, 30_000.0, (450_000,), True, {"stream_name": "imec0.ap"}),
    "spikeglx_sync": RealRecording(
        _HYBRID, 1, 30_000.0, (450_000,), options={"stream_name": "imec0.ap-SYNC"}
    ),
    "openephys_np": RealRecording(
        OE_NP, 384, 30_000.0, (1000, 1000), True, {"stream_name": OE_STREAM}
    ),
    "openephys_np_sync": RealRecording(
        OE_NP, 1, 30_000.0, (1000, 1000), options={"stream_name": OE_STREAM + "SYNC"}
    ),
    "openephys_16": RealRecording("oe_hippocampus16", 16, 40_000.0, (66_438,)),
    "intan": RealRecording(_RHD, 32, 20_000.0, (19_440,), options={"stream_id": "0"}),
    "intan_aux": RealRecording(_RHD, 3, 5_000.0, (4860,), options={"stream_id": "1"}),
    "intan_supply": RealRecording(_RHD, 1, 20_000 / 60, (324,), options={"stream_id": "2"}),
    "intan_files": RealRecording(_FILES, 128, 30_000.0, (10_000,), options={"stream_id": "0"}),
    "intan_files_aux": RealRecording(_FILES, 6, 30_000.0, (10_000,), options={"stream_id": "1"}),
    "intan_files_digital": RealRecording(
        _FILES, 4, 30_000.0, (10_000,), options={"stream_id": "4"}
    ),
    "blackrock": RealRecording("blackrock_repack/rat128.ns5", 128, 30_000.0, (10_000,)),
    "locust_raw": RealRecording("locust_tdc/locust_trial_01.raw", *_LOCUST, options=_FLAT_LOCUST),
    "raw_4ch_1s": RealRecording(
        "raw_4ch_1s/test-4ch-1s.dat", 4, 20_000.0, (20_000,), options=_FLAT_RAW
    ),
    "binary_folder": RealRecording("locust1_si_tdc2/recording_binary", *_LOCUST, True),
    "zarr": RealRecording("locust1_si_tdc2/recording.zarr", *_LOCUST, True),
    "nwb": RealRecording(NWB, *_LOCUST),
    "phy_raw": RealRecording("locust1_si_tdc2/phy/recording.dat", *_LOCUST, options=_FLAT_LOCUST),
    "mearec_tetrode": RealRecording("mearec/tetrode_8u_20s.h5", 4, 32_000.0, (640_000,), True),
    "mearec_nn32": RealRecording("mearec/nn32_12u_6s.h5", 32, 32_000.0, (192_000,), True),
}

_LOCUST_SORTED = (7, 777, 15_000.0)

SORTINGS = {
    "phy_template": RealSorting("phy_template_phydata", 62, 314, 25_000.0),
    "kilosort_4": RealSorting(
        "ks4_np_aolab/te8922", 311, 99_519, 30_000.0, {"sampling_frequency": 30_000.0}
    ),
    "kilosort_partial": RealSorting("ks_bme410_partial", 295, 58_544, 30_000.0),
    "kwik_hybrid": RealSorting("kwik_hybrid10s/hybrid_10sec.kwik", 17, 1653, 20_000.0),
    "kwik_axona": RealSorting("axona_tt8_dev/axona_tt8_dev.kwik", 8, 10_287, 48_000.0),
    "phy_axona": RealSorting("axona_tt8_dev/phy", 8, 10_287, 48_000.0),
    "phy_hybrid": RealSorting("hybrid_np24_dev/phy", 18, 3909, 30_000.0),
    "blackrock": RealSorting("blackrock_repack/rat128.nev", 78, 582, 30_000.0),
    "phy_locust": RealSorting("locust1_si_tdc2/phy", *_LOCUST_SORTED),
    "npz": RealSorting("locust1_si_tdc2/sorting.npz", *_LOCUST_SORTED),
    "zarr": RealSorting("locust1_si_tdc2/sorting.zarr", *_LOCUST_SORTED),
    "numpy_folder": RealSorting("locust1_si_tdc2/sorting_numpy_folder", *_LOCUST_SORTED),
    "nwb_locust": RealSorting(NWB, *_LOCUST_SORTED),
    "nwb_units": RealSorting(NWB_UNITS, 4, 34_057, 25_000.0),
    "mearec_tetrode": RealSorting("mearec/tetrode_8u_20s.h5", 8, 1188, 32_000.0),
    "mearec_nn32": RealSorting("mearec/nn32_12u_6s.h5", 12, 541, 32_000.0),
}

EVENTS = {
    "openephys": RealEvents(
        OE_NP, {"Neuropixels PXI Sync": (1571, 1571), "Messages": (1124, 1124)}
    ),
    "spikeglx": RealEvents(_HYBRID, {"imec0.ap:6": (15,)}),
    "blackrock": RealEvents(
        "blackrock_repack/rat128.nev",
        {"digital_input_port": (3,), "serial_input_port": (0,), "comments": (0,)},
    ),
}
