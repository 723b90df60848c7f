import math

import pytest
from hypothesis import given, strategies as st

from spikeloom.engine.amounts import bytes_of, bytes_text, seconds_of
from spikeloom.errors import ParameterError


@pytest.mark.parametrize(
    ("text", "n_bytes"),
    [
        ("1k", 10**3),
        ("2M", 2 * 10**6),
        ("1.5G", 1_500_000_000),
        ("1T", 10**12),
        ("1P", 10**15),
        ("1Ki", 2**10),
        ("3Mi", 3 * 2**20),
        ("1Gi", 2**30),
        ("1Ti", 2**40),
        ("1Pi", 2**50),
        ("500MiB", 500 * 2**20),
        ("1GB", 10**9),
        (" 10 kB ", 10**4),
        ("1e3", 1000),
        ("128B", 128),
        ("100", 100),
        (4096, 4096),
        (1e6, 10**6),
    ],
)
def test_memory_is_read_as_people_write_it(text, n_bytes):
    assert bytes_of(text) == n_bytes


@pytest.mark.parametrize("text", ["", "M", "1X", "1iB", "-1M", "0", 0, "nan", True, None, "1 M x"])
def test_what_is_no_amount_of_memory_is_refused_with_examples(text):
    with pytest.raises(ParameterError, match="500M"):
        bytes_of(text)


@pytest.mark.parametrize(
    ("text", "value_s"),
    [("1s", 1.0), ("500ms", 0.5), ("20 us", 2e-5), ("2min", 120.0), ("1h", 3600.0), (3, 3.0)],
)
def test_durations_are_read_as_people_write_them(text, value_s):
    assert seconds_of(text) == pytest.approx(value_s)


@pytest.mark.parametrize("text", ["", "s", "1 day", "-1s", 0, -2.0, math.inf, math.nan, False])
def test_what_is_no_duration_is_refused_with_examples(text):
    with pytest.raises(ParameterError, match="500ms"):
        seconds_of(text)


@given(st.integers(1, 10**6), st.sampled_from(["k", "M", "G", "Ki", "Mi", "Gi"]))
def test_a_b_at_the_end_and_small_letters_change_nothing(number, unit):
    expected = bytes_of(f"{number}{unit}")
    assert bytes_of(f"{number}{unit}B") == bytes_of(f"{number}{unit.lower()}") == expected


@given(st.integers(1, 2**60))
def test_what_is_written_reads_as_nearly_the_same(n_bytes):
    assert bytes_of(bytes_text(n_bytes)) == pytest.approx(n_bytes, rel=0.06)
