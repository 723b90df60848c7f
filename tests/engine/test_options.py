import pytest

from making.chunk_sources import ArraySource, HomeboundSource
from spikeloom.engine import options
from spikeloom.engine.options import (
    DEFAULTS,
    JobOptions,
    ensure_n_jobs,
    fix_job_kwargs,
    get_best_job_kwargs,
    get_global_job_kwargs,
    is_set_global_job_kwargs_set,
    job_options,
    reset_global_job_kwargs,
    resolve_n_jobs,
    set_global_job_kwargs,
    split_job_kwargs,
)
from spikeloom.errors import ParameterError, TransferError


@pytest.fixture(autouse=True)
def fresh_options(monkeypatch):
    monkeypatch.setattr(options, "n_usable_cpus", lambda: 8)
    reset_global_job_kwargs()
    yield
    reset_global_job_kwargs()


def test_the_defaults_are_threads_and_chunks_of_a_second():
    assert get_global_job_kwargs() == {
        "pool_engine": "thread",
        "n_jobs": 1,
        "chunk_duration": "1s",
        "progress_bar": True,
        "mp_context": None,
        "max_threads_per_worker": 1,
    }
    assert job_options() == JobOptions()


def test_global_options_print_as_they_were_set():
    set_global_job_kwargs(n_jobs=16, chunk_duration="5s", progress_bar=False)
    text = str(get_global_job_kwargs())
    assert "'n_jobs': 16" in text
    assert "'chunk_duration': '5s', 'progress_bar': False" in text
    assert is_set_global_job_kwargs_set()
    reset_global_job_kwargs()
    assert not is_set_global_job_kwargs_set()
    assert get_global_job_kwargs() == dict(DEFAULTS)


def test_what_is_returned_is_a_copy():
    get_global_job_kwargs()["n_jobs"] = 5
    assert get_global_job_kwargs()["n_jobs"] == 1


def test_a_size_of_chunks_replaces_the_others():
    set_global_job_kwargs(chunk_size=300)
    assert "chunk_duration" not in get_global_job_kwargs()
    fixed = fix_job_kwargs({"total_memory": "1G"})
    assert fixed["total_memory"] == "1G"
    assert "chunk_size" not in fixed
    assert job_options(total_memory="1G").chunk_duration is None


def test_none_is_not_given():
    set_global_job_kwargs(n_jobs=3)
    fixed = fix_job_kwargs({"n_jobs": None, "chunk_size": None, "progress_bar": None})
    assert fixed == fix_job_kwargs({})
    assert fixed["n_jobs"] == 3


@pytest.mark.parametrize(
    ("n_jobs", "expected"),
    [(1, 1), (5, 5), (-1, 8), (-2, 7), (-20, 1), (1.0, 8), (0.5, 4), (0.01, 1), (3.0, 3), (50, 8)],
)
def test_workers_are_counted_from_either_end_and_never_exceed_the_processors(n_jobs, expected):
    assert fix_job_kwargs({"n_jobs": n_jobs})["n_jobs"] == expected


@pytest.mark.parametrize("n_jobs", [0, 0.0, -0.5, 2.5, True, "4"])
def test_what_is_no_number_of_workers_is_refused(n_jobs):
    with pytest.raises(ParameterError, match="n_jobs"):
        resolve_n_jobs(n_jobs)


def test_an_unknown_option_is_refused_with_the_known_ones():
    with pytest.raises(ParameterError, match=r"n_job.*max_threads_per_worker"):
        fix_job_kwargs({"n_job": 4})
    with pytest.raises(ValueError, match="chunk_duration"):
        set_global_job_kwargs(chunks="1s")
    assert not is_set_global_job_kwargs_set()


@pytest.mark.parametrize(
    "wrong",
    [
        {"pool_engine": "fibre"},
        {"chunk_size": 0},
        {"chunk_size": 10.5},
        {"chunk_memory": "many"},
        {"chunk_duration": "long"},
        {"progress_bar": "yes"},
        {"mp_context": "spoon"},
        {"max_threads_per_worker": 0},
    ],
)
def test_a_wrong_value_is_refused_where_it_is_given(wrong):
    (key,) = wrong
    with pytest.raises(ParameterError):
        fix_job_kwargs(wrong)
    with pytest.raises(ParameterError):
        JobOptions(**wrong)
    with pytest.raises(ParameterError):
        set_global_job_kwargs(**wrong)
    assert get_global_job_kwargs().get(key) == DEFAULTS.get(key)


def test_two_sizes_in_one_call_are_refused():
    with pytest.raises(ParameterError, match="chunk_size and chunk_memory"):
        fix_job_kwargs({"chunk_size": 10, "chunk_memory": "1M"})


def test_the_old_spelling_counts():
    assert fix_job_kwargs({"max_threads_per_process": 3})["max_threads_per_worker"] == 3


def test_options_are_parted_from_others():
    specific, job_kwargs = split_job_kwargs({"ms_before": 1.0, "n_jobs": 2, "chunk_size": 5})
    assert specific == {"ms_before": 1.0}
    assert job_kwargs == fix_job_kwargs({"n_jobs": 2, "chunk_size": 5})


def test_the_best_options_are_options():
    assert fix_job_kwargs(get_best_job_kwargs())["n_jobs"] == 8


def test_sending_is_asked_for_where_it_is_needed():
    assert ensure_n_jobs(ArraySource(), 0) == 1
    assert ensure_n_jobs(ArraySource(), -1) == 8
    assert ensure_n_jobs(HomeboundSource(), 1) == 1
    assert ensure_n_jobs(HomeboundSource(), 4, pool_engine="thread") == 4
    with pytest.raises(TransferError, match="HomeboundSource"):
        ensure_n_jobs(HomeboundSource(), 4)
    with pytest.raises(RuntimeError):
        ensure_n_jobs(HomeboundSource(), -1)
