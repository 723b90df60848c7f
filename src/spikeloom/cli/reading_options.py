"""Options of the command line for files that do not say everything themselves."""

import json
from collections.abc import Iterable
from typing import Any

import typer

from spikeloom.errors import ParameterError

STREAM_OPTION = typer.Option(
    None, help="Name or number of the stream, for files that have several."
)

SAMPLE_RATE_OPTION = typer.Option(
    None, help="Samples per second (Hz), for files that do not say it."
)

N_CHANNELS_OPTION = typer.Option(None, min=1, help="Channels of flat binary files.")

DTYPE_OPTION = typer.Option(None, help="Type of the values of flat binary files, such as int16.")

SET_OPTION = typer.Option(
    None,
    "--set",
    metavar="NAME=VALUE",
    help="Another argument of the function that reads the format; may be given several times.",
)


def chosen_stream(stream: str | None) -> dict[str, str]:
    """Return the argument of readers that chooses a stream: a number is an id, all else a name.

    Examples
    --------
    >>> chosen_stream("2"), chosen_stream("imec0.ap"), chosen_stream(None)
    ({'stream_id': '2'}, {'stream_name': 'imec0.ap'}, {})
    """
    if stream is None:
        return {}
    return {"stream_id": stream} if stream.isdigit() else {"stream_name": stream}


def reading_arguments(
    *,
    stream: str | None = None,
    sample_rate: float | None = None,
    n_channels: int | None = None,
    dtype: str | None = None,
    given: Iterable[str] | None = None,
) -> dict[str, Any]:
    """Return arguments for `spikeloom.read` of what was given on the command line.

    Parameters
    ----------
    stream, sample_rate, n_channels, dtype
        What was given, None for nothing.
    given : list of str, optional
        ``name=value`` each; values are read as JSON where they are, else as text.

    Raises
    ------
    ParameterError
        If one of `given` has no name.

    Examples
    --------
    >>> reading_arguments(sample_rate=3e4, given=["keep_good_only=true", "stream_id=0"])
    {'sampling_frequency': 30000.0, 'keep_good_only': True, 'stream_id': 0}
    """
    found: dict[str, Any] = {
        **chosen_stream(stream),
        "sampling_frequency": sample_rate,
        "num_channels": n_channels,
        "dtype": dtype,
    }
    found = {name: value for name, value in found.items() if value is not None}
    for text in given or ():
        name, equals, value = text.partition("=")
        if not equals or not name.isidentifier():
            msg = f"--set takes NAME=VALUE, such as stream_id=0; got {text!r}."
            raise ParameterError(msg)
        try:
            found[name] = json.loads(value)
        except ValueError:
            found[name] = value
    return found
