import numpy as np
import pytest
from hypothesis import given, strategies as st

from making.processes import run_python
from spikeloom.generation.normal_draws import fill_normal_plain
from spikeloom.kernels.normal_numbers import fill_normal

words = st.integers(0, 2**32 - 1)


def both(n_values, keys):
    plain, compiled = np.full((2, n_values), np.nan, np.float32)
    fill_normal_plain(plain, np.array(keys, np.uint32))
    fill_normal(compiled, 0, *np.array(keys, np.uint32))
    return plain, compiled


@given(st.integers(0, 50), words, words)
def test_numbers_are_those_of_the_compiled_kernel(n_values, key_0, key_1):
    np.testing.assert_array_equal(*both(n_values, (key_0, key_1)))


@pytest.mark.parametrize("n_values", [2 * (1 << 14), 1_000_003])
def test_many_numbers_are_the_same_to_the_bit(n_values):
    plain, compiled = both(n_values, (17, 2**32 - 5))
    np.testing.assert_array_equal(plain.view(np.uint32), compiled.view(np.uint32))


DIGEST = """
import hashlib, sys
if sys.argv[1] == "compiled":
    import numba
import spikeloom as si
noise = si.NoiseGeneratorRecording(7, 30_000.0, [2.0], noise_levels=[1, 2, 3, 4, 5, 6, 7], seed=3)
print(hashlib.sha256(noise.get_traces().tobytes()).hexdigest(), "numba" in sys.modules)
"""


def test_seeds_mean_the_same_whether_the_compiler_is_there_or_not():
    plain, with_compiler = (run_python(DIGEST, way).split() for way in ("plain", "compiled"))
    assert (plain[1], with_compiler[1]) == ("False", "True")
    assert plain[0] == with_compiler[0]
