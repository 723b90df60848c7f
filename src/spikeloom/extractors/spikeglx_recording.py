"""Recordings of SpikeGLX: probes, OneBoxes and NI boards; also as CatGT and IBL leave them."""

import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spikeloom.core.class_names import stored_as
from spikeloom.core.recording import BaseRecording, BaseRecordingSegment
from spikeloom.errors import DataError, SpikeloomError
from spikeloom.extractors.array_segments import FlatColumnsSegment
from spikeloom.extractors.cbin_segments import CompressedSegment
from spikeloom.extractors.json_files import read_text
from spikeloom.extractors.neuropixels import set_neuropixels_probe
from spikeloom.extractors.peeking import Peek
from spikeloom.extractors.physical_units import set_physical_units
from spikeloom.extractors.reader_registry import Certainty, Reader, Recognition, known, unknown
from spikeloom.extractors.spikeglx_folder import (
    DATA_SUFFIXES,
    SYNC,
    SpikeGLXFile,
    find_spikeglx_files,
    read_metas,
    stream_names,
)
from spikeloom.extractors.spikeglx_meta import SpikeGLXMeta, parse_meta_fields, saved_channels
from spikeloom.extractors.streams import chosen_stream

if TYPE_CHECKING:
    from probeinterface import Probe


@stored_as("spikeinterface.extractors.neoextractors.spikeglx.SpikeGLXRecordingExtractor")
class SpikeGLXRecordingExtractor(BaseRecording):
    """A stream of a run of SpikeGLX.

    Parameters
    ----------
    folder_path : str or Path
        A folder with ``.bin`` (or mtscomp's ``.cbin``) and ``.meta`` files, in it or below; or one
        of these files.
    stream_id, stream_name : str, optional
        Which stream: ``imec0.ap``, ``imec0.lf``, ``nidq``, ``obx0``; with ``-SYNC`` behind it, the
        words of the sync input that were saved with it. Not needed if there is one that is not of
        sync words.
    all_annotations : bool, default False
        Annotate the recording with all that the ``.meta`` file says.
    use_names_as_ids : bool, default False
        Call channels ``AP0`` rather than ``imec0.ap#AP0``.

    Raises
    ------
    MissingFileError, ReadError
        If files are absent or cannot be read.
    DataError
        If a file contradicts itself or another.
    ParameterError
        If there are several streams and none was chosen, or no such stream.

    Notes
    -----
    Gates and triggers are segments, in their order; each begins at the time since the run began.
    Probes are read by probeinterface; the local field's is that of the file of the other band.
    Streams of sync words have no gain.
    """

    def __init__(
        self,
        folder_path: str | Path,
        stream_id: str | None = None,
        stream_name: str | None = None,
        all_annotations: bool = False,
        use_names_as_ids: bool = False,
    ) -> None:
        path = Path(folder_path).absolute()
        pairs = find_spikeglx_files(path)
        names = stream_names(pairs)
        is_single = sum(not name.endswith(SYNC) for name in names) == 1
        position = chosen_stream(
            names,
            names,
            stream_id=stream_id,
            stream_name=stream_name,
            where=path,
            default=0 if is_single else None,
        )
        self.stream_id = self.stream_name = names[position]
        stream = self.stream_name.removesuffix(SYNC)
        metas = read_metas(pairs, stream)
        first = metas[0][1]
        _check_same(metas)
        is_sync = self.stream_name != stream
        n_traces = first.n_channels - first.n_sync
        columns = slice(n_traces, first.n_channels) if is_sync else slice(0, n_traces)
        channel_names = first.channel_names[columns]
        ids = [name if use_names_as_ids else f"{stream}#{name}" for name in channel_names]
        super().__init__(first.sampling_frequency, ids, np.dtype("<i2"))
        for pair, meta in metas:
            self.add_recording_segment(_segment(pair, meta, columns))
        if not use_names_as_ids:
            self.set_property("channel_name", channel_names)
        if not is_sync:
            gains = first.gains_to_uV[columns]
            self.set_channel_gains(gains)
            self.set_channel_offsets(0.0)
            is_probe = stream.startswith("imec")
            set_physical_units(self, *(("uV", gains) if is_probe else ("V", gains * 1e-6)))
        if all_annotations:
            self.annotate(**first.fields)
        if stream.startswith("imec") and not is_sync:
            _set_probe(self, metas[0][0], stream)
        self._kwargs = {
            "folder_path": str(path),
            "stream_id": self.stream_id,
            "all_annotations": all_annotations,
            "use_names_as_ids": use_names_as_ids,
        }

    @classmethod
    def _handle_kwargs_backward_compatibility(
        cls,
        old_kwargs: dict[str, Any],
        full_dict: Any,  # noqa: ARG003 - a protocol
    ) -> dict[str, Any]:
        return {k: v for k, v in old_kwargs.items() if k != "load_sync_channel"}

    @staticmethod
    def get_streams(folder_path: str | Path) -> tuple[list[str], list[str]]:
        """Return the names and the ids of the streams of a folder."""
        names = stream_names(find_spikeglx_files(Path(folder_path).absolute()))
        return names, names


def read_spikeglx(
    folder_path: str | Path,
    stream_id: str | None = None,
    stream_name: str | None = None,
    all_annotations: bool = False,
    use_names_as_ids: bool = False,
) -> SpikeGLXRecordingExtractor:
    """Open a stream of SpikeGLX; see `SpikeGLXRecordingExtractor` for the parameters."""
    return SpikeGLXRecordingExtractor(
        folder_path, stream_id, stream_name, all_annotations, use_names_as_ids
    )


def read_spikeglx_probe(meta_path: str | Path) -> "Probe":
    """Return the probe that a ``.meta`` file describes.

    Parameters
    ----------
    meta_path : str or Path
        The file; traces beside it are not needed.

    Raises
    ------
    MissingFileError
        If it is absent.
    DataError
        If it describes no probe that probeinterface knows.
    """
    path = Path(meta_path)
    return probe_of_meta(path, parse_meta_fields(read_text(path)))


def probe_of_meta(meta_path: Path, fields: dict[str, str]) -> "Probe":
    """Return the probe of a ``.meta`` file whose fields are known; see `read_spikeglx_probe`."""
    import probeinterface  # noqa: PLC0415 - takes a while to import

    if fields.get("snsSaveChanSubset") != "all" and not saved_channels(fields):
        # It would be believed, and ranges of numbers can be as long as one likes.
        msg = f"{meta_path}: snsSaveChanSubset {fields.get('snsSaveChanSubset')!r} is no list."
        raise DataError(msg)
    whole = fields.get("snsSaveChanSubset_orig")
    try:
        if whole is None:
            return probeinterface.read_spikeglx(meta_path)
        # IBL splits the shanks of a probe into files, and keeps here which channels they were.
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "shank.ap.meta"
            lines = {**fields, "snsSaveChanSubset": whole}
            copy.write_text("".join(f"{name}={value}\n" for name, value in lines.items()))
            return probeinterface.read_spikeglx(copy)
    except Exception as error:
        # What it raises on a damaged file is anything: it trusts what it reads.
        msg = f"{meta_path} describes no probe that probeinterface knows: {error!r}."
        raise DataError(msg) from error


def _segment(pair: SpikeGLXFile, meta: SpikeGLXMeta, columns: slice) -> BaseRecordingSegment:
    rate = meta.sampling_frequency
    t_start = meta.first_sample / rate
    if pair.data_path.suffix == ".cbin":
        return CompressedSegment(
            pair.data_path, rate, t_start, n_columns=meta.n_channels, columns=columns
        )
    return FlatColumnsSegment(
        pair.data_path, rate, t_start, n_columns=meta.n_channels, columns=columns
    )


def _check_same(metas: list[tuple[SpikeGLXFile, SpikeGLXMeta]]) -> None:
    """Raise DataError if the segments of a stream have other channels than the first."""
    first = metas[0][1]
    for _, meta in metas[1:]:
        is_same = meta.channel_names == first.channel_names and meta.n_sync == first.n_sync
        if meta.fields.get("imroTbl") != first.fields.get("imroTbl"):
            is_same = is_same and np.array_equal(meta.gains_to_uV, first.gains_to_uV)
        if not is_same or abs(meta.sampling_frequency - first.sampling_frequency) > 1e-3:
            msg = (
                f"{first.path} and {meta.path} differ in channels, gains or sampling frequency, so "
                "they are no segments of one recording: give one file."
            )
            raise DataError(msg)


def _set_probe(recording: BaseRecording, pair: SpikeGLXFile, stream: str) -> None:
    path = pair.meta_path
    if stream.endswith(".lf"):  # its own file tells nothing of contacts
        path = path.with_name(path.name.replace(".lf.", ".ap."))
    try:
        if not path.is_file():
            msg = f"{path} is absent, which describes the probe"
            raise DataError(msg)
        probe = read_spikeglx_probe(path)
        if probe.get_contact_count() != recording.get_num_channels():
            msg = (
                f"{path} describes {probe.get_contact_count()} contacts of "
                f"{recording.get_num_channels()} channels"
            )
            raise DataError(msg)
        set_neuropixels_probe(recording, probe, stream)
    except SpikeloomError as error:
        warnings.warn(
            f"The recording is opened without a probe: {error} Set one with set_probe(...).",
            stacklevel=4,
        )


def _recognise(peek: Peek) -> Recognition:
    if not peek.is_folder:
        meta_path = peek.path.with_suffix(".meta")
        data = [peek.path.with_suffix(suffix) for suffix in DATA_SUFFIXES]
        if not (
            (peek.suffix == ".meta" and any(one.is_file() for one in data))
            or (peek.suffix in DATA_SUFFIXES and meta_path.is_file())
        ):
            return unknown("it is no .bin file with a .meta file beside it")
        if _is_spikeglx_meta(Peek(meta_path)):
            return known(Certainty.CONTENT, "its .meta file is SpikeGLX's")
        return unknown("its .meta file is not SpikeGLX's")
    if peek.has("*.meta") and (peek.has("*.bin") or peek.has("*.cbin")):
        return known(Certainty.LAYOUT, "it has .meta and .bin files")
    for name in peek.names[:64]:
        below = Peek(peek.path / name)
        if "_g" in name and below.is_folder and (below.has("*.meta") or below.has("*_imec*")):
            return known(Certainty.LAYOUT, f"{name} in it has .meta files")
    return unknown("it has no .meta files with .bin files, nor has a folder of a run in it")


def _is_spikeglx_meta(meta: Peek) -> bool:
    return any(name in meta.head for name in (b"SampRate=", b"nSavedChans", b"snsApLfSy"))


def _recognise_probe(peek: Peek) -> Recognition:
    if peek.suffix == ".meta" and not peek.is_folder and _is_spikeglx_meta(peek):
        return known(Certainty.LAYOUT, "it is a .meta file of SpikeGLX")
    return unknown("it is no .meta file of SpikeGLX")


READERS = (
    Reader(
        name="spikeglx",
        kind="recording",
        recognise=_recognise,
        read=read_spikeglx,
        function="read_spikeglx",
        extensions=(".bin", ".meta"),
        description="SpikeGLX: Neuropixels, NI boards and OneBoxes; CatGT's, too",
    ),
    Reader(
        name="spikeglx",
        kind="probe",
        recognise=_recognise_probe,
        read=read_spikeglx_probe,
        function="read_spikeglx_probe",
        extensions=(".meta",),
        description="the probe in a .meta file of SpikeGLX",
    ),
)
"""Readers of this module."""
