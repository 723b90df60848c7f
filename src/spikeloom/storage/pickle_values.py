"""What the restricted reader of pickles makes: plain values, numpy arrays, paths and dates.

Nothing is made of what a pickle calls but by the functions that are listed here.
"""

import codecs
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np

_NUMPY_CORE = re.compile(r"^numpy\.(_core|core)\b")

N_DEPTH_MAX = 200


@dataclass(frozen=True)
class Global:
    """A name that the pickle refers to."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


@dataclass(eq=False)
class Made:
    """What a known constructor was called with, and the state that followed."""

    build: Callable[["Made"], object]
    args: tuple[Any, ...]
    state: Any = None
    fields: dict[str, Any] = field(default_factory=dict)
    value: Any = None
    is_built: bool = False


def foreign_dictionary(made: Made) -> object:
    """Return an object of a class of SpikeInterface as a dictionary."""
    result: dict[str, Any] = {"class": made.fields["class"]}
    if made.args:
        result["args"] = finish(list(made.args))
    if made.state is not None:
        result["state"] = finish(made.state)
    return result


def dictionary_of(made: Made) -> object:
    """Return the dictionary from which SpikeInterface makes an object again."""
    return finish(made.args[0])


def _dtype(made: Made) -> np.dtype[Any]:
    """Make a dtype of its name and its fields only.

    numpy itself would believe a state whose flags and offsets contradict each other, and read
    memory that is not its own.
    """
    base = np.dtype(made.args[0]) if isinstance(made.args[0], str) else _dtype_of(made.args[0])
    state = made.state
    if state is not None:
        order, subarray, names, fields = state[1], state[2], state[3], state[4]
        if subarray is not None:
            inner, shape = finish(subarray)
            base = np.dtype((inner, tuple(shape)))
        elif names:
            members = {name: finish(fields[name]) for name in names}
            base = np.dtype({
                "names": list(names),
                "formats": [members[name][0] for name in names],
                "offsets": [int(members[name][1]) for name in names],
                "itemsize": int(state[5]),
            })
        elif order in {"<", ">", "="} and base.kind not in "SOVb":
            base = base.newbyteorder(order)
    return base


def _dtype_of(value: object) -> np.dtype[Any]:
    value = finish(value)
    if isinstance(value, np.dtype):
        return value
    if isinstance(value, list):
        return np.dtype([tuple(each) for each in value])
    msg = f"no dtype: {value!r}"
    raise ValueError(msg)


def _array(made: Made) -> object:
    """Make an array of a shape, a dtype and bytes (or a list of objects)."""
    if made.state is None:
        msg = "an array without content"
        raise ValueError(msg)
    _, shape, dtype, is_fortran, content = made.state
    dtype = _dtype_of(dtype)
    content = finish(content) if isinstance(content, Made) else content
    return _shaped(content, dtype, shape, "F" if is_fortran else "C")


def _shaped(content: object, dtype: np.dtype[Any], shape: Any, order: str) -> object:  # noqa: ANN401
    if dtype.hasobject:
        if dtype.names is not None or not isinstance(content, list):
            msg = "records of objects"
            raise ValueError(msg)
        values = np.empty(len(content), dtype=object)
        values[:] = [finish(each) for each in content]
    else:
        if not isinstance(content, (bytes, bytearray)):
            msg = f"an array of {type(content).__name__}"
            raise ValueError(msg)
        # numpy makes no array of an empty buffer.
        values = np.frombuffer(content, dtype).copy() if content else np.empty(0, dtype)
    return values.reshape(tuple(shape), order=order)  # type: ignore[call-overload]


def _from_buffer(made: Made) -> object:
    content, dtype, shape, order = made.args
    return _shaped(finish(content), _dtype_of(dtype), finish(shape), order)


def _scalar(made: Made) -> object:
    dtype = _dtype_of(made.args[0])
    content = made.args[1]
    if dtype.hasobject or not isinstance(content, bytes) or len(content) != dtype.itemsize:
        msg = "a number without its bytes"
        raise ValueError(msg)
    return np.frombuffer(content, dtype)[0] if dtype.itemsize else np.zeros(1, dtype)[0]


def latin_bytes(made: Made) -> object:
    """Return the bytes that Python 3 writes as text for Python 2."""
    text, encoding = made.args
    if encoding not in {"latin1", "latin-1"}:
        msg = f"bytes in {encoding}"
        raise ValueError(msg)
    return codecs.encode(text, "latin-1")


def _path(made: Made) -> object:
    return Path(*map(str, finish(list(made.args))))


def _moment(kind: type[date | time]) -> Callable[[Made], object]:
    def build(made: Made) -> object:
        first, *rest = finish(list(made.args))
        if isinstance(first, str):
            first = first.encode("latin-1")
        if not isinstance(first, bytes) or not all(isinstance(r, timezone) for r in rest):
            msg = f"a {kind.__name__} in a form of its own"
            raise ValueError(msg)
        # The constructors take the bytes of a pickle, and check them.
        return kind(first, *rest)  # type: ignore[arg-type]

    return build


def _call(kind: Callable[..., object]) -> Callable[[Made], object]:
    return lambda made: kind(*finish(list(made.args)))


def _collection(kind: type[set[Any] | frozenset[Any]]) -> Callable[[Made], object]:
    def build(made: Made) -> object:
        items = finish(made.args[0]) if made.args else []
        if not isinstance(items, (list, tuple)):
            msg = f"a {kind.__name__} of {items!r:.50}"
            raise ValueError(msg)  # noqa: TRY004 - of the file, not of an argument
        return kind(items)

    return build


def _bytes(kind: type[bytes | bytearray]) -> Callable[[Made], object]:
    def build(made: Made) -> object:
        args = finish(list(made.args)) or [b""]
        if isinstance(args[0], str):
            args = [args[0].encode("latin-1")]
        # Not a number, which would ask for so many bytes.
        return kind(memoryview(args[0]))

    return build


_PATHS = ("Path", "PosixPath", "WindowsPath", "PurePath", "PurePosixPath", "PureWindowsPath")

BUILDERS: dict[str, Callable[[Made], object]] = {
    "numpy.dtype": _dtype,
    "numpy.core.multiarray._reconstruct": _array,
    "numpy.core.multiarray.scalar": _scalar,
    "numpy.core.numeric._frombuffer": _from_buffer,
    "_codecs.encode": latin_bytes,
    "datetime.datetime": _moment(datetime),
    "datetime.date": _moment(date),
    "datetime.time": _moment(time),
    "datetime.timedelta": _call(timedelta),
    "datetime.timezone": _call(timezone),
    "builtins.set": _collection(set),
    "builtins.frozenset": _collection(frozenset),
    "builtins.complex": _call(complex),
    "builtins.slice": _call(slice),
    "builtins.range": _call(range),
    "builtins.bytearray": _bytes(bytearray),
    "builtins.bytes": _bytes(bytes),
    **{f"{module}.{name}": _path for module in ("pathlib", "pathlib._local") for name in _PATHS},
}
"""What may be called; numpy's inner modules by their old name, Python 2's by their new one."""


def full_name(reference: Global) -> str:
    """Return the name of a reference as `BUILDERS` has it."""
    module = _NUMPY_CORE.sub("numpy.core", reference.module)
    module = {"__builtin__": "builtins", "copy_reg": "copyreg"}.get(module, module)
    name = reference.name
    if reference.module == "__builtin__":
        name = {"xrange": "range", "unicode": "str", "long": "int"}.get(name, name)
    return f"{module}.{name}"


def is_foreign(reference: Global) -> bool:
    """Tell whether a reference is to something of SpikeInterface."""
    return reference.module.split(".", 1)[0] == "spikeinterface"


def as_type(reference: Global) -> object:
    """Return what a reference means that stands for itself: a numpy type, or a name."""
    name = full_name(reference)
    kind = getattr(np, reference.name, None) if reference.module == "numpy" else None
    if isinstance(kind, type) and issubclass(kind, np.generic):
        return kind
    if is_foreign(reference):
        return str(reference)
    if name in {"numpy.ndarray", "numpy.dtype"}:
        return name
    plain = {f"builtins.{k.__name__}": k for k in (int, float, str, bool, list, dict, tuple)}
    if name in plain:
        return plain[name]
    msg = f"it refers to {reference}"
    raise ValueError(msg)


def finish(value: Any, seen: dict[int, Any] | None = None, depth: int = 0) -> Any:  # noqa: ANN401
    """Return a value with everything in it made; what is shared stays shared."""
    if depth > N_DEPTH_MAX:
        msg = "it is nested too deeply, or contains itself"
        raise ValueError(msg)
    if isinstance(value, Global):
        return as_type(value)
    if isinstance(value, Made):
        if not value.is_built:
            value.value, value.is_built = value.build(value), True
        return value.value
    if not isinstance(value, (list, tuple, dict, set)):
        return value
    seen = {} if seen is None else seen
    if id(value) not in seen:
        result: Any
        if isinstance(value, dict):
            result = {
                finish(k, seen, depth + 1): finish(v, seen, depth + 1) for k, v in value.items()
            }
        else:
            result = type(value)(finish(each, seen, depth + 1) for each in value)
        seen[id(value)] = result
    return seen[id(value)]
