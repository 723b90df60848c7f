import numpy as np
import pytest

from making.contexts import open_context
from making.phy_folders import write_phy_folder


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory):
    """A dataset with every file, which no test changes."""
    return write_phy_folder(tmp_path_factory.mktemp("viewdata") / "phy")


@pytest.fixture
def context(shared_folder):
    return open_context(shared_folder)


@pytest.fixture
def context_of(tmp_path):
    """Make a context from spike samples and clusters alone, or with other arrays."""

    def make(samples, clusters, *, rate=20_000.0, **arrays):
        found = {
            "spike_times": np.array(samples, np.int64),
            "spike_templates": np.array(clusters, np.int32),
            "channel_map": np.arange(4),
        } | arrays
        folder = write_phy_folder(
            tmp_path / "made", arrays=found, has_raw=False, tables={}, sample_rate=rate
        )
        return open_context(folder)

    return make
