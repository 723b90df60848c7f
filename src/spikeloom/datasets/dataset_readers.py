"""Datasets for curation as readers of the registry, which finds this module by its name.

The registry imports it to recognise files of any kind, so what opens them is imported late: it
comes with compiled kernels, and numba alone takes longer than all else.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from spikeloom.extractors.kwik_readers import recognise_part
from spikeloom.extractors.peeking import Peek, read_head
from spikeloom.extractors.reader_registry import Certainty, Reader, Recognition, known, unknown

if TYPE_CHECKING:
    from spikeloom.datasets.experiment import Experiment
    from spikeloom.datasets.kwik import KwikModel
    from spikeloom.datasets.template import TemplateModel


def _recognise_phy(peek: Peek) -> Recognition:
    if peek.path.name == "params.py":
        is_phy = b"dat_path" in peek.head or b"sample_rate" in peek.head
        return (
            known(Certainty.CONTENT, "it sets dat_path")
            if is_phy
            else unknown("it does not set dat_path")
        )
    missing = [name for name in ("params.py", "spike_times.npy") if name not in peek.names]
    if not missing:
        return known(Certainty.LAYOUT, "it has params.py and spike_times.npy")
    return unknown(f"it has no {' and no '.join(missing)}")


def _recognise_kwik(peek: Peek) -> Recognition:
    return recognise_part(peek, "a dataset for curation")


def _recognise_experiment(peek: Peek) -> Recognition:
    path = peek.path / "metadata.json" if peek.is_folder else peek.path
    is_there = path.name == "metadata.json" and path.is_file()
    if is_there and b'"spikeloom-experiment"' in read_head(path):
        return known(Certainty.CONTENT, "its metadata.json is that of an experiment")
    return unknown("it has no metadata.json of an experiment")


def _read_phy(path: str | Path, *, trust_params: bool = False) -> "TemplateModel":
    from spikeloom.datasets.template_loading import load_template_model  # noqa: PLC0415 - see above

    return load_template_model(Path(path), trust_params=trust_params)


def _read_kwik(
    path: str | Path, channel_group: int | None = None, clustering: str | None = None
) -> "KwikModel":
    from spikeloom.datasets.kwik import KwikModel  # noqa: PLC0415 - see above

    return KwikModel(path, channel_group, clustering)


def _read_experiment(path: str | Path) -> "Experiment":
    from spikeloom.datasets.experiment import Experiment  # noqa: PLC0415 - see above

    return Experiment(path)


READERS = (
    Reader(
        name="phy",
        kind="dataset",
        recognise=_recognise_phy,
        read=_read_phy,
        function="load_template_model",
        extensions=("params.py",),
        description="a dataset of KiloSort or phy, for curation",
    ),
    Reader(
        name="kwik",
        kind="dataset",
        recognise=_recognise_kwik,
        read=_read_kwik,
        function="KwikModel",
        extensions=(".kwik",),
        description="a dataset of klusta or phy, for curation",
    ),
    Reader(
        name="experiment",
        kind="dataset",
        recognise=_recognise_experiment,
        read=_read_experiment,
        function="Experiment",
        extensions=("metadata.json",),
        description="raw data and arrays, with a metadata.json that says what is what",
    ),
)
"""Readers of this module."""
