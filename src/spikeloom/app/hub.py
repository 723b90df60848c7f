"""The pages that are connected: each has a queue of messages to be sent."""

import asyncio
from typing import Final

import msgspec

from spikeloom.app.messages import AnyMessage

N_QUEUED_MAX = 1000
"""A page that does not read so many messages is disconnected."""


class Page:
    """One connected page."""

    def __init__(self) -> None:
        self.queue: Final[asyncio.Queue[bytes | None]] = asyncio.Queue(N_QUEUED_MAX)

    def send(self, message: AnyMessage) -> None:
        """Queue a message."""
        self.send_text(msgspec.json.encode(message))

    def send_text(self, text: bytes) -> None:
        """Queue an encoded message; a page that is too slow is told to go."""
        try:
            self.queue.put_nowait(text)
        except asyncio.QueueFull:
            while not self.queue.empty():
                self.queue.get_nowait()
            self.queue.put_nowait(None)


class Hub:
    """All connected pages; used on the event loop only."""

    def __init__(self) -> None:
        self._pages: set[Page] = set()

    def join(self) -> Page:
        """Add a page."""
        page = Page()
        self._pages.add(page)
        return page

    def leave(self, page: Page) -> None:
        """Remove a page."""
        self._pages.discard(page)

    def broadcast(self, message: AnyMessage) -> None:
        """Send a message to all pages, encoded once."""
        text = msgspec.json.encode(message)
        for page in list(self._pages):
            page.send_text(text)

    def close(self) -> None:
        """Tell all pages to go."""
        for page in list(self._pages):
            page.queue.put_nowait(None)
