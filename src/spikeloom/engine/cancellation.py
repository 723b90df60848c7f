"""Give up work that nobody waits for any more."""

import threading

from spikeloom.errors import Cancelled


class CancelToken:
    """A flag that the asker raises and the worker looks at between steps.

    Examples
    --------
    >>> token = CancelToken()
    >>> token.check()
    >>> token.cancel()
    >>> token.check()
    Traceback (most recent call last):
    spikeloom.errors.Cancelled: The request was withdrawn.
    """

    __slots__ = ("_event",)

    def __init__(self) -> None:
        self._event = threading.Event()

    def cancel(self) -> None:
        """Ask the worker to stop at its next check."""
        self._event.set()

    @property
    def is_cancelled(self) -> bool:
        """Whether `cancel` was called."""
        return self._event.is_set()

    def check(self) -> None:
        """Raise `Cancelled` if the work is no longer wanted."""
        if self._event.is_set():
            msg = "The request was withdrawn."
            raise Cancelled(msg)
