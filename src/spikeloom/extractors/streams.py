"""The choice among the streams of a recording system."""

from collections.abc import Sequence
from typing import Any

from spikeloom.errors import ParameterError


def chosen_stream(
    stream_ids: Sequence[str],
    stream_names: Sequence[str],
    *,
    stream_id: Any = None,
    stream_name: str | None = None,
    where: object,
    default: int | None = None,
) -> int:
    """Return the position of the stream that was asked for.

    Parameters
    ----------
    stream_ids, stream_names : list of str
        Those that are there.
    stream_id, stream_name : str, optional
        The wanted one; not needed if there is only one.
    where : object
        The file or folder, for messages.
    default : int, optional
        Position of what is taken if nothing is asked for.

    Raises
    ------
    ParameterError
        If there is no such stream, several and none was asked for, or both do not fit.

    Examples
    --------
    >>> chosen_stream(["0", "1"], ["ap", "lf"], stream_name="lf", where="rat_g0")
    1
    >>> chosen_stream(["0", "1"], ["ap", "lf"], where="rat_g0")
    Traceback (most recent call last):
    spikeloom.errors.ParameterError: rat_g0 has several streams: choose one with
    stream_name='ap' (stream_id='0'), stream_name='lf' (stream_id='1').
    """
    listed = ", ".join(
        f"stream_name={name!r} (stream_id={id_!r})"
        for id_, name in zip(stream_ids, stream_names, strict=True)
    )
    if not stream_ids:
        msg = f"{where} has no streams of traces."
        raise ParameterError(msg)
    if stream_id is None and stream_name is None:
        if len(stream_ids) == 1 or default is not None:
            return default or 0
        msg = f"{where} has several streams: choose one with {listed}."
        raise ParameterError(msg)
    found = [
        k
        for k, (id_, name) in enumerate(zip(stream_ids, stream_names, strict=True))
        if stream_id in {None, id_} or str(stream_id) == id_
        if stream_name in {None, name}
    ]
    if len(found) == 1:
        return found[0]
    wanted = {"stream_id": stream_id, "stream_name": stream_name}
    told = " and ".join(f"{key}={value!r}" for key, value in wanted.items() if value is not None)
    why = "no stream" if not found else f"{len(found)} streams"
    msg = f"{where} has {why} with {told}. There are {listed}."
    raise ParameterError(msg)
