"""Recordings that mtscomp compressed, those of the IBL among them."""

from pathlib import Path

import numpy as np

from spikeloom.core.class_names import stored_as
from spikeloom.core.recording import BaseRecording
from spikeloom.errors import DataError, MissingFileError, ParameterError
from spikeloom.extractors.cbin_segments import CompressedSegment
from spikeloom.extractors.neuropixels import set_neuropixels_probe
from spikeloom.extractors.peeking import Peek
from spikeloom.extractors.reader_registry import Certainty, Reader, Recognition, known, unknown
from spikeloom.extractors.spikeglx_meta import read_spikeglx_meta
from spikeloom.extractors.spikeglx_recording import probe_of_meta


@stored_as("spikeloom.CbinRecordingExtractor")
class CbinRecordingExtractor(BaseRecording):
    """A recording in a file that mtscomp compressed, whatever system it is of.

    Parameters
    ----------
    file_path : str or Path
        The ``.cbin`` file.
    ch_file_path : str or Path, optional
        The ``.ch`` file; by default that of the same name.

    Raises
    ------
    MissingFileError, ReadError
        If a file is absent or cannot be read.
    DataError
        If a file is damaged.
    """

    def __init__(self, file_path: str | Path, ch_file_path: str | Path | None = None) -> None:
        path = Path(file_path).absolute()
        table_path = None if ch_file_path is None else Path(ch_file_path).absolute()
        segment = CompressedSegment(path, table_path=table_path)
        table = segment.traces.table
        super().__init__(table.sampling_frequency, np.arange(table.n_channels), table.dtype)
        self.add_recording_segment(segment)
        self._kwargs = {
            "file_path": str(path),
            "ch_file_path": None if table_path is None else str(table_path),
        }


@stored_as("spikeinterface.extractors.cbin_ibl.CompressedBinaryIblExtractor")
class CompressedBinaryIblExtractor(BaseRecording):
    """A recording of the IBL: ``.cbin`` and ``.ch`` of mtscomp, ``.meta`` of SpikeGLX.

    Parameters
    ----------
    folder_path : str or Path, optional
        The folder.
    load_sync_channel : bool, default False
        Keep the sync channels, which are the last ones; there is no probe then.
    stream_name : {"ap", "lf"}, default "ap"
        Which band.
    cbin_file_path : str or Path, optional
        The file itself, instead of the folder.

    Raises
    ------
    MissingFileError, ReadError
        If a file is absent or cannot be read.
    DataError
        If a file is damaged, contradicts another, or there are several.
    ParameterError
        If neither folder nor file is given, or there is no such band.
    """

    def __init__(
        self,
        folder_path: str | Path | None = None,
        load_sync_channel: bool = False,
        stream_name: str = "ap",
        cbin_file_path: str | Path | None = None,
    ) -> None:
        path = _cbin_file(folder_path, stream_name, cbin_file_path)
        meta = read_spikeglx_meta(_beside(path, ".meta"))
        n_traces = meta.n_channels - (0 if load_sync_channel else meta.n_sync)
        segment = CompressedSegment(
            path,
            meta.sampling_frequency,
            n_columns=meta.n_channels,
            columns=slice(0, n_traces),
            table_path=_beside(path, ".ch"),
        )
        names = meta.channel_names[:n_traces]
        super().__init__(meta.sampling_frequency, names, segment.traces.dtype)
        self.add_recording_segment(segment)
        self.set_channel_gains(meta.gains_to_uV[:n_traces])
        self.set_channel_offsets(0.0)
        if not load_sync_channel and meta.file_name.band != "lf" and "imroTbl" in meta.fields:
            probe = probe_of_meta(meta.path, meta.fields)
            set_neuropixels_probe(self, probe, meta.file_name.stream)
        self._kwargs = {
            "folder_path": str(path.parent),
            "load_sync_channel": load_sync_channel,
            "cbin_file_path": str(path),
        }


def read_cbin_ibl(
    folder_path: str | Path | None = None,
    load_sync_channel: bool = False,
    stream_name: str = "ap",
    cbin_file_path: str | Path | None = None,
) -> CompressedBinaryIblExtractor:
    """Open a compressed recording of the IBL; see `CompressedBinaryIblExtractor`."""
    return CompressedBinaryIblExtractor(folder_path, load_sync_channel, stream_name, cbin_file_path)


def read_cbin(
    file_path: str | Path, ch_file_path: str | Path | None = None
) -> CbinRecordingExtractor:
    """Open a recording that mtscomp compressed; see `CbinRecordingExtractor`."""
    return CbinRecordingExtractor(file_path, ch_file_path)


def _cbin_file(
    folder_path: str | Path | None, stream_name: str, cbin_file_path: str | Path | None
) -> Path:
    if cbin_file_path is not None:
        return Path(cbin_file_path).absolute()
    if folder_path is None:
        msg = "Give folder_path, or cbin_file_path."
        raise ParameterError(msg)
    band = "lf" if stream_name == "lp" else stream_name
    if band not in {"ap", "lf"}:
        msg = f"stream_name must be 'ap' or 'lf'; got {stream_name!r}."
        raise ParameterError(msg)
    folder = Path(folder_path).absolute()
    found = sorted([*folder.glob(f"*{band}.cbin"), *folder.glob(f"*.{band}.*.cbin")])
    if not found:
        msg = f"{folder} has no file ...{band}.cbin."
        raise MissingFileError(2, msg)
    if len(found) > 1:
        names = ", ".join(path.name for path in found[:5])
        msg = f"{folder} has several: {names}. Choose one with cbin_file_path=...."
        raise DataError(msg)
    return found[0]


def _beside(path: Path, suffix: str) -> Path:
    """Return the file of the same name; IBL puts an identifier between name and suffix."""
    same = path.with_suffix(suffix)
    if same.is_file():
        return same
    stem = path.name.partition(".ap.")[0].partition(".lf.")[0]
    band = ".lf." if ".lf." in path.name else ".ap."
    others = sorted(path.parent.glob(f"{stem}{band}*{suffix[1:]}")) if band in path.name else []
    return others[0] if len(others) == 1 else same


def _recognise_ibl(peek: Peek) -> Recognition:
    if peek.is_folder:
        if peek.has("*.cbin") and peek.has("*.meta") and not peek.has("*.bin"):
            return known(Certainty.GUESS, "it has .cbin and .meta files, which read_spikeglx opens")
        return unknown("it has no .cbin and .meta files")
    return unknown("it is no folder")


def _recognise(peek: Peek) -> Recognition:
    if peek.suffix != ".cbin" or peek.is_folder:
        return unknown("it does not end in .cbin")
    if not peek.path.with_suffix(".ch").is_file():
        return unknown("there is no .ch file beside it")
    if peek.path.with_suffix(".meta").is_file():
        return known(Certainty.NAME, "it ends in .cbin")
    return known(Certainty.LAYOUT, "it has a .ch file beside it")


READERS = (
    Reader(
        name="cbin",
        kind="recording",
        recognise=_recognise,
        read=read_cbin,
        function="read_cbin",
        extensions=(".cbin",),
        description="flat files that mtscomp compressed",
    ),
    Reader(
        name="cbin_ibl",
        kind="recording",
        recognise=_recognise_ibl,
        read=read_cbin_ibl,
        function="read_cbin_ibl",
        extensions=(".cbin",),
        description="compressed recordings of the IBL",
    ),
)
"""Readers of this module."""
