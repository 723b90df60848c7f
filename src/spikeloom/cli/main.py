"""``spikeloom``: the command line."""

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from spikeloom import __version__

COMMANDS = {
    "template-gui": "Look at and curate a dataset in the browser (KiloSort, SpyKING CIRCUS, phy).",
    "template-describe": "Tell what a dataset holds.",
    "kwik-describe": "Tell what a Kwik dataset holds.",
    "traces": "Look at raw data in the browser: one file, or several one after the other.",
    "experiment": "Folders of raw data and arrays, with one metadata.json that says what is what.",
    "describe": "Say what a file or folder is: its format, channels, units, duration, probe.",
    "convert": "Write a file or folder in another format, and compare the copy with it.",
    "demo": "Make up a recording and a sorting with errors, and open them in the browser.",
}
"""Commands with what they do; the module of each, of the same name, is imported when it is run."""


class LateCommands(TyperGroup):
    """Imports what a command needs when it is run, and nothing to list them."""

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401 - typer's own
        super().__init__(**settings)
        self.commands = {name: TyperCommand(name, help=text) for name, text in COMMANDS.items()}

    def resolve_command(
        self,
        ctx: Any,  # noqa: ANN401 - a private class of typer
        args: list[str],
    ) -> tuple[str | None, Any, list[str]]:
        """Return the name of the command that was typed, the command, and its arguments."""
        name, _, rest = super().resolve_command(ctx, args)
        return name, load_command(str(name)), rest


def load_command(name: str) -> object:
    """Import a command."""
    attribute = name.replace("-", "_")
    found = getattr(import_module(f"spikeloom.cli.{attribute}"), attribute)
    if isinstance(found, typer.Typer):
        return typer.main.get_command(found)
    alone = typer.Typer(add_completion=False)
    alone.command(name, context_settings=_SETTINGS)(found)
    return typer.main.get_command(alone)


_SETTINGS = {"help_option_names": ["-h", "--help"]}

app = typer.Typer(
    name="spikeloom",
    cls=LateCommands,
    help="The workbench for spike-sorted electrophysiology.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings=_SETTINGS,
)


def _print_version(is_asked: bool) -> None:  # noqa: FBT001 - typer calls it so
    if is_asked:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def main(
    *,
    version: bool = typer.Option(
        False,
        "--version",
        callback=_print_version,
        is_eager=True,
        help="Print the version and stop.",
    ),
) -> None:
    """Look at, curate and save spike-sorted recordings."""
