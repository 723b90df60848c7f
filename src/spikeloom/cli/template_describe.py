"""``spikeloom template-describe``: tell what a phy dataset holds."""

from pathlib import Path

import typer

from spikeloom.cli.reporting import errors_for_people, warn
from spikeloom.datasets.template_loading import load_template_model


def template_describe(
    params_path: Path = typer.Argument(..., help="params.py of the dataset, or its folder."),
    *,
    trust_params: bool = typer.Option(
        False,
        "--trust-params/--no-trust-params",
        help="Run params.py as Python, as phy does. Only for files whose author you trust.",
    ),
) -> None:
    """Tell what a dataset holds."""
    with errors_for_people():
        model = load_template_model(params_path, trust_params=trust_params)
    for text in model.warnings:
        warn(text)
    typer.echo("\n".join(f"{name:<24}{value}" for name, value in model.describe().items()))
