"""Which formats neo reads, in one table: how each is recognised, and what to tell neo."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from spikeloom.extractors.peeking import Peek

Test = Callable[[Peek], bool]
"""Tells whether a path looks like a format."""

_N_BLOCKS_LOOKED_AT = 20

NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True)
class NeoFormat:
    """A format that a raw reader of neo knows.

    Parameters
    ----------
    name : str
        Name of the format; ``read_<name>`` reads it.
    raw_class : str
        Class of ``neo.rawio``.
    class_name : str
        Class under which SpikeInterface stores recordings of it.
    module : str
        Module of SpikeInterface with that class.
    extensions : tuple of str
        Endings of its files.
    test : callable
        Whether a path looks like it, by content.
    hint : str
        What the test looks for, in words.
    is_folder : bool
        Whether it is opened by its folder.
    description : str
        Whose it is.
    options : mapping
        Further arguments of the reader, with what they are by default.
    fixed : mapping
        What neo is told besides.
    names_as_ids : bool
        Whether channels are called by their names unless one asks otherwise.
    default_stream : str, optional
        Stream that is taken if none is asked for.
    probe : str, optional
        Function of probeinterface that reads the probe of a file.
    probe_options : tuple of str
        Those of `options` that this function takes, rather than neo.
    unit : str, optional
        Unit of traces, where neo does not say it.
    needs : str, optional
        Package that neo needs for it.
    suffix : str
        What the name of the function that reads recordings ends in, besides.
    has_one_stream : bool
        Whether there is never a stream to choose, and none is noted in files.
    """

    name: str
    raw_class: str
    class_name: str
    module: str
    extensions: tuple[str, ...]
    test: Test
    hint: str
    is_folder: bool = False
    description: str = ""
    options: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    fixed: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    names_as_ids: bool = False
    default_stream: str | None = None
    probe: str | None = None
    probe_options: tuple[str, ...] = ()
    unit: str = ""
    needs: str = ""
    suffix: str = ""
    has_one_stream: bool = False

    @property
    def extra(self) -> str | None:
        """Extra of spikeloom that brings what it needs."""
        return "neo" if self.needs in {"nixio", "pyedflib"} else None

    @property
    def function(self) -> str:
        """Name of the function that reads recordings."""
        return f"read_{self.name}{self.suffix}"

    @property
    def path_key(self) -> str:
        """What SpikeInterface calls the path: ``folder_path`` or ``file_path``."""
        return "folder_path" if self.is_folder else "file_path"

    def neo_arguments(self, path: Path, options: Mapping[str, Any]) -> dict[str, Any]:
        """Return what to make neo's reader with."""
        key = "dirname" if self.is_folder else "filename"
        for_neo = {k: v for k, v in options.items() if k not in self.probe_options}
        arguments = {key: str(path), **self.fixed, **for_neo}
        if self.name == "tdt":
            arguments["dirname"] = _tank_or_block(path)
        if "exclude_filename" in arguments:
            arguments["exclude_filenames"] = arguments.pop("exclude_filename")
        if options.get("gap_tolerance_ms") is not None:
            arguments.pop("strict_gap_mode", None)
        if self.name == "blackrock" and path.suffix[:3] == ".ns" and path.suffix[3:].isdecimal():
            arguments["nsx_to_load"] = int(path.suffix[3:])
        if self.name == "neuroscope" and arguments.pop("xml_file_path", None) is not None:
            arguments |= {"binary_file": path, "filename": Path(options["xml_file_path"])}
        return {k: v for k, v in arguments.items() if v is not None}


def _tank_or_block(path: Path) -> str:
    """Return what neo calls the folder of a tank: a file, if it is the folder of one block."""
    tables = Peek(path).matching("*.tbk")
    return str(tables[0] if tables else path)


def _is_tank(peek: Peek) -> bool:
    return any(Peek(peek.path / name).has("*.tbk") for name in peek.names[:_N_BLOCKS_LOOKED_AT])


def _starts(*signatures: bytes) -> Test:
    return lambda peek: peek.head.startswith(signatures)


def _ends(*suffixes: str) -> Test:
    return lambda peek: not peek.is_folder and peek.path.name.lower().endswith(suffixes)


def _has(*patterns: str) -> Test:
    return lambda peek: any(peek.has(pattern) for pattern in patterns)


def _both(one: Test, other: Test) -> Test:
    return lambda peek: one(peek) and other(peek)


def _holds(*texts: bytes) -> Test:
    return lambda peek: any(text in peek.head for text in texts)


def _hdf5_with(*members: str) -> Test:
    return lambda peek: any(member in peek.hdf5_members for member in members)


def _beside(suffix: str, *suffixes: str) -> Test:
    """Tell whether it ends in one of `suffixes`, with a file beside it that ends in `suffix`."""
    return lambda peek: peek.suffix in suffixes and peek.path.with_suffix(suffix).is_file()


def _either(one: Test, other: Test) -> Test:
    return lambda peek: one(peek) or other(peek)


def _has_settings(peek: Peek) -> bool:
    settings = peek.path.with_suffix(".xml")
    return _beside(".xml", ".dat", ".lfp", ".eeg")(peek) and _holds(b"<parameters")(Peek(settings))


def _is_nix(peek: Peek) -> bool:
    return peek.hdf5_attributes.get("format") in {"nix", b"nix"}


_FORMATS = (
    NeoFormat(
        "alphaomega", "AlphaOmegaRawIO", "AlphaOmegaRecordingExtractor", "alphaomega",
        (".mpx", ".lsx"), _has("*.mpx"), "a folder with .mpx files", is_folder=True,
        description="Alpha Omega", options={"lsx_files": None}, default_stream="RAW",
    ),
    NeoFormat(
        "axograph", "AxographRawIO", "AxographRecordingExtractor", "axograph",
        (".axgx", ".axgd"), _starts(b"AxGr", b"axgx"), "AxGr or axgx at its beginning",
        description="AxoGraph",
    ),
    NeoFormat(
        "axon", "AxonRawIO", "AxonRecordingExtractor", "axon",
        (".abf",), _starts(b"ABF ", b"ABF2"), "ABF at its beginning", description="Axon (pClamp)",
    ),
    NeoFormat(
        "axona", "AxonaRawIO", "AxonaRecordingExtractor", "axona",
        (".set", ".bin"),
        _either(_both(_ends(".set"), _starts(b"trial_date")), _beside(".set", ".bin")),
        "a .set file that begins with trial_date, or a .bin file beside one",
        description="Axona DacqUSB", has_one_stream=True,
    ),
    NeoFormat(
        "biocam", "BiocamRawIO", "BiocamRecordingExtractor", "biocam",
        (".brw", ".h5"), _hdf5_with("3BRecInfo", "3BData", "ExperimentSettings"),
        "HDF5 with 3BRecInfo or ExperimentSettings", description="3Brain Biocam",
        options={"fill_gaps_strategy": "zeros", "mea_pitch": None, "electrode_width": None},
        probe="read_3brain", probe_options=("mea_pitch", "electrode_width"),
    ),
    NeoFormat(
        "blackrock", "BlackrockRawIO", "BlackrockRecordingExtractor", "blackrock",
        (".ns1", ".ns2", ".ns3", ".ns4", ".ns5", ".ns6"),
        _starts(b"NEURALSG", b"NEURALCD", b"BRSMPGRP"), "NEURALCD or such at its beginning",
        description="Blackrock", options={"gap_tolerance_ms": None}, fixed={"load_nev": False},
    ),
    NeoFormat(
        "brainvision", "BrainVisionRawIO", "BrainVisionRecordingExtractor", "brainvision",
        (".vhdr",), _holds(b"Vision Data Exchange Header"), "a BrainVision header",
        description="BrainVision",
    ),
    NeoFormat(
        "ced", "CedRawIO", "CedRecordingExtractor", "ced",
        (".smrx",), _ends(".smrx"), "a name that ends in .smrx",
        description="CED Spike2, 64 bit (needs sonpy)", needs="sonpy",
    ),
    NeoFormat(
        "edf", "EDFRawIO", "EDFRecordingExtractor", "edf",
        (".edf", ".bdf"), _both(_ends(".edf", ".bdf"), _starts(b"0       ", b"\xffBIOSEMI")),
        "an EDF header", description="European Data Format (needs pyedflib)", needs="pyedflib",
    ),
    NeoFormat(
        "elan", "ElanRawIO", "ElanRecordingExtractor", "elan",
        (".eeg",), lambda peek: peek.suffix == ".eeg" and Path(f"{peek.path}.ent").is_file(),
        "an .eeg file with an .eeg.ent file beside it", description="Elan",
    ),
    NeoFormat(
        "intan", "IntanRawIO", "IntanRecordingExtractor", "intan",
        (".rhd", ".rhs"), _starts(b"\x02\x27\x91\xc6", b"\xac\x27\x91\xd6"),
        "Intan's number at its beginning", description="Intan RHD and RHS",
        options={"ignore_integrity_checks": False},
    ),
    NeoFormat(
        "maxwell", "MaxwellRawIO", "MaxwellRecordingExtractor", "maxwell",
        (".raw.h5", ".h5"),
        lambda peek: "wells" in peek.hdf5_members or {"sig", "mapping"} <= set(peek.hdf5_members),
        "HDF5 with wells, or with sig and mapping", description="MaxWell MaxOne and MaxTwo",
        options={"rec_name": None}, probe="read_maxwell",
    ),
    NeoFormat(
        "mcsraw", "RawMCSRawIO", "MCSRawRecordingExtractor", "mcsraw",
        (".raw",), _starts(b"MC_DataTool binary conversion"), "MC_DataTool at its beginning",
        description="Multi Channel Systems, raw files of MC_DataTool",
    ),
    NeoFormat(
        "med", "MedRawIO", "MedRecordingExtractor", "med",
        (".medd",), lambda peek: peek.suffix == ".medd" and peek.is_folder,
        "a folder whose name ends in .medd", is_folder=True,
        description="Dark Horse Neuro MED (needs dhn-med-py)", options={"password": None},
        needs="dhn_med_py",
    ),
    NeoFormat(
        "micromed", "MicromedRawIO", "MicromedRecordingExtractor", "micromed",
        (".trc",), _starts(b"* MICROMED"), "MICROMED at its beginning", description="Micromed",
    ),
    NeoFormat(
        "neuralynx", "NeuralynxRawIO", "NeuralynxRecordingExtractor", "neuralynx",
        (".ncs",), _has("*.ncs"), "a folder with .ncs files", is_folder=True,
        description="Neuralynx Cheetah and Pegasus",
        options={"exclude_filename": None, "strict_gap_mode": False, "gap_tolerance_ms": None},
    ),
    NeoFormat(
        "neuroexplorer", "NeuroExplorerRawIO", "NeuroExplorerRecordingExtractor", "neuroexplorer",
        (".nex",), _starts(b"NEX1"), "NEX1 at its beginning", description="NeuroExplorer",
    ),
    NeoFormat(
        "neuronexus", "NeuroNexusRawIO", "NeuroNexusRecordingExtractor", "neuronexus",
        (".xdat.json",), _ends(".xdat.json"), "a name that ends in .xdat.json",
        description="NeuroNexus Allego",
    ),
    NeoFormat(
        "neuroscope", "NeuroScopeRawIO", "NeuroScopeRecordingExtractor", "neuroscope",
        (".xml", ".dat"),
        _either(_both(_ends(".xml"), _holds(b"<parameters")), _has_settings),
        "an .xml file with <parameters, or a .dat, .lfp or .eeg file beside one",
        description="NeuroScope",
        options={"xml_file_path": None}, suffix="_recording",
    ),
    NeoFormat(
        "nix", "NIXRawIO", "NixRecordingExtractor", "nix",
        (".nix", ".h5"), _is_nix, "HDF5 whose format is nix", description="NIX (needs nixio)",
        needs="nixio",
    ),
    NeoFormat(
        "openephys_legacy", "OpenEphysRawIO", "OpenEphysLegacyRecordingExtractor", "openephys",
        (".continuous",), _has("*.continuous"), "a folder with .continuous files", is_folder=True,
        description="Open Ephys, legacy",
    ),
    NeoFormat(
        "plexon", "PlexonRawIO", "PlexonRecordingExtractor", "plexon",
        (".plx",), _starts(b"PLEX"), "PLEX at its beginning", description="Plexon",
        names_as_ids=True, fixed={"progress_bar": False}, unit="mV",
    ),
    NeoFormat(
        "plexon2", "Plexon2RawIO", "Plexon2RecordingExtractor", "plexon2",
        (".pl2",), _ends(".pl2"), "a name that ends in .pl2",
        description="Plexon 2 (needs zugbruecke or Windows)", names_as_ids=True,
        options={"reading_attempts": 25}, needs="" if sys.platform == "win32" else "zugbruecke",
    ),
    NeoFormat(
        "spike2", "Spike2RawIO", "Spike2RecordingExtractor", "spike2",
        (".smr",), lambda peek: peek.head[2:10] == b"(C) CED ", "(C) CED near its beginning",
        description="CED Spike2, 32 bit",
    ),
    NeoFormat(
        "spikegadgets", "SpikeGadgetsRawIO", "SpikeGadgetsRecordingExtractor", "spikegadgets",
        (".rec",), _both(_ends(".rec"), _holds(b"<Configuration")), "a <Configuration> in it",
        description="SpikeGadgets Trodes", options={"selected_streams": None},
        probe="read_spikegadgets_neuropixels",
    ),
    NeoFormat(
        "tdt", "TdtRawIO", "TdtRecordingExtractor", "tdt",
        (".tbk", ".tsq", ".tev"), _either(_has("*.tbk"), _is_tank),
        "a folder with .tbk files, or of such folders", is_folder=True,
        description="Tucker-Davis",
    ),
    NeoFormat(
        "winedr", "WinEdrRawIO", "WinEdrRecordingExtractor", "winedr",
        (".edr",), _both(_ends(".edr"), _starts(b"VER=")), "VER= in an .edr file",
        description="WinEDR",
    ),
    NeoFormat(
        "winwcp", "WinWcpRawIO", "WinWcpRecordingExtractor", "winwcp",
        (".wcp",), _both(_ends(".wcp"), _starts(b"VER=")), "VER= in a .wcp file",
        description="WinWCP",
    ),
)  # fmt: skip

NEO_FORMATS: Mapping[str, NeoFormat] = MappingProxyType({one.name: one for one in _FORMATS})
"""The formats by name."""
