"""Extract waveforms, as scripts for SpikeInterface up to 0.100 do."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from numpy.typing import DTypeLike

from spikeloom.analyzer.creation import create_sorting_analyzer
from spikeloom.analyzer.waveform_copies import operators_of
from spikeloom.analyzer.waveform_extractor import WaveformExtractor
from spikeloom.analyzer.waveform_facts import check_filtered
from spikeloom.analyzer.waveform_loading import load_waveforms
from spikeloom.analyzer.waveform_saving import place_of, refuse_early, write_waveforms
from spikeloom.core.recording import BaseRecording
from spikeloom.core.sorting import BaseSorting
from spikeloom.core.sparsity import ChannelSparsity
from spikeloom.engine.options import JOB_KEYS, OLD_SPELLINGS
from spikeloom.errors import ParameterError

_MODES = ("folder", "memory")


def extract_waveforms(
    recording: BaseRecording,
    sorting: BaseSorting,
    folder: str | Path | None = None,
    mode: str = "folder",
    precompute_template: Iterable[str] | None = ("average",),
    ms_before: float = 1.0,
    ms_after: float = 2.0,
    max_spikes_per_unit: int | None = 500,
    overwrite: bool | None = None,
    return_scaled: bool = True,
    dtype: DTypeLike | None = None,
    sparse: bool = True,
    sparsity: ChannelSparsity | None = None,
    sparsity_temp_folder: str | Path | None = None,  # noqa: ARG001 - nothing is put anywhere
    num_spikes_for_sparsity: int = 100,
    unit_batch_size: int | None = None,  # noqa: ARG001 - units are done all at once
    allow_unfiltered: bool | None = None,
    use_relative_path: bool | None = None,
    seed: int | None = None,
    load_if_exists: bool | None = None,
    **kwargs: Any,
) -> WaveformExtractor:
    """Extract waveforms of some spikes of each unit, and compute templates.

    For older scripts; new ones better use `create_sorting_analyzer`.

    Parameters
    ----------
    recording : BaseRecording
        The recording, filtered.
    sorting : BaseSorting
        The spikes.
    folder : str or Path, optional
        Where waveforms are kept, for ``mode="folder"``.
    mode : {"folder", "memory"}
        Whether they are kept.
    precompute_template : sequence of {"average", "std", "median"}, optional
        Templates that are computed at once.
    ms_before, ms_after : float
        Milliseconds around a spike.
    max_spikes_per_unit : int or None, default 500
        None for all spikes.
    overwrite : bool, default False
        Replace what is in the folder.
    return_scaled : bool, default True
        In microvolts.
    dtype : dtype, optional
        Of the waveforms; that of the recording by default. Microvolts of whole numbers are float32.
    sparse : bool, default True
        Give each unit channels of its own: those within 100 µm of its main channel, unless the
        options of `estimate_sparsity` say otherwise.
    sparsity : ChannelSparsity, optional
        The channels of each unit.
    num_spikes_for_sparsity : int, default 100
        Spikes of each unit to find its channels by.
    sparsity_temp_folder, unit_batch_size
        Without effect; they mattered before.
    allow_unfiltered : bool, default False
        Take a recording that was not filtered.
    use_relative_path : bool, default False
        Describe the places of recording and sorting as seen from the folder, for folders that are
        taken elsewhere together.
    seed : int, optional
        For the choice of spikes; without it, each call chooses others.
    load_if_exists : bool, default False
        Open what is in the folder, if there is something.
    **kwargs
        Options of `estimate_sparsity` (``method``, ``radius_um``, ``num_channels``, …) and of
        jobs (see `spikeloom.set_global_job_kwargs`).

    Returns
    -------
    WaveformExtractor

    Raises
    ------
    ParameterError
        If the recording is not filtered, or an argument makes no sense.
    WriteError
        If something is in the folder already, or it cannot be written.

    Examples
    --------
    >>> import spikeloom as si
    >>> recording, sorting = si.generate_ground_truth_recording(durations=[2.0], seed=1)
    >>> we = extract_waveforms(recording, sorting, mode="memory", sparse=False, progress_bar=False)
    >>> we.get_waveforms("0").shape[1:], we.get_all_templates().shape
    ((75, 4), (10, 75, 4))
    """
    _check_mode(mode, folder)
    if load_if_exists and overwrite:
        msg = "overwrite=True and load_if_exists=True contradict each other: give one of them."
        raise ParameterError(msg)
    if mode == "folder" and folder is not None:
        if load_if_exists and place_of(folder, "binary").is_dir():
            loaded: Any = load_waveforms(folder)
            return loaded  # type: ignore[no-any-return]
        refuse_early(folder, "binary", overwrite=bool(overwrite))
    check_filtered(recording, allow_unfiltered=bool(allow_unfiltered))
    operators = operators_of(precompute_template or ())
    jobs = {key: one for key, one in kwargs.items() if key in {*JOB_KEYS, *OLD_SPELLINGS}}
    options = {key: one for key, one in kwargs.items() if key not in jobs}
    peak = {key: options[key] for key in ("peak_sign",) if key in options}
    analyzer = create_sorting_analyzer(
        sorting,
        recording,
        sparse=sparse,
        sparsity=sparsity,
        return_in_uV=return_scaled,
        sparsity_kwargs={
            "num_spikes_for_sparsity": num_spikes_for_sparsity,
            "ms_before": ms_before,
            "ms_after": ms_after,
            **options,
        },
        job_kwargs=jobs,
        **peak,
    )
    wanted: dict[str, dict[str, Any]] = {
        "random_spikes": {"max_spikes_per_unit": max_spikes_per_unit, "seed": seed},
        "waveforms": {"ms_before": ms_before, "ms_after": ms_after, "dtype": dtype},
    }
    if operators:
        wanted["templates"] = {"operators": operators}
    wanted["noise_levels"] = {}  # some metrics need them
    analyzer.compute(wanted, **jobs)
    if mode == "folder" and folder is not None:
        analyzer.store = write_waveforms(
            analyzer,
            folder,
            use_relative_path=bool(use_relative_path),
            overwrite=bool(overwrite),
        )
    return WaveformExtractor(analyzer)


def create(
    recording: BaseRecording,
    sorting: BaseSorting,
    folder: str | Path | None,
    mode: str = "folder",
    *,
    overwrite: bool = False,
    use_relative_path: bool = False,
    allow_unfiltered: bool = False,
    sparsity: ChannelSparsity | None = None,
) -> WaveformExtractor:
    """Make a waveform extractor without waveforms; see ``WaveformExtractor.create``."""
    _check_mode(mode, folder)
    if mode == "folder" and folder is not None:
        refuse_early(folder, "binary", overwrite=overwrite)
    check_filtered(recording, allow_unfiltered=allow_unfiltered)
    analyzer = create_sorting_analyzer(sorting, recording, sparse=False, sparsity=sparsity)
    if mode == "folder" and folder is not None:
        analyzer.store = write_waveforms(
            analyzer, folder, use_relative_path=use_relative_path, overwrite=overwrite
        )
    return WaveformExtractor(analyzer)


def _check_mode(mode: str, folder: str | Path | None) -> None:
    if mode not in _MODES:
        msg = f"mode must be 'folder' or 'memory'; got {mode!r}."
        raise ParameterError(msg)
    if mode == "folder" and folder is None:
        msg = "mode='folder' needs a folder: give folder=..., or mode='memory'."
        raise ParameterError(msg)
