"""A class and a function for each format that neo reads, made of the table of formats."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

from spikeloom.core.class_names import stored_as
from spikeloom.errors import UnknownNameError
from spikeloom.extractors.neo_formats import NEO_FORMATS, NeoFormat
from spikeloom.extractors.neo_recording import NeoRecordingExtractor
from spikeloom.extractors.peeking import Peek
from spikeloom.extractors.reader_registry import Certainty, Reader, Recognition, known, unknown

_DOC = """Open {description} as a recording, by neo's {raw_class}.

    Parameters
    ----------
    {path_key} : str or Path
        The {what}.
    stream_id, stream_name : str, optional
        Which stream; needed if there are several.
    block_index : int, optional
        Which block; needed if there are several.
    all_annotations : bool, default False
        Keep all that neo knows of the stream.
    use_names_as_ids : bool, default {names_as_ids}
        Call channels by their names rather than by their ids.
    **options
        {options}

    Returns
    -------
    NeoRecordingExtractor
        The recording; nothing of the traces is read yet.

    Raises
    ------
    MissingFileError
        If there is nothing at the path.
    MissingDependencyError
        If neo is not installed, or what it needs for this format.
    ReadError
        If neo cannot read it.
    ParameterError
        If there are several streams or blocks and none was chosen, or no such one.
    """


def _make_class(one: NeoFormat) -> type[NeoRecordingExtractor]:
    doc = f"A stream of {one.description}; see `NeoRecordingExtractor`."
    members = {"format": one, "__doc__": doc, "__module__": __name__}
    made = type(one.class_name, (NeoRecordingExtractor,), members)
    path = f"spikeinterface.extractors.neoextractors.{one.module}.{one.class_name}"
    return stored_as(path)(made)


def _make_function(one: NeoFormat) -> Callable[..., NeoRecordingExtractor]:
    def read_it(*args: Any, **kwargs: Any) -> NeoRecordingExtractor:
        return NEO_CLASSES[one.name](*args, **kwargs)

    read_it.__name__ = read_it.__qualname__ = one.function
    read_it.__doc__ = _DOC.format(
        description=one.description,
        raw_class=one.raw_class,
        path_key=one.path_key,
        what="folder" if one.is_folder else f"{' or '.join(one.extensions)} file",
        names_as_ids=one.names_as_ids,
        options=", ".join(f"{k}={v!r}" for k, v in one.options.items()) or "None.",
    )
    # What editors show: the path by the name that this format has for it.
    shown = list(inspect.signature(NeoRecordingExtractor.__init__).parameters.values())[1:-1]
    path = shown[0].replace(name=one.path_key, default=inspect.Parameter.empty)
    more = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=value)
        for name, value in one.options.items()
    ]
    signature = inspect.Signature([path, *shown[1:], *more])
    read_it.__signature__ = signature  # type: ignore[attr-defined]
    return read_it


NEO_CLASSES = {name: _make_class(one) for name, one in NEO_FORMATS.items()}
"""Class of recordings of each format."""

NEO_FUNCTIONS = {name: _make_function(one) for name, one in NEO_FORMATS.items()}
"""Function that reads each format."""


def read_neo(path: str | Path, format: str, **kwargs: Any) -> NeoRecordingExtractor:
    """Open a file or folder with one of neo's raw readers.

    Parameters
    ----------
    path : str or Path
        The file or folder.
    format : str
        Name of the format, such as ``"blackrock"``; see `get_neo_extractors`.
    **kwargs
        See `NeoRecordingExtractor`.

    Raises
    ------
    UnknownNameError
        If there is no such format.
    """
    return _class_of(format)(path, **kwargs)


def get_neo_extractors() -> list[str]:
    """Return the names of the formats that neo reads.

    Examples
    --------
    >>> get_neo_extractors()[:3]
    ['alphaomega', 'axograph', 'axon']
    """
    return list(NEO_FORMATS)


def get_neo_streams(extractor_name: str, *args: Any, **kwargs: Any) -> tuple[list[str], list[str]]:
    """Return the names and the ids of the streams of a file or folder that neo reads.

    Parameters
    ----------
    extractor_name : str
        Name of the format; see `get_neo_extractors`.
    *args, **kwargs
        The path, and what the reader takes besides.
    """
    return _class_of(extractor_name).get_streams(*args, **kwargs)


def get_neo_num_blocks(extractor_name: str, *args: Any, **kwargs: Any) -> int:
    """Return the number of blocks of a file or folder that neo reads; see `get_neo_streams`."""
    return _class_of(extractor_name).get_num_blocks(*args, **kwargs)


def _class_of(format: str) -> type[NeoRecordingExtractor]:
    if format not in NEO_CLASSES:
        msg = f"No format that neo reads is named {format!r}. Known: {', '.join(NEO_CLASSES)}."
        raise UnknownNameError(msg)
    return NEO_CLASSES[format]


def _recogniser(one: NeoFormat) -> Callable[[Peek], Recognition]:
    def recognise(peek: Peek) -> Recognition:
        if one.is_folder != peek.is_folder:
            if one.is_folder and peek.path.name.lower().endswith(one.extensions):
                return unknown(f"it is a file of {one.description}: give the folder that it is in")
            return unknown(f"it is no {'folder' if one.is_folder else 'file'}")
        if one.test(peek):
            by_name = one.hint.startswith("a name")
            return known(Certainty.NAME if by_name else Certainty.CONTENT, f"it is {one.hint}")
        return unknown(f"it is not what is expected: {one.hint}")

    return recognise


def _reader(one: NeoFormat) -> Reader:
    return Reader(
        name=one.name,
        kind="recording",
        recognise=_recogniser(one),
        read=NEO_FUNCTIONS[one.name],
        function=one.function,
        extensions=one.extensions,
        description=one.description,
        extra=one.extra,
    )


READERS = tuple(_reader(one) for one in NEO_FORMATS.values() if one.name != "openephys_legacy")
"""Readers of this module; Open Ephys' legacy files are recognised by `read_openephys`."""

AlphaOmegaRecordingExtractor = NEO_CLASSES["alphaomega"]
AxographRecordingExtractor = NEO_CLASSES["axograph"]
AxonRecordingExtractor = NEO_CLASSES["axon"]
AxonaRecordingExtractor = NEO_CLASSES["axona"]
BiocamRecordingExtractor = NEO_CLASSES["biocam"]
BlackrockRecordingExtractor = NEO_CLASSES["blackrock"]
BrainVisionRecordingExtractor = NEO_CLASSES["brainvision"]
CedRecordingExtractor = NEO_CLASSES["ced"]
EDFRecordingExtractor = NEO_CLASSES["edf"]
ElanRecordingExtractor = NEO_CLASSES["elan"]
IntanRecordingExtractor = NEO_CLASSES["intan"]
MaxwellRecordingExtractor = NEO_CLASSES["maxwell"]
MCSRawRecordingExtractor = NEO_CLASSES["mcsraw"]
MedRecordingExtractor = NEO_CLASSES["med"]
MicromedRecordingExtractor = NEO_CLASSES["micromed"]
NeuralynxRecordingExtractor = NEO_CLASSES["neuralynx"]
NeuroExplorerRecordingExtractor = NEO_CLASSES["neuroexplorer"]
NeuroNexusRecordingExtractor = NEO_CLASSES["neuronexus"]
NeuroScopeRecordingExtractor = NEO_CLASSES["neuroscope"]
NixRecordingExtractor = NEO_CLASSES["nix"]
OpenEphysLegacyRecordingExtractor = NEO_CLASSES["openephys_legacy"]
PlexonRecordingExtractor = NEO_CLASSES["plexon"]
Plexon2RecordingExtractor = NEO_CLASSES["plexon2"]
Spike2RecordingExtractor = NEO_CLASSES["spike2"]
SpikeGadgetsRecordingExtractor = NEO_CLASSES["spikegadgets"]
TdtRecordingExtractor = NEO_CLASSES["tdt"]
WinEdrRecordingExtractor = NEO_CLASSES["winedr"]
WinWcpRecordingExtractor = NEO_CLASSES["winwcp"]
read_alphaomega = NEO_FUNCTIONS["alphaomega"]
read_axograph = NEO_FUNCTIONS["axograph"]
read_axon = NEO_FUNCTIONS["axon"]
read_axona = NEO_FUNCTIONS["axona"]
read_biocam = NEO_FUNCTIONS["biocam"]
read_blackrock = NEO_FUNCTIONS["blackrock"]
read_brainvision = NEO_FUNCTIONS["brainvision"]
read_ced = NEO_FUNCTIONS["ced"]
read_edf = NEO_FUNCTIONS["edf"]
read_elan = NEO_FUNCTIONS["elan"]
read_intan = NEO_FUNCTIONS["intan"]
read_maxwell = NEO_FUNCTIONS["maxwell"]
read_mcsraw = NEO_FUNCTIONS["mcsraw"]
read_med = NEO_FUNCTIONS["med"]
read_micromed = NEO_FUNCTIONS["micromed"]
read_neuralynx = NEO_FUNCTIONS["neuralynx"]
read_neuroexplorer = NEO_FUNCTIONS["neuroexplorer"]
read_neuronexus = NEO_FUNCTIONS["neuronexus"]
read_nix = NEO_FUNCTIONS["nix"]
read_openephys_legacy = NEO_FUNCTIONS["openephys_legacy"]
read_plexon = NEO_FUNCTIONS["plexon"]
read_plexon2 = NEO_FUNCTIONS["plexon2"]
read_spike2 = NEO_FUNCTIONS["spike2"]
read_spikegadgets = NEO_FUNCTIONS["spikegadgets"]
read_tdt = NEO_FUNCTIONS["tdt"]
read_winedr = NEO_FUNCTIONS["winedr"]
read_winwcp = NEO_FUNCTIONS["winwcp"]
