import re
import signal
import subprocess
import sys

import numpy as np
import pytest
from typer.testing import CliRunner

from making.processes import TIMEOUT_S, start_python
from spikeloom.cli.demo import make_demo_dataset
from spikeloom.cli.main import app
from spikeloom.datasets.template_loading import load_template_model
from spikeloom.errors import ParameterError

DURATION_S = 6.0


@pytest.fixture(scope="module")
def demo_folder(tmp_path_factory):
    return tmp_path_factory.mktemp("demo") / "data"


@pytest.fixture(scope="module")
def reports():
    return []


@pytest.fixture(scope="module")
def flaws(demo_folder, reports):
    return make_demo_dataset(
        demo_folder,
        duration_s=DURATION_S,
        seed=0,
        on_progress=lambda what, share: reports.append((what, share)),
    )


@pytest.fixture(scope="module")
def model(demo_folder, flaws):
    return load_template_model(demo_folder)


def test_the_dataset_opens_without_a_warning_and_has_everything(model):
    assert model.warnings == ()
    assert dict(model.notes) == {}
    assert model.duration_s == DURATION_S
    assert model.n_channels == 32
    assert model.gain_uV == 0.195
    assert model.templates is not None
    assert model.features is not None
    assert model.template_features is not None
    assert 18 <= model.spike_groups.labels.size <= 22
    assert model.n_spikes > 800


def test_there_is_something_of_each_kind_to_mend(model, flaws):
    kinds = {flaw.kind for flaw in flaws}
    assert kinds == {
        *("split_at_random", "split_by_amplitude", "merged", "contaminated"),
        *("missed", "noise", "multi_unit"),
    }
    clusters = set(model.spike_groups.labels.tolist())
    assert all(set(flaw.cluster_ids) <= clusters for flaw in flaws)


def test_parts_of_one_neuron_are_what_the_similarity_view_shows_first(model, flaws):
    for flaw in flaws:
        if flaw.kind in {"split_at_random", "split_by_amplitude"}:
            first, second = flaw.cluster_ids
            row = np.array(model.template_similarity[first])
            row[first] = 0
            assert row.argmax() == second
            assert row[second] > 0.9


def test_the_sorter_has_an_opinion_of_each_cluster_and_a_few_are_labelled(model, flaws):
    clusters = model.spike_groups.labels.tolist()
    assert sorted(model.labels["KSLabel"]) == clusters
    assert set(model.labels["KSLabel"].values()) == {"good", "mua"}
    groups = model.labels["group"]
    assert list(groups.values()) == ["good"] * 3
    flawed = {cluster_id for flaw in flaws for cluster_id in flaw.cluster_ids}
    assert not flawed & set(groups)


def test_spikes_stand_out_of_the_noise_by_as_much_as_real_ones(model):
    largest_uV = model.templates.main_magnitudes * model.gain_uV
    assert 40 < np.median(largest_uV) < 200
    assert largest_uV.max() < 320
    amplitudes = np.asarray(model.amplitudes)
    assert 0.85 < np.median(amplitudes) < 1.15


def test_progress_is_told_of_both_parts(flaws, reports):
    for what in ("Recording", "Sorting"):
        shares = [share for name, share in reports if name == what]
        assert shares == sorted(shares)
        assert shares[-1] == 1
    assert [name for name, _ in reports] == sorted(name for name, _ in reports)


def test_the_same_seed_gives_the_same_files(tmp_path):
    for name in ("first", "second"):
        make_demo_dataset(tmp_path / name, duration_s=2.0, seed=4)
    names = sorted(path.name for path in (tmp_path / "first").iterdir())
    assert len(names) == 19
    for name in names:
        contents = [(tmp_path / folder / name).read_bytes() for folder in ("first", "second")]
        assert contents[0] == contents[1], name


def test_a_folder_with_something_in_it_is_refused(demo_folder, flaws):
    with pytest.raises(ParameterError, match="is not empty"):
        make_demo_dataset(demo_folder, duration_s=DURATION_S, seed=0)
    result = CliRunner().invoke(app, ["demo", "--folder", str(demo_folder)])
    assert result.exit_code == 1
    assert "is not empty" in result.output


@pytest.mark.parametrize("arguments", [["--duration-s", "1"], ["--seed", "-1"]])
def test_options_out_of_range_are_refused(arguments):
    result = CliRunner().invoke(app, ["demo", *arguments])
    assert result.exit_code == 2
    assert arguments[0] in result.output


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl+C cannot be sent to one process")
def test_the_command_serves_the_dataset_and_tells_where_it_stays(tmp_path):
    folder = tmp_path / "demo"
    process = start_python(
        "from spikeloom.cli.main import app; app()",
        *("demo", "--no-browser", "--duration-s", "5", "--folder", folder),
    )
    said = []
    try:
        for line in process.stderr:
            said.append(line)
            if "Ctrl+C" in line:
                break
        process.send_signal(signal.SIGINT)
        said.append(process.communicate(timeout=TIMEOUT_S)[1])
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    text = "".join(said)
    # 130 if the signal came so soon that the server was not being waited for yet.
    assert process.returncode in {0, 130}, text
    assert text.count(str(folder)) == 3
    assert len(re.findall(r"^  Clusters? \d+.*\.$", text, re.MULTILINE)) == 6
    assert "http://127.0.0.1:" in text
    assert (folder / "params.py").is_file()
