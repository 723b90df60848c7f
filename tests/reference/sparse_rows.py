"""Twin of sparse reads: look every channel up in the list of its row."""

from math import nan


def from_sparse(data, columns, channels):
    """Return ``data`` (n_rows, n_columns) on `channels`; nan where a row does not list one."""
    return [
        [
            row[list(listed).index(channel)] if channel in list(listed) else nan
            for channel in channels
        ]
        for row, listed in zip(data, columns, strict=True)
    ]
