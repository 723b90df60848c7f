"""Parameters and probe of an experiment, each in one file that is read without running it.

The parameter file is the one that ``params`` of the metadata names, else the only ``.prm`` file in
the root. The probe file is the one that ``probe`` names, else the one that ``prb_file`` of the
parameters names, else the only ``.prb`` file in the root. Nothing of them is copied into the
metadata, so that no two places can say different things.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from spikeloom.datasets.experiment_paths import path_to_read
from spikeloom.errors import MissingFileError
from spikeloom.extractors.phy_params import evaluate_assignments
from spikeloom.extractors.prb_files import read_probe_file
from spikeloom.extractors.trace_files import FLAT_SUFFIXES, FlatLayout, layout_of, read_traces

if TYPE_CHECKING:
    from probeinterface import ProbeGroup

_SECTION = "traces"
"""Section of klusta's parameter files that tells of the raw data."""

_NAMES: Mapping[str, tuple[str, ...]] = {
    "n_channels": ("n_channels", "n_channels_dat", "nchannels"),
    "dtype": ("dtype",),
    "sample_rate": ("sample_rate", "sampling_frequency"),
}


class HasParams(Protocol):
    """What is needed of an experiment."""

    @property
    def base_dir(self) -> Path:
        """The root."""

    @property
    def metadata(self) -> dict[str, Any]:
        """What ``metadata.json`` holds."""

    @property
    def params(self) -> dict[str, Any]:
        """Parameters."""


def read_params(experiment: HasParams) -> dict[str, Any]:
    """Return the parameters of an experiment; empty if there is no file of them.

    Raises
    ------
    MissingFileError, ReadError
        If the file that the metadata name is absent, or does more than assign plain values.
    """
    named = experiment.metadata.get("params")
    path = named or _only(experiment.base_dir, "*.prm")
    if path is None:
        return {}
    return evaluate_assignments(path_to_read(experiment.base_dir, path))


def read_probe(experiment: HasParams) -> "ProbeGroup | None":
    """Return where channels are; None if no file says it.

    Raises
    ------
    MissingFileError, ReadError, DataError
        If a file that the metadata or the parameters name is absent or makes no sense.
    """
    path = experiment.metadata.get("probe") or _named_by_params(experiment)
    path = path or _only(experiment.base_dir, "*.prb")
    if path is None:
        return None
    return read_probe_file(path_to_read(experiment.base_dir, path))


def _named_by_params(experiment: HasParams) -> str | None:
    given = experiment.params.get("prb_file")
    if not isinstance(given, str) or not given:
        return None
    # klusta lets the ending away.
    names = [given] if given.endswith((".prb", ".json")) else [f"{given}.prb", given]
    for name in names:
        try:
            path_to_read(experiment.base_dir, name)
        except MissingFileError:
            continue
        return name
    msg = f"The parameters name the probe file {given}, which is not in {experiment.base_dir}."
    raise MissingFileError(2, msg)


def _only(folder: Path, pattern: str) -> str | None:
    found = sorted(path.name for path in folder.glob(pattern))
    return found[0] if len(found) == 1 else None


def flat_layout(experiment: HasParams, path: Path) -> tuple[FlatLayout, dict[str, Any]]:
    """Return what is in a flat file of an experiment, and ``offset`` and ``fortran`` of it.

    What the metadata say of the file itself comes before the parameters.
    """
    entry = _entry_of(experiment, path)
    values: dict[str, Any] = {}
    section = experiment.params.get(_SECTION)
    known = {**experiment.params, **(section if isinstance(section, dict) else {}), **entry}
    for name, aliases in _NAMES.items():
        values[name] = next((known[alias] for alias in aliases if alias in known), None)
    layout = FlatLayout(**values, gain_to_uV=entry.get("gain_to_uV"))
    return layout, {key: entry[key] for key in ("offset", "fortran") if key in entry}


def rig_layout(experiment: HasParams) -> FlatLayout:
    """Return what the first file of raw data that describes itself says of flat files beside it."""
    for one in experiment.metadata.get("raw_files", []):
        relative = one if isinstance(one, str) else one["path"]
        if Path(relative).suffix.lower() not in FLAT_SUFFIXES:
            return layout_of(read_traces(path_to_read(experiment.base_dir, relative)))
    return FlatLayout()


def _entry_of(experiment: HasParams, path: Path) -> dict[str, Any]:
    target = path.resolve()
    for one in experiment.metadata.get("raw_files", []):
        if isinstance(one, dict) and (experiment.base_dir / one["path"]).resolve() == target:
            return one
    return {}
