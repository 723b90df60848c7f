"""Look up groups, datasets and attributes in HDF5 files whose content nobody vouches for."""

import math
import re
from collections.abc import Mapping
from typing import Any

import h5py
import numpy as np

from spikeloom.errors import DataError, SpikeloomError
from spikeloom.extractors.hdf5_files import DAMAGE

_NUMBER = re.compile(r"0|[1-9][0-9]{0,8}")
"""What klusta writes; other spellings would not be found again."""

_N_LINKS_MAX = 32

_ATTRIBUTE_BYTES_MAX = 1 << 23


def child(node: h5py.Group | None, name: str) -> Any:
    """Return what is in a group under `name`, or None.

    Raises
    ------
    DataError
        If it is in another file.
    """
    return _followed(node, name, _N_LINKS_MAX)


def _followed(node: Any, name: str, n_links: int) -> Any:
    """Follow links by hand: the library would look for other files in this one (see h5py's driver).

    Returns None if there is nothing, or too many links, which go round in circles.
    """
    if not isinstance(node, h5py.Group) or n_links == 0:
        return None
    parts = [part for part in name.split("/") if part]
    for k in range(1, len(parts) + 1):
        path = "/".join(parts[:k])
        if not node.id.links.exists(path.encode()):
            return None
        kind = node.id.links.get_info(path.encode()).type
        if kind == h5py.h5l.TYPE_EXTERNAL:
            target = node.get(path, getlink=True)
            msg = f"{node.file.filename}: {path} is in another file, {target.filename}: open that."
            raise DataError(msg)
        if kind == h5py.h5l.TYPE_SOFT:
            target = node.get(path, getlink=True).path
            above = node if k == 1 else node["/".join(parts[: k - 1])]
            start = node.file if target.startswith("/") else above
            found = _followed(start, target, n_links - 1)
            return found if k == len(parts) else _followed(found, "/".join(parts[k:]), n_links)
    return node.get("/".join(parts) or name)


def group_at(node: h5py.Group | None, name: str) -> h5py.Group | None:
    """Return the group of that name in a group, or None if there is none."""
    found = child(node, name)
    return found if isinstance(found, h5py.Group) else None


def dataset_at(node: h5py.Group | None, name: str) -> h5py.Dataset | None:
    """Return the dataset of that name in a group, or None if there is none."""
    found = child(node, name)
    return found if isinstance(found, h5py.Dataset) else None


def names_in(group: h5py.Group | None) -> list[str]:
    """Return the names in a group, sorted; those that are no text are left out."""
    if group is None:
        return []
    return sorted(name for name in group if isinstance(name, str) and name.isprintable())


def numbered_children(group: h5py.Group | None) -> list[int]:
    """Return the names in a group that are whole numbers, increasing."""
    return sorted(int(name) for name in names_in(group) if _NUMBER.fullmatch(name))


def is_plain(dtype: np.dtype[Any]) -> bool:
    """Tell whether values are numbers, texts, records of those, or references to nodes.

    Others are not to be read: damaged lists of variable length crash the library (up to 2.0).

    Examples
    --------
    >>> is_plain(h5py.string_dtype()), is_plain(h5py.vlen_dtype("int32"))
    (True, False)
    """
    if dtype.hasobject:
        return h5py.check_string_dtype(dtype) is not None or (
            h5py.check_ref_dtype(dtype) is h5py.Reference
        )
    return dtype.kind in "biufcSV"


def plain(value: Any) -> Any:
    r"""Return the value of an attribute as Python has it.

    Strings lose the zeros that pad them. An array of one string is a string, numbers of no
    dimension are Python's, and an attribute without a value is None.

    Examples
    --------
    >>> plain(np.array([b"klusta\0\0"])), plain(np.float64(2.5)), plain(np.array([b"a", b"b"]))
    ('klusta', 2.5, ['a', 'b'])
    """
    if isinstance(value, h5py.Empty):
        return None
    if isinstance(value, bytes):
        return text_of(value)
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, np.ndarray) and value.dtype.kind in "SOU":
        texts = [text_of(each) for each in value.reshape(-1).tolist()]
        return texts[0] if len(texts) == 1 else texts
    return value


def text_of(value: object) -> str:
    """Return bytes as text, without the zeros that pad it."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace").replace("\0", "")
    return str(value).replace("\0", "")


def attributes(node: h5py.Group | h5py.Dataset | None) -> dict[str, Any]:
    """Return the attributes of a node by name; those that cannot be read are left out."""
    if node is None:
        return {}
    found = {}
    for name in sorted(name for name in node.attrs if isinstance(name, str)):
        try:
            attribute = node.attrs.get_id(name)
            n_bytes = math.prod(attribute.shape or ()) * attribute.dtype.itemsize
            is_small = n_bytes <= _ATTRIBUTE_BYTES_MAX
            if is_small and is_plain(attribute.dtype):
                found[name] = plain(node.attrs[name])
        except SpikeloomError:
            raise
        except DAMAGE:  # KlustaViewa left some that no library reads
            continue
    return found


def number_in(known: Mapping[str, Any], *names: str) -> float | None:
    """Return the first attribute of these names that is a finite number, or None.

    Examples
    --------
    >>> number_in({"nchannels": np.array([32])}, "n_channels", "nchannels")
    32.0
    """
    for name in names:
        value = known.get(name)
        if isinstance(value, np.ndarray) and value.size == 1 and value.dtype.kind in "iufb":
            value = value.reshape(()).item()
        if isinstance(value, int | float) and math.isfinite(value):
            return float(value)
    return None
