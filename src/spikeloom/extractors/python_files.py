"""Parameter files that are Python source: assignments of plain values, never run."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spikeloom.extractors.phy_params import evaluate_assignments
from spikeloom.storage.atomic import write_atomic


def read_python(path: str | Path) -> dict[str, Any]:
    """Read the values that a Python file assigns, without running it.

    Parameters
    ----------
    path : str or Path
        A file of assignments like ``n_channels_dat = 64``.

    Returns
    -------
    dict
        Values by name, in lower case.

    Raises
    ------
    ReadError
        If the file is absent, or does something else than assign plain values.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "params.py"
    >>> write_python(path, {"sample_rate": 30000.0, "dat_path": "raw.dat"})
    >>> read_python(path)
    {'sample_rate': 30000.0, 'dat_path': 'raw.dat'}
    """
    return {name.lower(): value for name, value in evaluate_assignments(Path(path)).items()}


def write_python(path: str | Path, dict: Mapping[str, Any]) -> None:  # noqa: A002 - SpikeInterface's name
    """Write values as a Python file of assignments, which `read_python` reads.

    Parameters
    ----------
    path : str or Path
        The file.
    dict : mapping
        Plain values by name.
    """
    lines = [f"{name} = {_literal(value)}\n" for name, value in dict.items()]
    write_atomic(Path(path), "".join(lines).encode())


def _literal(value: Any) -> str:
    return repr(str(value)) if isinstance(value, Path) else repr(value)
