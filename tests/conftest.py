"""What all tests share: real data, peers, folders of their own, and the ``--slow`` option."""

import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from making.absence import IS_CI, absent
from spikeloom.app.sessions import AppSession, open_session

REPOSITORY = Path(__file__).parents[1]

if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    # In the background Ctrl+C is switched off, also for what the tests start.
    signal.signal(signal.SIGINT, signal.default_int_handler)

DATA_FOLDER = REPOSITORY.parent / "shared" / "data"
PEER_PYTHON = REPOSITORY / ".peers" / "bin" / "python"

# Kernels compile on their first call, so the time of one example says nothing.
settings.register_profile(
    "suite",
    deadline=None,
    max_examples=50,
    derandomize=IS_CI,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("suite")

CopyDataset = Callable[..., Path]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="also run tests marked slow")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--slow"):
        return
    skip = pytest.mark.skip(reason="slow; run with --slow")
    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker(skip)


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """Folder of real data sets; read-only."""
    if not (DATA_FOLDER / "README.md").is_file():
        absent(f"The real data sets are not at {DATA_FOLDER}.")
    return DATA_FOLDER


@pytest.fixture(scope="session")
def peer_python() -> Path:
    """Interpreter of the environment with phylib and SpikeInterface."""
    if not PEER_PYTHON.exists():
        absent(f"There is no environment of peers at {PEER_PYTHON.parents[1]}; run scripts/peers.")
    return PEER_PYTHON


def _point_to(folder: Path, patch: pytest.MonkeyPatch) -> None:
    patch.setenv("SPIKELOOM_CACHE_DIR", str(folder / "cache"))
    patch.setenv("SPIKELOOM_STATE_DIR", str(folder / "state"))


@pytest.fixture(scope="session", autouse=True)
def session_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keep caches and user state of what lives longer than a test out of the user's folders."""
    folder = tmp_path_factory.mktemp("session")
    with pytest.MonkeyPatch.context() as patch:
        _point_to(folder, patch)
        yield folder


@pytest.fixture(autouse=True)
def own_folders(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """Keep caches and user state of each test in a folder of its own."""
    folder = tmp_path_factory.mktemp("own")
    _point_to(folder, monkeypatch)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def make_writable(folder: Path) -> None:
    """Let the owner write everything below `folder`."""
    for path in [folder, *folder.rglob("*")]:
        path.chmod(path.stat().st_mode | (0o700 if path.is_dir() else 0o600))


@pytest.fixture
def copy_dataset(data_folder: Path, tmp_path: Path) -> CopyDataset:
    """Copy a data set to a temporary folder, writable; return the folder with ``params.py``.

    ``copy_dataset("hybrid_np24_dev")`` brings the raw file along; ``has_raw=False`` leaves files
    over a megabyte that no sorter wrote behind.
    """

    def copy(name: str, *, has_raw: bool = True) -> Path:
        source, target = data_folder / name, tmp_path / name

        def ignored(_folder: str, names: list[str]) -> list[str]:
            return [n for n in names if not has_raw and Path(n).suffix in {".bin", ".dat"}]

        shutil.copytree(source, target, ignore=ignored)
        make_writable(target)
        return next(target.rglob("params.py")).parent

    return copy


@pytest.fixture
def open_dataset() -> Iterator[Callable[[Path], AppSession]]:
    """Open datasets for curation, and let go of them after the test."""
    opened: list[AppSession] = []

    def open_it(folder: Path) -> AppSession:
        opened.append(open_session(folder))
        return opened[-1]

    yield open_it
    for app_session in opened:
        app_session.journal.close()
