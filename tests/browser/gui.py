"""The page as a user sees it: tables, keys, clicks, plots."""

import json
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, WebSocket, expect

IGNORED_FAULTS = (
    "GPU stall",
    # The answer to a request for clusters that an edit took away while it was on its way.
    "status of 409",
)


class Gui:
    """One open page; remembers what it sent and what went wrong."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.faults: list[str] = []
        self.sent: list[dict[str, Any]] = []
        self.received: list[dict[str, Any]] = []
        self.data_requests: list[str] = []
        page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        page.on("console", self._listen_to_console)
        page.on("websocket", self._listen_to_socket)
        page.on("request", self._note_request)

    def _listen_to_console(self, message: Any) -> None:
        is_ignored = any(text in message.text for text in IGNORED_FAULTS)
        if message.type in {"error", "warning"} and not is_ignored:
            self.faults.append(f"console {message.type}: {message.text}")

    def _listen_to_socket(self, socket: WebSocket) -> None:
        socket.on("framesent", lambda text: self.sent.append(json.loads(text)))
        socket.on("framereceived", lambda text: self.received.append(json.loads(text)))

    def _note_request(self, request: Any) -> None:
        if "/data/" in request.url:
            self.data_requests.append(request.url)

    # --- state ----------------------------------------------------------------------------------

    def wait_until_ready(self) -> None:
        expect(self.page.locator(".connection")).to_have_text("connected")
        expect(self.page.locator("[data-view=ClusterView] .table-row").first).to_be_visible()
        self.wait_until_idle()

    def wait_until_idle(self, quiet_s: float = 0.25) -> None:
        """Wait until no view waits for data, and has not for a little while."""
        self.page.wait_for_timeout(60)
        expect(self.page.locator(".status-bar")).to_have_attribute(
            "data-busy", "false", timeout=15_000
        )
        self.page.wait_for_timeout(1000 * quiet_s)

    def wait_for_requests(self, part: str, timeout_s: float = 15.0) -> list[str]:
        """Return the requests for data whose URL has `part` in it, once there are some."""
        end_s = time.monotonic() + timeout_s
        while not (found := [url for url in self.data_requests if part in url]):
            assert time.monotonic() < end_s, f"no request for data with {part!r}"
            self.page.wait_for_timeout(50)
        return found

    @property
    def update(self) -> dict[str, Any]:
        """What the server said last of the session."""
        return [message for message in self.received if message["type"] == "update"][-1]

    def selection(self) -> tuple[list[int], list[int]]:
        """Return the clusters selected in the two tables, as the page shows them."""
        return self.selected("ClusterView"), self.selected("SimilarityView")

    def selected(self, view: str) -> list[int]:
        rows = self.view(view).locator(".table-row.is-selected")
        return sorted(int(row.get_attribute("data-id") or -1) for row in rows.all())

    def status(self) -> str:
        return self.page.locator(".status-text").inner_text()

    def expect_status(self, text: str) -> None:
        expect(self.page.locator(".status-text")).to_contain_text(text)

    # --- tables ---------------------------------------------------------------------------------

    def view(self, name: str) -> Locator:
        return self.page.locator(f"[data-view-id='{name}']")

    def row(self, view: str, cluster_id: int) -> Locator:
        return self.view(view).locator(f".table-row[data-id='{cluster_id}']")

    def shown_ids(self, view: str) -> list[int]:
        """Return the ids of the rows of a table from top to bottom (of those in the page)."""
        rows = self.view(view).locator(".table-row")
        found = rows.evaluate_all(
            "rows => rows.map(r => [r.getBoundingClientRect().top, Number(r.dataset.id)])"
        )
        return [int(cluster_id) for _, cluster_id in sorted(found)]

    def click_row(self, view: str, cluster_id: int, **options: Any) -> None:
        self.row(view, cluster_id).click(**options)
        self.settle()

    def select(self, *cluster_ids: int) -> None:
        """Select clusters with the snippet line, wherever they are in the table."""
        self.snippet("c " + " ".join(map(str, cluster_ids)))

    # --- keys -----------------------------------------------------------------------------------

    def press(self, *chords: str) -> None:
        for chord in chords:
            n_replies = self.n_replies()
            n_sent = len(self.sent)
            self.page.keyboard.press(chord)
            self.page.wait_for_timeout(30)
            if len(self.sent) > n_sent:
                self._wait_for_replies(n_replies + 1)
        self.settle()

    def snippet(self, text: str) -> None:
        n_replies = self.n_replies()
        self.page.keyboard.press(":")
        self.page.locator(".snippet-line input").fill(text)
        self.page.keyboard.press("Enter")
        self.page.wait_for_timeout(30)
        if self.sent and len(self.sent) > n_replies:
            self._wait_for_replies(n_replies + 1)
        self.settle()

    def n_replies(self) -> int:
        return sum(message["type"] == "reply" for message in self.received)

    def _wait_for_replies(self, n: int) -> None:
        deadline = time.monotonic() + 10
        while self.n_replies() < n:
            assert time.monotonic() < deadline, f"no reply to {self.sent[-1]}"
            self.page.wait_for_timeout(10)

    def settle(self) -> None:
        """Let every command be answered and the page show it."""
        deadline = time.monotonic() + 10
        while self.n_replies() < len(self.sent):
            assert time.monotonic() < deadline, f"no reply to {self.sent[-1]}"
            self.page.wait_for_timeout(10)
        self.page.wait_for_timeout(40)

    # --- plots ----------------------------------------------------------------------------------

    def plot_box(self, view: str) -> dict[str, float]:
        box = self.view(view).locator(".plot").bounding_box()
        assert box is not None
        return box

    def click_plot(
        self, view: str, x: float, y: float, *modifiers: str, button: str = "left"
    ) -> None:
        """Click at a place given as shares of the plot's width and height."""
        box = self.plot_box(view)
        for key in modifiers:
            self.page.keyboard.down(key)
        self.page.mouse.click(
            box["x"] + x * box["width"], box["y"] + y * box["height"], button=button
        )
        for key in modifiers:
            self.page.keyboard.up(key)
        self.page.wait_for_timeout(60)

    def lasso(self, view: str, corners: list[tuple[float, float]]) -> dict[str, Any]:
        """Draw a lasso; return the polygon that the page made of it."""
        for x, y in corners:
            self.click_plot(view, x, y, "Control")
        self.settle()
        return [m for m in self.sent if m["type"] == "count_lasso"][-1]["regions"][0]

    def n_colors(self, view: str) -> int:
        """Return how many colours the picture of a view has: an empty one has one or two."""
        shot = self.view(view).locator(".plot canvas").screenshot()
        return self.page.evaluate(
            """async (bytes) => {
                const blob = new Blob([new Uint8Array(bytes)], { type: "image/png" });
                const bitmap = await createImageBitmap(blob);
                const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
                const context = canvas.getContext("2d");
                context.drawImage(bitmap, 0, 0);
                const data = context.getImageData(0, 0, bitmap.width, bitmap.height).data;
                return new Set(new Uint32Array(data.buffer)).size;
            }""",
            list(shot),
        )

    def screenshot(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=path)
