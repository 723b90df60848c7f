"""The pictures of the documentation: made from the demo, and into the documentation if asked to.

``SPIKELOOM_UPDATE_IMAGES=1`` writes them to ``docs/images``; otherwise they only have to come out.
"""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from browser.conftest import Command, OpenPage
from browser.gui import Gui
from conftest import REPOSITORY, CopyDataset
from spikeloom.app.server import AppServer

LASSO = [(0.29, 0.03), (0.36, 0.02), (0.41, 0.08), (0.38, 0.19), (0.31, 0.21), (0.27, 0.12)]


@pytest.fixture
def images(tmp_path: Path) -> Path:
    if os.environ.get("SPIKELOOM_UPDATE_IMAGES"):
        return REPOSITORY / "docs" / "images"
    return tmp_path


def take(gui: Gui, path: Path) -> None:
    gui.page.wait_for_timeout(5500)  # notes go away by themselves
    gui.screenshot(path)
    assert path.stat().st_size > 50_000, "a picture with so little in it is not worth showing"


def test_pictures_of_the_demo(
    run_command: Callable[..., Command], open_page: OpenPage, images: Path, tmp_path: Path
) -> None:
    command = run_command("demo", "--folder", str(tmp_path / "spikeloom" / "demo"))
    gui = open_page(command.entrance)
    gui.select(7)
    gui.wait_until_idle()
    gui.lasso("FeatureView", LASSO)
    take(gui, images / "lasso.png")
    gui.select(1)
    gui.press("Space")
    gui.wait_until_idle()
    take(gui, images / "template-gui.png")
    gui.page.locator(".menu-bar").get_by_text("View", exact=True).click()
    gui.page.get_by_text("Light theme").click()
    gui.select(1, 17, 9)
    gui.press("w")
    gui.wait_until_idle()
    take(gui, images / "light.png")
    gui.press("F1")
    take(gui, images / "help.png")


def test_pictures_of_real_datasets(
    serve: Callable[[Path], AppServer],
    open_page: OpenPage,
    copy_dataset: CopyDataset,
    tmp_path: Path,
) -> None:
    # Other people's data: looked at, never published.
    gui = open_page(serve(copy_dataset("hybrid_np24_dev") / "params.py").entrance)
    gui.select(2, 8)
    gui.press("Alt+s")
    gui.wait_until_idle()
    take(gui, tmp_path / "hybrid.png")
    gui = open_page(serve(copy_dataset("phy_template_phydata") / "params.py").entrance)
    gui.press("Home", "Space")
    gui.wait_until_idle()
    take(gui, tmp_path / "no-raw-data.png")
