"""Pickles of plain data are read as Python reads them; of all others, nothing is run."""

import collections
import contextlib
import datetime
import math
import os
import pathlib
import pickle
import subprocess

import numpy as np
import pytest
from hypothesis import given, strategies as st

from spikeloom.errors import MissingFileError, ParameterError, ReadError
from spikeloom.storage.pickle_writing import encode_plain_pickle, write_plain_pickle
from spikeloom.storage.restricted_pickle import decode_plain_pickle, read_plain_pickle

plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.text() | st.integers(), inner)
        | st.lists(inner).map(tuple)
    ),
    max_leaves=15,
)


@given(plain, st.integers(0, pickle.HIGHEST_PROTOCOL))
def test_reads_what_python_writes(value, protocol):
    assert decode_plain_pickle(pickle.dumps(value, protocol), "x") == value


@given(plain)
def test_python_reads_what_we_write(value):
    assert pickle.loads(encode_plain_pickle(value)) == value
    assert decode_plain_pickle(encode_plain_pickle(value), "x") == value


RECORDS = np.array([(1, "a", [2, 3])], [("x", "<i4"), ("name", "<U2"), ("y", ">f4", (2,))])

ARRAYS = [
    *(np.arange(6).reshape(2, 3), np.asfortranarray(np.arange(6.0).reshape(2, 3))),
    *(np.array(["a", "µV"]), np.array([b"ab", b"c"]), np.zeros((0, 3), ">i2"), RECORDS),
    *(np.array([True, False]), np.array(3.5), np.arange(4, dtype=">f8"), np.arange(20)[::2]),
]


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("array", ARRAYS, ids=lambda a: f"{a.dtype.str}{a.shape}")
def test_arrays(array, protocol):
    for content in (pickle.dumps({"a": array}, protocol), encode_plain_pickle({"a": array})):
        found = decode_plain_pickle(content, "x")["a"]
        assert found.dtype == array.dtype
        np.testing.assert_array_equal(found, array)
        np.testing.assert_array_equal(pickle.loads(content)["a"], array)


OTHERS = [
    *(np.float32(0.5), np.int64(-3), np.str_("µ"), np.bool_(True), RECORDS[0]),
    *(np.dtype(">i2"), RECORDS.dtype, np.dtype("U5"), np.float32, float),
    *({1, 2}, frozenset("a"), 1 + 2j, slice(1, None), range(3), bytearray(b"ab"), math.inf),
    *(datetime.datetime(2024, 5, 1, 12, 30), datetime.date(2024, 5, 1), datetime.time(1, 2)),
    datetime.datetime(2024, 5, 1, tzinfo=datetime.UTC),
    *(datetime.timedelta(1, 2, 3), pathlib.Path("a") / "b", {np.str_("u1"): np.arange(2)}),
    collections.OrderedDict(a=1),
    np.array([{"a": 1}, None, [2]], object),
]


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("value", OTHERS, ids=repr)
def test_other_values(value, protocol):
    found = decode_plain_pickle(pickle.dumps(value, protocol), "x")
    assert str(found) == str(dict(value) if isinstance(value, collections.OrderedDict) else value)
    if isinstance(value, np.generic):
        assert found.dtype == value.dtype


class Evil:
    def __init__(self, function, *args):
        self.function, self.args = function, args

    def __reduce__(self):
        return self.function, self.args


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_nothing_is_run(tmp_path, protocol):
    target = tmp_path / "made"
    evils = [
        Evil(os.mkdir, str(target)),
        Evil(eval, f"__import__('os').mkdir({str(target)!r})"),
        Evil(subprocess.call, ["touch", str(target)]),
        Evil(getattr, os, "mkdir"),
        Evil(np.load, str(target), None, True),
        Evil(np.memmap, str(target), "u1", "w+", 0, (5,)),
        Evil(bytearray, 1 << 60),
        Evil(set, range(1 << 60)),
    ]
    for evil in evils:
        for value in (evil, {"a": [evil]}, {"kwargs": (np.arange(3), evil)}):
            try:
                content = pickle.dumps(value, protocol)
            except (TypeError, pickle.PicklingError):
                continue
            with pytest.raises(ReadError, match="not read as plain data"):
                decode_plain_pickle(content, "x")
    assert not target.exists()


def test_the_message_names_what_was_refused():
    with pytest.raises(ReadError, match=r"posix\.system|nt\.system"):
        decode_plain_pickle(pickle.dumps(os.system), "x")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x80\x04.",
        b"K\x05",
        b"(((",
        b"h\x05.",
        b"]2a.",
        b"cnumpy\nndarray\n(I5\ntR.",
        b"I1\n}b)R.",
    ],
)
def test_damaged_pickles(content):
    with pytest.raises(ReadError):
        decode_plain_pickle(content, "x")


@given(st.binary(max_size=60))
def test_noise_is_an_error_or_a_value(content):
    with contextlib.suppress(ReadError):
        decode_plain_pickle(content, "x")


def test_a_dtype_cannot_lie_about_its_objects():
    """numpy believes flags that hide objects in records, and would take bytes for addresses."""
    hidden = np.dtype({"names": ["a"], "formats": ["V8"]})
    _, args, state = hidden.__reduce__()
    lying = (*state[:4], {"a": (np.dtype("O"), 0)}, *state[5:])

    class Liar:
        def __reduce__(self):
            return np.dtype, args, lying

    class Array:
        def __reduce__(self):
            reconstruct = np.zeros(1).__reduce__()[0]
            return reconstruct, (np.ndarray, (0,), b"b"), (1, (1,), Liar(), False, b"\x01" * 8)

    with pytest.raises(ReadError):
        decode_plain_pickle(pickle.dumps(Array()), "x")


def test_shared_parts_cost_nothing():
    value = ["a"]
    for _ in range(90):
        value = [value, value]
    found = decode_plain_pickle(pickle.dumps(value), "x")
    assert found[0] is found[1]


def test_files(tmp_path):
    path = tmp_path / "a.pickle"
    with pytest.raises(MissingFileError):
        read_plain_pickle(path)
    write_plain_pickle(path, {"path": pathlib.Path("a")})
    assert read_plain_pickle(path) == {"path": "a"}
    with pytest.raises(ParameterError, match="function"):
        write_plain_pickle(path, {"f": lambda: 0})
    loop = []
    loop.append(loop)
    with pytest.raises(ParameterError, match="contains itself"):
        encode_plain_pickle(loop)


PEER = """
import sys, warnings
warnings.simplefilter("ignore")
import numpy as np
import spikeinterface as si

folder = sys.argv[1]
recording = si.generate_recording(durations=[0.2], num_channels=4, seed=0)
saved = recording.save(folder=folder + "/rec", verbose=False)
saved.set_property("quality", np.array(["a", "b", "", "µ"]))
saved.dump_to_pickle(folder + "/recording.pickle")
saved.dump_to_pickle(folder + "/relative.pickle", relative_to=folder)
both = si.aggregate_channels([saved, saved.rename_channels(["w", "x", "y", "z"])])
both.dump_to_pickle(folder + "/aggregated.pickle", include_properties=True)
"""

LOAD = """
import sys, warnings
warnings.simplefilter("ignore")
import spikeinterface as si

recording = si.load(sys.argv[1])
print(recording.channel_ids.tolist(), recording.get_property("quality").tolist())
"""


@pytest.mark.peer
def test_provenance_of_spikeinterface(peer_python, tmp_path):
    def run(code, *arguments):
        return subprocess.run(
            [str(peer_python), "-c", code, *map(str, arguments)],
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        ).stdout

    run(PEER, tmp_path)
    found = read_plain_pickle(tmp_path / "recording.pickle")
    assert found["class"] == "spikeinterface.core.binaryfolder.BinaryFolderRecording"
    assert found["properties"]["quality"].tolist() == ["a", "b", "", "µ"]
    relative = read_plain_pickle(tmp_path / "relative.pickle")
    assert relative["kwargs"] == {"folder_path": "rec"}
    aggregated = read_plain_pickle(tmp_path / "aggregated.pickle")
    text = str(aggregated["kwargs"])
    assert text.count("BinaryFolderRecording") == 2
    assert "object at" not in text
    write_plain_pickle(tmp_path / "ours.pickle", found)
    assert "['a', 'b', '', 'µ']" in run(LOAD, tmp_path / "ours.pickle")
