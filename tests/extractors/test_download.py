import inspect
import os
import shutil
import subprocess
import sys
import threading
import time

import pytest

from making.annex_repositories import (
    add_by_hand,
    add_with_git_annex,
    commit,
    git,
    key_of,
    new_repository,
    require_git_annex,
    serving,
)
from spikeloom.errors import (
    DataError,
    MissingDependencyError,
    MissingFileError,
    ParameterError,
    ReadError,
    WriteError,
)
from spikeloom.extractors.download import download_dataset
from spikeloom.extractors.git_commands import git_environment

CONTENTS = {
    "mearec/test 10s.h5": bytes(range(256)) * 4000,
    "spikeglx/run/a.bin": b"samples " * 20_000,
    "spikeglx/run/b.bin": b"more samples " * 10_000,
    "spikeglx/run/copy of a.bin": b"samples " * 20_000,
}
PLAIN = {"README.md": b"# data\n", "spikeglx/run/a.meta": b"nSavedChans=4\r\n"}


@pytest.fixture(autouse=True)
def stranger(monkeypatch, tmp_path):
    """A user whom git does not know."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home" / "config"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for name in list(os.environ):
        if name.startswith(("GIT_AUTHOR", "GIT_COMMITTER")) or name == "EMAIL":
            monkeypatch.delenv(name)
    (tmp_path / "home").mkdir()


@pytest.fixture
def only_git(monkeypatch, tmp_path):
    """A machine without git-annex."""
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "git").symlink_to(shutil.which("git"))
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setattr(sys, "executable", str(programs / "python"))


@pytest.fixture(params=["links", "pointers"])
def unlocked(request):
    return request.param == "pointers"


def fill(folder, add, **options):
    for path, content in PLAIN.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    for path, content in CONTENTS.items():
        add(folder, path, content, **options)
    commit(folder)
    return folder


@pytest.fixture
def annexed(tmp_path, unlocked):
    require_git_annex()
    folder = new_repository(tmp_path / "there" / "data")
    return fill(folder, add_with_git_annex, unlocked=unlocked)


@pytest.fixture
def server(tmp_path, unlocked, only_git):
    """A server whose users have no git-annex."""
    folder = fill(new_repository(tmp_path / "there" / "data"), add_by_hand, unlocked=unlocked)
    with serving(folder, dict(CONTENTS)) as served:
        yield served


@pytest.fixture
def linking_server(tmp_path, only_git):
    folder = fill(new_repository(tmp_path / "there" / "data"), add_by_hand)
    with serving(folder, dict(CONTENTS)) as served:
        yield served


def is_complete(folder, path):
    return (folder / path).is_file() and (folder / path).read_bytes() == CONTENTS[path]


def partials_of(folder):
    return sorted((folder / ".git" / "annex" / "tmp").glob("*"))


class TestWithGitAnnex:
    def test_a_file_comes_alone(self, annexed, tmp_path):
        local = tmp_path / "here"
        path = download_dataset(annexed, "mearec/test 10s.h5", local)
        assert path == local / "mearec" / "test 10s.h5"
        assert is_complete(local, "mearec/test 10s.h5")
        assert not is_complete(local, "spikeglx/run/a.bin")

    def test_a_folder_comes_with_all_that_is_in_it(self, annexed, tmp_path):
        local = tmp_path / "here"
        path = download_dataset(str(annexed), "/spikeglx/", local_folder=str(local))
        assert path == local / "spikeglx"
        names = {f"spikeglx/run/{item.name}" for item in (path / "run").iterdir()}
        assert names == {name for name in [*CONTENTS, *PLAIN] if name.startswith("spikeglx")}
        assert all(is_complete(local, name) for name in CONTENTS if name.startswith("spikeglx"))
        assert (path / "run" / "a.meta").read_bytes() == PLAIN["spikeglx/run/a.meta"]
        assert not is_complete(local, "mearec/test 10s.h5")

    def test_everything_comes(self, annexed, tmp_path):
        assert download_dataset(annexed, ".", tmp_path / "here") == tmp_path / "here"
        assert all(is_complete(tmp_path / "here", name) for name in CONTENTS)

    def test_a_url_of_a_folder_is_cloned_without_history(self, annexed, tmp_path):
        (annexed / "late.txt").write_text("late")
        commit(annexed)
        local = tmp_path / "here"
        download_dataset(f"file://{annexed}", "mearec/test 10s.h5", local)
        assert is_complete(local, "mearec/test 10s.h5")
        assert git(local, "rev-list", "--count", "HEAD").strip() == "1"

    def test_the_clone_goes_where_the_setting_says(self, annexed, tmp_path, monkeypatch):
        monkeypatch.setenv("SPIKELOOM_DATASET_FOLDER", str(tmp_path / "sets"))
        path = download_dataset(annexed, "README.md")
        assert path == tmp_path / "sets" / "data" / "README.md"
        assert path.read_bytes() == PLAIN["README.md"]

    def test_what_is_here_is_returned_with_the_repository_gone(self, annexed, tmp_path):
        local = tmp_path / "here"
        path = download_dataset(annexed, "mearec/test 10s.h5", local)
        annexed.rename(annexed.with_name("away"))
        assert download_dataset(annexed, "mearec/test 10s.h5", local) == path
        with pytest.raises((ReadError, MissingDependencyError)):
            download_dataset(annexed, "spikeglx/run/a.bin", local)

    def test_an_update_brings_new_content_and_files(self, annexed, unlocked, tmp_path):
        local, path = tmp_path / "here", "spikeglx/run/b.bin"
        download_dataset(f"file://{annexed}", "spikeglx", local)
        add_with_git_annex(annexed, path, b"new samples", unlocked=unlocked)
        add_with_git_annex(annexed, "new/c.bin", b"quite new", unlocked=unlocked)
        commit(annexed)
        assert download_dataset(f"file://{annexed}", path, local).read_bytes() == CONTENTS[path]
        with pytest.raises(MissingFileError, match="update_if_exists=True"):
            download_dataset(f"file://{annexed}", "new/c.bin", local)
        got = download_dataset(f"file://{annexed}", path, local, update_if_exists=True)
        assert got.read_bytes() == b"new samples"
        got = download_dataset(f"file://{annexed}", "new/c.bin", local)
        assert got.read_bytes() == b"quite new"
        assert is_complete(local, "spikeglx/run/a.bin")

    def test_a_clone_that_git_annex_adjusted_is_updated(self, annexed, unlocked, tmp_path):
        local, path = tmp_path / "here", "spikeglx/run/b.bin"
        download_dataset(annexed, path, local)
        git(local, "annex", "adjust", "--unlock")
        add_with_git_annex(annexed, path, b"new samples", unlocked=unlocked)
        commit(annexed)
        got = download_dataset(annexed, path, local, True)
        assert got.read_bytes() == b"new samples"
        assert not got.is_symlink()

    def test_content_that_is_nowhere_is_told(self, annexed, tmp_path):
        shutil.rmtree(annexed / ".git" / "annex" / "objects")
        with pytest.raises(ReadError, match=r"a\.bin.*git-annex said: .+"):
            download_dataset(annexed, "spikeglx/run/a.bin", tmp_path / "here")

    def test_content_that_rotted_is_refused(self, annexed, tmp_path):
        for content in (annexed / ".git" / "annex" / "objects").rglob("MD5E-*.bin"):
            if content.is_file():
                content.parent.chmod(0o755)
                content.chmod(0o644)
                content.write_bytes(b"x" * content.stat().st_size)
        with pytest.raises(ReadError, match="git-annex said"):
            download_dataset(annexed, "spikeglx/run/b.bin", tmp_path / "here")
        assert not is_complete(tmp_path / "here", "spikeglx/run/b.bin")

    def test_it_works_from_within_a_hook_of_git(self, annexed, tmp_path, monkeypatch):
        monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
        monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))
        assert download_dataset(annexed, "README.md", tmp_path / "here").is_file()
        assert not (tmp_path / "elsewhere").exists()

    def test_what_git_annex_cannot_get_comes_over_http(self, annexed, tmp_path):
        """git-annex refuses to talk to this machine itself; what it lacks is handed to it."""
        local = tmp_path / "here"
        with serving(annexed, dict(CONTENTS)) as served:
            download_dataset(served.url, "spikeglx", local)
            assert all(is_complete(local, name) for name in CONTENTS if "spikeglx" in name)
            n_asked = len(served.raw_requests())
            assert n_asked == 2  # two of the three files have the same content
            download_dataset(served.url, "spikeglx", local)
            assert len(served.raw_requests()) == n_asked
        assert git(local, "status", "--porcelain") == ""
        found = git(local, "annex", "find", "--in=here", "spikeglx").splitlines()
        assert len(found) == 3
        git(local, "annex", "fsck", "--quiet", "spikeglx")

    def test_a_clone_made_without_git_annex_is_one_for_it(self, annexed, tmp_path):
        local = tmp_path / "here"
        with serving(annexed, dict(CONTENTS)) as served:
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("PATH", str(self.folder_with_git(tmp_path)))
                patch.setattr(sys, "executable", str(tmp_path / "programs" / "python"))
                download_dataset(served.url, "mearec/test 10s.h5", local)
            download_dataset(served.url, "spikeglx", local)
            n_asked = len(served.raw_requests())
            download_dataset(served.url, ".", local)
            assert len(served.raw_requests()) == n_asked
        assert all(is_complete(local, name) for name in CONTENTS)
        git(local, "annex", "fsck", "--quiet")

    @staticmethod
    def folder_with_git(tmp_path):
        programs = tmp_path / "programs"
        programs.mkdir()
        (programs / "git").symlink_to(shutil.which("git"))
        return programs


class TestOverHttp:
    def test_a_file_comes_alone(self, server, tmp_path):
        local = tmp_path / "here"
        path = download_dataset(server.url, "mearec/test 10s.h5", local)
        assert path == local / "mearec" / "test 10s.h5"
        assert is_complete(local, "mearec/test 10s.h5")
        assert [asked for asked, _ in server.raw_requests()] == [
            "/lab/data/raw/master/mearec/test 10s.h5"
        ]
        assert partials_of(local) == []

    def test_a_folder_comes_with_all_that_is_in_it(self, server, tmp_path):
        local = tmp_path / "here"
        download_dataset(server.url + ".git/", "spikeglx", local)
        assert all(is_complete(local, name) for name in CONTENTS if "spikeglx" in name)
        assert not is_complete(local, "mearec/test 10s.h5")
        assert (local / "spikeglx/run/a.meta").read_bytes() == PLAIN["spikeglx/run/a.meta"]

    def test_a_server_of_files_is_enough(self, server, tmp_path):
        server.has_git = False
        git(server.repository, "update-server-info")
        download_dataset(server.url, "mearec", tmp_path / "here")
        assert is_complete(tmp_path / "here", "mearec/test 10s.h5")

    def test_what_is_here_touches_no_network(self, server, tmp_path):
        local = tmp_path / "here"
        download_dataset(server.url, "spikeglx", local)
        n_requests = len(server.requests)
        assert download_dataset(server.url, "spikeglx", local) == local / "spikeglx"
        assert download_dataset(server.url, "spikeglx/run/a.bin", local).is_file()
        assert len(server.requests) == n_requests

    @pytest.mark.parametrize("change", ["flipped", "shorter", "longer"])
    def test_other_content_is_refused(self, server, tmp_path, change):
        local, path = tmp_path / "here", "mearec/test 10s.h5"
        right = CONTENTS[path]
        wrong = {"flipped": b"x" + right[1:], "shorter": right[:-1], "longer": right + b"x"}
        server.contents[path] = wrong[change]
        with pytest.raises(DataError, match=r"not the content.*update_if_exists=True"):
            download_dataset(server.url, path, local)
        assert partials_of(local) == []
        server.contents[path] = right
        download_dataset(server.url, path, local)
        assert is_complete(local, path)

    def test_an_interrupted_transfer_goes_on_where_it_ended(self, server, tmp_path):
        local, path = tmp_path / "here", "mearec/test 10s.h5"
        server.n_bytes_before_break = 100_000
        server.understands_ranges = False
        with pytest.raises(ReadError, match="100000 bytes are kept"):
            download_dataset(server.url, path, local)
        assert not is_complete(local, path)
        assert [partial.stat().st_size for partial in partials_of(local)] == [100_000]
        server.n_bytes_before_break = None
        server.understands_ranges = True
        download_dataset(server.url, path, local)
        assert is_complete(local, path)
        assert server.raw_requests()[-1][1] == "bytes=100000-"
        assert partials_of(local) == []

    def test_a_bad_line_is_overcome_in_one_call(self, server, tmp_path):
        local, path = tmp_path / "here", "mearec/test 10s.h5"
        server.n_bytes_before_break = 300_000
        download_dataset(server.url, path, local)
        assert is_complete(local, path)
        asked = [ranges for _, ranges in server.raw_requests()]
        assert asked == ["", "bytes=300000-", "bytes=600000-", "bytes=900000-"]

    def test_a_rotten_beginning_is_not_built_upon(self, server, tmp_path):
        local, path = tmp_path / "here", "mearec/test 10s.h5"
        download_dataset(server.url, "README.md", local)
        partial = local / ".git" / "annex" / "tmp" / key_of(CONTENTS[path], path)
        for rotten in [b"x" * 1000, b"x" * len(CONTENTS[path]), b"x" * 2_000_000]:
            shutil.rmtree(local / ".git" / "annex", ignore_errors=True)
            git(local, "checkout", "HEAD", "--", path)
            partial.parent.mkdir(parents=True)
            partial.write_bytes(rotten)
            download_dataset(server.url, path, local)
            assert is_complete(local, path)

    def test_refusals_of_the_server_are_told(self, server, tmp_path):
        del server.contents["mearec/test 10s.h5"]
        with pytest.raises(ReadError, match="404"):
            download_dataset(server.url, "mearec/test 10s.h5", tmp_path / "here")
        assert partials_of(tmp_path / "here") == []

    def test_an_update_replaces_what_was_downloaded(self, server, unlocked, tmp_path):
        local, path = tmp_path / "here", "spikeglx/run/b.bin"
        download_dataset(server.url, "spikeglx", local)
        add_by_hand(server.repository, path, b"new samples", unlocked=unlocked)
        commit(server.repository)
        server.contents[path] = b"new samples"
        assert download_dataset(server.url, path, local).read_bytes() == CONTENTS[path]
        got = download_dataset(server.url, path, local, update_if_exists=True)
        assert got.read_bytes() == b"new samples"
        assert is_complete(local, "spikeglx/run/a.bin")
        n_requests = len(server.raw_requests())
        download_dataset(server.url, "spikeglx", local, update_if_exists=True)
        assert len(server.raw_requests()) == n_requests

    def test_a_file_put_in_place_of_a_link_counts_if_it_is_right(self, linking_server, tmp_path):
        """So do the clones look that SpikeInterface fills."""
        local, path = tmp_path / "here", "spikeglx/run/b.bin"
        download_dataset(linking_server.url, "README.md", local)
        (local / path).unlink()
        (local / path).write_bytes(CONTENTS[path])
        download_dataset(linking_server.url, path, local)
        assert linking_server.raw_requests() == []
        add_by_hand(linking_server.repository, path, b"new samples")
        commit(linking_server.repository)
        linking_server.contents[path] = b"new samples"
        got = download_dataset(linking_server.url, path, local, update_if_exists=True)
        assert got.read_bytes() == b"new samples"

    def test_links_written_as_text_are_replaced_by_content(self, linking_server, tmp_path):
        """So do clones look on file systems without links."""
        local, path = tmp_path / "here", "spikeglx/run/b.bin"
        download_dataset(linking_server.url, "README.md", local)
        target = (local / path).readlink()
        (local / path).unlink()
        (local / path).write_text(str(target))
        download_dataset(linking_server.url, path, local)
        assert is_complete(local, path)
        assert not (local / path).is_symlink()

    def test_two_at_once_both_get_it(self, server, tmp_path):
        local, path, outcomes = tmp_path / "here", "mearec/test 10s.h5", []
        server.n_bytes_before_break = 50_000

        def download():
            try:
                outcomes.append(download_dataset(server.url, path, local))
            except Exception as error:  # noqa: BLE001 - shown by the assertion below
                outcomes.append(error)

        threads = [threading.Thread(target=download) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert outcomes == [local / path] * 3
        assert is_complete(local, path)
        assert partials_of(local) == []

    def test_what_only_git_annex_can_verify_is_left_to_it(self, linking_server, tmp_path):
        folder = linking_server.repository
        key = "WORM-s5-m1--a.bin"
        (folder / "worm.bin").symlink_to(f".git/annex/objects/Xx/0z/{key}/{key}")
        commit(folder)
        linking_server.contents["worm.bin"] = b"hello"
        with pytest.raises(MissingDependencyError, match="pip install git-annex"):
            download_dataset(linking_server.url, "worm.bin", tmp_path / "here")

    def test_without_git_annex_a_folder_gives_what_git_holds(self, linking_server, tmp_path):
        local = tmp_path / "here"
        got = download_dataset(linking_server.repository, "README.md", local)
        assert got.read_bytes() == PLAIN["README.md"]
        with pytest.raises(MissingDependencyError, match="pip install git-annex"):
            download_dataset(linking_server.repository, "mearec", local)

    def test_a_killed_download_is_resumed(self, linking_server, tmp_path):
        local, path = tmp_path / "here", "mearec/test 10s.h5"
        download_dataset(linking_server.url, "README.md", local)
        gate = threading.Event()

        class Slow(dict):
            def get(self, name):
                gate.wait(20)
                return CONTENTS[name]

        linking_server.contents = Slow()
        code = (
            "import sys; from spikeloom.extractors.download import download_dataset as d; "
            f"sys.executable='/nowhere/python'; d({linking_server.url!r}, {path!r}, {str(local)!r})"
        )
        child = subprocess.Popen([PYTHON, "-c", code], env=os.environ)
        while not linking_server.raw_requests():
            assert child.poll() is None
            time.sleep(0.01)
        child.kill()
        child.wait()
        gate.set()
        assert not is_complete(local, path)
        linking_server.contents = dict(CONTENTS)
        download_dataset(linking_server.url, path, local)
        assert is_complete(local, path)


PYTHON = sys.executable


class TestRefusals:
    @pytest.fixture
    def plain(self, tmp_path):
        folder = new_repository(tmp_path / "there" / "data")
        for path, content in PLAIN.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
        commit(folder)
        return folder

    @pytest.mark.parametrize("path", ["../other", "a/../../b", "/..", "mearec/.."])
    def test_paths_that_lead_out(self, plain, tmp_path, path):
        with pytest.raises(ParameterError, match="leads out"):
            download_dataset(plain, path, tmp_path / "here")
        assert not (tmp_path / "here").exists()

    @pytest.mark.parametrize("path", ["", "/", "a\0b"])
    def test_paths_that_say_nothing(self, plain, tmp_path, path):
        with pytest.raises(ParameterError, match="give a path"):
            download_dataset(plain, path, tmp_path / "here")

    def test_an_unknown_path_names_those_that_are_near(self, plain, tmp_path):
        with pytest.raises(MissingFileError, match=r"Did you mean 'spikeglx/run/a\.meta'"):
            download_dataset(plain, "spikeglx/rum/a.meta", tmp_path / "here")
        with pytest.raises(FileNotFoundError, match=r"'spikeglx/run/a\.meta'"):
            download_dataset(plain, "A.meta", tmp_path / "here")

    def test_paths_are_no_patterns(self, plain, tmp_path):
        with pytest.raises(MissingFileError):
            download_dataset(plain, "spikeglx/run/*.meta", tmp_path / "here")
        with pytest.raises(MissingFileError):
            download_dataset(plain, ":(top)README.md", tmp_path / "here")

    @pytest.mark.parametrize(
        "repo", ["", "-u/bin/sh", "s3://bucket/data", "https://host/", "https://host", "ext://sh"]
    )
    def test_what_is_no_repository(self, repo, tmp_path):
        with pytest.raises(ParameterError, match="address of a repository"):
            download_dataset(repo, "a", tmp_path / "here")

    def test_a_folder_that_is_absent(self, tmp_path):
        with pytest.raises(MissingFileError, match="no folder"):
            download_dataset(tmp_path / "none", "a", tmp_path / "here")

    def test_a_folder_that_is_no_repository(self, tmp_path):
        (tmp_path / "empty").mkdir()
        with pytest.raises(ReadError, match="git clone failed"):
            download_dataset(tmp_path / "empty", "a", tmp_path / "here")
        assert not (tmp_path / "here").exists()
        assert sorted(item.name for item in tmp_path.iterdir()) == ["empty", "home"]

    def test_a_repository_without_commits(self, tmp_path):
        folder = new_repository(tmp_path / "there")
        with pytest.raises(MissingFileError, match="no commit"):
            download_dataset(folder, "a", tmp_path / "here")

    def test_no_network(self, tmp_path):
        url = "http://me:secret@127.0.0.1:9/lab/data"  # nothing listens at "discard"
        with pytest.raises(ReadError, match="network connection") as caught:
            download_dataset(url, "a", tmp_path / "here")
        assert "secret" not in str(caught.value)
        assert not (tmp_path / "here").exists()

    def test_no_git(self, plain, tmp_path, monkeypatch):
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
        with pytest.raises(MissingDependencyError, match="git-scm"):
            download_dataset(plain, "README.md", tmp_path / "here")

    def test_a_folder_of_something_else(self, plain, tmp_path):
        local = tmp_path / "here"
        local.mkdir()
        (local / "thesis.txt").write_text("precious")
        with pytest.raises(ParameterError, match="not a clone"):
            download_dataset(plain, "README.md", local)
        assert (local / "thesis.txt").read_text() == "precious"
        with pytest.raises(ParameterError, match="not a clone"):
            download_dataset(plain, "README.md", local / "thesis.txt")

    def test_a_clone_of_something_else(self, plain, tmp_path):
        other = new_repository(tmp_path / "other")
        with pytest.raises(ParameterError, match="not of"):
            download_dataset(plain, "README.md", other)
        local = tmp_path / "here"
        download_dataset(plain, "README.md", local)
        with pytest.raises(ParameterError, match=r"is a clone of .*there/data, not of"):
            download_dataset(other, "README.md", local)

    def test_an_empty_folder_is_used(self, plain, tmp_path):
        (tmp_path / "here").mkdir()
        assert download_dataset(plain, "README.md", tmp_path / "here").is_file()

    def test_a_changed_file_is_not_overwritten(self, plain, tmp_path):
        local = tmp_path / "here"
        path = download_dataset(plain, "README.md", local)
        path.write_text("mine")
        with pytest.raises(DataError, match=r"README\.md.*Nothing was overwritten"):
            download_dataset(plain, "README.md", local)
        assert download_dataset(plain, "spikeglx", local).is_dir()
        (plain / "README.md").write_text("theirs")
        commit(plain)
        with pytest.raises(ReadError, match="Move changed files away"):
            download_dataset(plain, "README.md", local, update_if_exists=True)
        assert path.read_text() == "mine"

    def test_changed_content_is_not_overwritten(self, linking_server, tmp_path):
        local, path = tmp_path / "here", "spikeglx/run/b.bin"
        download_dataset(linking_server.url, "README.md", local)
        (local / path).unlink()
        (local / path).write_bytes(b"mine")
        with pytest.raises(DataError, match="Nothing was overwritten"):
            download_dataset(linking_server.url, "spikeglx", local)
        assert (local / path).read_bytes() == b"mine"

    def test_a_removed_file_comes_back(self, plain, tmp_path):
        local = tmp_path / "here"
        path = download_dataset(plain, "spikeglx", local)
        shutil.rmtree(path)
        download_dataset(plain, "spikeglx/run", local)
        assert (path / "run" / "a.meta").read_bytes() == PLAIN["spikeglx/run/a.meta"]

    def test_a_full_disk_is_told_before(self, linking_server, tmp_path):
        folder = linking_server.repository
        key = f"MD5E-s{1 << 60}--{'0' * 32}.bin"
        (folder / "huge.bin").symlink_to(f".git/annex/objects/Xx/0z/{key}/{key}")
        commit(folder)
        with pytest.raises(WriteError, match="make room"):
            download_dataset(linking_server.url, "huge.bin", tmp_path / "here")
        assert linking_server.raw_requests() == []

    def test_a_submodule_is_told(self, plain, tmp_path):
        other = new_repository(tmp_path / "other")
        (other / "a").write_text("a")
        commit(other)
        git(plain, "-c", "protocol.file.allow=always", "submodule", "add", str(other), "sub")
        commit(plain)
        with pytest.raises(ParameterError, match="submodule"):
            download_dataset(plain, "sub", tmp_path / "here")

    def test_a_detached_clone_is_not_moved(self, plain, tmp_path):
        local = tmp_path / "here"
        download_dataset(plain, "README.md", local)
        git(local, "checkout", "--detach")
        assert download_dataset(plain, "README.md", local).is_file()
        with pytest.raises(DataError, match="detached"):
            download_dataset(plain, "README.md", local, update_if_exists=True)

    def test_an_update_without_network_leaves_all_as_it_was(self, plain, tmp_path):
        local = tmp_path / "here"
        path = download_dataset(plain, "README.md", local)
        plain.rename(plain.with_name("away"))
        with pytest.raises(ReadError, match="as it was"):
            download_dataset(plain, "README.md", local, update_if_exists=True)
        assert path.read_bytes() == PLAIN["README.md"]


def test_progress_shows_on_a_terminal_alone(linking_server, tmp_path, monkeypatch, capfd):
    for name in ["FORCE_COLOR", "TTY_COMPATIBLE", "NO_COLOR"]:
        monkeypatch.delenv(name, raising=False)
    download_dataset(linking_server.url, "spikeglx/run/b.bin", tmp_path / "quiet")
    assert capfd.readouterr() == ("", "")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    download_dataset(linking_server.url, "spikeglx/run/b.bin", tmp_path / "shown")
    output, errors = capfd.readouterr()
    assert output == ""
    assert "Cloning" in errors
    assert "b.bin" in errors


def test_defaults_are_those_of_spikeinterface():
    defaults = [
        parameter.default for parameter in inspect.signature(download_dataset).parameters.values()
    ]
    assert defaults == [
        "https://gin.g-node.org/NeuralEnsemble/ephy_testing_data",
        "mearec/mearec_test_10s.h5",
        None,
        False,
    ]


def test_the_environment_of_git_asks_nothing():
    environment = git_environment()
    assert environment["GIT_TERMINAL_PROMPT"] == "0"
    assert environment["GIT_COMMITTER_EMAIL"]
