"""How the command line tells people of errors and of what goes on."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.markup import escape

from spikeloom.errors import SpikeloomError

console = Console(stderr=True, highlight=False)
"""Where notes for people go; results go to standard output."""


@contextmanager
def errors_for_people() -> Iterator[None]:
    """Show errors made for people as one sentence and stop with status 1."""
    try:
        yield
    except SpikeloomError as error:
        text = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
        console.print(f"[bold red]Error:[/] {escape(text)}", soft_wrap=True)
        raise typer.Exit(1) from None


def warn(text: str) -> None:
    """Show a warning."""
    console.print(f"[yellow]Warning:[/] {escape(text)}", soft_wrap=True)
