"""The ``.meta`` files of SpikeGLX: what a binary file beside them holds."""

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path, PureWindowsPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import DataError
from spikeloom.extractors.json_files import count_in, number_in, read_text

_N_META_BYTES_MAX = 16 << 20

_FILE_NAME = re.compile(
    r"(?P<run>.*?)(?:_g(?P<gate>\d{1,9}))?(?:_t(?P<trigger>\d{1,9}|cat|super))?"
    r"(?:_\d{1,9})?"  # IBL and others count their files
    r"\.(?P<device>imec\d{0,3}|nidq|obx\d{0,3})(?:\.(?P<band>ap|lf|obx))?(?:[.].*)?$",
    re.IGNORECASE,
)

_RATES = ("imSampRate", "niSampRate", "obSampRate")

_DEFAULT_GAINS = {"21": 80.0, "24": 80.0, "2003": 80.0, "2004": 80.0, "2013": 100.0, "2014": 100.0}
"""Gain of probes on which it cannot be set, by type, where the file does not say."""

_DEFAULT_STEPS = {"21": 8192, "24": 8192, "2003": 8192, "2004": 8192, "2013": 2048, "2014": 2048}

_N_CHANNELS_MAX = 1 << 16

_N_DIGITS_MAX = 10
"""Numbers of channels are shorter."""

_N_NAME_MAX = 256
"""Names of channels, too."""


@dataclass(frozen=True)
class FileName:
    """What the name of a file says.

    Parameters
    ----------
    run : str
        Name of the run.
    gate, trigger : int
        Counted by SpikeGLX; -1 if they are not in the name, or CatGT joined them.
    device : str
        ``imec0``, ``nidq``, ``obx0``; empty if it is not in the name.
    band : str
        ``ap`` or ``lf`` of a probe, else empty.
    """

    run: str
    gate: int
    trigger: int
    device: str
    band: str

    @property
    def stream(self) -> str:
        """Name of the stream, such as ``imec0.ap`` or ``nidq``."""
        return f"{self.device}.{self.band}" if self.band else self.device


@dataclass(frozen=True)
class SpikeGLXMeta:
    """What a ``.meta`` file says.

    Parameters
    ----------
    path : Path
        The file.
    fields : dict
        All of it, as text.
    file_name : FileName
        What the name of the data file says.
    sampling_frequency : float
        In Hz.
    channel_names : tuple of str
        Of all saved channels.
    n_sync : int
        How many of them, at the end, are the words of the sync input.
    first_sample : int
        Number of the first sample since the run began.
    """

    path: Path
    fields: dict[str, str]
    file_name: FileName
    sampling_frequency: float
    channel_names: tuple[str, ...]
    n_sync: int
    first_sample: int

    @property
    def n_channels(self) -> int:
        """Saved channels, those of the sync input included."""
        return len(self.channel_names)

    @cached_property
    def gains_to_uV(self) -> NDArray[np.float64]:
        """Microvolts per step, shape (n_channels,); raises DataError if the file is wrong."""
        return _gains_to_uV(self.fields, self.file_name, self.n_channels, self.n_sync, self.path)


def parse_file_name(name: str) -> FileName:
    """Return what the name of a ``.meta``, ``.bin`` or ``.cbin`` file says.

    Examples
    --------
    >>> parse_file_name("rat_g0_t1.imec2.lf.meta")
    FileName(run='rat', gate=0, trigger=1, device='imec2', band='lf')
    >>> parse_file_name("rat_g3_tcat.nidq.bin").stream
    'nidq'
    """
    found = _FILE_NAME.match(name)
    if found is None:
        return FileName(Path(name).stem, -1, -1, "", "")
    parts = found.groupdict()
    trigger = parts["trigger"] or ""
    band = (parts["band"] or "").lower()
    return FileName(
        parts["run"],
        -1 if parts["gate"] is None else int(parts["gate"]),
        int(trigger) if trigger.isdecimal() else -1,
        parts["device"].lower(),
        "" if band == "obx" else band,
    )


def read_spikeglx_meta(path: Path) -> SpikeGLXMeta:
    """Read a ``.meta`` file and check it.

    Raises
    ------
    MissingFileError, ReadError
        If it is absent or cannot be read.
    DataError
        If it lacks what is needed to read the data, or contradicts itself.
    """
    fields = parse_meta_fields(read_text(path, _N_META_BYTES_MAX))
    n_channels = count_in(fields, "nSavedChans", path, most=_N_CHANNELS_MAX)
    rate = next((name for name in _RATES if name in fields), None)
    if rate is None:
        msg = f"{path} is no file of SpikeGLX: it has none of {', '.join(_RATES)}."
        raise DataError(msg)
    saved = fields.get("snsSaveChanSubset_orig", fields.get("snsSaveChanSubset", "all"))
    names = _channel_names(fields.get("snsChanMap", ""), saved, n_channels)
    n_sync = _n_sync(fields, n_channels, path)
    file_name = _file_name(path, fields)
    return SpikeGLXMeta(
        path=path,
        fields=fields,
        file_name=file_name,
        sampling_frequency=number_in(fields, rate, path),
        channel_names=names,
        n_sync=n_sync,
        first_sample=_first_sample(fields),
    )


def parse_meta_fields(text: str) -> dict[str, str]:
    """Return the lines ``name=value`` of a file, names without the ``~`` of tables."""
    fields = {}
    for line in text.splitlines():
        name, equals, value = line.partition("=")
        if equals:
            fields[name.strip().removeprefix("~")] = value.strip()
    return fields


def _file_name(path: Path, fields: dict[str, str]) -> FileName:
    """Return what the name says, or for a file that was renamed, what its name was."""
    now = parse_file_name(path.name)
    if now.device:
        return now
    return parse_file_name(PureWindowsPath(fields.get("fileName", "")).name)


def _table(value: str) -> list[str]:
    return re.findall(r"\(([^()]*)\)", value)


def saved_channels(fields: dict[str, str]) -> list[int]:
    """Return the numbers of the saved channels, empty if the file does not say or is wrong."""
    return _numbers(fields.get("snsSaveChanSubset_orig", fields.get("snsSaveChanSubset", "all")))


def _numbers(text: str) -> list[int]:
    """Return the numbers of a list such as ``0:3,8``, empty if it is none."""
    found: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition(":")
        if not first.strip().isdecimal() or not (last or first).strip().isdecimal():
            return []
        if len(part) > 3 * _N_DIGITS_MAX:
            return []
        low, high = int(first), int(last or first)
        if high - low > _N_CHANNELS_MAX or len(found) > _N_CHANNELS_MAX:
            return []
        found.extend(range(low, high + 1))
    return found


@lru_cache(maxsize=16)
def _channel_names(channel_map: str, saved_text: str, n_channels: int) -> tuple[str, ...]:
    """Return the names of the saved channels; hundreds of files may have the same."""
    entries = _table(channel_map)
    if entries and ";" not in entries[0]:
        entries = entries[1:]  # how many there are of each kind
    names = [entry.partition(";")[0] for entry in entries]
    if len(names) != n_channels:
        saved = _numbers(saved_text)
        if len(saved) == n_channels and saved and max(saved) < len(names):
            names = [names[k] for k in saved]
    is_long = max(map(len, names), default=0) > _N_NAME_MAX  # each takes the room of the longest
    if is_long or len(names) != n_channels or len(set(names)) != n_channels:
        return tuple(f"CH{k}" for k in range(n_channels))
    return tuple(names)


def _counts(fields: dict[str, str], name: str, n: int, path: Path) -> list[int] | None:
    if name not in fields:
        return None
    parts = [part.strip() for part in fields[name].split(",")]
    if len(parts) != n or not all(p.isdecimal() and len(p) < _N_DIGITS_MAX for p in parts):
        msg = f"{path}: {name} must be {n} whole numbers; got {fields[name]!r}."
        raise DataError(msg)
    return [int(part) for part in parts]


def _n_sync(fields: dict[str, str], n_channels: int, path: Path) -> int:
    for name in ("snsApLfSy", "snsXaDwSy"):
        counts = _counts(fields, name, 3, path)
        if counts is not None:
            if counts[2] > n_channels:
                msg = f"{path}: {name} has {counts[2]} sync channels of {n_channels} saved ones."
                raise DataError(msg)
            return counts[2]
    return 0


def _first_sample(fields: dict[str, str]) -> int:
    text = fields.get("firstSample", "0").strip()
    return int(text) if text.isdecimal() and len(text) < 18 else 0


def _gains_to_uV(
    fields: dict[str, str], file_name: FileName, n_channels: int, n_sync: int, path: Path
) -> NDArray[np.float64]:
    gains = np.ones(n_channels)
    if "niSampRate" in fields:
        step_uV = number_in(fields, "niAiRangeMax", path) / 32768 * 1e6
        n_mn, n_ma, _, _ = _counts(fields, "snsMnMaXaDw", 4, path) or [0, 0, 0, 0]
        gains[:n_mn] /= number_in(fields, "niMNGain", path) if n_mn else 1
        gains[n_mn : n_mn + n_ma] /= number_in(fields, "niMAGain", path) if n_ma else 1
        return gains * step_uV
    if "obSampRate" in fields:
        n_steps = number_in(fields, "obMaxInt", path)
        return gains * (number_in(fields, "obAiRangeMax", path) / n_steps * 1e6)
    probe_type = fields.get("imDatPrb_type", "0")
    n_steps = (
        number_in(fields, "imMaxInt", path)
        if "imMaxInt" in fields
        else _DEFAULT_STEPS.get(probe_type, 512)
    )
    step_uV = number_in(fields, "imAiRangeMax", path) / n_steps * 1e6
    n_traces = n_channels - n_sync
    gains[:n_traces] = step_uV / _amplifier_gains(fields, file_name, n_traces, path)
    return gains


def _amplifier_gains(
    fields: dict[str, str], file_name: FileName, n_traces: int, path: Path
) -> NDArray[np.float64]:
    is_lf = file_name.band == "lf"
    uniform = "imChan0lfGain" if is_lf and "imChan0lfGain" in fields else "imChan0apGain"
    if uniform in fields:
        return np.full(n_traces, number_in(fields, uniform, path))
    probe_type = fields.get("imDatPrb_type", "0")
    if probe_type in _DEFAULT_GAINS:
        return np.full(n_traces, _DEFAULT_GAINS[probe_type])
    column = 4 if is_lf else 3
    rows = [entry.split(" ") for entry in _table(fields.get("imroTbl", ""))[1:]]
    listed: dict[int, float] = {}
    for row in rows:
        cells: dict[str, Any] = {"gain": row[column] if len(row) > column else None}
        if row[0].isdecimal() and len(row[0]) < _N_DIGITS_MAX:
            listed[int(row[0])] = number_in(cells, "gain", path)
    saved = [k for k in saved_channels(fields) if k < 2 * len(listed)]
    if is_lf:  # its channels are counted after those of the other band
        saved = [k - len(listed) for k in saved if k >= len(listed)]
    # Where fewer were saved, the table still has all that were recorded.
    numbers = saved if len(saved) == n_traces else list(listed)[:n_traces]
    if len(numbers) != n_traces or any(k not in listed for k in numbers):
        msg = f"{path}: imroTbl has gains of {len(listed)} channels; {n_traces} are saved."
        raise DataError(msg)
    return np.array([listed[k] for k in numbers])
