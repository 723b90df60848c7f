"""The page of a report in a real browser, opened from the disk, without a network."""

import numpy as np
import pytest

import spikeloom as si
from spikeloom.core.numpy_sorting import NumpySorting
from spikeloom.exporters import export_report

EVIL = '<img src=x onerror="document.title = 1">'


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    recording, _ = si.generate_ground_truth_recording([2.0], num_channels=4, num_units=2, seed=0)
    rng = np.random.default_rng(0)
    trains = {
        name: np.sort(rng.choice(40_000, n, replace=False)) + 100
        for name, n in (("u2", 20), ("u10", 60), (EVIL, 40))
    }
    sorting = NumpySorting.from_unit_dict(trains, recording.sampling_frequency)
    sorting.set_property("quality", ["good", "mua", "</script><script>document.title = 2</script>"])
    analyzer = si.create_sorting_analyzer(sorting, recording, progress_bar=False)
    analyzer.compute(["random_spikes", "templates"], progress_bar=False)
    folder = tmp_path_factory.mktemp("reports") / "a report"
    with pytest.warns(UserWarning, match="leaves out"):
        export_report(analyzer, folder)
    return folder / "index.html"


@pytest.fixture(params=["light", "dark"])
def page(chromium, index, request):
    context = chromium.new_context(color_scheme=request.param, offline=True)
    page = context.new_page()
    faults = []
    page.on("console", lambda message: faults.append(message.text))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("requestfailed", lambda failed: faults.append(failed.url))
    page.goto(index.as_uri())
    yield page
    context.close()
    assert faults == []


def order_of(page):
    return page.locator("tbody tr:not([hidden]) th a").all_inner_texts()


def test_columns_sort_and_rows_are_found(page):
    assert page.title() == "Spike sorting report"
    head = page.locator("thead button", has_text="num_spikes")
    head.click()
    assert order_of(page) == ["u10", EVIL, "u2"]
    head.click()
    assert order_of(page) == ["u2", EVIL, "u10"]
    names = page.locator("thead button", has_text="unit").first
    names.click()
    assert order_of(page) == [EVIL, "u2", "u10"]
    page.fill("#search", "mua u1")
    assert order_of(page) == ["u10"]
    assert page.inner_text("#count") == "1 of 3 units shown"


def test_figures_are_there_and_units_are_reached(page):
    # Or what is reached would move as pictures above it appear.
    assert page.evaluate("[...document.images].every((one) => one.height > 100)")
    page.locator("tbody a", has_text="u10").click()
    page.wait_for_function("location.hash === '#unit-1'")
    assert page.locator("#unit-1").bounding_box()["y"] == pytest.approx(51, abs=30)
    page.evaluate("for (const one of document.images) one.loading = 'eager'")
    page.wait_for_function("[...document.images].every((one) => one.naturalWidth > 0)")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_light_and_dark_change_places(page):
    ground = "getComputedStyle(document.body).backgroundColor"
    before = page.evaluate(ground)
    page.click("#theme")
    between = page.evaluate(ground)
    assert between != before
    page.click("#theme")
    assert page.evaluate(ground) == before
