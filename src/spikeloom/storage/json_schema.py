"""Check values against a JSON schema, and say what is wrong where, in words.

The keywords are those of JSON Schema 2020-12 that a description of a file needs: ``type``,
``enum``, ``const``, ``pattern``, ``minimum``, ``exclusiveMinimum``, ``minLength``, ``items``,
``minItems``, ``properties``, ``required``, ``additionalProperties``, ``propertyNames``, ``anyOf``
and ``$ref`` to ``#/$defs/…``. Where a pattern or a choice fails, the ``description`` of the schema
says what is allowed.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from spikeloom.errors import ParameterError

Schema = Mapping[str, Any]

_TYPES: Mapping[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "null": (type(None),),
}

_ANNOTATIONS = frozenset({"$schema", "$id", "$defs", "title", "description", "default", "examples"})
_CHECKED = frozenset({
    *("type", "enum", "const", "pattern", "minimum", "exclusiveMinimum", "minLength", "items"),
    *("minItems", "properties", "required", "additionalProperties", "propertyNames", "anyOf"),
    "$ref",
})

_N_CHARACTERS_SHOWN = 60


@dataclass(frozen=True)
class Fault:
    """Something that a schema does not allow."""

    where: str
    """Place in the value, like ``raw_files[1].dtype``; empty for the whole."""
    text: str
    """What is there and what is allowed."""

    def __str__(self) -> str:
        return f"{self.where}: {self.text}" if self.where else self.text


def find_faults(value: Any, schema: Schema) -> list[Fault]:  # noqa: ANN401 - JSON is any of its types
    """Return what a schema does not allow in a value; nothing if all is well.

    Parameters
    ----------
    value : object
        What JSON can hold.
    schema : mapping
        The schema.

    Raises
    ------
    ParameterError
        If the schema has keywords that are not known here.

    Examples
    --------
    >>> schema = {"type": "object", "properties": {"rate": {"type": "number"}}}
    >>> [str(fault) for fault in find_faults({"rate": "fast"}, schema)]
    ["rate: 'fast' is a string where a number is allowed."]
    """
    return list(_faults(value, schema, "", schema))


def _faults(value: Any, schema: Schema, where: str, root: Schema) -> Iterator[Fault]:  # noqa: ANN401 - as above
    unknown = set(schema) - _ANNOTATIONS - _CHECKED
    if unknown:
        msg = f"The schema has {sorted(unknown)[0]!r}, which is not known here."
        raise ParameterError(msg)
    if "$ref" in schema:
        yield from _faults(value, _referenced(root, schema["$ref"]), where, root)
    wrong = _wrong_type(value, schema)
    if wrong:
        yield Fault(where, wrong)
        return
    if "anyOf" in schema:
        yield from _choice_faults(value, schema, where, root)
    yield from (Fault(where, text) for text in _wrong_values(value, schema))
    if isinstance(value, dict):
        yield from _object_faults(value, schema, where, root)
    elif isinstance(value, list) and "items" in schema:
        for k, item in enumerate(value):
            yield from _faults(item, schema["items"], f"{where}[{k}]", root)


def _referenced(root: Schema, reference: str) -> Schema:
    found: Schema = root["$defs"][reference.removeprefix("#/$defs/")]
    return found


def _is_of(value: Any, name: str) -> bool:  # noqa: ANN401 - as above
    # In Python a truth value is a number.
    if isinstance(value, bool):
        return name == "boolean"
    return isinstance(value, _TYPES[name])


def _type_name(value: Any) -> str:  # noqa: ANN401 - as above
    names = ("null", "boolean", "integer", "number", "string", "array", "object")
    return next((name for name in names if _is_of(value, name)), type(value).__name__)


def _with_article(name: str) -> str:
    return name if name == "null" else f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def _shown(value: Any) -> str:  # noqa: ANN401 - as above
    text = repr(value)
    return text if len(text) <= _N_CHARACTERS_SHOWN else f"{text[:_N_CHARACTERS_SHOWN]}…"


def _wrong_type(value: Any, schema: Schema) -> str:  # noqa: ANN401 - as above
    if "type" not in schema:
        return ""
    allowed = [schema["type"]] if isinstance(schema["type"], str) else list(schema["type"])
    if any(_is_of(value, name) for name in allowed):
        return ""
    told = " or ".join(map(_with_article, allowed))
    return f"{_shown(value)} is {_with_article(_type_name(value))} where {told} is allowed."


def _wrong_values(value: Any, schema: Schema) -> Iterator[str]:  # noqa: ANN401 - as above
    allowed = schema.get("enum", [schema["const"]] if "const" in schema else None)
    if allowed is not None and value not in allowed:
        yield f"{_shown(value)} is not allowed; it must be {' or '.join(map(repr, allowed))}."
    if isinstance(value, str):
        if len(value) < schema.get("minLength", 0):
            yield "it is empty."
        elif "pattern" in schema and not re.search(schema["pattern"], value):
            yield f"{_shown(value)} is not {schema.get('description', 'allowed')}."
    elif isinstance(value, list):
        if len(value) < schema.get("minItems", 0):
            yield f"it has {len(value)} entries, fewer than {schema['minItems']}."
    elif _is_of(value, "number"):
        if "minimum" in schema and not value >= schema["minimum"]:
            yield f"{value} is less than {schema['minimum']}."
        if "exclusiveMinimum" in schema and not value > schema["exclusiveMinimum"]:
            yield f"{value} is not more than {schema['exclusiveMinimum']}."


def _choice_faults(value: Any, schema: Schema, where: str, root: Schema) -> Iterator[Fault]:  # noqa: ANN401 - as above
    tried = []
    for one in schema["anyOf"]:
        branch = _referenced(root, one["$ref"]) if "$ref" in one else one
        found = list(_faults(value, branch, where, root))
        if not found:
            return
        tried.append((branch, found))
    # What is of the right type for one choice was meant to be that one.
    meant = [found for branch, found in tried if not _wrong_type(value, branch)]
    if meant:
        yield from meant[0]
    else:
        allowed = schema.get("description", "one of what is allowed")
        yield Fault(where, f"{_shown(value)} is not {allowed}.")


def _object_faults(
    value: dict[str, Any], schema: Schema, where: str, root: Schema
) -> Iterator[Fault]:
    known = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value:
            yield Fault(where, f"{name!r} is missing.")
    others = schema.get("additionalProperties", True)
    for name, item in value.items():
        place = f"{where}.{name}" if where else name
        if name in known:
            yield from _faults(item, known[name], place, root)
        elif others is False:
            yield Fault(where, f"{name!r} is not known here; allowed are {', '.join(known)}.")
        else:
            names = schema.get("propertyNames", {})
            yield from (
                Fault(where, f"the name {one.text}") for one in _faults(name, names, "", root)
            )
            if isinstance(others, Mapping):
                yield from _faults(item, others, f"{where}[{name!r}]", root)
