"""A report of an analyzer: what is in the folder, and what the page says."""

import csv
from html.parser import HTMLParser

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import spikeloom as si
from spikeloom.core.numpy_recording import NumpyRecording
from spikeloom.core.numpy_sorting import NumpySorting
from spikeloom.errors import MissingExtensionError, ParameterError, WriteError
from spikeloom.exporters import export_report
from spikeloom.exporters.unit_columns import UnitColumn
from spikeloom.widgets.report_page import Page, PageFigure, PageUnit, page_html

EVIL = '<img src=x onerror="alert(1)">'


class Reader(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.headings, self.rows = [], [], []
        self._open = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag == "tr":
            self.rows.append([])
        if tag in {"td", "th"}:
            self.rows[-1].append("")
        if tag not in {"meta", "link", "img", "input"}:
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        if {"td", "th"} & set(self._open):
            self.rows[-1][-1] += data
        if self._open and self._open[-1] == "h3":
            self.headings.append(data)

    def close(self):
        super().close()
        assert self._open == []

    def links(self):
        return [a[key] for _, a in self.tags for key in ("src", "href") if key in a]


def read(folder):
    return Reader((folder / "index.html").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def whole():
    """An analyzer of two segments with odd ids, all that a report needs, and a silent unit."""
    recording, sorting = si.generate_ground_truth_recording(
        [5.0, 3.0], num_channels=8, num_units=3, seed=5
    )
    recording = recording.save(format="memory", progress_bar=False)
    names = ["a", EVIL + r"$\nonsense$", "A"]
    trains = [
        {
            name: sorting.get_unit_spike_train(unit_id, k)
            for name, unit_id in zip(names, sorting.unit_ids, strict=True)
        }
        | {"silent": np.zeros(0, np.int64)}
        for k in range(2)
    ]
    odd = NumpySorting.from_unit_dict(trains, sorting.sampling_frequency)
    odd.set_property("quality", ["good", "</table><script>alert(1)</script>", "", "mua"])
    analyzer = si.create_sorting_analyzer(odd, recording, progress_bar=False)
    names = ["random_spikes", "waveforms", "templates", "noise_levels", "spike_amplitudes"]
    names += ["unit_locations", "correlograms", "template_similarity"]
    analyzer.compute(names, progress_bar=False)
    analyzer.compute(
        {
            "quality_metrics": {"metric_names": ["num_spikes", "firing_rate", "snr"]},
            "template_metrics": {},
        },
        progress_bar=False,
    )
    return analyzer


@pytest.fixture(scope="module")
def folder(whole, tmp_path_factory):
    target = tmp_path_factory.mktemp("whole") / "report"
    export_report(whole, target)
    return target


def test_it_is_one_name_in_three_places():
    assert si.export_report is export_report is si.widgets.export_report
    assert "export_report" in dir(si.exporters)


def test_figures_and_tables_are_beside_the_page(folder):
    found = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert found == {
        "amplitudes_distribution.png",
        "crosscorrelograms.png",
        "index.html",
        "probe_map.png",
        "quality metrics.csv",
        "quality_metrics.png",
        "rasters.png",
        "template metrics.csv",
        "template_similarity.png",
        "unit list.csv",
        "unit_depths.png",
        "unit_locations.png",
        "units/a.png",
        "units/silent.png",
        "units/unit_1.png",
        # Where "a" and "A" are the same file, it would be overwritten.
        "units/unit_2.png",
    }
    assert not list(folder.parent.glob(".*"))


def test_the_page_needs_nothing_but_its_folder(folder):
    page = read(folder)
    for link in page.links():
        if link.startswith(("#", "data:")):
            continue
        assert (folder / link.replace("%20", " ")).is_file()
    ids = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
    assert {link[1:] for link in page.links() if link.startswith("#")} <= ids
    assert sum(tag == "script" for tag, _ in page.tags) == 1
    assert all("src" not in attributes for tag, attributes in page.tags if tag == "script")


def test_pictures_take_their_place_before_they_appear(folder):
    for tag, attributes in read(folder).tags:
        if tag == "img":
            height, width = plt.imread(folder / attributes["src"]).shape[:2]
            assert (width, height) == (int(attributes["width"]), int(attributes["height"]))


def test_text_of_users_stays_text(folder):
    page = read(folder)
    assert page.headings == ["Unit a", rf"Unit {EVIL}$\nonsense$", "Unit A", "Unit silent"]
    assert "</table><script>alert(1)</script>" in page.rows[2]
    assert not [one for _, attributes in page.tags for one in attributes if one.startswith("on")]


def test_the_table_has_metrics_with_units_and_definitions(folder, whole):
    page = read(folder)
    heads = dict.fromkeys(page.rows[0])
    assert list(heads)[:4] == ["unit\xa0", "num_spikes\xa0", "firing_rateHz", "main_channel\xa0"]
    assert {"amplitudeµV", "xµm", "quality\xa0", "snr\xa0", "trough_half_widths"} <= set(heads)
    assert len(page.rows) == 5
    snr = whole.get_extension("quality_metrics").get_data()["snr"]
    column = page.rows[0].index("snr\xa0")
    assert page.rows[1][column] == f"{snr.iloc[0]:.4g}"
    titles = [attributes.get("title") for tag, attributes in page.tags if tag == "button"]
    assert sum(title is not None for title in titles) == len(page.rows[0])


def test_tables_are_those_of_the_analyzer(folder, whole):
    with (folder / "unit list.csv").open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file, delimiter="\t")
    assert header == ["unit_id", "max_on_channel_id", "main_channel_id", "amplitude"]
    assert [row[0] for row in rows] == whole.unit_ids.tolist()
    assert [row[2] for row in rows] == list(whole.get_main_channels(outputs="id"))
    found = pd.read_csv(folder / "quality metrics.csv", index_col=0)
    expected = whole.get_extension("quality_metrics").get_data()
    np.testing.assert_allclose(
        found.to_numpy(float), expected.to_numpy(float, na_value=np.nan), rtol=1e-12
    )


@pytest.fixture
def bare(truth):
    recording, sorting = truth
    return si.create_sorting_analyzer(
        sorting.select_units(sorting.unit_ids[:2]), recording, progress_bar=False
    )


def test_what_is_not_there_is_left_out_and_said(bare, tmp_path):
    with pytest.warns(UserWarning, match=r"leaves out .*templates.*force_computation=True"):
        export_report(bare, tmp_path / "report")
    text = (tmp_path / "report" / "index.html").read_text()
    assert "call analyzer.compute(&#x27;quality_metrics&#x27;)" in text
    assert "unit_depths.png" not in text
    assert "rasters.png" in text
    assert bare.get_loaded_extension_names() == []


def test_all_of_it_is_computed_if_wanted_and_not_kept(bare, tmp_path):
    export_report(bare, tmp_path / "report", force_computation=True, n_jobs=2, progress_bar=False)
    text = (tmp_path / "report" / "index.html").read_text()
    assert "Not in this report" not in text
    assert (tmp_path / "report" / "quality_metrics.png").is_file()
    assert bare.get_loaded_extension_names() == []


def test_a_sign_of_peaks_chooses_other_channels(whole, tmp_path):
    some = whole.select_units(["a"])
    export_report(some, tmp_path / "report", peak_sign="pos")
    lines = (tmp_path / "report" / "unit list.csv").read_text().splitlines()
    expected = si.get_template_extremum_amplitude(some, peak_sign="pos")["a"]
    assert float(lines[1].split("\t")[3]) == pytest.approx(expected)


def test_formats_that_browsers_do_not_show_come_with_ones_that_they_do(whole, tmp_path):
    some = whole.select_units(["a"])
    export_report(some, tmp_path / "pdf", format="pdf")
    assert {one.name for one in (tmp_path / "pdf" / "units").iterdir()} == {"a.pdf", "a.png"}
    page = read(tmp_path / "pdf")
    assert "units/a.pdf" in page.links()
    assert "units/a.png" in page.links()
    export_report(some, tmp_path / "svg", format="svg")
    assert {one.name for one in (tmp_path / "svg" / "units").iterdir()} == {"a.svg"}
    with pytest.raises(ParameterError, match=r"png.*got format='bmp7'"):
        export_report(some, tmp_path / "other", format="bmp7")


def test_figures_are_open_only_if_wanted(whole, tmp_path):
    some = whole.select_units(["a"])
    plt.close("all")
    export_report(some, tmp_path / "closed")
    assert plt.get_fignums() == []
    export_report(some, tmp_path / "open", show_figures=True)
    assert len(plt.get_fignums()) == len(list((tmp_path / "open").rglob("*.png")))


def test_what_is_there_is_replaced_only_if_wanted_and_at_the_end(bare, tmp_path, monkeypatch):
    target = tmp_path / "report"
    target.mkdir()
    (target / "mine.txt").write_text("mine")
    with pytest.raises(WriteError, match="exists already"):
        export_report(bare, target)
    with pytest.raises(FileExistsError):
        export_report(bare, target)

    def fail(page):
        raise OSError(28, "No space left on device")

    bare.compute(["random_spikes", "templates"], progress_bar=False)
    monkeypatch.setattr("spikeloom.widgets.report.page_html", fail)
    with pytest.warns(UserWarning, match="leaves out"), pytest.raises(WriteError):
        export_report(bare, target, remove_if_exists=True)
    monkeypatch.undo()
    assert [one.name for one in tmp_path.iterdir()] == ["report"]
    assert (target / "mine.txt").read_text() == "mine"
    with pytest.warns(UserWarning, match="leaves out"):
        export_report(bare, target, remove_if_exists=True)
    assert not (target / "mine.txt").exists()


def test_what_cannot_be_reported_on_is_refused(bare, tmp_path):
    with pytest.raises(ParameterError, match="SortingAnalyzer is needed"):
        export_report(bare.sorting, tmp_path / "report")
    with pytest.raises(ParameterError, match="no units"):
        export_report(bare.remove_units(bare.unit_ids), tmp_path / "report")
    recording = NumpyRecording([np.zeros((900, 2), np.float32)], 1000.0)
    sorting = NumpySorting.from_unit_dict({"a": [100]}, 1000.0)
    without_probe = si.create_sorting_analyzer(sorting, recording, sparse=False)
    with pytest.raises(ParameterError, match="shows units on the probe"):
        export_report(without_probe, tmp_path / "report")
    with pytest.raises(ParameterError, match="n_job: no such job option"):
        export_report(bare, tmp_path / "report", n_job=2)
    assert list(tmp_path.iterdir()) == []
    saved = bare.save_as(folder=tmp_path / "analyzer", format="binary_folder")
    with pytest.raises(ParameterError, match="which is exported"):
        export_report(saved, tmp_path / "analyzer", remove_if_exists=True)
    assert si.load_sorting_analyzer(tmp_path / "analyzer").get_num_units() == 2


def test_without_a_recording_it_shows_what_there_is(whole, tmp_path):
    with pytest.warns(UserWarning, match="lives in memory"):
        whole.select_units(["a"]).save_as(folder=tmp_path / "analyzer", format="binary_folder")
    alone = si.load_sorting_analyzer(tmp_path / "analyzer")
    assert not alone.has_recording()
    export_report(alone, tmp_path / "report")
    assert (tmp_path / "report" / "units" / "a.png").is_file()
    alone.delete_extension("spike_amplitudes")
    with pytest.raises(MissingExtensionError, match="recording"):
        export_report(alone, tmp_path / "other", force_computation=True)
    assert not (tmp_path / "other").exists()


def test_values_are_shown_short_and_kept_exact():
    columns = [
        UnitColumn("many", np.array([1 / 3, np.nan, -np.inf]), "Some.", "uV/s"),
        UnitColumn("is_good", np.array([True, False, True]), "Whether."),
        UnitColumn("place", np.array([[1.0, 2.5], [3, 4], [5, np.nan]]), "Where."),
    ]
    figure = PageFigure("t", "c", "u/a.png", "u/a.png", (10, 10))
    units = [PageUnit(k, "#112233", figure) for k in range(3)]
    page = Reader(page_html(Page("Report", [], [], [], columns, units)))
    assert page.rows[0] == ["unit\xa0", "manyµV/s", "is_good\xa0", "place\xa0"]
    assert page.rows[1:] == [
        [" 0", "0.3333", "yes", "1, 2.5"],
        [" 1", "–", "no", "3, 4"],
        [" 2", "-inf", "yes", "5, –"],
    ]
    values = [attributes["data-v"] for tag, attributes in page.tags if "data-v" in attributes]
    assert [values[k] for k in (1, 5, 9)] == [repr(1 / 3), "", "-Infinity"]
