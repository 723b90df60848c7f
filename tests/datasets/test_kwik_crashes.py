"""A save of a Kwik file that dies at any moment leaves the old file or the new."""

import random
import signal
import time

import numpy as np
import pytest

from making.kwik_datasets import group_data, klusta_dataset
from making.processes import run_python, start_python
from spikeloom import KwikModel

NEW = np.arange(80) % 3


@pytest.fixture
def path(tmp_path):
    return klusta_dataset(tmp_path / "data")


# In a process of its own, which has no threads that a fork would leave behind.
DIE = """
    import sys
    from pathlib import Path
    import numpy as np
    from making.crashes import die_at_each_line
    from making.kwik_datasets import group_data
    from spikeloom import KwikModel
    from spikeloom.datasets import kwik_edits
    from spikeloom.storage import atomic, staged_saves

    path, NEW = Path(sys.argv[1]), np.arange(80) % 3
    modules = [module.__file__ for module in (kwik_edits, atomic, staged_saves)]
    old, backup, found = path.read_bytes(), path.with_name(f"{path.name}.bak"), set()

    def begin():
        for each in path.parent.iterdir():
            if each.name.startswith(".") or each == backup:
                each.unlink()
        path.write_bytes(old)

    def save():
        KwikModel(path).save(NEW, {0: 2})

    def check(k):
        # Both files are whole; what else is left is hidden.
        model = KwikModel(path)
        is_new = np.array_equal(model.spike_clusters, NEW)
        assert is_new or np.array_equal(model.spike_clusters, group_data().clusterings["main"])
        assert is_new == (model.cluster_groups.get(0) == 2)
        model.clustering = "original"
        assert np.array_equal(model.spike_clusters, group_data().clusterings["original"])
        assert (backup if backup.exists() else path).read_bytes() == old
        found.add(is_new)

    n_deaths = die_at_each_line(save, modules, check, prepare=begin, step=3)
    assert n_deaths > 40, n_deaths
    assert found == {False, True}, found
    # What the last one left is cleared away by the next save.
    path.write_bytes(old)
    save()
    left = [each.name for each in path.parent.iterdir() if each.name.startswith(".")]
    assert left == [], left
    print("done")
"""


def test_dying_at_any_line_leaves_the_old_file_or_the_new(path):
    assert run_python(DIE, path).strip() == "done"


@pytest.mark.parametrize("seed", range(6))
def test_killing_a_process_that_saves_leaves_the_old_file_or_the_new(path, seed):
    old = path.read_bytes()
    code = """
        import sys
        import numpy as np
        from spikeloom import KwikModel
        model = KwikModel(sys.argv[1])
        new, before = np.arange(80) % 3, model.spike_clusters.copy()
        groups = model.cluster_groups
        print("ready", flush=True)
        while True:
            model.save(new, {0: 2})
            model.save(before, groups)
    """
    process = start_python(code, path)
    assert process.stdout.readline().strip() == "ready"
    time.sleep(random.Random(seed).uniform(0.0, 0.1))
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    check_groupless(path, old)
    KwikModel(path).save(NEW, {0: 2})


def check_groupless(path, old):
    model = KwikModel(path)
    known = (NEW, group_data().clusterings["main"])
    assert any(np.array_equal(model.spike_clusters, each) for each in known)
    backup = path.with_name(f"{path.name}.bak")
    assert (backup if backup.exists() else path).read_bytes() == old
