"""``spikeloom demo``: a made-up recording, sorted with errors that are there to be mended."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import typer
from numpy.typing import NDArray
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from spikeloom.app.sessions import open_session
from spikeloom.cli.reporting import console, errors_for_people, warn
from spikeloom.cli.serving import BROWSER_OPTION, HOST_OPTION, PORT_OPTION, serve
from spikeloom.exporters.phy_dataset import PhyContent, export_phy_dataset
from spikeloom.generation.ground_truth import make_ground_truth
from spikeloom.generation.sorter_labels import label_clusters
from spikeloom.generation.sorting_errors import Flaw, FlawedSorting, sort_with_errors
from spikeloom.generation.truth_traces import iterate_traces
from spikeloom.storage.staged_folder import refuse_used_folder

DURATION_MIN_S = 5.0
"""Shorter recordings have too few spikes to look at."""

_N_LABELLED = 3

Report = Callable[[str, float], None]
"""Takes what is going on and its share that is done, from 0 to 1."""


def make_demo_dataset(
    folder: Path, *, duration_s: float, seed: int, on_progress: Report | None = None
) -> tuple[Flaw, ...]:
    """Write the dataset of the demonstration; return what is wrong with its clusters.

    Parameters
    ----------
    folder : Path
        New folder, or an empty one.
    duration_s : float
        Length of the recording.
    seed : int
        The same seed and duration give the same files.
    on_progress : callable, optional
        Told what is going on.

    Returns
    -------
    tuple of Flaw
        What a person can mend.

    Raises
    ------
    ParameterError
        If the folder holds something already, or the recording would be too short.
    """
    report = on_progress or _tell_nobody
    refuse_used_folder(folder)
    truth = make_ground_truth(duration_s=duration_s, seed=seed)
    sorting = sort_with_errors(truth, seed=seed)
    sorter_labels = label_clusters(
        sorting.spike_samples,
        sorting.spike_clusters,
        n_samples=truth.n_samples,
        sampling_frequency=truth.sampling_frequency,
    )
    content = PhyContent(
        spike_samples=sorting.spike_samples,
        spike_clusters=sorting.spike_clusters,
        channel_positions=truth.channel_positions,
        sampling_frequency=truth.sampling_frequency,
        gain_uV=truth.gain_uV,
        labels={"group": _first_groups(sorting), "KSLabel": sorter_labels},
        n_window_samples=truth.templates_uV.shape[1],
    )

    def chunks() -> Iterator[NDArray[np.int16]]:
        n_done = 0
        for chunk in iterate_traces(truth):
            yield chunk
            n_done += len(chunk)
            report("Recording", n_done / truth.n_samples)

    export_phy_dataset(
        folder, content, chunks(), on_progress=lambda share: report("Sorting", share)
    )
    return sorting.flaws


def demo(
    *,
    folder: Path | None = typer.Option(
        None, help="New folder for the dataset; a temporary one by default."
    ),
    duration_s: float = typer.Option(
        60.0, min=DURATION_MIN_S, help="Length of the recording in seconds."
    ),
    seed: int = typer.Option(0, min=0, help="Another seed gives other neurons."),
    browser: bool = BROWSER_OPTION,
    host: str = HOST_OPTION,
    port: int = PORT_OPTION,
) -> None:
    """Make up a recording and a sorting with errors, and open them in the browser."""
    with errors_for_people():
        target = folder or Path(tempfile.mkdtemp(prefix="spikeloom-")) / "demo"
        with _progress_bars() as report:
            flaws = make_demo_dataset(target, duration_s=duration_s, seed=seed, on_progress=report)
        console.print(f"A recording of {duration_s:g} s is in", soft_wrap=True)
        console.print(f"  {target}", soft_wrap=True, markup=False)
        console.print("Its sorting has errors for you to find and mend:")
        for sentence in _sentences(flaws):
            console.print(f"  {sentence}.", soft_wrap=True, markup=False)
        try:
            app_session = open_session(target)
            for text in app_session.model.warnings:
                warn(text)
            serve(app_session, host=host, port=port, opens_browser=browser)
        finally:
            console.print(
                f"The dataset stays in {escape(str(target))}. Open it again with\n"
                f"  spikeloom template-gui {escape(str(target / 'params.py'))}",
                soft_wrap=True,
            )


def _first_groups(sorting: FlawedSorting) -> dict[int, str]:
    """Return a few labels as if somebody had begun to curate: good ones, of good clusters."""
    flawed = {cluster_id for flaw in sorting.flaws for cluster_id in flaw.cluster_ids}
    fine = sorted(set(sorting.spike_clusters.tolist()) - flawed)
    return dict.fromkeys(fine[:_N_LABELLED], "good")


def _sentences(flaws: tuple[Flaw, ...]) -> list[str]:
    """Return one sentence for each flaw; those about clusters that are no neuron are joined."""
    own = [flaw.sentence for flaw in flaws if flaw.kind not in {"noise", "multi_unit"}]
    others = [flaw.sentence for flaw in flaws if flaw.kind in {"noise", "multi_unit"}]
    return [*own, "; ".join([*others[:1], *(text.lower() for text in others[1:])])]


@contextmanager
def _progress_bars() -> Iterator[Report]:
    """Show a bar for each thing that is reported."""
    columns = (TextColumn("{task.description:<10}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        tasks = {name: progress.add_task(name, total=1.0) for name in ("Recording", "Sorting")}
        yield lambda name, share: progress.update(tasks[name], completed=share)


def _tell_nobody(_what: str, _share: float) -> None:
    """Stand in where nobody wants to know."""
