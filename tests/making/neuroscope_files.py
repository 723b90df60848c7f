"""Small recordings as NeuroScope reads them: .xml, .dat, and the sorting's .res and .clu."""

import numpy as np

from making.neo_sample import NeoSample
from making.recording_files import random_traces

RATE = 20_000


def make_neuroscope(folder, *, suffix=".dat", n_channels=5):
    """Write a settings file and traces beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    traces = random_traces(1000, n_channels)
    traces.tofile(folder / f"x{suffix}")
    groups = "".join(
        "<group>" + "".join(f'<channel skip="0">{k}</channel>' for k in one) + "</group>"
        for one in ((0, 1), tuple(range(2, n_channels)))
    )
    (folder / "x.xml").write_text(
        "<?xml version='1.0'?>\n<parameters version='1.0'>\n<acquisitionSystem>"
        f"<nBits>16</nBits><nChannels>{n_channels}</nChannels><samplingRate>{RATE}</samplingRate>"
        "<voltageRange>20</voltageRange><amplification>1000</amplification><offset>0</offset>"
        f"</acquisitionSystem><anatomicalDescription><channelGroups>{groups}</channelGroups>"
        "</anatomicalDescription></parameters>\n"
    )
    return NeoSample(
        path=folder / "x.xml",
        segments=(traces,),
        ids=tuple(str(k) for k in range(n_channels)),
        names=tuple(f"ch{k}grp{int(k > 1)}" for k in range(n_channels)),
        rate=RATE,
        gain_uV=1e6 * 20 / 2**16 / 1000,
        streams=(("Signals", "0"),),
    )


def write_clusters(folder, name, group, samples, clusters):
    """Write the sorting of an electrode group."""
    np.savetxt(folder / f"{name}.res.{group}", samples, fmt="%d")
    np.savetxt(folder / f"{name}.clu.{group}", [len(np.unique(clusters)), *clusters], fmt="%d")
