"""How long `read` takes to open a hundred gigabytes, and folders of 500 files.

    .venv/bin/python benchmarks/bench_reading.py

Each measurement is a process of its own: the first call imports the readers, the second does not.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "tests"))

from making.recording_files import random_traces, write_openephys, write_spikeglx

TASK = """
import sys, time, warnings
warnings.simplefilter("ignore")
import spikeloom as si
for name in ("first", "again"):
    start = time.perf_counter()
    recording = si.read(sys.argv[1])
    print(f"{name} {1e3 * (time.perf_counter() - start):.0f} ms", end="  ")
print(f"{recording.get_total_memory_size() / 1e9:.3g} GB")
"""


def make_files(folder: Path) -> list[Path]:
    """Write a sparse recording of 100 GB, and recordings in 500 files."""
    traces = random_traces(10, 385)
    large, glx, oe = (folder / name for name in ("spikeglx_100GB", "spikeglx_500", "openephys_500"))
    write_spikeglx(large, "x_g0_t0.imec0.ap", traces)
    with (large / "x_g0_t0.imec0.ap.bin").open("ab") as file:
        file.truncate(100 << 30)
    for k in range(250):
        write_spikeglx(glx, f"x_g0_t{k}.imec0.ap", traces)
    for k in range(125):
        write_openephys(oe / f"experiment1/recording{k + 1}", traces)
    return [large, glx, oe]


def main() -> None:
    """Measure, and print a line for each."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    with tempfile.TemporaryDirectory() as name:
        for path in make_files(Path(name)):
            done = subprocess.run(
                [sys.executable, "-c", TASK, path], capture_output=True, text=True, check=True
            )
            print(f"{path.name:>16}  {done.stdout.strip()}", flush=True)


if __name__ == "__main__":
    main()
