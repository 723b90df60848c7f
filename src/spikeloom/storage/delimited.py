r"""Tables in delimited text, as spike sorters and phy write them (``cluster_*.tsv``).

The delimiter is a tab if the first line has one, else a comma. Cells are integers, else floats,
else text; an empty cell is absent. Integers of more than 64 bits (serial numbers) stay text.
Line ends may be LF or CRLF, and the last one may be missing.
"""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from spikeloom.errors import ReadError

Cell = int | float | str
"""What a cell may hold; an absent cell is None."""

_INTEGER = re.compile(r"[+-]?\d+")
_INTEGER_END = 2**63
_DIGITS_MAX = 40


def parse_cell(text: str) -> Cell | None:
    """Turn the text of a cell into a value.

    Examples
    --------
    >>> [parse_cell(t) for t in ["007", "1e3", "3.0", "good", ""]]
    [7, 1000.0, 3.0, 'good', None]
    """
    if not text:
        return None
    # int() takes "1_000", which in a label is text.
    if "_" in text:
        return text
    if _INTEGER.fullmatch(text):
        if len(text) > _DIGITS_MAX:
            return text
        number = int(text)
        return number if -_INTEGER_END <= number < _INTEGER_END else text
    try:
        return float(text)
    except ValueError:
        return text


def read_table(path: Path) -> tuple[list[str], list[list[str]]]:
    """Read a table; return its column names and the text of its rows, as long as the header.

    Raises
    ------
    ReadError
        If the file cannot be read as text with a header.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{path} cannot be read as a table: {error}."
        raise ReadError(0, msg) from error
    first_line = text.split("\n", 1)[0]
    delimiter = "\t" if "\t" in first_line else ","
    try:
        lines = list(csv.reader(io.StringIO(text), delimiter=delimiter))
    except csv.Error as error:
        msg = f"{path} cannot be read as a table: {error}."
        raise ReadError(0, msg) from error
    if not lines or not any(name.strip() for name in lines[0]):
        msg = f"{path} has no header line."
        raise ReadError(0, msg)
    header = [name.strip() for name in lines[0]]
    rows: list[list[str]] = []
    for line in lines[1:]:
        if any(cell.strip() for cell in line):
            cells = [cell.strip() for cell in line[: len(header)]]
            rows.append(cells + [""] * (len(header) - len(cells)))
    return header, rows


def format_table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    r"""Format a table as phy writes it: tab separated, CRLF line ends, None as an empty cell.

    Examples
    --------
    >>> format_table(["cluster_id", "group"], [[2, "good"], [3, None]])
    b'cluster_id\tgroup\r\n2\tgood\r\n3\t\r\n'
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter="\t", lineterminator="\r\n")
    writer.writerow(header)
    for row in rows:
        writer.writerow(["" if cell is None else cell for cell in row])
    return text.getvalue().encode()
