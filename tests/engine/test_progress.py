import io
import sys
import time

import pytest

from spikeloom.engine import progress
from spikeloom.engine.progress import show_progress, write_line


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_results_pass_in_order_and_unchanged(capsys):
    things = [object() for _ in range(5)]
    assert list(show_progress(iter(things), [1.0] * 5, job_name="passing")) == things
    assert capsys.readouterr().err.startswith("passing: 5 of 5 chunks in")


def test_a_terminal_gets_a_bar(monkeypatch):
    terminal = Terminal()
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setattr(sys, "stderr", terminal)
    list(show_progress(range(20), [2.0] * 20, job_name="weaving"))
    text = terminal.getvalue()
    assert "weaving" in text
    assert "20/20" in text
    assert "x real time" in text
    assert "━" in text


def test_a_notebook_gets_one_line(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ipykernel", object())
    monkeypatch.setattr(progress, "REFRESH_S", 0.0)
    list(show_progress(range(3), [0.0] * 3, job_name="weaving"))
    text = capsys.readouterr().err
    assert text.count("\n") == 1
    assert text.count("\r") == 3
    assert "real time" not in text


def test_a_log_file_gets_few_lines(monkeypatch, capsys):
    list(show_progress(range(1000), [1.0] * 1000))
    assert capsys.readouterr().err.count("\n") == 1
    monkeypatch.setattr(progress, "LINE_EVERY_S", 0.0)
    list(show_progress(range(10), [1.0] * 10))
    assert capsys.readouterr().err.count("\n") == 10


def test_a_program_without_a_console_gets_nothing(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    assert list(show_progress(range(3), [1.0] * 3)) == [0, 1, 2]
    write_line("nobody hears this")


def test_what_gives_the_results_is_closed_when_they_are_given_up():
    closed = []

    def give():
        try:
            yield from range(10)
        finally:
            closed.append(True)

    shown = show_progress(give(), [1.0] * 10)
    next(shown)
    shown.close()
    assert closed == [True]


def test_an_error_passes_and_the_bar_ends(monkeypatch):
    def give():
        yield 1
        raise ZeroDivisionError

    terminal = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", terminal)
    with pytest.raises(ZeroDivisionError):
        list(show_progress(give(), [1.0] * 10))
    assert sys.stderr is terminal


def test_a_chunk_costs_next_to_nothing():
    began_s = time.perf_counter()
    list(show_progress(range(100_000), [1.0] * 100_000))
    assert time.perf_counter() - began_s < 1.0
