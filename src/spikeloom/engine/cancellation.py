"""Give up work that nobody waits for any more."""

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

    __slots__ = ("_is_cancelled",)

    def __init__(self) -> None:
        self._is_cancelled = False

    def cancel(self) -> None:
        """Ask the worker to stop at its next check."""
        self._is_cancelled = True

    @property
    def is_cancelled(self) -> bool:
        """Whether `cancel` was called."""
        return self._is_cancelled

    def check(self) -> None:
        """Raise `Cancelled` if the work is no longer wanted."""
        if self._is_cancelled:
            msg = "The request was withdrawn."
            raise Cancelled(msg)
