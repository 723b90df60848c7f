"""Damage the content of files as disks, other programs and people do, the same way each time.

Half of the damage is to bytes: bits that flip, numbers that become extreme, content that is cut
short, repeated or inserted. The other half keeps files readable and lets them lie: numbers and
words of texts, members of JSON, and shapes, types and values of arrays are replaced, dropped,
doubled and renamed.
"""

import io
import json
import random
import re
import struct
import tarfile
import warnings
import zipfile

import numpy as np
from numpy.lib.recfunctions import repack_fields

EXTREME_TEXTS = [
    *("0", "-1", "1", "2", "1e999", "-1e999", "nan", "-nan", "inf", "1e300", "-1e-300", "0.5"),
    *("99999999999999999999", "2147483647", "-2147483648", "9223372036854775807", "65535", "4:3"),
    *("0:99999999", "", "()", "[]", "{}", "null", "None", "True", '"x"', "'", '"', "=", "~", ","),
    *("1_000", "0x10", "1j", "../../x", "/", "\\", "é", "%s", "|O", "<U9999999", ">M8[s]", "O8"),
    *("(999999999,)", "1" * 5000, "9" * 400, "#", "[", "]", "{", "}", "(", ")", "\t", "  ", "-"),
]

EXTREME_INTEGERS = [0, 1, -1, 2**7, 2**8 - 1, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1]
EXTREME_INTEGERS += [2**62, 2**63 - 1, 2**63, 2**64 - 1, -(2**31), -(2**63), 1000, 100_000_000]

EXTREME_FLOATS = [float("nan"), float("inf"), -float("inf"), 1e300, -1e300, 1e-300, -1.0, 0.0, 2.5]

N_DEEP = 3_000
"""Levels of brackets within brackets; more than Python's stack has."""

EXTREME_VALUES = [
    *(None, True, False, 0, -1, 1, 2, 10**400, 2**31, 2**63, 2**64, 1e300, -0.5, 3.7),
    *(float("nan"), float("inf"), -float("inf"), "", "x", "0", "nan", "é", "a/b", "../..", "\0"),
    *([], {}, [None], [[]], [{}], {"x": 1}, [1, "a"], [[1], [2, 3]], "A" * 10_000, ["x"] * 1000),
]

NOT_FROM_VALUES = {"__deep__": "[" * N_DEEP + "]" * N_DEEP, "__huge__": "1" * 5000}
"""Texts that Python would not write as JSON, by what stands for them."""


def damaged(name, content, seed):
    """Return the content of a file of this name, damaged; the same for the same seed."""
    rng = random.Random(seed)
    special = next((one for end, one in SPECIAL.items() if name.endswith(end)), None)
    changes = [_bytes, _text] if special is None else [special, special, _bytes]
    if special is None and b"\0" in content[:1000]:
        changes = [_bytes]
    change = rng.choice(changes) if content else _bytes
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", np.exceptions.ComplexWarning)
        return change(content, rng)


def _count(rng):
    """Return how many changes to make; mostly one, for several hide each other."""
    return rng.choice((1, 1, 1, 2, 3, 8))


# --- bytes --------------------------------------------------------------------------------------


def _place(n, rng):
    """Return an offset, half of them near the beginning, where headers are."""
    return min(n, rng.randrange(n + 1 if rng.random() < 0.5 else min(n, 200) + 1))


def _bytes(content, rng):
    for _ in range(_count(rng)):
        content = rng.choice(BYTE_CHANGES)(content, rng)
    return content


def _flip(content, rng):
    k = _place(len(content) - 1, rng) if content else 0
    flipped = bytes(byte ^ (1 << rng.randrange(8)) for byte in content[k : k + 1])
    return content[:k] + flipped + content[k + 1 :]


def _set_number(content, rng):
    n_bytes = rng.choice((1, 2, 4, 8))
    k = _place(len(content), rng) // n_bytes * n_bytes
    if n_bytes >= 4 and rng.random() < 0.3:
        kind = "f" if n_bytes == 4 else "d"
        value = rng.choice(EXTREME_FLOATS)
        if kind == "f" and abs(value) == 1e300:
            value = 3e38
        new = struct.pack(rng.choice("<>") + kind, value)
    else:
        value = rng.choice(EXTREME_INTEGERS) % 2 ** (8 * n_bytes)
        new = value.to_bytes(n_bytes, rng.choice(("little", "big")))
    return content[:k] + new + content[k + n_bytes :]


def _cut(content, rng):
    return content[: rng.choice((0, _place(len(content), rng), len(content) - 1))]


def _remove(content, rng):
    k = _place(len(content), rng)
    return content[:k] + content[k + rng.choice((1, 2, 4, 8, 100)) :]


def _insert(content, rng):
    k = _place(len(content), rng)
    inserted = rng.choice((
        lambda: rng.randbytes(rng.choice((1, 2, 4, 8, 50))),
        lambda: rng.choice(EXTREME_TEXTS).encode(),
        lambda: bytes([rng.randrange(256)]) * rng.choice((1, 8, 100_000)),
        lambda: b"\xef\xbb\xbf",
        lambda: b"\xc3\x28",
        lambda: b"\r\n",
        lambda: content[k : k + rng.choice((8, 64, 4096))],
    ))()
    return content[:k] + inserted + content[k:]


def _overwrite(content, rng):
    k, n = _place(len(content), rng), rng.choice((1, 4, 16, 256))
    new = rng.choice((bytes(n), b"\xff" * n, rng.randbytes(n)))
    return content[:k] + new + content[k + n :]


BYTE_CHANGES = [_flip, _flip, _set_number, _set_number, _cut, _remove, _insert, _overwrite]


# --- texts --------------------------------------------------------------------------------------

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_WORD = re.compile(r"[A-Za-z_~][\w.]*")


def _text(content, rng):
    text = content.decode("utf-8", "surrogateescape")
    for _ in range(_count(rng)):
        text = rng.choice(TEXT_CHANGES)(text, rng)
    return text.encode("utf-8", "surrogateescape")


def _replace_match(text, found, new):
    return text[: found.start()] + new + text[found.end() :]


def _replace_number(text, rng):
    found = _found_near(_NUMBER, text, rng)
    return _replace_match(text, found, rng.choice(EXTREME_TEXTS)) if found else text


def _replace_word(text, rng):
    found = _found_near(_WORD, text, rng)
    other = _found_near(_WORD, text, rng)
    if not found:
        return text
    old = found.group()
    new = rng.choice((other.group(), old + "x", old[:-1], old.upper(), rng.choice(EXTREME_TEXTS)))
    return _replace_match(text, found, new)


def _found_near(pattern, text, rng):
    """Return a match behind a random place, or the first of all."""
    return pattern.search(text, rng.randrange(len(text) + 1)) or pattern.search(text)


def _change_lines(text, rng):
    lines = text.split("\n")
    k, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    match rng.randrange(6):
        case 0:
            del lines[k]
        case 1:
            lines.insert(other, lines[k])
        case 2:
            lines[k], lines[other] = lines[other], lines[k]
        case 3:
            lines[k] = re.split(r"[=:\t,]", lines[k], maxsplit=1)[0]
        case 4:
            lines[k] += rng.choice((" ", ",", "\t")) + rng.choice(EXTREME_TEXTS)
        case 5:
            lines[k] = lines[k][: rng.randrange(len(lines[k]) + 1)]
    return "\n".join(lines)


def _change_values(text, rng):
    """Replace what stands behind an equals sign or a comma."""
    found = _found_near(re.compile(r"(?<=[=,:\t])[^=,:\t\n]*"), text, rng)
    return _replace_match(text, found, rng.choice(EXTREME_TEXTS)) if found else text


def _change_whole(text, rng):
    return rng.choice((
        lambda: text.replace("\n", "\r\n"),
        lambda: text.replace("\n", "\r"),
        lambda: "\ufeff" + text,
        lambda: text.replace("\n", " "),
        lambda: text + text,
        lambda: text.replace(",", ";"),
        lambda: "(" * N_DEEP + text,
        lambda: text + "=" + "-" * N_DEEP + "1",
        lambda: text + "\nx = " + "[" * N_DEEP + "]" * N_DEEP + "\n",
        lambda: text + "x" * 100_000,
        lambda: text.replace(" ", ""),
    ))()


TEXT_CHANGES = [_replace_number] * 4 + [_replace_word, _change_lines, _change_values] * 2
TEXT_CHANGES += [_change_whole]


# --- JSON ---------------------------------------------------------------------------------------


def _json(content, rng):
    try:
        value = json.loads(content)
    except ValueError:
        return _text(content, rng)
    for _ in range(_count(rng)):
        value = _changed_value(value, rng)
    text = json.dumps(value)
    if rng.random() < 0.03:
        text = rng.choice(("[" * N_DEEP, '{"x":' * N_DEEP, text * 2, "\ufeff" + text))
    if rng.random() < 0.03:  # text that gives a name twice
        names = list(value) if isinstance(value, dict) else []
        text = "{" + "".join(f"{json.dumps(name)}: 0, " for name in names) + text[1:]
    for stands_for, written in NOT_FROM_VALUES.items():
        text = text.replace(f'"{stands_for}"', written)
    return text.encode()


def _changed_value(value, rng):
    """Return a copy of a JSON value in which one place is changed."""
    if not isinstance(value, dict | list) or not value or rng.random() < 0.05:
        return _other_value(value, rng)
    is_list = isinstance(value, list)
    key = rng.randrange(len(value)) if is_list else rng.choice(list(value))
    copy = list(value) if is_list else dict(value)
    if rng.random() < (0.5 if isinstance(value[key], dict | list) and value[key] else 0.0):
        copy[key] = _changed_value(value[key], rng)
        return copy
    match rng.randrange(8):
        case 0:
            del copy[key]
        case 1 if is_list:
            copy.insert(key, value[rng.randrange(len(value))])
        case 1:
            copy[rng.choice((f"{key}x", key[:-1], key.upper(), ""))] = copy.pop(key)
        case 2 if is_list:
            copy = copy * 2
        case 2:
            copy[key] = value[rng.choice(list(value))]
        case 3 if is_list:
            copy = copy[: key + 1]
        case 3:
            copy[rng.choice(("x", "", "0", "dtype"))] = rng.choice(EXTREME_VALUES)
        case _:
            copy[key] = _other_value(value[key], rng)
    return copy


def _other_value(value, rng):
    if rng.random() < 0.02:
        return rng.choice(list(NOT_FROM_VALUES))
    if isinstance(value, str) and rng.random() < 0.5:
        return rng.choice((value + "x", value[:-1], "/" + value, "../" + value, value * 3, [value]))
    if type(value) in {int, float} and rng.random() < 0.5:
        return rng.choice((value + 1, value - 1, -value, value * 1000, str(value), [value]))
    return rng.choice(EXTREME_VALUES)


# --- arrays -------------------------------------------------------------------------------------


OTHER_KINDS = ["i1", "u8", "f2", "f4", "f8", "b1", "c8", "S3", "U2", ">i4", "M8[s]", "m8[s]"]


def _npy(content, rng):
    """Change the header, or write the array anew with another type, shape or values."""
    if rng.random() < 0.4:
        end = 10 + int.from_bytes(content[8:10], "little")
        header = _text(content[10:end], rng)
        if rng.random() < 0.7:  # so that the rest stays where it is
            header = header.strip()[: end - 11].ljust(end - 11) + b"\n"
            return content[:10] + header + content[end:]
        return content[:8] + len(header).to_bytes(4, "little")[:2] + header + content[end:]
    try:
        array = np.load(io.BytesIO(content), allow_pickle=False)
    except ValueError:
        return _bytes(content, rng)
    for _ in range(_count(rng)):
        array = _changed_array(array, rng)
    file = io.BytesIO()
    np.lib.format.write_array(file, array, allow_pickle=False)
    return file.getvalue()


def _changed_array(array, rng):
    match rng.randrange(9):
        case 0 if array.dtype.names is None:
            return _as_kind(array, rng.choice(OTHER_KINDS))
        case 0:
            names = list(array.dtype.names)
            return repack_fields(array[rng.sample(names, rng.randrange(1, len(names) + 1))])
        case 1:
            return array[: rng.choice((0, 1, len(array) // 2))] if array.ndim else array[None]
        case 2:
            return array[..., None] if rng.random() < 0.5 else array[None]
        case 3:
            return array.reshape(-1) if rng.random() < 0.5 else array.T
        case 4 if array.ndim:
            return np.concatenate([array, array[: rng.choice((1, len(array)))]])
        case 5 if array.ndim:
            return array[::-1]
    return _changed_values(array, rng)


def _as_kind(array, kind):
    if array.dtype.kind in "SUMm" or kind[0] in "Mm":
        return np.zeros(array.shape, kind)
    return array.astype(kind)


def _changed_values(array, rng):
    copy = array.copy().reshape(-1)
    if not copy.size:
        return array
    k = rng.choice((0, copy.size - 1, rng.randrange(copy.size)))
    column = copy if copy.dtype.names is None else copy[rng.choice(copy.dtype.names)]
    match column.dtype.kind:
        case "f" | "c":
            column[k] = rng.choice(EXTREME_FLOATS)
        case "i" | "u":
            limits = np.iinfo(column.dtype)
            column[k] = rng.choice((limits.min, limits.max, limits.max // 2, 0, 7, 1000 % 128))
        case "S" | "U":
            column[k] = rng.choice(("", "\udcff" if column.dtype.kind == "U" else "x", "0"))
        case "b":
            column[k] = ~column[k]
    return copy.reshape(array.shape)


def _npz(content, rng):
    """Damage a member of an archive and pack it anew."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w") as new:
        names = old.namelist()
        chosen = rng.choice(names)
        for name in names:
            member, new_name = old.read(name), name
            if name == chosen:
                match rng.randrange(8):
                    case 0:
                        continue
                    case 1:
                        new_name = f"{name}x"
                    case 2:
                        member = _bytes(member, rng)
                    case _:
                        member = _npy(member, rng)
            new.writestr(new_name, member)
    return out.getvalue()


def _tar(content, rng):
    """Damage the first member of an archive, which describes the others, and pack it anew."""
    out = io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(content)) as old,
        tarfile.open(fileobj=out, mode="w") as new,
    ):
        for k, info in enumerate(old.getmembers()):
            member = old.extractfile(info).read()
            if k == 0 or rng.random() < 0.1:
                member = _text(member, rng) if k == 0 else _bytes(member, rng)
            info.size = len(member)
            new.addfile(info, io.BytesIO(member))
    return out.getvalue()


_JSON_ENDS = (".json", ".oebin", ".ch", ".zattrs", ".zarray", ".zgroup", ".zmetadata")

SPECIAL = {
    **dict.fromkeys(_JSON_ENDS, _json),
    ".npy": _npy,
    ".npz": _npz,
    ".tar": _tar,
}
"""Changes that keep files of a format readable, by the end of their name."""
