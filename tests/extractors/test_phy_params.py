import time
from pathlib import Path, PurePath

import numpy as np
import pytest
from hypothesis import given, strategies as st

from spikeloom.errors import DataError, MissingFileError, ReadError, SpikeloomError
from spikeloom.extractors.phy_params import evaluate_assignments, read_phy_params


def write(folder, text):
    path = folder / "params.py"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def read(tmp_path):
    return lambda text: read_phy_params(write(tmp_path, text))


@pytest.fixture
def values(tmp_path):
    return lambda text: evaluate_assignments(write(tmp_path, text))


def test_a_usual_file_is_read(read, tmp_path):
    params = read(
        "dat_path = 'data/recording.dat'\nn_channels_dat = 385\ndtype = 'int16'\n"
        "offset = 16\nsample_rate = 30000.\nhp_filtered = False\n"
    )
    assert params.dat_paths == (tmp_path / "data" / "recording.dat",)
    assert params.n_channels_dat == 385
    assert params.dtype == np.int16
    assert params.offset_bytes == 16
    assert params.sampling_frequency == 30_000.0
    assert params.dir_path == tmp_path
    assert params.extra == {"hp_filtered": False}
    assert params.warnings == ()


def test_names_are_not_case_sensitive_and_other_names_are_kept(read):
    params = read("N_Channels_DAT = 4\nSample_Rate = 1e4\nN_Closest_Channels = 16\n_private = 1\n")
    assert params.n_channels_dat == 4
    assert params.sampling_frequency == 10_000.0
    assert params.extra == {"n_closest_channels": 16}


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("'a.dat'", ["a.dat"]),
        (r"r'sub\a.dat'", [r"sub\a.dat"]),
        ("['a.dat', 'b.dat']", ["a.dat", "b.dat"]),
        ("('a.dat', 'b.dat')", ["a.dat", "b.dat"]),
        ("[]", []),
        ("''", []),
        ("None", []),
        ("Path('sub') / 'a.dat'", ["sub/a.dat"]),
        ("os.path.join('sub', 'a.dat')", ["sub/a.dat"]),
        ("[Path('a.dat')]", ["a.dat"]),
    ],
)
def test_raw_files_are_one_several_or_none(read, tmp_path, source, names):
    params = read(f"dat_path = {source}\nsample_rate = 1.0\n")
    assert params.dat_paths == tuple(tmp_path / name for name in names)


def test_absolute_paths_stay_as_they_are(read, tmp_path):
    params = read("dat_path = '/data/a.dat'\ndir_path = '/arrays'\nsample_rate = 1.0\n")
    assert params.dat_paths == (Path("/data/a.dat"),)
    assert params.dir_path == Path("/arrays")


def test_arrays_may_lie_in_another_folder(read, tmp_path):
    assert read("dir_path = 'ks'\nsample_rate = 1.0\n").dir_path == tmp_path / "ks"


def test_a_missing_sampling_rate_is_assumed_and_said(read):
    params = read("n_channels_dat = 4\n")
    assert params.sampling_frequency == 30_000.0
    assert "sample_rate" in params.warnings[0]


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("1", 1),
        ("-2.5", -2.5),
        ("30_000", 30_000),
        ("True", True),
        ("None", None),
        ("'a' 'b'", "ab"),
        ("'a' + 'b'", "ab"),
        ("'ab' * 2", "abab"),
        ("2 * 3 + 4 - 1", 9),
        ("30000 / 2", 15_000.0),
        ("7 // 2", 3),
        ("[1, [2, 'x']]", [1, [2, "x"]]),
        ("(1, 2)", [1, 2]),
        ("{'a': 1, 2: [3]}", {"a": 1, 2: [3]}),
        ("f'{1}-{\"x\"}'", "1-x"),
        ("float('3.5')", 3.5),
        ("int(4.0)", 4),
        ("str(5)", "5"),
        ("list((1, 2))", [1, 2]),
        ("np.dtype('int16')", "int16"),
    ],
)
def test_plain_values_are_understood(values, source, value):
    assert values(f"x = {source}\n")["x"] == value


def test_what_surrounds_assignments_in_real_files_is_understood(values):
    text = (
        '"""A docstring."""\nimport os\nfrom pathlib import Path\nimport numpy as np\n'
        "# a comment\nbase = 'run'\nn = 2\nname = f'{base}{n}.dat'\na = b = 3\n"
        "rate: float = 3e4\npath = Path(base) / name\npass\n"
    )
    found = values(text)
    assert found["name"] == "run2.dat"
    assert (found["a"], found["b"]) == (3, 3)
    assert found["rate"] == 30_000.0
    assert found["path"] == PurePath("run", "run2.dat")


def test_a_byte_order_mark_and_windows_line_ends_do_not_matter(tmp_path):
    path = tmp_path / "params.py"
    path.write_bytes(b"\xef\xbb\xbfsample_rate = 2e4\r\ndtype = 'int16'\r\n")
    assert read_phy_params(path).sampling_frequency == 20_000.0


REFUSED = [
    "x = open('made', 'w')",
    "x = __import__('os').system('touch made')",
    "import os\nx = os.system('touch made')",
    "import os\nx = os.getcwd()",
    "import os\nx = os.environ['HOME']",
    "from pathlib import Path\nx = Path('made').touch()",
    "from pathlib import Path\nPath('made').touch()",
    "x = [print(i) for i in range(3)]",
    "x = {i for i in range(3)}",
    "x = lambda: 1",
    "x = eval('1')",
    'x = exec(\'open("made", "w")\')',
    'exec(\'open("made", "w")\')',
    "def f():\n    pass",
    "class A:\n    pass",
    "if True:\n    x = 1",
    "for i in [1]:\n    x = i",
    "while True:\n    pass",
    "with open('made', 'w') as f:\n    pass",
    "try:\n    x = 1\nexcept ValueError:\n    pass",
    "x = 1\nx += 1",
    "x = [1]\nx[0] = 2",
    "x, y = 1, 2",
    "x = (y := 1)",
    "x = unknown",
    "x = [1, 2][0]",
    "x = 'a'.upper()",
    "x = 1 if True else 2",
    "x = not True",
    "x = 1 < 2",
    "x = 10 ** 10",
    "x = 1 << 40",
    "x = f'{1:>1000000000}'",
    "x = f'{1!r}'",
    "x = '%s' % 1",
    "x = [*[1]]",
    "x = {**{}}",
    "x = {[1]: 2}",
    "x = 1 / 0",
    "x = 'a' + 1",
    "x = int('a')",
    "x = int(1e400)",
    "x = float(10" + "0" * 400 + ")",
    "x = Path('a', b=1)",
    "x = Path(*['a'])",
    "x = list(5)",
    "del x",
    "assert False",
    "raise ValueError",
    "global x",
    "@print\ndef f(): pass",
    "x = yield",
    "x = await y",
]


@pytest.mark.parametrize("source", REFUSED)
def test_anything_else_is_refused_with_its_line_and_nothing_is_run(
    values, tmp_path, monkeypatch, source
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ReadError) as caught:
        values("# first line\n\n" + source + "\n")
    assert not (tmp_path / "made").exists()
    line = 3 + source.count("\n") * (not source.startswith(("def", "class", "if", "for", "while")))
    allowed = {3, 4, line}
    message = str(caught.value)
    assert any(f"line {number}" in message for number in allowed), message


def test_a_refusal_says_what_and_where_and_what_to_do(values):
    with pytest.raises(
        ReadError, match=r"params\.py, line 2: 'os\.getcwd\(\)' is not a plain"
    ) as e:
        values("import os\nx = os.getcwd()\n")
    assert "--trust-params" in str(e.value)


BOMBS = {
    "repeated text": "x = 'a' * 10**9",
    "repeated text, count in a name": "n = 1000000000\nx = 'a' * n",
    "repeated text from the left": "x = 1000000000 * 'a'",
    "repeated bytes": "x = b'a' * 100000000000",
    "repeated list": "x = [0] * 1000000000",
    "repeated tuple": "x = (0,) * 1000000000",
    "doubled text": "x = 'a' * 9999\n" + "x = x + x\n" * 60,
    "doubled list": "x = [1] * 9999\n" + "x = x + x\n" * 60,
    "doubled by f-strings": "x = 'a' * 9999\n" + "x = f'{x}{x}'\n" * 60,
    "doubled paths": "x = 'a' * 9999\n" + "x = os.path.join(x, x)\nx = str(x)\n" * 60,
    "squared numbers": "x = 99999999\n" + "x = x * x\n" * 60,
    "nested lists as text": "x = [1] * 9999\n" + "x = [x] * 9999\n" * 3 + "y = str(x)\n",
    "nested lists in an f-string": "x = [1] * 9999\n" + "x = [x] * 9999\n" * 3 + "y = f'{x}'\n",
    "deep sum": "x = " + "1 + " * 3000 + "1",
    "deep list": "x = " + "[" * 3000 + "]" * 3000,
    "deep parentheses": "x = " + "(" * 3000 + "1" + ")" * 3000,
    "deep minus": "x = " + "-" * 3000 + "1",
    "long number": "x = " + "9" * 100_000,
}


@pytest.mark.parametrize("name", BOMBS)
def test_what_would_fill_the_memory_is_refused_at_once(values, name):
    begin = time.monotonic()
    with pytest.raises(ReadError, match=r"params\.py"):
        values(BOMBS[name] + "\n")
    assert time.monotonic() - begin < 5


@pytest.mark.parametrize(
    "text", ["x = (", "x = 1\n  y = 2\n", "\x00", "x = 'open", "print 'python 2'"]
)
def test_what_is_not_python_is_an_error_that_names_the_file(values, text):
    with pytest.raises(ReadError, match=r"params\.py"):
        values(text)


def test_bytes_that_are_no_text_are_an_error_that_names_the_file(tmp_path):
    path = tmp_path / "params.py"
    path.write_bytes(b"\xff\xfe\x00x = 1")
    with pytest.raises(ReadError, match=r"params\.py"):
        read_phy_params(path)


def test_an_absent_file_is_an_error_that_names_it(tmp_path):
    with pytest.raises(MissingFileError, match=r"params\.py"):
        read_phy_params(tmp_path / "params.py")


@pytest.mark.parametrize(
    "line",
    [
        "sample_rate = 0",
        "sample_rate = -1.0",
        "sample_rate = 'fast'",
        "sample_rate = float('nan')",
        "sample_rate = 1e400",
        "sample_rate = [30000]",
        "n_channels_dat = 'many'",
        "n_channels_dat = 1e400",
        "dtype = 'nonsense'",
        "dtype = 'object'",
        "dtype = 'i2,i4'",
        "dtype = 'U5'",
        "dtype = 'complex64'",
        f"dtype = '{'9' * 5000}'",  # too many digits for a number
        "offset = 'x'",
        "offset = 1e400",
        "dat_path = 5",
        "dat_path = 'n' * 256",
        "dat_path = ['a.dat', 'n/' * 3000]",
        "dir_path = 'n' * 256",
        "template_scaling = 'x'",
    ],
)
def test_a_value_that_makes_no_sense_is_an_error_that_names_the_file(read, line):
    rate = "" if line.startswith("sample_rate") else "sample_rate = 1.0\n"
    with pytest.raises(DataError, match=r"params\.py"):
        read(rate + line + "\n")


def test_a_file_is_run_only_where_the_caller_trusts_it(tmp_path):
    text = "from pathlib import Path\nPath(__file__).with_name('made').touch()\nsample_rate = 5e3\n"
    path = write(tmp_path, text)
    with pytest.raises(ReadError, match="--trust-params"):
        read_phy_params(path)
    assert not (tmp_path / "made").exists()
    assert read_phy_params(path, trust=True).sampling_frequency == 5000.0
    assert (tmp_path / "made").exists()


sources = st.lists(
    st.sampled_from([
        *("x", "=", "1", "'a'", "+", "*", "(", ")", "[", "]", "{", "}", ":", ",", ".", "\n", " "),
        *("lambda", "import", "os", "f'{x}'", "if", "else", "Path", "None", "**", "-", "//", "@"),
    ]),
    max_size=25,
).map("".join)


@pytest.mark.filterwarnings("ignore::SyntaxWarning")
@given(sources | st.text(max_size=30))
def test_any_text_is_read_or_refused_clearly(tmp_path_factory, text):
    folder = tmp_path_factory.mktemp("params")
    path = folder / "params.py"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    reason = "params.py"
    try:
        read_phy_params(path)
    except SpikeloomError as error:
        reason = str(error)
    assert "params.py" in reason
