"""Folders as BIDS has them: an NWB file, and tables with its probe."""

import numpy as np

from making.nwb_makers import make_nwb
from making.recording_files import random_traces

TRACES = random_traces(200, 4)
NAME = "sub-1_ses-2"

WIRING = {"10": "c", "11": "n/a", "12": "a", "13": "b"}
"""Contact of each channel."""


def write_bids(folder, *, n_series=1, has_tables=True, wiring=WIRING, name=NAME):
    """Write an NWB file with four channels, and tables with a probe of three contacts."""
    folder.mkdir(exist_ok=True)
    maker = make_nwb(folder, "hdf5")
    table = "general/extracellular_ephys/electrodes"
    maker.group(table, colnames=["id"])
    maker.array(f"{table}/id", np.array([10, 11, 12, 13]))
    for k in range(n_series):
        maker.group(f"acquisition/s{k}", neurodata_type="ElectricalSeries")
        maker.array(f"acquisition/s{k}/data", TRACES + k)
        maker.array(f"acquisition/s{k}/electrodes", np.arange(4))
        maker.array(f"acquisition/s{k}/starting_time", 0.0, rate=1000.0)
    maker.path.rename(folder / f"{name}_ephys.nwb")
    if has_tables:
        contacts = ["contact_id\tprobe_id\tx\ty", "a\tp\t0\t0", "b\tp\t0\t20", "c\tp\t0\t40.5"]
        (folder / f"{name}_contacts.tsv").write_text("\n".join(contacts))
        rows = "".join(f"{channel}\t{contact}\n" for channel, contact in wiring.items())
        (folder / f"{name}_channels.tsv").write_text(f"channel_id\tcontact_id\n{rows}")
    return folder
