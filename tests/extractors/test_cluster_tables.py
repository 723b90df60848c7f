import math

import pytest
from hypothesis import given, strategies as st

from spikeloom.extractors.cluster_tables import read_cluster_tables, table_name
from spikeloom.storage.delimited import format_table


@pytest.fixture
def read(tmp_path):
    def read_files(**files):
        for name, text in files.items():
            (tmp_path / name.replace("__", ".")).write_text(text, newline="")
        return read_cluster_tables(tmp_path)

    return read_files


def test_values_are_read_as_phy_reads_them(read):
    tables = read(cluster_x__tsv="cluster_id\tx\n1\t007\n2\t\n3\t1e3\n4\tnan\n5\t3.0\n6\tgood\n")
    values = tables.labels["x"]
    assert math.isnan(values.pop(4))
    assert values == {1: 7, 3: 1000.0, 5: 3.0, 6: "good"}
    assert [type(values[i]) for i in (1, 3, 5, 6)] == [int, float, float, str]
    assert tables.warnings == ()


def test_text_that_another_program_wrote_in_its_own_way_is_kept(read):
    tables = read(cluster_x__tsv="cluster_id\tx\n1\t007\n2\t3.0\n3\t1e3\n4\tNaN\n5\t+5\n")
    texts = {cluster_id: text for cluster_id, (_, text) in tables.texts["x"].items()}
    assert texts == {1: "007", 3: "1e3", 4: "NaN", 5: "+5"}
    for cluster_id, (value, _) in tables.texts["x"].items():
        assert tables.labels["x"][cluster_id] is value


def test_all_columns_but_the_cluster_become_fields(read):
    tables = read(cluster_metrics__csv="snr,cluster_id,rate\n4.5,3,10\n1.0,4,\n")
    assert tables.labels == {"snr": {3: 4.5, 4: 1.0}, "rate": {3: 10}}
    assert {name: path.name for name, path in tables.origin.items()} == {
        "snr": "cluster_metrics.csv",
        "rate": "cluster_metrics.csv",
    }


def test_the_summary_hidden_files_and_other_tables_are_left_alone(read):
    tables = read(
        cluster_info__tsv="cluster_id\tgroup\n1\tgood\n",
        __cluster_x__tsv="cluster_id\tx\n1\t1\n",
        events__csv="time,name\n1,stim\n",
        notes__txt="cluster_id\tx\n1\t1\n",
    )
    assert tables.labels == {}
    assert tables.warnings == ()


def test_the_file_named_after_a_field_wins_over_a_table_of_many(read):
    # phy writes cluster_met.tsv at each save, and leaves the table it once read the field from.
    tables = read(
        cluster_met__tsv="cluster_id\tmet\n1\t10\n",
        cluster_zzz__tsv="cluster_id\tmet\tother\n1\t99\t5\n2\t99\t6\n",
        cluster_met__csv="cluster_id,met\n1,50\n",
    )
    assert tables.labels["met"] == {1: 10}
    assert tables.origin["met"].name == "cluster_met.tsv"
    assert tables.labels["other"] == {1: 5, 2: 6}


def test_a_comma_separated_file_named_after_a_field_wins_too(read):
    tables = read(
        cluster_met__csv="cluster_id,met\n1,50\n", cluster_zzz__tsv="cluster_id\tmet\n1\t99\n"
    )
    assert tables.labels["met"] == {1: 50}


def test_a_field_whose_name_cannot_be_a_file_name_has_a_file_all_the_same(read):
    assert table_name("spikes/s") == "cluster_spikes_s.tsv"
    tables = read(
        cluster_spikes_s__tsv="cluster_id\tspikes/s\n1\t5\n",
        metrics__tsv="cluster_id\tspikes/s\n1\t99\n2\t99\n",
    )
    assert tables.labels["spikes/s"] == {1: 5}


def test_tables_of_another_folder_may_stand_in_and_some_may_be_left_out(read, tmp_path):
    newer = tmp_path / "newer"
    newer.mkdir()
    (newer / "cluster_x.tsv").write_text("cluster_id\tx\n1\t10\n")
    read(
        cluster_x__tsv="cluster_id\tx\n1\t1\n",
        cluster_y__tsv="cluster_id\ty\n1\t2\n",
        cluster_z__tsv="cluster_id\tz\n1\t3\n",
    )
    tables = read_cluster_tables(tmp_path, newer=newer, left_out=["cluster_z.tsv"])
    assert tables.labels == {"x": {1: 10}, "y": {1: 2}}


def test_of_two_other_files_the_last_by_name_wins(read):
    tables = read(a__tsv="cluster_id\tx\n1\t1\n", b__tsv="cluster_id\tx\n1\t2\n")
    assert tables.labels["x"] == {1: 2}


def test_the_last_row_of_a_cluster_wins_and_rows_without_a_cluster_are_told(read):
    tables = read(cluster_x__tsv="cluster_id\tx\n1\ta\n1\tb\nfour\tc\n\td\n2.5\te\n3.0\tf\n")
    assert tables.labels["x"] == {1: "b", 3: "f"}
    assert "4 of 6 rows" in tables.warnings[0]


def test_a_file_that_cannot_be_read_is_told_and_the_others_are_used(read, tmp_path):
    (tmp_path / "cluster_bad.tsv").write_bytes(b"cluster_id\tbad\n1\t\xff\n")
    (tmp_path / "cluster_empty.tsv").write_bytes(b"")
    tables = read(cluster_group__tsv="cluster_id\tgroup\n1\tgood\n")
    assert tables.labels == {"group": {1: "good"}}
    assert len(tables.warnings) == 2
    assert "cluster_bad.tsv" in tables.warnings[0]
    assert "cluster_empty.tsv" in tables.warnings[1]
    assert not any("Errno" in text for text in tables.warnings)


names = st.text("abcdefgh_ /\\.µ", min_size=1, max_size=8).map(str.strip)
values = st.one_of(
    st.integers(-(2**62), 2**62),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text("abc 1.\"'µ", min_size=1, max_size=6).map(str.strip),
)


@given(st.dictionaries(st.integers(0, 50), values.filter(lambda value: value != ""), max_size=6))
def test_values_that_were_written_mean_the_same_when_read_back(tmp_path_factory, column):
    folder = tmp_path_factory.mktemp("tables")
    (folder / "cluster_x.tsv").write_bytes(format_table(["cluster_id", "x"], column.items()))
    tables = read_cluster_tables(folder)
    assert set(tables.labels["x"]) == set(column)
    for cluster_id, value in tables.labels["x"].items():
        text = tables.texts["x"].get(cluster_id, (value, str(value)))[1]
        assert text == str(column[cluster_id])
