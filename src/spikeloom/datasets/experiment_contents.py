"""Tell what an experiment holds: its raw data, parameters and arrays."""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from spikeloom.errors import SpikeloomError
from spikeloom.extractors.array_files import WRITABLE_SUFFIXES

if TYPE_CHECKING:
    from spikeloom.datasets.experiment import Experiment

_N_ARRAYS_MAX = 10_000


def describe_experiment(experiment: "Experiment") -> dict[str, str]:
    """Return what an experiment holds, for people, by what it is."""
    metadata = experiment.metadata
    told = {
        "Name": str(metadata.get("name", experiment.base_dir.resolve().name)),
        "Folder": str(experiment.base_dir.resolve()),
    }
    if metadata.get("raw_files"):
        told |= _told_of_traces(experiment)
    try:
        told["Parameters"] = ", ".join(experiment.params) or "none"
        probe = experiment.probe
        told["Probe"] = "none" if probe is None else f"{probe.get_contact_count()} contacts"
    except SpikeloomError as error:
        told["Parameters"] = f"unreadable: {error}"
    for alias in array_aliases(experiment):
        told[alias] = _told_of_array(experiment, alias)
    return told


def _told_of_traces(experiment: "Experiment") -> dict[str, str]:
    try:
        traces = experiment.read_traces()
    except SpikeloomError as error:
        return {"Raw data": f"unreadable: {error}"}
    names = ", ".join(one.name for one in traces.stretches)
    return {
        "Raw data": names,
        "Channels": str(traces.get_num_channels()),
        "Sample rate": f"{traces.sampling_frequency:g} Hz",
        "Duration": f"{traces.get_num_samples() / traces.sampling_frequency:.3f} s",
        **({"Assumed": " ".join(traces.notes)} if traces.notes else {}),
    }


def _told_of_array(experiment: "Experiment", alias: str) -> str:
    try:
        array = experiment.read_array(alias)
    except SpikeloomError as error:
        return f"unreadable: {error}"
    return f"{array.dtype} {array.shape}"


def array_aliases(experiment: "Experiment") -> list[str]:
    """Return the names of all arrays: those of the metadata, and files below the default folder."""
    named = list(experiment.metadata.get("arrays", {}))
    base = experiment.base_dir / experiment.default_folder
    return named + [alias for alias in _aliases_below(base) if alias not in named]


def _aliases_below(base: Path) -> Iterator[str]:
    """Yield paths below a folder; of files that only differ in their ending with the ending."""
    found = []
    for folder, folders, names in os.walk(base):  # links to folders are not followed
        folders.sort()
        for name in sorted(names):
            path = Path(folder, name)
            is_array = path.suffix in WRITABLE_SUFFIXES or path.is_symlink()
            if is_array and not name.startswith("."):
                found.append(path.relative_to(base))
            if len(found) >= _N_ARRAYS_MAX:
                break
    stems = [path.with_suffix("").as_posix() for path in found]
    counts = Counter(stems)
    for path, stem in zip(found, stems, strict=True):
        yield stem if counts[stem] == 1 else path.as_posix()
