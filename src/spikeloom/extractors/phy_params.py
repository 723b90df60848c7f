"""``params.py``: the small Python file that describes a phy dataset, read without running it.

phy executes the file. Here its syntax tree is evaluated instead, and only plain values are
understood: numbers, strings, booleans, None, lists, tuples, dictionaries, names assigned
earlier, ``+`` and the like between numbers or strings, f-strings without format code,
``dict(name=...)``, ``range(...)``, ``Path(...)``, ``os.path.join(...)`` and ``r"..."``. Anything
else is refused with its line number. Running the file is possible where the caller asks for it
(`trust=True`).

Source: https://phy.readthedocs.io/en/latest/sorting_user_guide (parameters file).
"""

import ast
import math
import operator
import runpy
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from spikeloom.errors import DataError, MissingFileError, ParameterError, ReadError
from spikeloom.storage.dtype_names import named_dtype

_OPERATORS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
}
_LENGTH_MAX = 100_000
"""Longest text, path or list that a file may build: a few lines could fill the memory."""

_PATH_MAX, _NAME_MAX = 4096, 255
"""Longest path, and name in one, that a file can have; asking for a longer one is an OSError."""

_INTEGER_BITS_MAX = 64

_SOURCE_SHOWN_MAX = 80


@dataclass(frozen=True)
class PhyParams:
    """What ``params.py`` says."""

    path: Path
    """The file itself."""
    dat_paths: tuple[Path, ...]
    """Raw data files, made absolute; they may be absent."""
    dtype: np.dtype[Any]
    """Number type of the raw data."""
    n_channels_dat: int | None
    """Channels in the raw data files; None when the file does not say."""
    sampling_frequency: float
    """In Hz."""
    offset_bytes: int = 0
    """Bytes to skip at the start of each raw data file."""
    dir_path: Path = field(default_factory=Path)
    """Folder of the ``.npy`` files: that of ``params.py`` unless the file says otherwise."""
    template_scaling: float = 1.0
    """Factor on unwhitened templates."""
    show_mapped_channels: bool = True
    """Whether channels are called by their raw column (else by their position)."""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """All other names that the file assigns, in lower case."""
    warnings: tuple[str, ...] = ()
    """What had to be assumed."""


def read_phy_params(path: Path, *, trust: bool = False) -> PhyParams:
    """Read a ``params.py`` file.

    Parameters
    ----------
    path : Path
        The file.
    trust : bool, default False
        Run the file as Python, as phy does, instead of reading it. It can then do anything
        that its author wanted.

    Raises
    ------
    MissingFileError
        If there is no such file.
    ReadError
        If the file holds something that is not a plain value.
    DataError
        If a value makes no sense.
    """
    if not path.is_file():
        msg = f"There is no file {path}. Give the path of a params.py file."
        raise MissingFileError(2, msg)
    values = runpy.run_path(str(path)) if trust else evaluate_assignments(path)
    values = {name.lower(): value for name, value in values.items() if not name.startswith("_")}
    try:
        return _interpret(path, values)
    except (TypeError, ValueError, OverflowError) as error:
        msg = f"{path} has a value that makes no sense: {error}."
        raise DataError(msg) from error


def _interpret(path: Path, values: dict[str, Any]) -> PhyParams:
    folder = path.resolve().parent
    assumed = []
    dat_path = values.pop("dat_path", None) or []
    if isinstance(dat_path, (str, PurePath)):
        dat_path = [dat_path]
    sampling_frequency = values.pop("sample_rate", None)
    if sampling_frequency is None:
        assumed.append(f"{path.name} gives no sample_rate; 30000 Hz is assumed.")
        sampling_frequency = 30_000.0
    if not 0 < float(sampling_frequency) < math.inf:
        msg = f"sample_rate={sampling_frequency} is not a positive number"
        raise ParameterError(msg)
    n_channels = values.pop("n_channels_dat", None)
    return PhyParams(
        path=path,
        dat_paths=tuple(folder / _as_path("dat_path", item) for item in dat_path),
        dtype=_as_dtype(values.pop("dtype", "int16")),
        n_channels_dat=None if n_channels is None else int(n_channels),
        sampling_frequency=float(sampling_frequency),
        offset_bytes=int(values.pop("offset", 0) or 0),
        dir_path=folder / _as_path("dir_path", values.pop("dir_path", ".")),
        template_scaling=float(values.pop("template_scaling", 1.0)),
        show_mapped_channels=bool(values.pop("show_mapped_channels", True)),
        extra=values,
        warnings=tuple(assumed),
    )


def _as_path(name: str, value: object) -> str | PurePath:
    if not isinstance(value, (str, PurePath)):
        msg = f"{name} holds a {type(value).__name__} where a path is expected"
        raise TypeError(msg)
    if len(str(value)) > _PATH_MAX or any(len(part) > _NAME_MAX for part in PurePath(value).parts):
        msg = f"{name} is longer than any path: {str(value)[:80]!r}..."
        raise ValueError(msg)
    return value


def _as_dtype(value: object) -> np.dtype[Any]:
    if not isinstance(value, (str, type, np.dtype)):
        msg = f"dtype is a {type(value).__name__} where the name of a number type is expected"
        raise TypeError(msg)
    dtype = named_dtype(value)
    if dtype.kind not in "iuf":
        msg = f"dtype={dtype} is not a real number type"
        raise TypeError(msg)
    return dtype


def evaluate_assignments(path: Path) -> dict[str, Any]:
    """Return the plain values that a Python file assigns to names, without running it.

    Raises
    ------
    ReadError
        If the file is not Python or does something else than assign plain values.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of backslashes in Windows paths
            tree = ast.parse(text, filename=str(path))
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError) as error:
        msg = f"{path} is not a Python file of assignments: {error}."
        raise ReadError(0, msg) from error
    values: dict[str, Any] = {}
    for statement in tree.body:
        try:
            _execute(statement, values)
        except _NotPlainError as error:
            line = getattr(error.node, "lineno", statement.lineno)
            msg = (
                f"{path}, line {line}: {_source(error.node)!r} is not a plain value. spikeloom "
                "reads params.py without running it; write the value out, or allow it to run with "
                "--trust-params."
            )
            raise ReadError(0, msg) from None
        except RecursionError:
            msg = f"{path}, line {statement.lineno}: this is nested too deeply."
            raise ReadError(0, msg) from None
    return values


def _source(node: ast.AST) -> str:
    source = ast.unparse(node)
    return source if len(source) <= _SOURCE_SHOWN_MAX else source[:_SOURCE_SHOWN_MAX] + "…"


class _NotPlainError(Exception):
    def __init__(self, node: ast.AST) -> None:
        super().__init__()
        self.node = node


def _execute(statement: ast.stmt, values: dict[str, Any]) -> None:
    match statement:
        case ast.Assign(targets=targets, value=value):
            result = _evaluate(value, values)
            for target in targets:
                if not isinstance(target, ast.Name):
                    raise _NotPlainError(statement)
                values[target.id] = result
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
            values[name] = _evaluate(value, values)
        case ast.Expr(value=ast.Constant()) | ast.Import() | ast.ImportFrom() | ast.Pass():
            pass  # a docstring, or the import of what the evaluator knows by name
        case _:
            raise _NotPlainError(statement)


def _evaluate(node: ast.expr, values: Mapping[str, Any]) -> Any:
    value = _evaluate_any(node, values)
    if _is_too_large(value):
        raise _NotPlainError(node)
    return value


def _is_too_large(value: object) -> bool:
    match value:
        case str() | bytes() | list() | dict():
            return len(value) > _LENGTH_MAX
        case PurePath():
            return len(str(value)) > _LENGTH_MAX
        case int():
            return value.bit_length() > _INTEGER_BITS_MAX
        case _:
            return False


def _evaluate_any(node: ast.expr, values: Mapping[str, Any]) -> Any:  # noqa: C901, PLR0911, PLR0912 - cases
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name) if name in values:
            return values[name]
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return [_evaluate(item, values) for item in items]
        case ast.Dict(keys=keys, values=items):
            if any(key is None for key in keys):
                raise _NotPlainError(node)
            names = [_evaluate(key, values) for key in keys if key is not None]
            pairs = zip(names, [_evaluate(item, values) for item in items], strict=True)
            return _checked(node, dict, pairs)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return _checked(node, operator.neg, _evaluate(operand, values))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return _combine(node, _evaluate(left, values), _evaluate(right, values))
        case ast.JoinedStr(values=parts):
            return _joined(node, [_evaluate(part, values) for part in parts])
        case ast.FormattedValue(value=value, conversion=-1, format_spec=None):
            return _as_text(node, _evaluate(value, values))
        case ast.Call(func=ast.Name(id="dict"), args=[], keywords=items):
            # As klusta's parameter files are written.
            if any(item.arg is None for item in items):
                raise _NotPlainError(node)
            return {str(item.arg): _evaluate(item.value, values) for item in items}
        case ast.Call(func=function, args=arguments, keywords=[]):
            return _call(node, ast.unparse(function), [_evaluate(a, values) for a in arguments])
        case _:
            raise _NotPlainError(node)


def _checked(node: ast.expr, function: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return function(*arguments)
    except (TypeError, ValueError, ArithmeticError):
        raise _NotPlainError(node) from None


def _joined(node: ast.expr, parts: list[str]) -> str:
    if sum(map(len, parts)) > _LENGTH_MAX:
        raise _NotPlainError(node)
    return "".join(parts)


def _as_text(node: ast.expr, value: object) -> str:
    """Return a single value as text; of lists, whose text may be huge, there is no need."""
    if isinstance(value, (str, int, float, PurePath)):
        return str(value)
    raise _NotPlainError(node)


def _combine(node: ast.BinOp, left: Any, right: Any) -> Any:
    if isinstance(node.op, ast.Div) and isinstance(left, PurePath):
        return left / _as_text(node, right)
    if isinstance(node.op, ast.Mult):
        sizes = [len(value) for value in (left, right) if isinstance(value, (str, bytes, list))]
        counts = [value for value in (left, right) if isinstance(value, int)]
        if sizes and counts and sizes[0] * counts[0] > _LENGTH_MAX:
            raise _NotPlainError(node)
    return _checked(node, _OPERATORS[type(node.op)], left, right)


def _call(node: ast.Call, name: str, arguments: list[Any]) -> Any:
    match name:
        case "Path" | "pathlib.Path" | "os.path.join" | "PurePath":
            _joined(node, [str(a) for a in arguments if isinstance(a, (str, PurePath))])
            return _checked(node, PurePath, *arguments)
        case "range" if arguments:
            span = _checked(node, range, *arguments)
            if max(abs(span.start), abs(span.stop), len(span)) > _LENGTH_MAX:
                raise _NotPlainError(node)
            return list(span)
        case "str" if len(arguments) == 1:
            return _as_text(node, arguments[0])
        case "float" | "int" | "list" | "tuple" if len(arguments) == 1:
            converters = {"float": float, "int": int, "list": list, "tuple": list}
            return _checked(node, converters[name], arguments[0])
        case _ if name in {"np.float32", "np.int16", "np.dtype"} and arguments:
            return arguments[0]
    raise _NotPlainError(node)
