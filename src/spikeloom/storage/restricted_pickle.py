"""Read pickles as data: a little machine that can only make plain values.

Pickles are programs, and Python's own reader runs them. SpikeInterface keeps provenance in them
where JSON does not do, so they are read here, on request, by a reader that knows the operations
but has nothing to run: it makes numbers, text, containers, numpy arrays, paths and dates. A class
of SpikeInterface becomes its name, and an object of one a dictionary; anything else is refused
by name.
"""

import pickletools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from spikeloom.errors import MissingFileError, ReadError
from spikeloom.storage.pickle_values import (
    BUILDERS,
    Global,
    Made,
    as_type,
    dictionary_of,
    finish,
    foreign_dictionary,
    full_name,
    is_foreign,
    latin_bytes,
)


class _Mark:
    """Where a container begins on the stack."""


class _Machine:
    """Runs the operations of one pickle."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def run(self, operations: Iterator[tuple[Any, Any, Any]]) -> object:
        for operation, argument, _ in operations:
            name = operation.name
            if name == "STOP":
                return finish(self.stack.pop())
            if name in _PUSHED:
                self.stack.append(argument)
            else:
                step = getattr(self, f"_do_{_SAME.get(name, name).lower()}", None)
                if step is None:
                    msg = f"it uses the operation {name}"
                    raise ValueError(msg)
                step(argument)
        msg = "it ends too early"
        raise ValueError(msg)

    def _from_mark(self) -> list[Any]:
        k = len(self.stack) - 1
        while not isinstance(self.stack[k], _Mark):
            k -= 1
            if k < 0:
                msg = "it is out of step"
                raise ValueError(msg)
        items = self.stack[k + 1 :]
        del self.stack[k:]
        return items

    def _do_proto(self, _: object) -> None: ...

    def _do_mark(self, _: object) -> None:
        self.stack.append(_Mark())

    def _do_pop(self, _: object) -> None:
        self.stack.pop()

    def _do_pop_mark(self, _: object) -> None:
        self._from_mark()

    def _do_dup(self, _: object) -> None:
        self.stack.append(self.stack[-1])

    def _do_none(self, _: object) -> None:
        self.stack.append(None)

    def _do_newtrue(self, _: object) -> None:
        self.stack.append(True)

    def _do_newfalse(self, _: object) -> None:
        self.stack.append(False)

    def _do_empty_list(self, _: object) -> None:
        self.stack.append([])

    def _do_empty_dict(self, _: object) -> None:
        self.stack.append({})

    def _do_empty_tuple(self, _: object) -> None:
        self.stack.append(())

    def _do_empty_set(self, _: object) -> None:
        self.stack.append(set())

    def _do_list(self, _: object) -> None:
        self.stack.append(self._from_mark())

    def _do_tuple(self, _: object) -> None:
        self.stack.append(tuple(self._from_mark()))

    def _do_frozenset(self, _: object) -> None:
        self.stack.append(frozenset(finish(self._from_mark())))

    def _do_dict(self, _: object) -> None:
        items = self._from_mark()
        self.stack.append({})
        self._set(items)

    def _do_tuple1(self, _: object) -> None:
        self.stack[-1:] = [tuple(self.stack[-1:])]

    def _do_tuple2(self, _: object) -> None:
        self.stack[-2:] = [tuple(self.stack[-2:])]

    def _do_tuple3(self, _: object) -> None:
        self.stack[-3:] = [tuple(self.stack[-3:])]

    def _do_append(self, _: object) -> None:
        value = self.stack.pop()
        self._extend([value])

    def _do_appends(self, _: object) -> None:
        self._extend(self._from_mark())

    def _extend(self, values: list[Any]) -> None:
        if not isinstance(self.stack[-1], list):
            msg = "it appends to what is no list"
            raise ValueError(msg)  # noqa: TRY004 - of the file, not of an argument
        self.stack[-1].extend(values)

    def _do_additems(self, _: object) -> None:
        values = self._from_mark()
        self.stack[-1].update(finish(values))

    def _do_setitem(self, _: object) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        self._set([key, value])

    def _do_setitems(self, _: object) -> None:
        self._set(self._from_mark())

    def _set(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if not isinstance(target, dict):
            msg = "it sets items of what is no dictionary"
            raise ValueError(msg)  # noqa: TRY004 - of the file, not of an argument
        for key, value in zip(items[::2], items[1::2], strict=True):
            target[finish(key)] = value

    def _do_memoize(self, _: object) -> None:
        self.memo[len(self.memo)] = self.stack[-1]

    def _do_put(self, key: int) -> None:
        self.memo[int(key)] = self.stack[-1]

    def _do_get(self, key: int) -> None:
        self.stack.append(self.memo[int(key)])

    def _do_frame(self, _: object) -> None: ...

    def _do_global(self, argument: str) -> None:
        module, name = argument.split(" ", 1)
        self._refer(module, name)

    def _do_stack_global(self, _: object) -> None:
        name, module = self.stack.pop(), self.stack.pop()
        self._refer(str(module), str(name))

    def _refer(self, module: str, name: str) -> None:
        reference = Global(module, name)
        if (
            full_name(reference) not in BUILDERS
            and not is_foreign(reference)
            and full_name(reference)
            not in {"collections.OrderedDict", "copyreg._reconstructor", "builtins.object"}
        ):
            as_type(reference)  # refuses the unknown
        self.stack.append(reference)

    def _do_reduce(self, _: object) -> None:
        args, function = self.stack.pop(), self.stack.pop()
        self._make(function, args)

    def _do_newobj(self, _: object) -> None:
        args, kind = self.stack.pop(), self.stack.pop()
        self._make(kind, args)

    def _do_newobj_ex(self, _: object) -> None:
        keywords, args, kind = self.stack.pop(), self.stack.pop(), self.stack.pop()
        self._make(kind, (*args, keywords) if keywords else args)

    def _make(self, function: object, args: object) -> None:
        if not isinstance(function, Global) or not isinstance(args, tuple):
            msg = f"it calls {function}"
            raise ValueError(msg)  # noqa: TRY004 - of the file, not of an argument
        name = full_name(function)
        if name == "collections.OrderedDict":
            self.stack.append(dict(finish(args[0])) if args else {})
        elif name == "copyreg._reconstructor" and args and isinstance(args[0], Global):
            self._make(args[0], ())
        elif name == "_codecs.encode":
            self.stack.append(latin_bytes(Made(latin_bytes, args)))
        elif name in BUILDERS:
            self.stack.append(Made(BUILDERS[name], args))
        elif is_foreign(function):
            is_dictionary = name.endswith(".from_dict") and args
            build = dictionary_of if is_dictionary else foreign_dictionary
            self.stack.append(Made(build, args, fields={"class": str(function)}))
        else:
            msg = f"it calls {function}"
            raise ValueError(msg)

    def _do_build(self, _: object) -> None:
        state = self.stack.pop()
        target = self.stack[-1]
        if isinstance(target, Made):
            target.state = state
        elif state:
            msg = f"it changes a {type(target).__name__}"
            raise ValueError(msg)


_PUSHED = frozenset({
    *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
    *("UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "BYTEARRAY8"),
    *("BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "STRING", "BINSTRING", "SHORT_BINSTRING"),
})
"""Operations whose argument is the value."""

_SAME = {"BINPUT": "PUT", "LONG_BINPUT": "PUT", "BINGET": "GET", "LONG_BINGET": "GET"}


def decode_plain_pickle(content: bytes, where: str) -> Any:  # noqa: ANN401 - any plain value
    r"""Return the plain value of a pickle, running nothing.

    Parameters
    ----------
    content : bytes
        The pickle, of any protocol.
    where : str
        What to call it in a message.

    Returns
    -------
    object
        Of dictionaries, lists, text, numbers, numpy arrays and scalars, paths and dates. Classes
        of SpikeInterface are text; what ``BaseExtractor.from_dict`` would make an object of is
        the dictionary.

    Raises
    ------
    ReadError
        If it refers to or calls anything else, which is named, or is damaged.

    Examples
    --------
    >>> decode_plain_pickle(b"(lI1\na.", "example")
    [1]
    >>> decode_plain_pickle(b"cos\nsystem\n(S'true'\ntR.", "example")
    Traceback (most recent call last):
        ...
    spikeloom.errors.ReadError: example is not read as plain data: it refers to os.system. ...
    """
    try:
        return _Machine().run(pickletools.genops(content))
    except (
        *(ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError),
        *(MemoryError, RecursionError, UnicodeError),
    ) as error:
        msg = (
            f"{where} is not read as plain data: {error}. Only plain values, numpy arrays, paths "
            "and dates are; save it as JSON with the program that wrote it."
        )
        raise ReadError(0, msg) from error


def read_plain_pickle(path: Path) -> Any:  # noqa: ANN401 - any plain value
    """Read the plain value of a pickle file; see `decode_plain_pickle`.

    Raises
    ------
    MissingFileError
        If there is no such file.
    ReadError
        If it holds anything but plain data.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        msg = f"There is no file {path}."
        raise MissingFileError(2, msg) from error
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror or error}."
        raise ReadError(error.errno or 0, msg) from error
    return decode_plain_pickle(content, str(path))
