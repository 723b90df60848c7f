"""What a save writes, to the byte, and what a save that fails or dies leaves behind."""

import math
import sys

import numpy as np
import pytest

from making.hashes import folder_state
from making.phy_folders import make_arrays, write_phy_folder
from making.processes import run_python
from making.sessions import make_session
from spikeloom.app.sessions import open_session, save
from spikeloom.errors import ChangedOnDiskError, WriteError
from spikeloom.exporters import phy_curation
from spikeloom.exporters.phy_curation import plan_save, take_snapshot, write_save

needs_posix = pytest.mark.skipif(sys.platform == "win32", reason="uses fork and signals")


def save_session(session, folder, *, texts=None):
    """Save a session without a dataset to a folder; return the plan."""
    plan = plan_save(
        session.workspace.state,
        session.spike_clusters,
        session.rows.rows(session.workspace),
        spike_clusters_path=folder / "spike_clusters.npy",
        texts=texts,
    )
    write_save(plan)
    return plan


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "phy"
    folder.mkdir()
    return folder


def test_groups_are_written_as_phy_writes_them(folder):
    session = make_session([2, 3, 10, 10, 4])
    session.move("good", cluster_ids=[10])
    session.move("unsorted", cluster_ids=[2])
    session.move("mua", cluster_ids=[3])
    save_session(session, folder)
    expected = b"cluster_id\tgroup\r\n2\tunsorted\r\n3\tmua\r\n10\tgood\r\n"
    assert (folder / "cluster_group.tsv").read_bytes() == expected


def test_each_field_has_a_file_of_its_own_with_what_python_calls_its_values(folder):
    session = make_session([1, 2, 3])
    session.label("snr", 4.5, cluster_ids=[1])
    session.label("snr", 1e-7, cluster_ids=[2])
    session.label("snr", 3.0, cluster_ids=[3])
    session.label("note", "a b\tc", cluster_ids=[2])
    session.label("count", 12, cluster_ids=[1])
    plan = save_session(session, folder)
    assert (folder / "cluster_snr.tsv").read_bytes() == (
        b"cluster_id\tsnr\r\n1\t4.5\r\n2\t1e-07\r\n3\t3.0\r\n"
    )
    assert (folder / "cluster_note.tsv").read_bytes() == b'cluster_id\tnote\r\n2\t"a b\tc"\r\n'
    assert (folder / "cluster_count.tsv").read_bytes() == b"cluster_id\tcount\r\n1\t12\r\n"
    assert sorted(path.name for path in folder.iterdir()) == sorted(p.name for p in plan.paths)


@pytest.mark.parametrize(
    "name", ["cl", "next", "t", "l", "u", "cluster", "next_cluster", "spikes/s"]
)
def test_a_label_of_any_name_is_saved(folder, name):
    session = make_session([1, 2])
    session.workspace.state.check_known([1])
    if "/" in name:  # from a table of another program
        session = make_session([1, 2], {name: {1: 5}})
    else:
        session.label(name, 5, cluster_ids=[1])
    save_session(session, folder)
    path = folder / f"cluster_{name.replace('/', '_')}.tsv"
    assert path.read_bytes() == f"cluster_id\t{name}\r\n1\t5\r\n".encode()


def test_the_summary_has_all_columns_floats_with_eight_digits_and_one_row_a_cluster(folder):
    def facts(cluster_id, spikes):
        return {"ch": "7", "depth": None, "fr": spikes.size / 3, "n_spikes": spikes.size}

    session = make_session([10, 2, 2], {"KSLabel": {2: "good"}}, facts=facts)
    session.move("mua", cluster_ids=[10])
    save_session(session, folder)
    assert (folder / "cluster_info.tsv").read_bytes() == (
        b"cluster_id\tKSLabel\tch\tdepth\tfr\tgroup\tn_spikes\r\n"
        b"2\tgood\t7\t\t0.66666667\t\t2\r\n"
        b"10\t\t7\t\t0.33333333\tmua\t1\r\n"
    )


def test_clusters_are_saved_as_a_plain_vector_of_32_bits(folder):
    session = make_session([1, 2, 2])
    session.merge([1, 2])
    save_session(session, folder)
    array = np.load(folder / "spike_clusters.npy")
    assert array.dtype == np.int32
    assert array.shape == (3,)
    assert array.flags.c_contiguous
    assert array.tolist() == [3, 3, 3]


def test_the_clusters_are_the_last_file_to_be_replaced(folder):
    session = make_session([1, 2], {"group": {1: "good"}})
    plan = save_session(session, folder)
    assert plan.paths[-1].name == "spike_clusters.npy"


def test_only_existing_clusters_are_written_and_a_field_without_values_has_no_new_file(folder):
    session = make_session([1, 2, 3], {"group": {1: "good"}})
    session.label("note", "x", cluster_ids=[3])
    session.undo()
    session.merge([1, 2])
    save_session(session, folder)
    assert (folder / "cluster_group.tsv").read_bytes() == b"cluster_id\tgroup\r\n4\tgood\r\n"
    assert not (folder / "cluster_note.tsv").exists()


def test_a_file_whose_last_value_was_taken_away_is_emptied_not_left(folder):
    (folder / "cluster_note.tsv").write_bytes(b"cluster_id\tnote\r\n1\tx\r\n")
    session = make_session([1, 2], {"note": {1: "x"}})
    session.label("note", None, cluster_ids=[1])
    save_session(session, folder)
    assert (folder / "cluster_note.tsv").read_bytes() == b"cluster_id\tnote\r\n"


@pytest.fixture
def dataset(tmp_path):
    return write_phy_folder(tmp_path / "phy", has_raw=False)


def reopened_labels(folder):
    return open_session(folder).model.labels


def test_untouched_cells_keep_the_text_that_another_program_wrote(tmp_path, open_dataset):
    text = "cluster_id\tx\n0\t007\n1\t3.0\n2\tNaN\n3\t1e3\n4\t+5\n5\t007\n"
    folder = write_phy_folder(tmp_path, has_raw=False, tables={"cluster_x.tsv": text})
    app_session = open_dataset(folder)
    app_session.session.label("x", 7, cluster_ids=[0])  # the same value: the same text
    app_session.session.label("x", 8, cluster_ids=[5])
    save(app_session)
    assert (folder / "cluster_x.tsv").read_bytes() == (
        b"cluster_id\tx\r\n0\t007\r\n1\t3.0\r\n2\tNaN\r\n3\t1e3\r\n4\t+5\r\n5\t8\r\n"
    )


def test_a_field_of_a_table_of_many_gets_its_own_file_which_wins_at_the_next_opening(
    dataset, open_dataset
):
    app_session = open_dataset(dataset)
    assert app_session.model.labels["serial"] == {0: 7, 1: 12}
    app_session.session.label("serial", 99, cluster_ids=[0])
    save(app_session)
    assert (dataset / "cluster_serial.tsv").read_bytes() == (
        b"cluster_id\tserial\r\n0\t99\r\n1\t12\r\n"
    )
    assert "007" in (dataset / "cluster_metrics.csv").read_text()
    assert reopened_labels(dataset)["serial"] == {0: 99, 1: 12}


def test_values_taken_away_from_a_table_of_many_do_not_come_back(dataset, open_dataset):
    app_session = open_dataset(dataset)
    for cluster_id in (0, 1):
        app_session.session.label("serial", None, cluster_ids=[cluster_id])
    save(app_session)
    assert reopened_labels(dataset)["serial"] == {}


def test_what_is_saved_is_read_back(dataset, open_dataset):
    app_session = open_dataset(dataset)
    session = app_session.session
    session.merge([0, 1])
    session.label("note", "odd µ", cluster_ids=[6])
    session.move("noise", cluster_ids=[3])
    _, text = save(app_session)
    assert "cluster_note.tsv" in text
    assert not session.workspace.is_dirty
    again = open_dataset(dataset)
    np.testing.assert_array_equal(again.session.spike_clusters, session.spike_clusters)
    assert again.model.labels["note"] == {6: "odd µ"}
    assert again.model.labels["group"] == {2: "noise", 3: "noise", 6: "good"}
    assert math.isclose(again.model.labels["snr"][6], 4.5)
    assert again.recovery is None


def test_a_matlab_column_of_other_integers_becomes_a_plain_vector_at_the_first_save(
    tmp_path, open_dataset
):
    arrays = make_arrays()
    arrays["spike_clusters"] = np.asfortranarray(
        arrays["spike_clusters"].astype(np.uint32)[:, None]
    )
    folder = write_phy_folder(tmp_path, arrays=arrays, has_raw=False)
    save(open_dataset(folder))
    saved = np.load(folder / "spike_clusters.npy")
    assert saved.dtype == np.int32
    np.testing.assert_array_equal(saved, arrays["spike_clusters"][:, 0])


def test_a_dataset_without_clusters_gets_them_at_the_first_save_only(tmp_path, open_dataset):
    arrays = make_arrays()
    del arrays["spike_clusters"]
    folder = write_phy_folder(tmp_path, arrays=arrays, has_raw=False)
    app_session = open_dataset(folder)
    assert not (folder / "spike_clusters.npy").exists()
    app_session.session.merge([0, 1])
    save(app_session)
    assert np.load(folder / "spike_clusters.npy").max() == 6


def test_clusters_with_an_alf_name_are_saved_under_it(tmp_path, open_dataset):
    arrays = make_arrays()
    arrays["spikes.clusters"] = arrays.pop("spike_clusters")
    folder = write_phy_folder(tmp_path, arrays=arrays, has_raw=False)
    app_session = open_dataset(folder)
    app_session.session.merge([0, 1])
    save(app_session)
    assert np.load(folder / "spikes.clusters.npy").max() == 6
    assert not (folder / "spike_clusters.npy").exists()


def test_the_snapshot_holds_the_files_as_they_were_before(dataset, open_dataset):
    before = {p.name: p.read_bytes() for p in dataset.iterdir() if p.is_file()}
    app_session = open_dataset(dataset)
    app_session.session.merge([0, 1])
    save(app_session)
    (snapshot,) = (dataset / ".spikeloom" / "snapshots").iterdir()
    found = {p.name: p.read_bytes() for p in snapshot.iterdir()}
    # Only what is replaced: not the arrays, and not the table of many fields.
    assert set(found) == {"spike_clusters.npy", "cluster_group.tsv", "cluster_KSLabel.tsv"}
    assert all(before[name] == content for name, content in found.items())


def test_the_first_snapshot_is_kept_and_so_are_the_last_ones(dataset, monkeypatch, open_dataset):
    monkeypatch.setattr(phy_curation, "N_SNAPSHOTS_MAX", 3)
    original = (dataset / "spike_clusters.npy").read_bytes()
    app_session = open_dataset(dataset)
    for k in range(7):
        app_session.session.label("k", k, cluster_ids=[0])
        save(app_session)
    snapshots = sorted((dataset / ".spikeloom" / "snapshots").iterdir())
    assert len(snapshots) == 4
    assert (snapshots[0] / "spike_clusters.npy").read_bytes() == original
    assert not (snapshots[0] / "cluster_k.tsv").exists()
    last = (snapshots[-1] / "cluster_k.tsv").read_bytes()
    assert last == b"cluster_id\tk\r\n0\t5\r\n"


def test_a_snapshot_that_cannot_be_made_stops_the_save(dataset, open_dataset):
    app_session = open_dataset(dataset)
    app_session.session.merge([0, 1])
    (dataset / ".spikeloom" / "snapshots").write_text("a file where the folder should be")
    before = folder_state(dataset)
    with pytest.raises(WriteError, match="could not be copied"):
        save(app_session)
    assert folder_state(dataset) == before
    assert app_session.session.workspace.is_dirty


def test_snapshots_can_be_taken_outside_of_the_data(dataset, tmp_path, open_dataset):
    app_session = open_dataset(dataset)
    plan = plan_save(
        app_session.session.workspace.state,
        app_session.session.spike_clusters,
        {i: {} for i in app_session.session.workspace.state.spikes},
        spike_clusters_path=dataset / "spike_clusters.npy",
    )
    name = take_snapshot(plan, tmp_path / "elsewhere")
    assert (tmp_path / "elsewhere" / name / "spike_clusters.npy").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="uses capabilities of Linux")
def test_a_read_only_folder_is_an_error_that_changes_nothing_and_keeps_the_edits(dataset):
    for path in dataset.iterdir():
        path.chmod(0o444)
    dataset.chmod(0o555)
    before = folder_state(dataset)
    output = run_python(
        """
        import sys
        from pathlib import Path
        from making.processes import drop_powers
        from spikeloom.app.sessions import open_session, recover, save
        from spikeloom.errors import WriteError

        drop_powers()
        app_session = open_session(Path(sys.argv[1]))
        app_session.session.merge([0, 1])
        try:
            save(app_session)
        except WriteError as error:
            print(error)
        print(app_session.session.workspace.is_dirty)
        app_session.session.label("note", 1, cluster_ids=[6])
        app_session.journal.close()
        again = open_session(Path(sys.argv[1]))
        recover(again)
        print(len(again.session.workspace.history.done), again.session.spike_clusters.max())
        """,
        dataset,
    )
    dataset.chmod(0o755)
    assert folder_state(dataset) == before
    lines = output.splitlines()
    assert "read-only" in lines[0]
    assert lines[1:] == ["True", "2 6"]


def test_clusters_changed_by_another_program_are_not_replaced_without_being_asked(
    dataset, open_dataset
):
    app_session = open_dataset(dataset)
    app_session.session.merge([0, 1])
    path = dataset / "spike_clusters.npy"
    others = np.load(path)
    others[:10] = 77
    np.save(path, others)
    before = folder_state(dataset)
    with pytest.raises(ChangedOnDiskError, match="changed by another program"):
        save(app_session)
    assert folder_state(dataset) == before
    save(app_session, overwrites_changes=True)
    np.testing.assert_array_equal(np.load(path), app_session.session.spike_clusters)
    (snapshot,) = (dataset / ".spikeloom" / "snapshots").iterdir()
    np.testing.assert_array_equal(np.load(snapshot / "spike_clusters.npy"), others)
    assert open_dataset(dataset).recovery is None


def test_clusters_damaged_by_another_program_are_not_replaced_without_being_asked(
    dataset, open_dataset
):
    app_session = open_dataset(dataset)
    app_session.session.merge([0, 1])
    (dataset / "spike_clusters.npy").write_bytes(b"")
    with pytest.raises(ChangedOnDiskError, match="Save anyway"):
        save(app_session)
    save(app_session, overwrites_changes=True)
    assert np.load(dataset / "spike_clusters.npy").max() == 6


def test_clusters_that_went_away_are_written_again(dataset, open_dataset):
    app_session = open_dataset(dataset)
    app_session.session.merge([0, 1])
    (dataset / "spike_clusters.npy").unlink()
    save(app_session)
    assert np.load(dataset / "spike_clusters.npy").max() == 6


def test_saving_twice_in_a_row_and_after_more_edits_works(dataset, open_dataset):
    app_session = open_dataset(dataset)
    save(app_session)
    save(app_session)
    app_session.session.merge([0, 1])
    save(app_session)
    app_session.session.undo()
    save(app_session)
    saved = np.load(dataset / "spike_clusters.npy")
    np.testing.assert_array_equal(saved, make_arrays()["spike_clusters"])


DYING = """
    import shutil, sys
    from pathlib import Path
    import numpy as np
    from making.crashes import die_at_each_line
    from making.sessions import labels_of
    from spikeloom.app import sessions
    from spikeloom.curation import journal as curation_journal
    from spikeloom.exporters import phy_curation
    from spikeloom.storage import atomic, journal

    original, folder, step = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    old = np.load(original / "spike_clusters.npy")

    def edit(session):
        session.merge([0, 1])
        session.label("note", "new", cluster_ids=[6])
        session.label("snr", 1.5, cluster_ids=[2])
        session.split(np.flatnonzero(session.spike_clusters == 4)[:5])
        session.undo()
        session.redo()
        session.move("good", cluster_ids=[3])

    def prepare():
        global app_session
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(original, folder)
        app_session = sessions.open_session(folder)
        base_labels.update(labels_of(app_session.session))
        edit(app_session.session)
        full.update(clusters=app_session.session.spike_clusters.copy(),
                    labels=labels_of(app_session.session))

    def work():
        sessions.save(app_session)

    full, base_labels, seen = {}, {}, []

    def text(labels):
        return str(sorted((name, sorted(column.items())) for name, column in labels.items()))

    def reopen():
        again = sessions.open_session(folder)
        assert again.recovery is None or again.recovery.problem is None
        return again

    def check(k):
        app_session.journal.close()  # which the child had inherited
        on_disk = np.load(folder / "spike_clusters.npy")
        is_new = np.array_equal(on_disk, full["clusters"])
        assert is_new or np.array_equal(on_disk, old), k
        again = reopen()
        if again.recovery is not None:
            assert not is_new
            sessions.recover(again)
            session = again.session
            n_done = len(session.workspace.history.done)
            assert n_done == 5, (k, n_done)
            for _ in range(n_done):
                session.undo()
            assert np.array_equal(session.spike_clusters, old), k
            assert text(labels_of(session)) == text(base_labels), k
            for _ in range(n_done):
                session.redo()
        seen.append((is_new, again.recovery is not None))
        assert np.array_equal(again.session.spike_clusters, full["clusters"]), k
        assert text(labels_of(again.session)) == text(full["labels"]), k
        # And life goes on.
        again.session.label("after", k, cluster_ids=[3])
        sessions.save(again)
        again.journal.close()
        last = reopen()
        assert last.recovery is None, k
        assert last.model.labels["after"] == {3: k}
        rest = {n: c for n, c in labels_of(last.session).items() if n != "after"}
        assert text(rest) == text(full["labels"]), k
        assert not list(folder.glob("cluster_*.tmp"))

    modules = [sessions, phy_curation, atomic, journal, curation_journal]
    files = [module.__file__ for module in modules]
    n_deaths = die_at_each_line(work, files, check, step=step, prepare=prepare)
    assert {is_new for is_new, _ in seen} == {True, False}
    print(n_deaths)
"""


def die_while_saving(tmp_path, step):
    original = write_phy_folder(tmp_path / "original", has_raw=False)
    for name in ("pc_features", "pc_feature_ind", "template_features", "template_feature_ind"):
        (original / f"{name}.npy").unlink()
    return int(run_python(DYING, original, tmp_path / "phy", step))


@needs_posix
def test_dying_at_many_lines_of_a_save_loses_nothing(tmp_path):
    assert die_while_saving(tmp_path, step=13) > 20


@needs_posix
@pytest.mark.slow
def test_dying_at_every_line_of_a_save_loses_nothing(tmp_path, open_dataset):
    assert die_while_saving(tmp_path, step=1) > 200


KILLED = """
    import os, random, signal, sys, time
    from pathlib import Path
    import numpy as np
    from making.sessions import labels_of
    from spikeloom.app.sessions import open_session, recover, save

    folder, acknowledged = Path(sys.argv[1]), Path(sys.argv[2])
    n_kills = int(sys.argv[3])
    rng = random.Random(int(sys.argv[4]))

    def act(session, k):
        ids = session.workspace.state.cluster_ids
        match k % 4:
            case 0:
                session.label("k", k, cluster_ids=[ids[k % len(ids)]])
            case 1:
                session.split(session.workspace.state.spikes[ids[-1]][:3])
            case 2:
                session.merge(ids[-2:])
            case 3:
                session.move("good", cluster_ids=[ids[k % len(ids)]])

    def state_of(session):
        labels = labels_of(session)
        return session.spike_clusters.tolist(), str(
            sorted((name, sorted(column.items())) for name, column in labels.items())
        )

    def run(start):
        app_session = open_session(folder)
        if app_session.recovery is not None:
            recover(app_session)
        with acknowledged.open("ab", buffering=0) as file:
            for k in range(start, 10_000):
                act(app_session.session, k)
                file.write(b".")
                save(app_session)

    plain = open_session(folder).session
    plain.log = None
    states = [state_of(plain)]
    for _ in range(n_kills):
        n_before = acknowledged.stat().st_size if acknowledged.exists() else 0
        child = os.fork()
        if child == 0:
            try:
                run(n_before)
            finally:
                os._exit(1)
        deadline = time.monotonic() + 20
        while not (acknowledged.exists() and acknowledged.stat().st_size > n_before):
            assert time.monotonic() < deadline
            time.sleep(0.001)
        time.sleep(rng.uniform(0, 0.05))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        n_sure = acknowledged.stat().st_size
        while len(states) <= n_sure + 1:
            act(plain, len(states) - 1)
            states.append(state_of(plain))
        on_disk = np.load(folder / "spike_clusters.npy").tolist()
        assert on_disk in [clusters for clusters, _ in states]
        app_session = open_session(folder)
        if app_session.recovery is not None:
            recover(app_session)
        found = state_of(app_session.session)
        assert found in states[n_sure:n_sure + 2], n_sure
        if found == states[n_sure + 1] != states[n_sure]:
            with acknowledged.open("ab") as file:
                file.write(b".")
    print(n_sure)
"""


@needs_posix
@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_kill_9_at_random_moments_loses_nothing_that_was_acknowledged(tmp_path, seed):
    folder = write_phy_folder(tmp_path / "phy", has_raw=False)
    n_kills = 15 if seed == 1 else 100
    assert int(run_python(KILLED, folder, tmp_path / "acknowledged", n_kills, seed)) >= n_kills
