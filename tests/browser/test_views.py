"""The graphical views: they draw, follow, scale, hide, float, and leave the page."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from browser.conftest import OpenPage, wait_for
from browser.gui import Gui
from conftest import CopyDataset
from spikeloom.app.server import AppServer

PLOTS = [
    "WaveformView",
    "FeatureView",
    "AmplitudeView",
    "CorrelogramView",
    "ISIView",
    "TraceView",
]


@pytest.fixture
def gui(copy_dataset: CopyDataset, serve: Callable[[Path], AppServer], open_page: OpenPage) -> Gui:
    folder = copy_dataset("hybrid_np24_dev")
    gui = open_page(serve(folder / "params.py").entrance)
    gui.select(2, 8)
    gui.wait_until_idle()
    return gui


def show_tab(gui: Gui, title: str) -> None:
    gui.page.locator(".dv-tab", has_text=title).first.click()
    gui.wait_until_idle()


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_every_view_draws_and_labels_its_axes(gui: Gui, theme: str) -> None:
    if theme == "light":
        gui.page.locator(".menu-bar").get_by_text("View", exact=True).click()
        gui.page.get_by_text("Light theme").click()
        gui.wait_until_idle()
    for view in PLOTS:
        assert gui.n_colors(view) > 8, f"{view} looks empty"
    show_tab(gui, "Firing rate")
    assert gui.n_colors("FiringRateView") > 3
    axes = {
        "AmplitudeView": ["time (s)", "template amplitude (template units)", "spikes"],
        "CorrelogramView": ["lag (ms)"],
        "FiringRateView": ["time (s)", "rate (Hz)"],
        "TraceView": ["time (s)", "channel"],
        "FeatureView": ["PC units"],
        "WaveformView": ["1 ms", "raw units"],
    }
    for view, texts in axes.items():
        shown = gui.view(view).inner_text() + " ".join(
            gui.view(view).locator("svg text").all_text_contents()
        )
        for text in texts:
            assert text in shown, f"{view} does not show {text!r}"
    show_tab(gui, "ISI")
    labels = gui.view("ISIView").locator("svg text").all_text_contents()
    assert "inter-spike interval (ms)" in labels


def test_tick_texts_do_not_overlap(gui: Gui) -> None:
    for view in PLOTS:
        ticks = gui.view(view).locator("svg text.tick.x")
        boxes = ticks.evaluate_all(
            "texts => texts.map(t => t.getBoundingClientRect()).map(b => [b.left, b.right, b.top])"
        )
        for k, (left, right, top) in enumerate(boxes):
            for other_left, other_right, other_top in boxes[k + 1 :]:
                apart = right <= other_left or other_right <= left or abs(top - other_top) > 6
                assert apart, f"ticks of {view} overlap"


def test_snippets_and_wheels_change_the_correlograms(gui: Gui) -> None:
    gui.snippet("cb 0.5")
    gui.wait_for_requests("bin_ms=0.5")
    gui.snippet("cw 30")
    gui.wait_until_idle()
    info = gui.view("CorrelogramView").locator(".view-info")
    expect(info).to_contain_text("bin 0.50 ms, window 30 ms")
    box = gui.plot_box("CorrelogramView")
    gui.page.mouse.move(box["x"] + 100, box["y"] + 100)
    gui.page.keyboard.down("Control")
    gui.page.mouse.wheel(0, -100)
    gui.page.keyboard.up("Control")
    gui.wait_until_idle()
    expect(info).to_contain_text("window 36 ms")


def test_waveforms_cycle_through_their_kinds(gui: Gui) -> None:
    info = gui.view("WaveformView").locator(".view-info")
    expect(info).to_contain_text("spikes")
    gui.press("w")
    gui.wait_until_idle()
    expect(info).to_contain_text("mean waveforms")
    gui.press("w")
    gui.wait_until_idle()
    expect(info).to_contain_text("templates")
    gui.press("Shift+w", "m")
    gui.wait_until_idle()
    expect(info).to_contain_text("200 of 550 spikes")
    gui.snippet("wn 20")
    gui.wait_until_idle()
    expect(info).to_contain_text("40 of")


def test_ctrl_click_on_a_waveform_changes_the_channels_of_the_features(gui: Gui) -> None:
    info = gui.view("FeatureView").locator(".view-info")
    before = info.inner_text()
    gui.click_plot("WaveformView", 0.15, 0.2, "Control")
    gui.wait_until_idle()
    assert info.inner_text() != before
    channel = re.search(r"Channel (\d+) is axis 0", gui.status())
    assert channel is not None
    expect(info).to_contain_text(f"0 = {channel.group(1)}")


def test_amplitudes_cycle_and_feature_choice_is_followed(gui: Gui) -> None:
    info = gui.view("AmplitudeView").locator(".view-info")
    gui.press("a")
    gui.wait_until_idle()
    expect(info).to_contain_text("raw amplitude")
    gui.press("a")
    gui.wait_until_idle()
    expect(info).to_contain_text("feature")
    gui.click_plot("FeatureView", 0.38, 0.12, "Alt")  # x: channel 1, component A
    gui.wait_until_idle()
    assert "component=0" in gui.data_requests[-1] or "channel=" in gui.data_requests[-1]


def test_the_trace_view_moves_by_keys_and_to_spikes(gui: Gui) -> None:
    info = gui.view("TraceView").locator(".view-info")
    gui.press("Alt+Home")
    gui.wait_until_idle()
    expect(info).to_contain_text("0.000 s to 0.250 s")
    gui.press("Alt+ArrowRight")
    gui.wait_until_idle()
    expect(info).to_contain_text("0.025 s to 0.275 s")
    gui.snippet("tg 5")
    gui.snippet("ts -0.5")
    gui.wait_until_idle()
    expect(info).to_contain_text("4.375 s to 4.625 s")
    gui.press("Alt+PageDown")
    gui.wait_until_idle()
    reply = [m for m in gui.received if m["type"] == "reply" and m.get("time_s")][-1]
    assert reply["time_s"] > 4.5
    start = float(info.inner_text().split(" s")[0])
    assert start == pytest.approx(reply["time_s"] - 0.125, abs=2e-3)
    gui.press("Alt+s")
    gui.wait_until_idle()
    expect(info).to_contain_text("spikes of all clusters")


def test_a_hidden_view_asks_once_for_the_last_selection_when_it_is_shown(gui: Gui) -> None:
    show_tab(gui, "Firing rate")
    gui.page.wait_for_timeout(500)  # let what is fetched ahead come in
    gui.data_requests.clear()
    gui.select(0)
    gui.select(8)
    gui.select(16)
    gui.wait_until_idle()
    assert not [url for url in gui.data_requests if "/isi?" in url]
    show_tab(gui, "ISI")
    asked = gui.wait_for_requests("/isi?")
    assert "clusters=16&" in asked[0]
    assert not [url for url in asked if "clusters=0&" in url or "clusters=8&" in url]


def test_a_selection_that_was_fetched_ahead_is_shown_without_asking(gui: Gui) -> None:
    gui.press("Home")
    gui.wait_until_idle(quiet_s=1.0)
    gui.data_requests.clear()
    likely = gui.update["likely"][0]
    gui.press("Space")
    gui.wait_until_idle(quiet_s=0.05)
    selected = gui.update["best"] + gui.update["similar"]
    assert selected == likely
    asked = [url for url in gui.data_requests if "clusters=" + "%2C".join(map(str, likely)) in url]
    assert not [url for url in asked if "/waveforms?" in url or "/features?" in url]


def test_zooming_keeps_axes_and_double_click_resets(gui: Gui) -> None:
    def ticks() -> list[str]:
        return gui.view("AmplitudeView").locator("svg text.tick.x").all_text_contents()

    before = ticks()
    box = gui.plot_box("AmplitudeView")
    gui.page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + box["height"] * 0.5)
    for _ in range(5):
        gui.page.mouse.wheel(0, -300)
    gui.page.wait_for_timeout(150)
    assert ticks() != before
    gui.page.mouse.dblclick(box["x"] + box["width"] * 0.4, box["y"] + box["height"] * 0.5)
    gui.page.wait_for_timeout(150)
    assert ticks() == before


def test_views_are_added_floated_popped_out_and_closed(gui: Gui) -> None:
    gui.page.locator(".menu-bar").get_by_text("View", exact=True).click()
    gui.page.get_by_role("menuitem", name="Add Waveform").click()
    gui.wait_until_idle()
    expect(gui.view("WaveformView (1)")).to_be_visible()
    tab = gui.page.locator(".dv-tab", has_text="Waveform (1)")
    tab.click(button="right")
    gui.page.get_by_text("Float", exact=True).click()
    gui.wait_until_idle()
    assert gui.n_colors("WaveformView (1)") > 8
    with gui.page.context.expect_page() as opened:
        gui.page.locator(".dv-tab", has_text="Correlogram").click(button="right")
        gui.page.get_by_text("Open in New Window").click()
    popout = opened.value
    expect(popout.locator("[data-view-id=CorrelogramView] .plot")).to_be_visible()
    popout.wait_for_timeout(500)
    popout.keyboard.press("n")
    gui.expect_status("All cells share one scale.")
    gui.select(8)
    expect(popout.locator("[data-view-id=CorrelogramView] .view-info")).to_contain_text("195")
    popout.close()
    gui.page.wait_for_timeout(300)
    expect(gui.view("CorrelogramView")).to_be_visible()
    tab = gui.page.locator(".dv-tab", has_text="Waveform (1)")
    tab.locator(".dv-default-tab-action").click()
    expect(gui.view("WaveformView (1)")).to_have_count(0)


def test_layout_and_settings_are_there_again_after_a_reload(gui: Gui, own_folders: Path) -> None:
    gui.snippet("cb 2")
    show_tab(gui, "Firing rate")
    gui.page.locator(".dv-tab", has_text="Trace").locator(".dv-default-tab-action").click()
    state = own_folders / "state" / "template-gui" / "state.json"

    def kept_panels() -> list[str]:
        layout = json.loads(state.read_text())["layout"] if state.exists() else None
        return list(layout["dock"]["panels"]) if layout else ["TraceView"]

    wait_for(lambda: "TraceView" not in kept_panels())
    gui.page.reload()
    gui.wait_until_ready()
    expect(gui.view("FiringRateView")).to_be_visible()
    expect(gui.view("TraceView")).to_have_count(0)
    expect(gui.view("CorrelogramView").locator(".view-info")).to_contain_text("bin 2 ms")
    gui.page.locator(".menu-bar").get_by_text("View", exact=True).click()
    gui.page.get_by_text("Reset the layout").click()
    gui.wait_until_idle()
    expect(gui.view("TraceView")).to_be_visible()


def test_a_view_that_stopped_following_keeps_its_clusters(gui: Gui) -> None:
    gui.page.locator(".dv-tab", has_text="ISI").click(button="right")
    gui.page.get_by_text("Stop following the selection").click()
    gui.data_requests.clear()
    gui.select(0)
    gui.wait_until_idle()
    assert not [u for u in gui.data_requests if "/isi?" in u and "clusters=0&" in u]
    expect(gui.view("ISIView").locator(".view-info")).to_contain_text("550")


def test_a_picture_of_a_view_can_be_saved(gui: Gui, tmp_path: Path) -> None:
    gui.page.locator(".dv-tab", has_text="Amplitude").click(button="right")
    with gui.page.expect_download() as download:
        gui.page.get_by_text("Save picture").click()
    path = tmp_path / "view.png"
    download.value.save_as(path)
    assert path.read_bytes().startswith(b"\x89PNG")
    assert path.stat().st_size > 5_000


def test_without_raw_data_each_view_says_what_is_missing(
    copy_dataset: CopyDataset, serve: Callable[[Path], AppServer], open_page: OpenPage
) -> None:
    folder = copy_dataset("phy_template_phydata")
    gui = open_page(serve(folder / "params.py").entrance)
    gui.press("Home", "Space")
    gui.wait_until_idle()
    expect(gui.view("TraceView").locator(".view-note")).to_contain_text(
        "sim_binary.dat is not there"
    )
    expect(gui.view("WaveformView").locator(".view-info")).to_contain_text("templates")
    assert gui.n_colors("WaveformView") > 8
    assert gui.n_colors("FeatureView") > 8
