"""``spikeloom experiment``: folders of raw data and arrays with one file that says what is what."""

from pathlib import Path
from typing import Any

import typer

from spikeloom.cli.reporting import console, errors_for_people
from spikeloom.datasets.experiment import Experiment
from spikeloom.datasets.experiment_creation import (
    create_experiment,
    experiment_problems,
)

experiment = typer.Typer(
    name="experiment",
    help="Folders of raw data and arrays, with one metadata.json that says what is what.",
    no_args_is_help=True,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_FOLDER = typer.Argument(..., help="Folder of the experiment, or its metadata.json.")


@experiment.command("init")
def init(
    folder: Path = typer.Argument(..., help="Folder; made if there is none."),
    raw_files: list[Path] = typer.Argument(
        None, help="Files of raw data in the order of time; linked if they lie elsewhere."
    ),
    *,
    name: str | None = typer.Option(None, help="Name of the experiment."),
    n_channels: int | None = typer.Option(None, min=1, help="Channels of flat binary files."),
    dtype: str | None = typer.Option(None, help="Type of their values, such as int16."),
    sample_rate: float | None = typer.Option(None, help="Their samples per second (Hz)."),
    offset: int | None = typer.Option(None, min=0, help="Bytes before their values."),
    fortran: bool = typer.Option(
        False, "--fortran/--no-fortran", help="The samples of a channel lie together in them."
    ),
) -> None:
    """Make a folder an experiment: metadata.json, and links to raw data."""
    flat: dict[str, Any] = {
        "n_channels": n_channels,
        "dtype": dtype,
        "sample_rate": sample_rate,
        "offset": offset,
        "fortran": fortran or None,
    }
    with errors_for_people():
        made = create_experiment(
            folder,
            raw_files or (),
            name=name,
            flat={key: value for key, value in flat.items() if value is not None},
        )
    typer.echo(f"{made.base_dir / 'metadata.json'} is written.")


@experiment.command("describe")
def describe(path: Path = _FOLDER) -> None:
    """Tell what an experiment holds."""
    with errors_for_people():
        told = Experiment(path).describe()
    typer.echo("\n".join(f"{key:<24}{text}" for key, text in told.items()))


@experiment.command("check")
def check(path: Path = _FOLDER) -> None:
    """Find what is wrong with an experiment; the exit status is 1 if something is."""
    with errors_for_people():
        problems = experiment_problems(path)
    for problem in problems:
        typer.echo(problem)
    if problems:
        raise typer.Exit(1)
    console.print("Nothing is wrong.")
