"""``spikeloom traces``: raw data without spikes, alone on the page."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect

from browser.conftest import Command, OpenPage
from browser.gui import Gui
from making.hashes import folder_state

LOCUST = ("--n-channels=4", "--dtype=int16", "--sample-rate=15000")


@pytest.fixture
def open_traces(
    run_command: Callable[..., Command], open_page: OpenPage
) -> Callable[..., tuple[Command, Gui]]:
    def open_them(*arguments: object) -> tuple[Command, Gui]:
        command = run_command("traces", *map(str, arguments))
        gui = open_page(command.entrance, is_ready=False)
        expect(gui.page.locator(".connection")).to_have_text("connected")
        expect(gui.view("TraceView")).to_be_visible()
        gui.wait_until_idle()
        return command, gui

    return open_them


@pytest.fixture
def locust_parts(data_folder: Path, tmp_path: Path) -> list[Path]:
    """The locust tetrode in two files."""
    raw = np.fromfile(data_folder / "locust_tdc" / "locust_trial_01.raw", "<i2").reshape(-1, 4)
    folder = tmp_path / "session"
    folder.mkdir()
    parts = [folder / "20160101_1.dat", folder / "20160101_2.dat"]
    raw[:150_000].tofile(parts[0])
    raw[150_000:].tofile(parts[1])
    return parts


def test_a_flat_file_is_shown_with_the_trace_view_alone(
    open_traces: Callable[..., tuple[Command, Gui]], data_folder: Path, tmp_path: Path
) -> None:
    path = data_folder / "locust_tdc" / "locust_trial_01.raw"
    command, gui = open_traces(path, *LOCUST)
    assert gui.n_colors("TraceView") > 8
    shown = gui.view("TraceView")
    expect(shown.locator(".view-info")).to_have_text("14.260 s to 14.510 s · 4 channels, raw")
    assert "spikes" not in gui.page.locator(".status-bar").inner_text()
    assert "clusters" not in gui.page.locator(".status-bar").inner_text()
    menus = gui.page.locator(".menu-bar .menu > button").all_inner_texts()
    assert menus == ["File", "View", "Help"]
    gui.page.locator(".menu-bar").get_by_text("View", exact=True).click()
    assert [
        text for text in gui.page.locator(".menu-list").inner_text().split("\n") if "Add" in text
    ] == ["Add Trace"]
    gui.page.keyboard.press("Escape")
    assert gui.page.locator("[data-view=ClusterView]").count() == 0
    gui.screenshot(tmp_path / "traces.png")
    command.interrupt()
    assert command.process.returncode == 0


def test_edits_of_clusters_are_refused_in_words(
    open_traces: Callable[..., tuple[Command, Gui]], locust_parts: list[Path]
) -> None:
    before = folder_state(locust_parts[0].parent)
    _, gui = open_traces(*locust_parts, *LOCUST)
    for key in ("g", "Control+s", "Control+z"):
        gui.page.keyboard.press(key)
        gui.expect_status("these are raw data without spikes")
    assert not [message for message in gui.sent if message["type"] != "keep_state"]
    gui.press("Alt+r")
    gui.wait_until_idle()
    assert folder_state(locust_parts[0].parent) == before


def test_where_a_file_begins_is_marked_and_gone_to(
    open_traces: Callable[..., tuple[Command, Gui]], locust_parts: list[Path], tmp_path: Path
) -> None:
    _, gui = open_traces(*locust_parts, *LOCUST)
    rule = gui.view("TraceView").locator("text.rule-text")
    assert rule.count() == 0
    gui.page.keyboard.press("Alt+Shift+PageUp")
    gui.wait_until_idle()
    expect(rule).to_have_text("20160101_2.dat")
    expect(gui.view("TraceView").locator(".view-info")).to_contain_text("9.875 s to 10.125 s")
    assert gui.n_colors("TraceView") > 8
    gui.screenshot(tmp_path / "edge.png")
    gui.page.keyboard.press("Alt+Shift+PageDown")
    gui.expect_status("This is the last file.")


def test_a_known_format_needs_no_options_and_its_channels_have_names(
    open_traces: Callable[..., tuple[Command, Gui]], data_folder: Path, tmp_path: Path
) -> None:
    _, gui = open_traces(data_folder / "blackrock_repack" / "rat128.ns5")
    expect(gui.view("TraceView").locator(".view-info")).to_contain_text("128 channels, raw")
    assert gui.n_colors("TraceView") > 8
    assert gui.view("TraceView").locator("text.mark").count() > 30
    gui.screenshot(tmp_path / "ns5.png")


def test_long_names_of_channels_stand_beside_their_traces(
    open_traces: Callable[..., tuple[Command, Gui]], data_folder: Path
) -> None:
    _, gui = open_traces(data_folder / "hybrid_np24_dev")
    names = gui.view("TraceView").locator("text.mark")
    assert sorted(names.all_text_contents()) == sorted(f"AP{k}" for k in range(24))
    left = gui.view("TraceView").bounding_box()
    label = gui.view("TraceView").locator("text.axis.y").bounding_box()
    boxes = [one.bounding_box() for one in names.all()]
    assert left is not None
    assert label is not None
    for box in boxes:  # neither cut off nor over the label of the axis
        assert box is not None
        assert box["x"] >= max(left["x"], label["x"] + label["width"])
