"""``spikeloom demo``."""

import typer


def demo() -> None:
    """Placeholder."""
    raise typer.Exit(1)
