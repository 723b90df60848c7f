"""The cluster tables, the snippet line and the menus, by mouse and keyboard."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from browser.conftest import OpenPage
from browser.gui import Gui
from conftest import CopyDataset
from spikeloom.app.server import AppServer

SELECTED_COLORS = ["rgb(8, 146, 252)", "rgb(255, 2, 2)", "rgb(152, 255, 0)"]


@pytest.fixture
def gui(copy_dataset: CopyDataset, serve: Callable[[Path], AppServer], open_page: OpenPage) -> Gui:
    folder = copy_dataset("hybrid_np24_dev", has_raw=False)
    return open_page(serve(folder / "params.py").entrance)


def test_a_click_on_a_header_sorts_ascending_then_descending(gui: Gui) -> None:
    header = gui.view("ClusterView").locator(".table-header button", has_text="id").first
    header.click()
    gui.settle()
    assert gui.shown_ids("ClusterView") == sorted(gui.shown_ids("ClusterView"))
    header.click()
    gui.settle()
    shown = gui.shown_ids("ClusterView")
    assert shown == sorted(shown, reverse=True)
    gui.snippet("s n_spikes")
    n_spikes = {row["id"]: row["n_spikes"] for row in gui.received[1]["rows"]}
    shown = gui.shown_ids("ClusterView")
    assert [n_spikes[i] for i in shown] == sorted((n_spikes[i] for i in shown), reverse=True)


def test_a_filter_hides_rows_and_escape_shows_them_again(gui: Gui) -> None:
    box = gui.view("ClusterView").locator("input.filter")
    n_all = len(gui.shown_ids("ClusterView"))
    box.fill("KSLabel == 'good' && n_spikes > 100")
    box.press("Enter")
    gui.settle()
    rows = {row["id"]: row for row in gui.received[1]["rows"]}
    expected = {i for i, r in rows.items() if r["KSLabel"] == "good" and r["n_spikes"] > 100}
    assert set(gui.shown_ids("ClusterView")) == expected
    count = gui.view("ClusterView").locator(".table-count")
    expect(count).to_contain_text(f"{len(expected)} / {n_all} shown")
    box.fill("n_spikes >")
    box.press("Enter")
    gui.settle()
    expect(box).to_have_class("filter has-error")
    assert "a value is missing" in gui.status()
    assert set(gui.shown_ids("ClusterView")) == expected, "a filter in error changes nothing"
    box.press("Escape")
    gui.settle()
    assert len(gui.shown_ids("ClusterView")) == n_all


def test_selected_rows_wear_phys_colours_in_the_order_of_selection(gui: Gui) -> None:
    a, b, c = gui.shown_ids("ClusterView")[:3]
    gui.click_row("ClusterView", b)
    gui.click_row("ClusterView", a, modifiers=["Control"])
    gui.click_row("ClusterView", c, modifiers=["Control"])
    for cluster_id, color in zip((b, a, c), SELECTED_COLORS, strict=True):
        expect(gui.row("ClusterView", cluster_id)).to_have_css("background-color", color)
    gui.click_row("ClusterView", a, modifiers=["Control"])
    expect(gui.row("ClusterView", c)).to_have_css("background-color", SELECTED_COLORS[1])


def test_shift_click_selects_the_rows_in_between(gui: Gui) -> None:
    shown = gui.shown_ids("ClusterView")
    gui.click_row("ClusterView", shown[1])
    gui.click_row("ClusterView", shown[4], modifiers=["Shift"])
    assert gui.update["best"] == shown[1:5]


def test_ctrl_right_click_moves_clusters_between_the_tables(gui: Gui) -> None:
    best = gui.shown_ids("ClusterView")[0]
    gui.click_row("ClusterView", best)
    similar = gui.shown_ids("SimilarityView")[0]
    gui.click_row("SimilarityView", similar)
    gui.click_row("SimilarityView", similar, modifiers=["Control"], button="right")
    assert (gui.update["best"], gui.update["similar"]) == ([similar, best], [])
    gui.click_row("ClusterView", similar, modifiers=["Control"], button="right")
    assert (gui.update["best"], gui.update["similar"]) == ([best], [similar])


def test_moving_clusters_by_key_colours_their_rows_and_goes_on(gui: Gui) -> None:
    first, second = gui.shown_ids("ClusterView")[:2]
    gui.press("Home", "Alt+n")
    expect(gui.row("ClusterView", first)).to_have_attribute("data-group", "noise")
    assert gui.update["best"] == [second]
    similar = gui.shown_ids("SimilarityView")
    gui.press("Space")
    assert gui.update["similar"] == [next(i for i in similar if i != first)], "noise is skipped"
    gui.press("Shift+m")
    assert gui.update["best"] == [second]
    assert gui.update["rows"][0]["group"] == "mua"


def test_holding_a_key_down_does_not_pile_up_steps(gui: Gui) -> None:
    gui.press("Home")
    for _ in range(20):
        gui.page.keyboard.down("ArrowDown")
    gui.page.keyboard.up("ArrowDown")
    gui.settle()
    n_steps = sum(m["type"] == "wizard_step" for m in gui.sent)
    assert 1 < n_steps <= 21


def test_a_wrong_snippet_says_why_and_stays_open(gui: Gui) -> None:
    gui.page.keyboard.press(":")
    box = gui.page.locator(".snippet-line input")
    box.fill("nonsense 3")
    box.press("Enter")
    expect(gui.page.locator(".snippet-error")).to_contain_text('There is no snippet ":nonsense"')
    box.press("Escape")
    expect(gui.page.locator(".snippet-line")).to_have_count(0)


def test_every_menu_opens_and_every_key_in_the_help_is_listed_once(gui: Gui) -> None:
    for menu in ("File", "Edit", "Select", "View", "Help"):
        gui.page.locator(".menu-bar").get_by_text(menu, exact=True).click()
        expect(gui.page.get_by_role("menu")).to_be_visible()
        assert gui.page.get_by_role("menuitem").count() > 0
        gui.page.locator(".menu-backdrop").click(position={"x": 900, "y": 500})
    gui.press("h")
    text = gui.page.get_by_role("dialog", name="Keys and snippets").inner_text()
    for word in ("Ctrl+Shift+Z", ":cb", "Select the first similar clusters", ":wn", "Alt+PgDn"):
        assert word in text
    gui.press("Escape")
    expect(gui.page.get_by_role("dialog")).to_have_count(0)


def test_two_pages_show_the_same_session(gui: Gui, open_page: OpenPage, serve) -> None:
    entrance = gui.page.url
    other_page = gui.page.context.new_page()
    other_page.goto(entrance)
    other = Gui(other_page)
    expect(other_page.locator("[data-view=ClusterView] .table-row").first).to_be_visible()
    gui.press("Home")
    first = gui.shown_ids("ClusterView")[0]
    expect(other.row("ClusterView", first)).to_have_class("table-row is-selected")
    gui.press("Alt+g")
    expect(other.row("ClusterView", first)).to_have_attribute("data-group", "good")


def test_quitting_with_unsaved_edits_asks_first(gui: Gui) -> None:
    gui.press("Home", "Alt+g")
    gui.page.keyboard.press("Control+q")
    dialog = gui.page.locator("dialog")
    expect(dialog).to_contain_text("Save before quitting?")
    dialog.get_by_text("Cancel").click()
    expect(dialog).to_have_count(0)
    gui.page.keyboard.press("Control+q")
    gui.page.locator("dialog").get_by_text("Save and quit").click()
    expect(gui.page.locator(".curtain")).to_contain_text("spikeloom has stopped")
