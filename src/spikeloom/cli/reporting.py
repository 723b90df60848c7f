"""How the command line tells people of errors and of what goes on."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.markup import escape

from spikeloom.errors import SpikeloomError

console = Console(stderr=True, highlight=False)
"""Where notes for people go; results go to standard output."""

_OPTIONS = {
    "sampling_frequency": "--sample-rate",
    "sample_rate": "--sample-rate",
    "num_channels": "--n-channels",
    "n_channels": "--n-channels",
    "stream_name": "--stream",
    "stream_id": "--stream",
    **{name: f"--{name}" for name in ("dtype", "kind", "reader")},
    **{
        name: f"--set {name}"
        for name in ("cbin_file_path", "electrical_series_path", "experiment_name", "time_column")
    },
}
"""Options of the command line that give these arguments of functions."""

_ARGUMENT = re.compile(rf"(?<![\w-])({'|'.join(_OPTIONS)})=")


def with_options(text: str) -> str:
    """Name options where a message for Python names arguments.

    Examples
    --------
    >>> with_options("give sampling_frequency=..., dtype=...")
    'give --sample-rate=..., --dtype=...'
    """
    return _ARGUMENT.sub(lambda found: f"{_OPTIONS[found[1]]}=", text)


@contextmanager
def errors_for_people() -> Iterator[None]:
    """Show errors made for people as one sentence and stop with status 1."""
    try:
        yield
    except SpikeloomError as error:
        text = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
        console.print(f"[bold red]Error:[/] {escape(with_options(text))}", soft_wrap=True)
        raise typer.Exit(1) from None


def warn(text: str) -> None:
    """Show a warning."""
    console.print(f"[yellow]Warning:[/] {escape(text)}", soft_wrap=True)
