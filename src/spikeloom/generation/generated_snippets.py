"""Snippets of made-up recordings."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from spikeloom.core.numpy_snippets import NumpySnippets
from spikeloom.core.snippet_extraction import snippets_from_sorting
from spikeloom.generation.generated_sortings import SortingGenerator, generate_sorting
from spikeloom.generation.mock_recordings import generate_recording
from spikeloom.generation.random_streams import given_or_new_seed


def generate_snippets(
    nbefore: int = 20,
    nafter: int = 44,
    num_channels: int = 2,
    wf_folder: str | Path | None = None,
    sampling_frequency: float = 30000.0,
    durations: Sequence[float] = (10.325, 3.5),
    set_probe: bool = True,
    ndim: int = 2,
    num_units: int = 5,
    empty_units: Sequence[Any] | None = None,
    *,
    seed: int | None = None,
    **job_kwargs: Any,
) -> tuple[NumpySnippets, SortingGenerator]:
    """Make snippets of noise around made-up spikes, for tests and examples.

    Parameters
    ----------
    nbefore : int, default 20
        Samples of a snippet before the spike.
    nafter : int, default 44
        Samples from the spike on.
    num_channels : int, default 2
        Number of channels.
    wf_folder : str or Path, optional
        Folder to keep the snippets in; in memory by default.
    sampling_frequency : float, default 30000.0
        In Hz.
    durations : list of float, default (10.325, 3.5)
        Length of each segment in seconds.
    set_probe : bool, default True
        Set a linear probe.
    ndim : {2, 3}
        Dimensions of the positions on the probe.
    num_units : int, default 5
        Number of units.
    empty_units : list, optional
        Ids or indices of units that do not fire.
    seed : int, optional
        The same seed gives the same snippets; None is a new seed.
    **job_kwargs
        How the recording is read; see `spikeloom.set_global_job_kwargs`.

    Returns
    -------
    snippets : NumpySnippets
        The snippets of all units.
    sorting : SortingGenerator
        The spikes.

    Examples
    --------
    >>> snippets, sorting = generate_snippets(num_units=2, durations=[10.0], seed=0)
    >>> snippets.get_snippets().shape[1:], sorting.get_num_units()
    ((64, 2), 2)
    """
    seed = given_or_new_seed(seed)
    recording = generate_recording(
        num_channels,
        sampling_frequency,
        durations,
        set_probe=set_probe,
        ndim=ndim,
        seed=seed,
    )
    sorting = generate_sorting(
        num_units, sampling_frequency, durations, empty_units=empty_units, seed=seed
    )
    snippets = snippets_from_sorting(
        recording, sorting, nbefore=nbefore, nafter=nafter, wf_folder=wf_folder, **job_kwargs
    )
    return snippets, sorting
