"""``spikeloom``: the command line."""

import typer

from spikeloom import __version__
from spikeloom.cli.convert import convert
from spikeloom.cli.demo import demo
from spikeloom.cli.describe import describe
from spikeloom.cli.experiment import experiment
from spikeloom.cli.kwik_describe import kwik_describe
from spikeloom.cli.template_describe import template_describe
from spikeloom.cli.template_gui import template_gui
from spikeloom.cli.traces import traces

app = typer.Typer(
    name="spikeloom",
    help="The workbench for spike-sorted electrophysiology.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
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


app.command("template-gui")(template_gui)
app.command("template-describe")(template_describe)
app.command("kwik-describe")(kwik_describe)
app.command("traces")(traces)
app.add_typer(experiment)
app.command("describe")(describe)
app.command("convert")(convert)
app.command("demo")(demo)
