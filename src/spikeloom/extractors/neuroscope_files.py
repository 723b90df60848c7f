"""Sessions of NeuroScope and Klusters: clusters of spikes in pairs of ``.res`` and ``.clu`` files.

A ``.res.N`` file has the sample of each spike of electrode group N, a ``.clu.N`` file the number of
clusters and then the cluster of each spike: 0 is noise, 1 what belongs to several neurons.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.class_names import stored_as
from spikeloom.core.recording import BaseRecording
from spikeloom.core.sorting import BaseSorting
from spikeloom.errors import DataError, MissingFileError, ParameterError
from spikeloom.extractors.json_files import read_text
from spikeloom.extractors.listed_spikes import ListedSpikesSorting, as_columns, checked_rate
from spikeloom.extractors.neo_readers import NEO_CLASSES
from spikeloom.extractors.neo_recording import NeoRecordingExtractor
from spikeloom.extractors.peeking import Peek
from spikeloom.extractors.reader_registry import Certainty, Reader, Recognition, known, unknown
from spikeloom.extractors.text_tables import parse_numbers

_NAME = re.compile(r"(.+)\.(res|clu)(?:\.([0-9]{1,6}))?")

_KINDS = ("res", "clu")

_NOISE, _MUA = 0, 1

_N_SETTINGS_BYTES_MAX = 1 << 24

_N_LISTED_BYTES_MAX = 1 << 32

Pair = tuple[int | None, Path, Path]
"""Electrode group, and the files with the samples and the clusters of its spikes."""


@stored_as("spikeinterface.extractors.neoextractors.neuroscope.NeuroScopeSortingExtractor")
class NeuroScopeSortingExtractor(ListedSpikesSorting):
    """Clusters in ``.res`` and ``.clu`` files.

    Parameters
    ----------
    folder_path : str or Path, optional
        Folder with pairs of such files, one for each electrode group.
    resfile_path, clufile_path : str or Path, optional
        Instead of a folder, one pair.
    keep_mua_units : bool, default True
        Keep the clusters 1, of spikes of several neurons.
    exclude_shanks : list of int, optional
        Electrode groups that are left out.
    xml_file_path : str or Path, optional
        The settings, for the sampling frequency; by default the only ``.xml`` file of the folder.

    Raises
    ------
    MissingFileError, ReadError
        If files are absent or cannot be read.
    DataError
        If the files of a pair do not fit each other.
    ParameterError
        If neither a folder nor a pair is given, or if it is not clear which settings are theirs.

    Notes
    -----
    Units are counted from 1 over all groups, also the clusters 0, which are left out. Properties:
    ``group``, ``original_cluster_id``, and ``quality``, "mua" or "sorted".
    """

    def __init__(
        self,
        folder_path: str | Path | None = None,
        resfile_path: str | Path | None = None,
        clufile_path: str | Path | None = None,
        keep_mua_units: bool = True,
        exclude_shanks: Sequence[int] | None = None,
        xml_file_path: str | Path | None = None,
    ) -> None:
        folder, pairs = _pairs_of(folder_path, resfile_path, clufile_path)
        settings = _only_settings(folder) if xml_file_path is None else Path(xml_file_path)
        left_out = {_NOISE} if keep_mua_units else {_NOISE, _MUA}
        trains: list[NDArray[np.int64]] = []
        units: list[tuple[int, int | None, int]] = []
        n_clusters = 0
        for group, samples_path, clusters_path in pairs:
            if group in (exclude_shanks or ()):
                continue
            samples, clusters = _read_pair(samples_path, clusters_path)
            for k, cluster in enumerate(np.unique(clusters).tolist()):
                if cluster not in left_out:
                    units.append((n_clusters + k + 1, group, cluster))
                    trains.append(samples[clusters == cluster])
            n_clusters = units[-1][0] if units else 0
        ids = np.array([unit for unit, _, _ in units], np.int64)
        super().__init__(_sampling_frequency(settings), ids, *as_columns(trains))
        numbers = [cluster for _, _, cluster in units]
        if all(group is not None for _, group, _ in units):
            self.set_property("group", np.array([group for _, group, _ in units], np.int64))
        self.set_property("original_cluster_id", np.array(numbers, np.int64))
        qualities = ["mua" if cluster == _MUA else "sorted" for cluster in numbers]
        self.set_property("quality", np.array(qualities, np.str_))
        is_folder = folder_path is not None
        self._kwargs = {
            "folder_path": str(folder) if is_folder else None,
            "resfile_path": None if is_folder else str(pairs[0][1]),
            "clufile_path": None if is_folder else str(pairs[0][2]),
            "keep_mua_units": keep_mua_units,
            "exclude_shanks": None if exclude_shanks is None else list(exclude_shanks),
            "xml_file_path": str(settings.absolute()),
        }


def read_neuroscope_recording(
    file_path: str | Path,
    xml_file_path: str | Path | None = None,
    stream_id: str | None = None,
    stream_name: str | None = None,
    all_annotations: bool = False,
    use_names_as_ids: bool = False,
) -> NeoRecordingExtractor:
    """Open traces of NeuroScope, by neo.

    Parameters
    ----------
    file_path : str or Path
        The ``.xml`` file, or the ``.dat``, ``.lfp`` or ``.eeg`` file beside it.
    xml_file_path : str or Path, optional
        The settings, if they have another name than the traces.
    stream_id, stream_name, all_annotations, use_names_as_ids
        As for `NeoRecordingExtractor`.
    """
    return NEO_CLASSES["neuroscope"](
        file_path,
        stream_id,
        stream_name,
        all_annotations=all_annotations,
        use_names_as_ids=use_names_as_ids,
        xml_file_path=xml_file_path,
    )


def read_neuroscope_sorting(
    folder_path: str | Path | None = None,
    resfile_path: str | Path | None = None,
    clufile_path: str | Path | None = None,
    keep_mua_units: bool = True,
    exclude_shanks: Sequence[int] | None = None,
    xml_file_path: str | Path | None = None,
) -> NeuroScopeSortingExtractor:
    """Read clusters in ``.res`` and ``.clu`` files; see `NeuroScopeSortingExtractor`."""
    return NeuroScopeSortingExtractor(
        folder_path, resfile_path, clufile_path, keep_mua_units, exclude_shanks, xml_file_path
    )


def read_neuroscope(
    file_path: str | Path,
    stream_id: str | None = None,
    keep_mua_units: bool = False,
    exclude_shanks: Sequence[int] | None = None,
    load_recording: bool = True,
    load_sorting: bool = False,
) -> BaseRecording | BaseSorting | tuple[BaseRecording, BaseSorting]:
    """Open the recording, the sorting or both of a session of NeuroScope.

    Parameters
    ----------
    file_path : str or Path
        The ``.xml`` file; ``.res`` and ``.clu`` files are in its folder.
    stream_id : str, optional
        Which stream of the recording.
    keep_mua_units : bool, default False
        Keep the clusters 1, of spikes of several neurons.
    exclude_shanks : list of int, optional
        Electrode groups that are left out of the sorting.
    load_recording : bool, default True
        Open the recording.
    load_sorting : bool, default False
        Open the sorting.

    Returns
    -------
    NeoRecordingExtractor, NeuroScopeSortingExtractor, or a tuple of both

    Raises
    ------
    ParameterError
        If neither is wanted.
    """
    opened: list[Any] = []
    if load_recording:
        opened.append(NEO_CLASSES["neuroscope"](file_path, stream_id=stream_id))
    if load_sorting:
        folder = Path(file_path).absolute().parent
        opened.append(
            NeuroScopeSortingExtractor(
                folder,
                keep_mua_units=keep_mua_units,
                exclude_shanks=exclude_shanks,
                xml_file_path=file_path,
            )
        )
    if not opened:
        msg = "Ask for something: load_recording=True, load_sorting=True, or both."
        raise ParameterError(msg)
    return opened[0] if len(opened) == 1 else tuple(opened)


def _pairs_of(
    folder_path: str | Path | None,
    samples_path: str | Path | None,
    clusters_path: str | Path | None,
) -> tuple[Path, list[Pair]]:
    """Return the folder, and the pairs of files in the order of their names."""
    if folder_path is None and samples_path is not None and clusters_path is not None:
        samples, clusters = Path(samples_path).absolute(), Path(clusters_path).absolute()
        matched = _NAME.fullmatch(samples.name)
        group = int(matched[3]) if matched and matched[3] else None
        return samples.parent, [(group, samples, clusters)]
    if folder_path is None or samples_path is not None or clusters_path is not None:
        msg = "Give either folder_path, or both resfile_path and clufile_path."
        raise ParameterError(msg)
    folder = Path(folder_path).absolute()
    if not folder.is_dir():
        msg = f"There is no folder {folder}."
        raise MissingFileError(2, msg)
    found: dict[tuple[str, str | None], dict[str, Path]] = {}
    for path in sorted(folder.iterdir()):
        matched = _NAME.fullmatch(path.name)
        if matched and path.is_file():
            found.setdefault((matched[1], matched[3]), {})[matched[2]] = path
    if not found:
        msg = f"{folder} has no .res and .clu files."
        raise MissingFileError(2, msg)
    for pair in found.values():
        if len(pair) < 2:
            (path,) = pair.values()
            msg = f"{path} lacks its {'.clu' if 'res' in pair else '.res'} file."
            raise MissingFileError(2, msg)
    return folder, [
        (None if group is None else int(group), pair["res"], pair["clu"])
        for (_, group), pair in found.items()
    ]


def _only_settings(folder: Path) -> Path:
    found = sorted(path for path in folder.iterdir() if path.suffix == ".xml")
    if len(found) != 1:
        msg = (
            f"{folder} has {len(found)} .xml files: give xml_file_path, which has the sampling "
            "frequency."
        )
        raise ParameterError(msg)
    return found[0]


def _sampling_frequency(path: Path) -> float:
    try:
        root = ET.fromstring(read_text(path, _N_SETTINGS_BYTES_MAX))
    except (ET.ParseError, ValueError) as error:
        msg = f"{path} is no XML file: {error}."
        raise DataError(msg) from error
    return checked_rate(root.findtext("acquisitionSystem/samplingRate"), path)


def _read_pair(
    samples_path: Path, clusters_path: Path
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the sample and the cluster of each spike of an electrode group."""
    samples, listed = _numbers(samples_path), _numbers(clusters_path)
    if listed.size != samples.size + 1 and (samples.size or listed.size):
        msg = (
            f"{clusters_path} has {listed.size} numbers; the number of clusters, and one for each "
            f"of the {samples.size} spikes of {samples_path.name}, are expected."
        )
        raise DataError(msg)
    if samples.size and samples.min() < 0:
        msg = f"{samples_path}: spikes cannot be before the recording, at {samples.min()}."
        raise DataError(msg)
    return samples, listed[1:]


def _numbers(path: Path) -> NDArray[np.int64]:
    """Return the whole numbers of a file, one in each line."""
    try:
        table = parse_numbers(read_text(path, _N_LISTED_BYTES_MAX).splitlines(), np.int64)
    except (ValueError, OverflowError) as error:
        msg = f"{path} must have a whole number in each line: {error}."
        raise DataError(msg) from error
    if table.shape[1] != 1:
        msg = f"{path} has {table.shape[1]} numbers in each line; one is expected."
        raise DataError(msg)
    return table[:, 0]


def _read(path: str | Path, **kwargs: Any) -> NeuroScopeSortingExtractor:
    """Open a folder, or the pair that a file is of."""
    matched = _NAME.fullmatch(Path(path).name)
    if matched is None or Path(path).is_dir():
        return NeuroScopeSortingExtractor(path, **kwargs)
    end = f".{matched[3]}" if matched[3] else ""
    samples, clusters = (Path(path).with_name(f"{matched[1]}.{kind}{end}") for kind in _KINDS)
    return NeuroScopeSortingExtractor(None, samples, clusters, **kwargs)


def _recognise(peek: Peek) -> Recognition:
    if not peek.is_folder:
        if _NAME.fullmatch(peek.path.name):
            return known(Certainty.NAME, "it is called as spikes of NeuroScope are")
        return unknown("it is no .res or .clu file, and no folder of them")
    found = {matched[2] for name in peek.names if (matched := _NAME.fullmatch(name))}
    if found == set(_KINDS):
        return known(Certainty.LAYOUT, "it has .res and .clu files")
    return unknown("it is no folder with .res and .clu files")


READERS = (
    Reader(
        name="neuroscope",
        kind="sorting",
        recognise=_recognise,
        read=_read,
        function="read_neuroscope_sorting",
        extensions=(".clu", ".res"),
        description="clusters of NeuroScope and Klusters",
    ),
)
"""Readers of this module."""
