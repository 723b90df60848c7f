import inspect

import pytest

from spikeloom import errors
from spikeloom.errors import SpikeloomError

KINDS = [
    kind
    for name, kind in vars(errors).items()
    if inspect.isclass(kind) and issubclass(kind, Exception) and not name.startswith("_")
]


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_is_one_of_ours_and_one_that_python_users_expect(kind):
    assert issubclass(kind, SpikeloomError)
    builtins = [base for base in kind.__mro__ if base.__module__ == "builtins"]
    assert kind is SpikeloomError or builtins[0] is not Exception


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_is_drawn_in_the_tree_beside_its_builtin(kind):
    (line,) = [ln for ln in errors.__doc__.splitlines() if f" {kind.__name__} " in f" {ln} "]
    if "(" in line:
        builtin = line.split("(")[1].split(")")[0]
        assert builtin in {base.__name__ for base in kind.__mro__}


@pytest.mark.parametrize("kind", [kind for kind in KINDS if issubclass(kind, OSError)])
def test_an_error_about_a_file_reads_as_the_sentence_it_was_given(kind):
    error = kind(28, "The disk is full.")
    assert str(error) == "The disk is full."
    assert error.errno == 28


def test_an_unknown_name_reads_as_a_sentence_without_quotes():
    assert str(errors.UnknownNameError("No view is named 'x'.")) == "No view is named 'x'."
    assert str(errors.UnknownNameError()) == ""
