"""``python -m spikeloom``: the command line."""

from spikeloom.cli.main import app

if __name__ == "__main__":
    app(prog_name="spikeloom")
