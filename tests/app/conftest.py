import pytest

from making.pages import http_client, open_page
from making.phy_folders import write_phy_folder
from spikeloom.app.server import AppServer
from spikeloom.app.sessions import open_session


@pytest.fixture(scope="session")
def shared_dataset(tmp_path_factory):
    """A dataset that no test changes."""
    return write_phy_folder(tmp_path_factory.mktemp("shared") / "phy")


@pytest.fixture
def dataset(tmp_path):
    return write_phy_folder(tmp_path / "phy", has_raw=False)


@pytest.fixture
def server(dataset):
    """A server of a dataset of its own."""
    with AppServer(open_session(dataset)) as server:
        yield server


@pytest.fixture(scope="module")
def looking_server(shared_dataset):
    """A server shared by the tests of a file, which must not edit."""
    with AppServer(open_session(shared_dataset)) as server:
        yield server


@pytest.fixture(scope="module")
def client(looking_server):
    with http_client(looking_server) as client:
        yield client


@pytest.fixture
def tab(server):
    """A connected page."""
    with open_page(server) as page:
        yield page
