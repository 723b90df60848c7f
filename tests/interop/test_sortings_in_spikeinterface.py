"""What we write is read by SpikeInterface's own readers."""

import numpy as np
import pytest

import spikeloom as si
from making.peers import ask_peer, facts_of_peer
from making.reader_cases import Case

pytestmark = pytest.mark.peer


def test_what_we_write_for_phy(peer_python, tmp_path):
    sorting = si.NumpySorting.from_unit_dict({7: [3, 90], 2: [], 40: [5]}, 30_000.0)
    sorting.set_property("quality", ["good", "mua", "noise"])
    sorting.set_property("group", [0, 1, 1])
    sorting.set_property("snr", [1.5, 2.5, np.nan])
    si.write_phy_sorting(sorting, tmp_path / "phy")
    ask_peer(peer_python, tmp_path, {"phy": Case("sorting", "read_phy", tmp_path / "phy")})
    facts = facts_of_peer(tmp_path, "phy")
    assert facts["ids"].tolist() == [2, 40, 7]
    assert facts["n_spikes/0"].tolist() == [0, 1, 2]
    assert facts["spikes/0"].tolist() == [5, 3, 90]
    assert facts["property/quality"].tolist() == ["mua", "noise", "good"]
    np.testing.assert_array_equal(facts["property/snr"], [2.5, np.nan, 1.5])
