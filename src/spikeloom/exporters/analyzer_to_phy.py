"""Write a sorting analyzer as a dataset that phy, and everything that reads phy's files, opens.

Templates, amplitudes and features are those of the analyzer, in its units; what it lacks is
computed on the way, without changing it. Nothing is whitened: the whitening matrix is the identity.

Source: https://phy.readthedocs.io (dataset format).
"""

import logging
import os
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from spikeloom.analyzer.analyzer import SortingAnalyzer
from spikeloom.core.sparsity import ChannelSparsity
from spikeloom.core.writing import write_binary_recording
from spikeloom.errors import ParameterError
from spikeloom.exporters.analyzer_copies import (
    checked_analyzer,
    compute_missing,
    refuse_sources_inside,
    working_copy,
)
from spikeloom.exporters.phy_analyzer_arrays import (
    PhyExport,
    write_channels,
    write_features,
    write_spikes,
    write_templates,
    write_waveforms,
)
from spikeloom.exporters.phy_projections import n_components_of
from spikeloom.exporters.phy_unit_tables import unit_tables
from spikeloom.storage.staged_saves import TakenError, staged_save

logger = logging.getLogger(__name__)

RAW_NAME = "recording.dat"
"""File of the raw data."""

_N_CHANNELS_DENSE_MAX = 64
"""More channels than this are too many to be looked at for each unit."""

_N_COMPONENTS = 5
"""Components that are computed where there are none."""


@dataclass(frozen=True, slots=True)
class _Raw:
    """Where the raw data will be."""

    path: Path | None
    dtype: np.dtype[Any]
    offset_bytes: int = 0


def export_to_phy(
    sorting_analyzer: SortingAnalyzer,
    output_folder: str | Path,
    compute_pc_features: bool = True,
    compute_amplitudes: bool = True,
    sparsity: ChannelSparsity | None = None,
    copy_binary: bool = True,
    remove_if_exists: bool = False,
    template_mode: str = "average",
    dtype: DTypeLike | None = None,
    add_quality_metrics: bool = True,
    add_template_metrics: bool = True,
    additional_properties: Iterable[str] | None = None,
    use_relative_path: bool = False,
    verbose: bool = True,
    *,
    add_waveforms: bool = False,
    **job_kwargs: Any,
) -> None:
    """Write a phy dataset; it is there as a whole or not at all.

    Parameters
    ----------
    sorting_analyzer : SortingAnalyzer
        Of one segment. It is not changed: extensions that it lacks are computed for the export
        only. To keep them, compute them first.
    output_folder : str or Path
        Folder to make.
    compute_pc_features : bool, default True
        Write the features of all spikes.
    compute_amplitudes : bool, default True
        Write the amplitudes of all spikes.
    sparsity : ChannelSparsity, optional
        Channels of each unit, for a dense analyzer; a sparse one has its own.
    copy_binary : bool, default True
        Write the traces to ``recording.dat``. Without, the dataset refers to the file that the
        recording is read from, if it is a flat one.
    remove_if_exists : bool, default False
        Replace what is at `output_folder`, at the very end.
    template_mode : str, default "average"
        Which templates: "average", "median", …
    dtype : dtype, optional
        Of ``recording.dat``; that of the recording by default.
    add_quality_metrics, add_template_metrics : bool, default True
        Write these metrics, if they were computed, as columns of phy's table of clusters.
    additional_properties : list of str, optional
        Properties of units to write likewise.
    use_relative_path : bool, default False
        Write the place of the raw data relative to `output_folder`, so that both can be moved.
    verbose : bool, default True
        Say how to open the dataset.
    add_waveforms : bool, default False
        Write the waveforms of the chosen spikes, which phy shows in place of the raw data.
    **job_kwargs
        See `spikeloom.set_global_job_kwargs`.

    Raises
    ------
    ParameterError
        If there are several segments, no spikes, or `sparsity` is not of these units and channels.
    MissingExtensionError
        If something is to be computed, but there is no recording.
    WriteError
        If something is at `output_folder` already (also a FileExistsError then), or a file cannot
        be written.

    Notes
    -----
    Clusters are units that have spikes, counted from 0; ``cluster_si_unit_ids.tsv`` has their ids.
    Amplitudes and templates are in microvolts if the analyzer is, the raw data are as they were.

    Examples
    --------
    >>> import tempfile
    >>> from spikeloom.analyzer.creation import create_sorting_analyzer
    >>> from spikeloom.generation import generate_ground_truth_recording
    >>> recording, sorting = generate_ground_truth_recording([2.0], num_units=3, seed=0)
    >>> analyzer = create_sorting_analyzer(sorting, recording)
    >>> folder = Path(tempfile.mkdtemp()) / "phy"
    >>> export_to_phy(analyzer, folder, verbose=False, progress_bar=False)
    >>> np.load(folder / "templates.npy").shape[0]
    3
    """
    target = Path(output_folder).absolute()
    _check(sorting_analyzer, target, replaces=remove_if_exists)
    if sparsity is not None and not sorting_analyzer.is_sparse():
        _check_sparsity(sorting_analyzer, sparsity)
    working = working_copy(sorting_analyzer)
    raw = _raw_of(working, target, dtype, is_copied=copy_binary)
    needed = _n_bytes(working, raw if copy_binary else None, has_features=compute_pc_features)
    tables = {
        "quality_metrics": add_quality_metrics,
        "template_metrics": add_template_metrics,
    }
    with staged_save(target, overwrite=remove_if_exists, needed_bytes=needed) as staging:
        folder = staging.path
        folder.mkdir()
        names = ["templates", "template_similarity"]
        names += ["spike_amplitudes"] if compute_amplitudes else []
        names += ["waveforms", "principal_components"] if compute_pc_features else []
        names += ["waveforms"] if add_waveforms else []
        components = {"principal_components": {"n_components": _N_COMPONENTS}}
        compute_missing(working, names, job_kwargs, components)
        export = _planned(working, sparsity, template_mode)
        write_spikes(export, folder, has_amplitudes=compute_amplitudes)
        write_templates(export, folder)
        groups = write_channels(export, folder)
        if compute_pc_features:
            write_features(export, folder, job_kwargs)
        if add_waveforms:
            write_waveforms(export, folder)
        contents = unit_tables(
            sorting_analyzer,
            export.units,
            groups[working.main_channel_indices[export.units]],
            extension_names=[name for name, is_wanted in tables.items() if is_wanted],
            properties=additional_properties or (),
        )
        for name, content in contents.items():
            (folder / name).write_bytes(content)
        if copy_binary and raw.path is not None:
            write_binary_recording(
                working.recording, folder / RAW_NAME, dtype=raw.dtype, **job_kwargs
            )
        params = _params(working, raw, target, is_relative=use_relative_path)
        (folder / "params.py").write_text(params, encoding="utf-8")
    if verbose:
        logger.info("Open it with: spikeloom template-gui %s", target / "params.py")


def _check(analyzer: SortingAnalyzer, target: Path, *, replaces: bool) -> None:
    if checked_analyzer(analyzer).get_num_segments() != 1:
        msg = (
            f"A phy dataset has one segment, but there are {analyzer.get_num_segments()}: "
            "concatenate the recording and the sorting, or export an analyzer of one segment."
        )
        raise ParameterError(msg)
    if analyzer.sorting.spike_table().n_spikes == 0:
        msg = "No unit has a spike; a phy dataset needs at least one."
        raise ParameterError(msg)
    if target.is_file() or (target.is_dir() and any(target.iterdir())):
        if not replaces:
            msg = f"{target} exists already: pass remove_if_exists=True, or give another folder."
            raise TakenError(17, msg)
        refuse_sources_inside(analyzer, target)


def _planned(
    analyzer: SortingAnalyzer, sparsity: ChannelSparsity | None, template_mode: str
) -> PhyExport:
    counts = np.bincount(
        analyzer.sorting.spike_table().unit_index, minlength=analyzer.get_num_units()
    )
    units = np.flatnonzero(counts)
    if units.size < counts.size:
        absent = analyzer.unit_ids[counts == 0].tolist()
        warnings.warn(
            f"Units without spikes are left out of the phy dataset: {absent}.", stacklevel=3
        )
    used = _used_sparsity(analyzer, sparsity)
    mask = np.ones((counts.size, analyzer.get_num_channels()), bool)
    if used is not None:
        mask = used.mask.copy()
        is_nowhere = ~mask.any(axis=1)
        mask[is_nowhere, analyzer.main_channel_indices[is_nowhere]] = True
    return PhyExport(analyzer, units, mask[units], used is not None, template_mode)


def _used_sparsity(
    analyzer: SortingAnalyzer, sparsity: ChannelSparsity | None
) -> ChannelSparsity | None:
    if analyzer.sparsity is not None:
        if sparsity is not None:
            message = "The analyzer is sparse, so its own sparsity is used instead of the given."
            warnings.warn(message, stacklevel=4)
        return analyzer.sparsity
    if sparsity is None:
        if analyzer.get_num_channels() > _N_CHANNELS_DENSE_MAX:
            message = (
                f"The dataset has {analyzer.get_num_channels()} channels for each unit, which is "
                "large and hard to look at: give a sparsity, or use a sparse analyzer."
            )
            warnings.warn(message, stacklevel=4)
        return None
    return sparsity


def _check_sparsity(analyzer: SortingAnalyzer, sparsity: Any) -> None:
    if not isinstance(sparsity, ChannelSparsity):
        msg = f"sparsity must be a ChannelSparsity or None; got {type(sparsity).__name__}."
        raise ParameterError(msg)
    for what in ("unit_ids", "channel_ids"):
        theirs, ours = getattr(sparsity, what).tolist(), getattr(analyzer, what).tolist()
        if theirs != ours:
            msg = f"sparsity has {what} {theirs[:8]}, but the analyzer has {ours[:8]}."
            raise ParameterError(msg)


def _raw_of(
    analyzer: SortingAnalyzer, target: Path, dtype: DTypeLike | None, *, is_copied: bool
) -> _Raw:
    wanted = np.dtype(analyzer.get_dtype() if dtype is None else dtype)
    if not (analyzer.has_recording() or analyzer.has_temporary_recording()):
        message = f"The dataset will have no raw data. {analyzer.why_no_recording()}"
        warnings.warn(message, stacklevel=3)
        return _Raw(None, wanted)
    if is_copied:
        return _Raw(target / RAW_NAME, wanted.newbyteorder("="))
    recording = analyzer.recording
    if recording.is_binary_compatible():
        known = recording.get_binary_description()
        if len(known["file_paths"]) == 1 and known["time_axis"] == 0:
            path = Path(known["file_paths"][0]).absolute()
            return _Raw(path, np.dtype(known["dtype"]), int(known["file_offset"]))
    message = (
        "The dataset will have no raw data, as the recording is not a flat file that phy reads; "
        "copy_binary=True writes one."
    )
    warnings.warn(message, stacklevel=3)
    return _Raw(None, wanted)


def _n_bytes(analyzer: SortingAnalyzer, raw: _Raw | None, *, has_features: bool) -> int:
    """Return about how much the large files will take."""
    n_channels = analyzer.get_num_channels()
    n_bytes = 0
    if raw is not None and raw.path is not None:
        n_bytes = analyzer.get_total_samples() * n_channels * raw.dtype.itemsize
    if has_features and analyzer.sparsity is not None:
        n_components = _N_COMPONENTS
        if analyzer.has_extension("principal_components"):
            n_components = n_components_of(analyzer)
        width = int(analyzer.sparsity.mask.sum(axis=1).max(initial=0))
        n_bytes += analyzer.sorting.spike_table().n_spikes * width * n_components * 4
    return n_bytes


def _params(analyzer: SortingAnalyzer, raw: _Raw, target: Path, *, is_relative: bool) -> str:
    place: object = []
    if raw.path is not None:
        place = os.path.relpath(raw.path, target) if is_relative else str(raw.path)
    dtype = raw.dtype.name if raw.dtype.isnative else raw.dtype.str
    lines = [
        f"dat_path = {place!r}",
        f"n_channels_dat = {analyzer.get_num_channels()}",
        f"dtype = {dtype!r}",
        f"offset = {raw.offset_bytes}",
        f"sample_rate = {float(analyzer.sampling_frequency)!r}",
        f"hp_filtered = {bool(analyzer.is_filtered())}",
    ]
    return "\n".join(lines) + "\n"
