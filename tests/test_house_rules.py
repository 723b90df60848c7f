"""What keeps the house easy to read; checked of every module of the package."""

import ast
from pathlib import Path

import pytest

import spikeloom

PACKAGE = Path(spikeloom.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))

N_MODULE_LINES_MAX = 500
N_BODY_LINES_MAX = 60

Function = ast.FunctionDef | ast.AsyncFunctionDef


def name_of(path):
    return str(path.relative_to(PACKAGE))


def parse(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def functions_of(tree):
    return [node for node in ast.walk(tree) if isinstance(node, Function)]


def n_body_lines(function):
    """Count the lines of a function's body, without its docstring."""
    body = function.body
    if ast.get_docstring(function) is not None:
        body = body[1:]
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


def public_definitions(tree, prefix=""):
    """Yield the public functions and classes of a module, and the public methods of those."""
    for node in tree.body:
        if not isinstance(node, (*Function.__args__, ast.ClassDef)) or node.name.startswith("_"):
            continue
        if any(ast.unparse(one).endswith((".setter", "overload")) for one in node.decorator_list):
            continue  # the property, or what they are overloads of, says it
        yield f"{prefix}{node.name}", node
        if isinstance(node, ast.ClassDef):
            yield from public_definitions(node, f"{prefix}{node.name}.")


def test_there_are_modules():
    assert len(MODULES) > 50


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_module_is_too_long(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= N_MODULE_LINES_MAX


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_function_is_too_long(path):
    too_long = {
        function.name: n_body_lines(function)
        for function in functions_of(parse(path))
        if n_body_lines(function) > N_BODY_LINES_MAX
    }
    assert too_long == {}


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_nothing_is_printed(path):
    calls = [
        node.lineno
        for node in ast.walk(parse(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "print"
    ]
    assert calls == []


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_everything_public_says_what_it_is(path):
    tree = parse(path)
    assert ast.get_docstring(tree), "the module has no docstring"
    silent = [name for name, node in public_definitions(tree) if not ast.get_docstring(node)]
    assert silent == []


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_nothing_is_run_from_data(path):
    used = {
        node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        for node in ast.walk(parse(path))
        if isinstance(node, ast.Call)
    }
    assert not used & {"eval", "exec", "__import__"}
    imported = {
        alias.name.split(".")[0]
        for node in ast.walk(parse(path))
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for alias in (
            node.names if isinstance(node, ast.Import) else [ast.alias(node.module or "")]
        )
    }
    assert not imported & {"pickle", "dill", "joblib", "shelve", "marshal"}


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_stand_at_the_top_unless_a_comment_says_otherwise(path):
    tree = parse(path)
    lines = path.read_text().splitlines()
    inside = [
        node.lineno
        for function in functions_of(tree)
        for node in ast.walk(function)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        and "noqa: PLC0415" not in lines[node.lineno - 1]
    ]
    assert inside == []
