"""The filter language of the cluster tables: phy's, which looks like JavaScript.

::

    expression := or
    or         := and  ( ("||" | "or") and )*
    and        := not  ( ("&&" | "and") not )*
    not        := ("!" | "not") not | comparison
    comparison := sum  ( compare sum )*
    compare    := "==" | "===" | "!=" | "!==" | "<" | "<=" | ">" | ">=" | "=~" | "in"
    sum        := term ( ("+" | "-") term )*
    term       := unary ( ("*" | "/" | "%") unary )*
    unary      := "-" unary | value
    value      := number | text in quotes | true | false | null | undefined
                | column | "(" expression ")" | "[" expression, … "]"

Columns are names of the table (``n_spikes``, ``group``); ``"…"`` and ``'…'`` are text. A missing
value equals ``null`` and differs from everything else; it is neither smaller nor larger than
anything, so ``snr > 3`` never shows a row without one. Comparisons chain: ``5 <= id <= 20``.
``=~`` searches a regular expression in text. Nothing is ever executed: the text becomes a tree,
and the tree is walked. Whatever is wrong is found while reading, so that a filter once read never
fails on a row.
"""

import operator
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

from spikeloom.errors import FilterSyntaxError

Row = Mapping[str, Any]
"""Column name to value, None where a value is missing."""

Filter = Callable[[Row], bool]
"""Tells whether a row is shown."""

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
      | (?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
      | (?P<name>[^\W\d]\w*)
      | (?P<symbol>===|!==|==|!=|<=|>=|=~|&&|\|\||[<>!()\[\],+\-*/%])
    )""",
    re.VERBOSE,
)
_WORDS = {"or": "||", "and": "&&", "not": "!", "in": "in"}
_CONSTANTS = {"true": True, "false": False, "null": None, "undefined": None}
_DEPTH_MAX = 50
_LENGTH_MAX = 10_000
_DIGITS_MAX = 18


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    position: int


def parse_filter(text: str, columns: frozenset[str] | None = None) -> Filter:
    """Turn a filter expression into a function of a row.

    Parameters
    ----------
    text : str
        The expression; an empty one lets every row pass.
    columns : frozenset of str, optional
        Names that exist; others are refused.

    Raises
    ------
    FilterSyntaxError
        If the expression cannot be read; it has the position of the fault.

    Examples
    --------
    >>> is_shown = parse_filter("group != 'noise' && depth >= 1000")
    >>> is_shown({"group": "good", "depth": 1200.0})
    True
    >>> is_shown({"group": None, "depth": None})
    False
    """
    if not text.strip():
        return lambda _row: True
    if len(text) > _LENGTH_MAX:
        msg = f"A filter has at most {_LENGTH_MAX:,} characters; this one has {len(text):,}."
        raise FilterSyntaxError(msg, _LENGTH_MAX)
    evaluate = _Parser(text, columns).parse()
    return lambda row: _is_true(evaluate(row))


_Node = Callable[[Row], Any]


class _Parser:
    """A recursive-descent parser that builds closures."""

    def __init__(self, text: str, columns: frozenset[str] | None) -> None:
        self._text = text
        self._columns = columns
        self._tokens = _tokenize(text)
        self._next = 0
        self._depth = 0

    def parse(self) -> _Node:
        node = self._or()
        if self._peek().kind != "end":
            self._fail(f"{self._peek().text!r} is not expected here")
        return node

    def _peek(self) -> _Token:
        return self._tokens[self._next]

    def _accept(self, *symbols: str) -> str | None:
        token = self._peek()
        if token.kind == "symbol" and token.text in symbols:
            self._next += 1
            return token.text
        return None

    def _expect(self, symbol: str) -> None:
        if not self._accept(symbol):
            self._fail(f"{symbol!r} is missing")

    def _fail(self, what: str) -> None:
        position = self._peek().position
        msg = f"In the filter {self._text!r}, at character {position + 1}: {what}."
        raise FilterSyntaxError(msg, position)

    def _or(self) -> _Node:
        self._depth += 1
        if self._depth > _DEPTH_MAX:
            self._fail("the expression is nested too deeply")
        nodes = [self._and()]
        while self._accept("||"):
            nodes.append(self._and())
        self._depth -= 1
        return nodes[0] if len(nodes) == 1 else lambda row: any(_is_true(n(row)) for n in nodes)

    def _and(self) -> _Node:
        nodes = [self._not()]
        while self._accept("&&"):
            nodes.append(self._not())
        return nodes[0] if len(nodes) == 1 else lambda row: all(_is_true(n(row)) for n in nodes)

    def _not(self) -> _Node:
        n_negations = 0
        while self._accept("!"):
            n_negations += 1
        node = self._comparison()
        if n_negations == 0:
            return node
        is_negated = n_negations % 2 == 1
        return lambda row: _is_true(node(row)) != is_negated

    def _comparison(self) -> _Node:
        nodes = [self._sum()]
        tests: list[Callable[[Any, Any], bool]] = []
        while symbol := self._accept(*_COMPARISONS):
            tests.append(_COMPARISONS[symbol])
            if symbol == "=~":
                self._check_pattern()
            nodes.append(self._sum())
        if not tests:
            return nodes[0]

        def compare(row: Row) -> bool:
            values = [node(row) for node in nodes]
            pairs = pairwise(values)
            return all(test(a, b) for test, (a, b) in zip(tests, pairs, strict=True))

        return compare

    def _check_pattern(self) -> None:
        """Refuse a regular expression that cannot be read, if it stands here as text."""
        token = self._peek()
        if token.kind == "text" and _compiled(str(_literal(token))) is None:
            self._fail(f"{token.text} is not a regular expression")

    def _sum(self) -> _Node:
        first = self._term()
        rest: list[tuple[str, _Node]] = []
        while symbol := self._accept("+", "-"):
            rest.append((symbol, self._term()))
        return _arithmetic(first, rest)

    def _term(self) -> _Node:
        first = self._unary()
        rest: list[tuple[str, _Node]] = []
        while symbol := self._accept("*", "/", "%"):
            rest.append((symbol, self._unary()))
        return _arithmetic(first, rest)

    def _unary(self) -> _Node:
        n_signs = 0
        while self._accept("-"):
            n_signs += 1
        node = self._value()
        return _arithmetic(lambda _row: 0, [("-", node)]) if n_signs % 2 else node

    def _value(self) -> _Node:
        token = self._peek()
        if self._accept("("):
            node = self._or()
            self._expect(")")
            return node
        if self._accept("["):
            return self._list()
        if token.kind in {"end", "symbol"}:
            self._fail("a value is missing" if token.kind == "end" else "a value is expected")
        self._next += 1
        if token.kind == "name":
            return self._name(token)
        value = _literal(token)
        return lambda _row: value

    def _list(self) -> _Node:
        items: list[_Node] = []
        while not self._accept("]"):
            if items:
                self._expect(",")
            items.append(self._or())
        return lambda row: [item(row) for item in items]

    def _name(self, token: _Token) -> _Node:
        if token.text in _CONSTANTS:
            constant = _CONSTANTS[token.text]
            return lambda _row: constant
        if self._columns is not None and token.text not in self._columns:
            self._next -= 1
            known = ", ".join(sorted(self._columns))
            self._fail(f"there is no column {token.text!r} (known: {known})")
        return _column(token.text)


def _column(name: str) -> _Node:
    def value(row: Row) -> Any:  # noqa: ANN401 - any cell
        cell = row.get(name)
        return None if cell != cell else cell  # not a number: the tables show nothing there

    return value


def _tokenize(text: str) -> list[_Token]:
    tokens = []
    position = 0
    end = len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            position += len(text[position:]) - len(text[position:].lstrip())
            msg = f"In the filter {text!r}, at character {position + 1}: {text[position]!r} " + (
                "starts a text that is not closed." if text[position] in "'\"" else "is unknown."
            )
            raise FilterSyntaxError(msg, position)
        kind, token = match.lastgroup, match.group(match.lastgroup)
        if kind == "name" and token in _WORDS:
            kind, token = "symbol", _WORDS[token]
        tokens.append(_Token(kind, token, match.start(match.lastgroup)))
        position = match.end()
    tokens.append(_Token("end", "", end))
    return tokens


def _literal(token: _Token) -> float | str:
    if token.kind == "number":
        is_whole = token.text.isdecimal() and len(token.text) <= _DIGITS_MAX
        return int(token.text) if is_whole else float(token.text)
    return re.sub(r"\\(.)", r"\1", token.text[1:-1])


def _is_true(value: object) -> bool:
    return bool(value)


def _as_number(value: object) -> float | None:
    """Return what `value` is as a number: numeric text counts as one (channel labels)."""
    if isinstance(value, (int, float)):
        return value
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return None
    return None


def _equals(left: object, right: object) -> bool:
    if left is None or right is None:
        return left is right
    if isinstance(left, str) and isinstance(right, str):
        return left == right
    a, b = _as_number(left), _as_number(right)
    return a is not None and a == b


def _differs(left: object, right: object) -> bool:
    return not _equals(left, right)


def _ordered(test: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def compare(left: object, right: object) -> bool:
        a, b = _as_number(left), _as_number(right)
        if a is not None and b is not None:
            return test(a, b)
        if isinstance(left, str) and isinstance(right, str):
            return test(left, right)
        return False

    return compare


def _matches(left: object, right: object) -> bool:
    if left is None or right is None:
        return False
    pattern = _compiled(str(right))
    return pattern is not None and pattern.search(str(left)) is not None


@lru_cache(256)
def _compiled(pattern: str) -> re.Pattern[str] | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what a later Python might read in another way
            return re.compile(pattern)
    except (re.error, OverflowError, RecursionError):
        return None


def _is_in(left: object, right: object) -> bool:
    if isinstance(right, list):
        return any(_equals(left, item) for item in right)
    return isinstance(left, str) and isinstance(right, str) and left in right


_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": _equals,
    "===": _equals,
    "!=": _differs,
    "!==": _differs,
    "<": _ordered(operator.lt),
    "<=": _ordered(operator.le),
    ">": _ordered(operator.gt),
    ">=": _ordered(operator.ge),
    "=~": _matches,
    "in": _is_in,
}

_ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "%": operator.mod,
}


def _arithmetic(first: _Node, rest: list[tuple[str, _Node]]) -> _Node:
    """Combine values from left to right; what is missing or no number makes it all missing."""
    if not rest:
        return first
    operations = [(_ARITHMETIC[symbol], node) for symbol, node in rest]

    def compute(row: Row) -> float | None:
        total = _as_number(first(row))
        for operation, node in operations:
            number = _as_number(node(row))
            if total is None or number is None:
                return None
            try:
                total = operation(total, number)
            except (ZeroDivisionError, OverflowError):
                return None
        return total

    return compute
