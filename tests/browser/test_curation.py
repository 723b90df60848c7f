"""The main job, as a user does it: open, look, merge, split, label, undo, save; phylib reads it."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect

from browser.conftest import Command, OpenPage
from browser.gui import Gui
from conftest import CopyDataset
from reference.polygons import is_inside
from spikeloom.app.server import AppServer

READ_BACK = """
import json, sys
from phylib.io.model import load_model
model = load_model(sys.argv[1])
print(json.dumps({
    "clusters": model.spike_clusters.tolist(),
    "metadata": {name: {str(k): v for k, v in values.items()}
                 for name, values in model.metadata.items()},
}))
"""

# Corners of a lasso in the second subplot of the first row (1A against 0A): its left 60 %.
LASSO = [(0.255, 0.01), (0.40, 0.01), (0.40, 0.24), (0.255, 0.24)]


def read_with_phylib(peer_python: Path, params_path: Path) -> dict[str, dict]:
    done = subprocess.run(
        [peer_python, "-c", READ_BACK, params_path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def features_of(folder: Path, spikes: np.ndarray, channel: int, component: int) -> np.ndarray:
    """Look features up one by one, as the files describe them."""
    stored = np.load(folder / "pc_features.npy")
    channels = np.load(folder / "pc_feature_ind.npy").astype(int)
    templates = np.load(folder / "spike_templates.npy").ravel().astype(int)
    ids_path = folder / "pc_feature_spike_ids.npy"
    ids = np.load(ids_path).ravel().tolist() if ids_path.exists() else None
    values = []
    for spike in spikes:
        listed = channels[templates[spike]].tolist()
        if channel not in listed or (ids is not None and spike not in ids):
            values.append(np.nan)
            continue
        row = spike if ids is None else ids.index(spike)
        values.append(stored[row, component, listed.index(channel)])
    return np.array(values)


def check_tables_follow_clicks(gui: Gui) -> None:
    first, second, third = gui.shown_ids("ClusterView")[:3]
    gui.click_row("ClusterView", first)
    assert gui.selection() == ([first], [])
    gui.click_row("ClusterView", third, modifiers=["Control"])
    assert gui.selection()[0] == sorted([first, third])
    gui.click_row("ClusterView", second)
    assert gui.selection() == ([second], [])
    similar = gui.shown_ids("SimilarityView")[0]
    gui.click_row("SimilarityView", similar)
    assert gui.selection() == ([second], [similar])


def check_wizard(gui: Gui) -> None:
    """Go through three pairs with the keyboard."""
    gui.press("Home")
    best = gui.shown_ids("ClusterView")[0]
    assert gui.selection() == ([best], [])
    order = gui.shown_ids("SimilarityView")
    seen = []
    for _ in range(3):
        gui.press("Space")
        seen.append(gui.selection())
    assert seen == [([best], [similar]) for similar in order[:3]]
    gui.press("Shift+Space")
    assert gui.selection() == ([best], [order[1]])
    gui.press("ArrowDown")
    assert gui.selection() == ([gui.shown_ids("ClusterView")[1]], [])


def curate(gui: Gui, folder: Path, pair: tuple[int, int], to_split: int) -> np.ndarray:
    """Merge, split, label, undo twice, redo, save; return the clusters that must come of it."""
    path = folder / "spike_clusters.npy"
    clusters = (
        np.load(path if path.exists() else folder / "spike_templates.npy").ravel().astype(int)
    )
    merged = clusters.max() + 1
    gui.select(*pair)
    gui.press("g")
    gui.expect_status(f"into {merged}")
    assert gui.selection() == ([merged], [])
    clusters[np.isin(clusters, pair)] = merged

    gui.select(to_split)
    gui.wait_until_idle()
    region = gui.lasso("FeatureView", LASSO)
    assert "Lasso:" in gui.status()
    gui.press("k")
    if gui.page.locator("dialog").is_visible():  # some spikes have no features on these channels
        gui.page.get_by_text("Split, leave them outside").click()
        gui.settle()
    members = np.flatnonzero(clusters == to_split)
    x, y = (
        features_of(folder, members, region[axis]["channel"], region[axis]["component"])
        for axis in ("x", "y")
    )
    points = zip(x.tolist(), y.tolist(), strict=True)
    inside = members[[is_inside(a, b, region["vertices"]) for a, b in points]]
    assert 0 < inside.size < members.size, "the lasso of this test must cut the cluster in two"
    extracted, remainder = merged + 1, merged + 2
    assert gui.selection() == ([extracted, remainder], [])
    rows = {row["id"]: row for row in gui.update["rows"]}
    assert rows[extracted]["n_spikes"] == inside.size
    clusters[members] = remainder
    clusters[inside] = extracted

    gui.press("l")
    gui.page.locator("dialog input").fill("note looks odd-ish")
    gui.page.keyboard.press("Enter")
    gui.settle()
    assert gui.row("ClusterView", extracted).inner_text().find("looks odd-ish") >= 0
    gui.press("Control+z", "Control+z")
    assert gui.selection() == ([to_split], []), "undo brings back what was selected"
    gui.press("Control+Shift+z")
    assert gui.selection()[0] == [extracted, remainder], "redo gives the same ids again"
    gui.press("Alt+g")  # moves the best clusters and goes on
    gui.select(merged)
    gui.snippet("l quality 0.5")
    gui.press("Control+s")
    gui.expect_status("Saved")
    return clusters


def check_saved(peer_python: Path, params_path: Path, expected: np.ndarray, merged: int) -> None:
    read = read_with_phylib(peer_python, params_path)
    assert read["clusters"] == expected.tolist()
    groups = read["metadata"]["group"]
    assert groups[str(merged + 1)] == groups[str(merged + 2)] == "good"
    assert read["metadata"]["quality"] == {str(merged): 0.5}
    assert not read["metadata"].get("note"), "the label was undone and the redo stopped before it"


@pytest.mark.peer
@pytest.mark.parametrize(
    ("name", "pair", "to_split"),
    [("hybrid_np24_dev", (1, 20), 2), ("phy_template_phydata", (17, 40), 35)],
)
def test_a_real_dataset_is_curated_in_the_browser_and_phylib_reads_the_result(
    name: str,
    pair: tuple[int, int],
    to_split: int,
    copy_dataset: CopyDataset,
    serve: Callable[[Path], AppServer],
    open_page: OpenPage,
    peer_python: Path,
) -> None:
    folder = copy_dataset(name)
    before = np.load(folder / "spike_clusters.npy")
    gui = open_page(serve(folder / "params.py").entrance)
    check_tables_follow_clicks(gui)
    check_wizard(gui)
    assert np.array_equal(np.load(folder / "spike_clusters.npy"), before)
    expected = curate(gui, folder, pair, to_split)
    check_saved(peer_python, folder / "params.py", expected, int(before.max()) + 1)
    gui.press("F1")
    assert gui.page.get_by_role("dialog").is_visible()


@pytest.mark.peer
def test_the_demo_is_curated_in_the_browser_and_phylib_reads_the_result(
    tmp_path: Path,
    run_command: Callable[..., Command],
    open_page: OpenPage,
    peer_python: Path,
) -> None:
    folder = tmp_path / "demo"
    command = run_command("demo", "--folder", str(folder), "--duration-s", "20")
    gui = open_page(command.entrance)
    check_tables_follow_clicks(gui)
    check_wizard(gui)
    before = np.load(folder / "spike_clusters.npy")
    ids, counts = np.unique(before, return_counts=True)
    by_size = ids[np.argsort(-counts)].tolist()
    expected = curate(gui, folder, (by_size[1], by_size[2]), by_size[0])
    check_saved(peer_python, folder / "params.py", expected, int(before.max()) + 1)


def test_fifty_edits_survive_a_kill_and_are_offered_again(
    copy_dataset: CopyDataset, run_command: Callable[..., Command], open_page: OpenPage
) -> None:
    folder = copy_dataset("hybrid_np24_dev", has_raw=False)
    command = run_command("template-gui", str(folder / "params.py"))
    gui = open_page(command.entrance)
    gui.press("Home")
    for k in range(50):
        gui.snippet(f"l note edit-{k}")
    assert gui.update["n_edits"] == 50
    last = gui.update["best"]
    command.kill()
    expect(gui.page.locator(".connection")).to_contain_text("connection lost")
    gui.page.close()
    first = gui

    again = run_command("template-gui", str(folder / "params.py"))
    gui = open_page(again.entrance)
    dialog = gui.page.locator("dialog")
    assert "50 edits" in dialog.inner_text()
    dialog.get_by_text("Recover 50 edits").click()
    gui.settle()
    assert gui.update["n_edits"] == 50
    assert "edit-49" in gui.row("ClusterView", last[0]).inner_text()
    gui.press("Control+z")
    assert "edit-48" in gui.row("ClusterView", last[0]).inner_text()
    assert "49 edits, not saved" in gui.page.locator(".status-bar").inner_text()
    said = again.interrupt()
    assert "49 edits are not saved" in said
    gui.page.close()
    for page in (first, gui):
        page.faults.clear()  # the pages rightly complain about their lost connections
