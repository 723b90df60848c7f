"""Hashes by which a result is known again: what was asked for, and what it was made of.

The hash of an extension is over its parameters, the hashes of the extensions that it was made of,
and the units with their channels and numbers of spikes. It is noted in ``run_info``, where
SpikeInterface leaves what it does not know alone. What has none, as SpikeInterface or older
versions wrote it, or as it was carried over to merged units, is never taken for what `compute` is
asked for.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from spikeloom.analyzer.run_notes import HASH
from spikeloom.errors import ParameterError
from spikeloom.storage.fingerprints import fingerprint_array, fingerprint_text
from spikeloom.storage.provenance_json import encode_json, to_plain

if TYPE_CHECKING:
    from spikeloom.analyzer.analyzer import SortingAnalyzer
    from spikeloom.analyzer.extension import AnalyzerExtension


def hash_of_request(
    analyzer: "SortingAnalyzer", extension: "AnalyzerExtension", parents: Iterable[str]
) -> str | None:
    """Return the hash that the result of an extension will have.

    Parameters
    ----------
    analyzer : SortingAnalyzer
        The analyzer, with the parents.
    extension : AnalyzerExtension
        With its parameters set; not computed yet.
    parents : iterable of str
        Names of the extensions that it will be made of.

    Returns
    -------
    str or None
        None if a parameter is something that JSON cannot hold.
    """
    content = {
        "extension": extension.extension_name,
        "params": extension.params_asked_for(),
        "parents": {name: known_hash(analyzer, name) for name in sorted(set(parents))},
        "recording": analyzer.recording_token() if extension.may_read_recording() else None,
        "units": _units(analyzer),
    }
    return _hash(content)


def _units(analyzer: "SortingAnalyzer") -> list[Any]:
    """Return what tells units from merged or split ones; others carry notes over to those."""
    sorting, sparsity = analyzer.sorting, analyzer.sparsity
    n_spikes = np.bincount(sorting.spike_table().unit_index, minlength=sorting.get_num_units())
    mask = None if sparsity is None else fingerprint_array(sparsity.mask)
    return [sorting.unit_ids, n_spikes, mask, bool(analyzer.return_in_uV)]


def known_hash(analyzer: "SortingAnalyzer", name: str) -> str | None:
    """Return the hash of an extension that is there; if it has none, one over its parameters."""
    noted, params = _notes(analyzer, name)
    return noted if noted is not None else _hash({"extension": name, "params": params})


def noted_hash(analyzer: "SortingAnalyzer", name: str) -> str | None:
    """Return the hash that was noted when an extension was computed; None without such a note."""
    return _notes(analyzer, name)[0]


def _notes(analyzer: "SortingAnalyzer", name: str) -> tuple[str | None, Mapping[str, Any]]:
    extension = analyzer.extensions.get(name)
    params: Mapping[str, Any] | None
    run_info: Mapping[str, Any] | None
    if extension is not None:
        params, run_info = extension.params, extension.run_info
    else:
        notes = analyzer.store.read_notes(name)
        params, run_info = notes.params, notes.run_info
    known = run_info or {}
    noted = known.get(HASH) if known.get("run_completed") else None
    return (noted if isinstance(noted, str) else None), params or {}


def _hash(content: Mapping[str, Any]) -> str | None:
    try:
        plain = _in_order(to_plain(content))
    except ParameterError:
        return None
    return fingerprint_text(encode_json(plain, indent=None).decode())


def _in_order(plain: Any) -> Any:
    """Return plain values such that equal ones have the same text: 1.0 and 1, {a, b} and {b, a}."""
    if isinstance(plain, Mapping):
        return {key: _in_order(plain[key]) for key in sorted(plain)}
    if isinstance(plain, list):
        return [_in_order(each) for each in plain]
    if isinstance(plain, float) and plain.is_integer():
        return int(plain)
    return plain
