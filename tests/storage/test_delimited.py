import math

import pytest
from hypothesis import given, strategies as st

from spikeloom.errors import ReadError
from spikeloom.storage.delimited import format_table, parse_cell, read_table


def read(tmp_path, content, name="cluster_x.tsv"):
    path = tmp_path / name
    path.write_bytes(content)
    return read_table(path)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("007", 7),
        ("", None),
        ("1e3", 1000.0),
        ("5.0", 5.0),
        ("5", 5),
        ("-3", -3),
        ("good", "good"),
        ("1_000", "1_000"),
        ("0x10", "0x10"),
        ("12:30", "12:30"),
    ],
)
def test_a_cell_is_a_whole_number_else_a_number_else_text(text, value):
    parsed = parse_cell(text)
    assert parsed == value
    assert type(parsed) is type(value)


@given(st.text(max_size=10) | st.text("0123456789+-.e_nani", max_size=8))
def test_any_text_is_a_cell_and_numbers_mean_what_python_says(text):
    value = parse_cell(text)
    if isinstance(value, (int, float)):
        assert float(text) == value or math.isnan(value)
    else:
        assert value == (text or None)


def test_nan_is_a_number():
    assert math.isnan(parse_cell("nan"))
    assert math.isnan(parse_cell("NaN"))


@pytest.mark.parametrize("text", ["12345678901234567890", "9" * 400, "9" * 5000, "-" + "9" * 30])
def test_a_whole_number_too_long_for_a_machine_stays_text(text):
    assert parse_cell(text) == text


def test_a_table_is_written_as_phy_does():
    content = format_table(["cluster_id", "group"], [(2, "unsorted"), (3, "mua"), (10, "good")])
    assert content == b"cluster_id\tgroup\r\n2\tunsorted\r\n3\tmua\r\n10\tgood\r\n"


@pytest.mark.parametrize("line_end", [b"\r\n", b"\n"])
@pytest.mark.parametrize("delimiter", [b"\t", b","])
@pytest.mark.parametrize("has_final_newline", [True, False])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_ends_delimiters_byte_order_marks_and_a_missing_final_newline_do_not_matter(
    tmp_path, line_end, delimiter, has_final_newline, mark
):
    lines = [b"cluster_id" + delimiter + b"group", b"2" + delimiter + b"good", b"10" + delimiter]
    content = mark + line_end.join(lines) + (line_end if has_final_newline else b"")
    assert read(tmp_path, content) == (["cluster_id", "group"], [["2", "good"], ["10", ""]])


def test_rows_are_as_long_as_the_header_and_empty_lines_are_left_out(tmp_path):
    header, rows = read(tmp_path, b"cluster_id\ta\tb\n1\tx\n\n2\ty\tz\tmore\n\t\t\n")
    assert header == ["cluster_id", "a", "b"]
    assert rows == [["1", "x", ""], ["2", "y", "z"]]


def test_text_that_is_not_ascii_is_read_and_written(tmp_path):
    content = format_table(["cluster_id", "note"], [(1, "µV — größer")])
    assert read(tmp_path, content)[1] == [["1", "µV — größer"]]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n\n",
        b"\t\t\n1\t2\n",
        b"cluster_id\tgroup\n1\t\xff\xfe\n",
        b'cluster_id\tgroup\n1\t"' + b"x" * 200_000,
    ],
    ids=["empty", "blank lines", "header without names", "not UTF-8", "quote without end"],
)
def test_what_is_not_a_table_is_an_error_that_names_the_file(tmp_path, content):
    with pytest.raises(ReadError, match=r"cluster_x\.tsv"):
        read(tmp_path, content)


def test_an_absent_file_is_an_error_that_names_it(tmp_path):
    with pytest.raises(ReadError, match=r"cluster_y\.tsv"):
        read_table(tmp_path / "cluster_y.tsv")


cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0"), max_size=12)


@given(st.lists(st.tuples(st.integers(0, 99), cells, cells), max_size=5))
def test_any_text_that_is_written_is_read_back_but_for_spaces_around_it(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("t") / "t.tsv"
    path.write_bytes(format_table(["cluster_id", "a", "b"], rows))
    expected = [[str(i), a.strip(), b.strip()] for i, a, b in rows]
    assert read_table(path) == (["cluster_id", "a", "b"], expected)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_table_or_a_clear_error(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("t") / "t.tsv"
    path.write_bytes(content)
    header, rows, reason = [], [], "t.tsv"
    try:
        header, rows = read_table(path)
    except ReadError as error:
        reason = str(error)
    assert all(len(row) == len(header) for row in rows)
    assert "t.tsv" in reason
