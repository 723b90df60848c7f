import math
import time

import pytest
from hypothesis import given, strategies as st

from spikeloom.curation.filter_language import parse_filter
from spikeloom.errors import FilterSyntaxError, ParameterError

ROW = {"id": 5, "fr": 2.5, "group": "good", "ch": "10", "snr": None, "bad": math.nan, "n": 0}
COLUMNS = frozenset(ROW)


def is_shown(text, **changes):
    return parse_filter(text, COLUMNS | set(changes))({**ROW, **changes})


TRUE = [
    *("id == 5", "id === 5", "id != 4", "id !== 4", "id < 6", "id <= 5", "id > 4", "id >= 5"),
    *("group == 'good'", 'group == "good"', "group != 'noise'", "'good' == group"),
    *("fr > 2", "fr >= 2.5", "fr < 2.6", "fr == 2.5", "fr == 25e-1", "fr == .25e1", "id == 5."),
    *("id > 4 && fr > 2", "id > 9 || fr > 2", "id > 4 and fr > 2", "id > 9 or fr > 2"),
    *("!(id == 4)", "not (id == 4)", "!id == 4", "!!(id == 5)", "!!!(id == 4)", "! (id==4)"),
    *("id", "fr", "group", "true", "!false", "!null", "!undefined", "1", "'x'", "!''", "!n"),
    *("5 <= id <= 5", "4 < id < 6", "1 < 2 < 3 < id", "5 == id == 5", "9 > id > 4 > 3"),
    *("id + 1 == 6", "id - 1 - 1 == 3", "2 * id == 10", "id / 2 == 2.5", "id % 2 == 1"),
    *(
        "1 + 2 * 3 == 7",
        "(1 + 2) * 3 == 9",
        "-id == -5",
        "--id == 5",
        "id - -1 == 6",
        "8 / 2 / 2 == 2",
    ),
    *("snr == null", "null == snr", "snr == undefined", "snr === null", "id != null"),
    *("!(snr > 3)", "!(snr < 3)", "!(snr == 3)", "snr != 3", "!(snr <= null)", "!(null < 1)"),
    *("bad == null", "bad != 3", "!(bad > 0)", "!(bad < 0)", "snr + 1 == null", "!(1 / 0 > 0)"),
    *("ch == 10", "ch > 9", "ch == '10'", "'10' == 10", "'b' > 'a'", "group > 'a'", "!(group > 3)"),
    *("group =~ 'oo'", "group =~ '^g.*d$'", "!(group =~ 'x')", "!(snr =~ '.')", "id =~ '^5$'"),
    *(
        "group in ['good', 'mua']",
        "id in [1, 2, 5]",
        "!(id in [])",
        "id in [4 + 1]",
        "'oo' in group",
    ),
    *("!(snr in [1])", "snr in [null]", "ch in [10]", "!('a' in snr)", "[1]", "![]"),
    *("id > 4 || id > 9 && id < 0", "!(id > 9) && true", "not id > 9 and true"),
    *("  id\t==\n5  ", "id==5&&fr>2", "((((id))))==5", "id == 5 == true == 1 || true"),
    *('group == "go\\od" || true', "'it\\'s' == \"it's\"", "'\\\\' == '\\\\'"),
    *("", "   "),
]


@pytest.mark.parametrize("text", TRUE)
def test_what_the_language_says_is_true_is_shown(text):
    assert is_shown(text) is True
    if text.strip():
        assert is_shown(f"!({text})") is False


def test_and_binds_closer_than_or_and_comparisons_closer_than_not():
    for a in (True, False):
        for b in (True, False):
            for c in (True, False):
                row = {"a": a, "b": b, "c": c}
                assert is_shown("a || b && c", **row) == (a or (b and c))
                assert is_shown("a && b || c", **row) == ((a and b) or c)
                assert is_shown("!a || b", **row) == ((not a) or b)
                assert is_shown("!(a || b) && c", **row) == (not (a or b) and c)
                assert is_shown("!a == b", **row) == (a != b)


numbers = st.integers(-20, 20)


@given(numbers, numbers, numbers)
def test_comparisons_chain_as_in_mathematics(a, b, c):
    row = {"a": a, "b": b, "c": c}
    assert is_shown("a < b <= c", **row) == (a < b <= c)
    assert is_shown("a == b != c", **row) == (a == b != c)


@given(numbers, numbers, numbers)
def test_arithmetic_is_that_of_numbers(a, b, c):
    row = {"a": a, "b": b, "c": c}
    assert is_shown(f"a - b * c + b == {a - b * c + b}", **row)
    if b:
        assert is_shown(f"a % b == {a % b}", **row)


@pytest.mark.parametrize("missing", [None, math.nan])
def test_a_missing_value_is_neither_smaller_nor_larger_nor_equal_to_anything(missing):
    for symbol in ("<", "<=", ">", ">=", "==", "=~", "in"):
        other = "['a']" if symbol == "in" else "'a'" if symbol == "=~" else "0"
        assert not is_shown(f"x {symbol} {other}", x=missing)
    assert is_shown("x != 0", x=missing)
    assert is_shown("x == null", x=missing)


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("id ==", 5),
        ("id == ", 5),
        ("== 5", 0),
        ("id = 5", 3),
        ("id == 5 fr", 8),
        ("(id == 5", 8),
        ("id == 5)", 7),
        ("id == 'good", 6),
        ('group == "', 9),
        ("nope > 3", 0),
        ("id > 3 && nope", 10),
        ("id # 3", 3),
        ("id & 3", 3),
        ("id in [1, 2", 11),
        ("id in [1 2]", 9),
        ("id in [,]", 7),
        ("group =~ '('", 9),
        ("group =~ 'a{99999999999}'", 9),
        ("id.upper()", 2),
        ("id; 3", 2),
        ("__import__('os')", 0),
        ("!", 1),
        ("-", 1),
        ("id && && fr", 6),
        ("(" * 60, 50),
        ("x" * 10_001, 10_000),
    ],
)
def test_what_cannot_be_read_is_an_error_at_its_place(text, position):
    with pytest.raises(FilterSyntaxError) as caught:
        parse_filter(text, COLUMNS)
    assert caught.value.position == position
    assert isinstance(caught.value, ParameterError)


def test_the_error_of_an_unknown_column_lists_the_known_ones():
    with pytest.raises(
        FilterSyntaxError, match=r"no column 'nope'.*bad, ch, fr, group, id, n, snr"
    ):
        parse_filter("nope == 1", COLUMNS)


def test_without_a_list_of_columns_any_name_is_a_column_that_may_be_missing():
    assert parse_filter("nope == null")(ROW)
    assert not parse_filter("nope > 1")(ROW)


def test_a_regular_expression_that_comes_from_a_column_and_cannot_be_read_matches_nothing():
    assert not is_shown("group =~ pattern", pattern="(")
    assert is_shown("group =~ pattern", pattern="o+")


def test_long_filters_are_read_and_used_without_going_deep():
    for text in (
        "+".join(["1"] * 4000) + " == 4000",
        "*".join(["1"] * 4000) + " == 1",
        " && ".join(["id == 5"] * 800),
        "id in [" + ",".join(map(str, range(2000))) + "]",
        "!" * 5000 + "(id == 5)",
        "-" * 5000 + "id == 5",
        "9" * 9000 + " > 1",
        "<=".join(["5"] * 3000),
    ):
        assert is_shown(text), text[:30]


words = st.sampled_from([
    *("id", "fr", "group", "ch", "snr", "bad", "nope", "null", "true", "in", "and", "or", "not"),
    *("==", "!=", "<", "<=", ">", ">=", "=~", "&&", "||", "!", "(", ")", "[", "]", ",", "+", "-"),
    *("*", "/", "%", "1", "2.5", "1e400", "'good'", '"(a"', "''", " ", "=", "&", "'", "\\", "µ"),
])
expressions = st.lists(words, max_size=30).map(" ".join) | st.text(max_size=30)


@given(expressions)
def test_any_text_is_a_filter_or_a_syntax_error_and_a_filter_never_fails(text):
    begin = time.monotonic()
    shown, position = None, 0
    try:
        shown = parse_filter(text, COLUMNS)
    except FilterSyntaxError as error:
        position = error.position
    assert 0 <= position <= len(text)
    if shown is not None:
        for row in (ROW, dict.fromkeys(ROW), {}, dict.fromkeys(ROW, "(")):
            assert shown(row) in {True, False}
    assert time.monotonic() - begin < 1
