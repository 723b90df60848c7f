"""All small files of formats that neo reads, by name: the format, and what makes the file."""

from functools import partial

from making.alphaomega_files import make_alphaomega
from making.axona_files import make_axona
from making.blackrock_files import make_blackrock, make_blackrock_session
from making.clinical_files import make_brainvision, make_edf, make_elan, make_micromed
from making.hdf5_array_files import (
    make_biocam3,
    make_biocam4,
    make_maxwell,
    make_maxwell_old,
)
from making.intan_files import make_rhd, make_rhs
from making.neuralynx_files import make_neuralynx, make_neuralynx_session
from making.neuroexplorer_files import make_neuroexplorer, make_neuronexus
from making.neuroscope_files import make_neuroscope
from making.openephys_legacy_files import make_openephys_legacy
from making.patch_clamp_files import make_axograph, make_axon, make_winedr, make_winwcp
from making.plexon_files import make_plexon
from making.spike2_files import make_spike2
from making.spikegadgets_files import make_spikegadgets, make_spikegadgets_neuropixels
from making.tdt_files import make_tdt

SAMPLES = {
    "alphaomega": make_alphaomega,
    "axograph": make_axograph,
    "axon": make_axon,
    "axona": make_axona,
    "axona, later tetrodes": partial(make_axona, tetrodes=(2, 3)),
    "axona, tetrodes apart": partial(make_axona, tetrodes=(1, 3)),
    "biocam, version 100": partial(make_biocam3, version=100),
    "biocam, version 101": make_biocam3,
    "biocam, inverted": partial(make_biocam3, inversion=-1),
    "biocam, BrainWave 4": make_biocam4,
    "biocam, BrainWave 4 sparse": partial(make_biocam4, is_sparse=True),
    "blackrock, 2.1": partial(make_blackrock, version=(2, 1)),
    "blackrock, 2.2": partial(make_blackrock, version=(2, 2)),
    "blackrock, 2.3": make_blackrock,
    "blackrock, 3.0": partial(make_blackrock, version=(3, 0), starts=(600,)),
    "blackrock, with spikes": make_blackrock_session,
    "blackrock, paused": partial(make_blackrock, starts=(0, 90_000), n_samples=(300, 200)),
    "brainvision": make_brainvision,
    "brainvision, vectorized": partial(make_brainvision, orientation="VECTORIZED"),
    "edf": make_edf,
    "elan": make_elan,
    "intan, rhd": lambda folder: make_rhd(folder)[0],
    "intan, rhs": lambda folder: make_rhs(folder)[0],
    "maxwell": make_maxwell,
    "maxwell, older": make_maxwell_old,
    "micromed": make_micromed,
    "neuralynx": make_neuralynx,
    "neuralynx, with spikes": make_neuralynx_session,
    "neuralynx, paused": partial(
        make_neuralynx, starts_us=(1_000_000, 3_000_000), n_samples=(1024, 700)
    ),
    "neuroexplorer": make_neuroexplorer,
    "neuronexus": make_neuronexus,
    "neuroscope": make_neuroscope,
    "neuroscope, lfp": partial(make_neuroscope, suffix=".lfp"),
    "openephys_legacy": make_openephys_legacy,
    "openephys_legacy, gap": partial(make_openephys_legacy, gap=5000),
    "plexon": make_plexon,
    "plexon, later": partial(make_plexon, first=4000),
    "spike2": make_spike2,
    "spike2, paused": partial(make_spike2, n_samples=(300, 250), starts=(0, 100_000)),
    "spikegadgets": lambda folder: make_spikegadgets(folder)[0],
    "spikegadgets, Neuropixels": make_spikegadgets_neuropixels,
    "tdt": make_tdt,
    "tdt, two blocks": partial(make_tdt, n_blocks=2),
    "winedr": make_winedr,
    "winwcp": make_winwcp,
}
"""Makers by the name of the format and, after a comma, of what is special."""


def format_name(name):
    """Return the name of the format of a sample."""
    return name.partition(",")[0]
