"""Keys of git-annex: the names that say what the content of a file must be.

A file whose content git-annex keeps is, in git, a small text: the target of a symbolic link
(``../.git/annex/objects/Wk/m5/KEY/KEY``) or, where the file is unlocked, a pointer
(``/annex/objects/KEY``). The key holds the kind of checksum, the size in bytes and the checksum:
``MD5E-s100000--900ee4e67faeb416808be730a8b52bec.h5``.

Source: https://git-annex.branchable.com/internals/key_format and /internals/pointer_file.
"""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from spikeloom.errors import DataError

if TYPE_CHECKING:
    from _hashlib import HASH

_KEY = re.compile(r"(?P<backend>[A-Z0-9_]+)(?P<fields>(?:-[a-zA-Z]\d+)*)--(?P<name>[^/\\\0\n]+)")
_SIZE = re.compile(r"-s(\d+)")
_POINTER_START = b"/annex/objects/"
_LINK = re.compile(r"(?:\.\./)*\.git/annex/objects/(?:\w{1,3}/){2}(?P<folder>[^/]+)/(?P<key>[^/]+)")

POINTER_N_BYTES_MAX = 32 * 1024
"""A longer file is no pointer, whatever it begins with."""

_BLOCK_N_BYTES = 1 << 20


@dataclass(frozen=True)
class AnnexKey:
    """What a key says about the content of a file."""

    text: str
    """The key itself."""
    n_bytes: int | None
    """Size of the content; None where the key does not say it."""
    algorithm: str | None
    """Checksum, as hashlib calls it; None for a kind that is not computed here."""
    digest: str | None
    """The checksum in hexadecimal digits; None where `algorithm` is."""


def parse_annex_key(text: str) -> AnnexKey:
    """Read a key.

    Parameters
    ----------
    text : str
        The key.

    Returns
    -------
    AnnexKey
        Its parts.

    Raises
    ------
    DataError
        If the text is no key.

    Examples
    --------
    >>> key = parse_annex_key("MD5E-s100000--900ee4e67faeb416808be730a8b52bec.h5")
    >>> key.algorithm, key.n_bytes, key.digest
    ('md5', 100000, '900ee4e67faeb416808be730a8b52bec')
    """
    parts = _KEY.fullmatch(text)
    if parts is None:
        msg = f"{text!r} is not a git-annex key, which looks like 'MD5E-s1024--0f3a….bin'."
        raise DataError(msg)
    size = _SIZE.search(parts["fields"])
    backend = parts["backend"]
    algorithm = _algorithm_of(backend)
    # Backends in E keep the extension of the file after the checksum.
    digest = parts["name"].split(".")[0] if backend.endswith("E") else parts["name"]
    return AnnexKey(
        text=text,
        n_bytes=int(size[1]) if size else None,
        algorithm=algorithm,
        digest=digest.lower() if algorithm else None,
    )


def _algorithm_of(backend: str) -> str | None:
    """Return hashlib's name of a backend's checksum, e.g. ``sha3_256``, ``blake2b-256``."""
    kind = backend.removesuffix("E").lower()
    if re.fullmatch(r"md5|sha1|sha224|sha256|sha384|sha512|sha3_(224|256|384|512)", kind):
        return kind
    blake = re.fullmatch(r"(blake2[bs])(160|224|256|384|512)", kind)
    return f"{blake[1]}-{blake[2]}" if blake else None


def key_of_link(target: str) -> AnnexKey | None:
    """Return the key that the target of a symbolic link names; None if it is another link."""
    link = _LINK.fullmatch(target.replace("\\", "/"))
    if link is None or link["key"] != link["folder"] or not _KEY.fullmatch(link["key"]):
        return None
    return parse_annex_key(link["key"])


def key_of_pointer(content: bytes) -> AnnexKey | None:
    """Return the key that the content of a pointer file names; None if it is another file."""
    if not content.startswith(_POINTER_START) or len(content) > POINTER_N_BYTES_MAX:
        return None
    text = content.splitlines()[0].removeprefix(_POINTER_START).decode("utf-8", "replace")
    return parse_annex_key(text) if _KEY.fullmatch(text) else None


def is_content_of(key: AnnexKey, path: Path) -> bool:
    """Tell whether a file has the size and the checksum that a key says.

    Where `AnnexKey.algorithm` is None the size alone is compared.
    """
    if key.n_bytes is not None and path.stat().st_size != key.n_bytes:
        return False
    if key.algorithm is None:
        return True
    checksum = _new_checksum(key.algorithm)
    with path.open("rb") as file:
        while block := file.read(_BLOCK_N_BYTES):
            checksum.update(block)
    return checksum.hexdigest() == key.digest


def _new_checksum(algorithm: str) -> "HASH | hashlib.blake2b | hashlib.blake2s":
    kind, _, n_bits = algorithm.partition("-")
    if kind == "blake2b":
        return hashlib.blake2b(digest_size=int(n_bits) // 8)
    if kind == "blake2s":
        return hashlib.blake2s(digest_size=int(n_bits) // 8)
    return hashlib.new(kind, usedforsecurity=False)
