"""Snippets in the MATLAB files of wave_clus.

A file has ``spikes``, of shape (n_snippets, n_channels × n_samples) with the channels one after
the other; ``par.sr`` in Hz; ``par.w_pre`` and ``par.w_post``, where wave_clus counts the peak with
what is before it; and times in milliseconds: ``index`` in ``*_spikes.mat``, or the second column of
``cluster_class`` in ``times_*.mat``.
"""

import io
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.class_names import stored_as
from spikeloom.core.numpy_snippets import NumpySnippetsSegment
from spikeloom.core.snippets import BaseSnippets
from spikeloom.errors import DataError, ParameterError
from spikeloom.extractors.listed_spikes import as_samples
from spikeloom.extractors.matlab_files import read_matlab_fields
from spikeloom.storage.atomic import write_atomic
from spikeloom.storage.staged_saves import refuse_taken

_FIELDS = ("spikes", "index", "cluster_class", "par/sr", "par/w_pre", "par/w_post")

_BYTES_MAX = 2**31 - 1
"""What a variable of a MATLAB file of version 5 can hold."""


@stored_as("spikeinterface.extractors.waveclussnippetstextractors.WaveClusSnippetsExtractor")
class WaveClusSnippetsExtractor(BaseSnippets):
    """Snippets in a MATLAB file of wave_clus, ``times_*.mat`` or ``*_spikes.mat``.

    Parameters
    ----------
    file_path : str or Path
        The file, of any version of MATLAB since 5.

    Raises
    ------
    MissingFileError, ReadError
        If it is absent or damaged.
    DataError
        If it is no such file, or contradicts itself.
    """

    def __init__(self, file_path: str | Path) -> None:
        path = Path(file_path)
        fields = read_matlab_fields(path, _FIELDS)
        missing = {"spikes", "par/sr", "par/w_pre", "par/w_post"} - set(fields)
        if missing:
            msg = f"{path} is no file of wave_clus: {', '.join(sorted(missing))} is not in it."
            raise DataError(msg)
        sampling_frequency = _number(path, fields, "par/sr")
        nbefore = int(_number(path, fields, "par/w_pre")) - 1
        snippet_len = nbefore + int(_number(path, fields, "par/w_post")) + 1
        flat = fields["spikes"]
        times_ms = _times_ms(path, fields)
        if snippet_len < 1 or flat.ndim != 2 or flat.shape[1] % snippet_len:
            msg = (
                f"{path}: spikes of shape {flat.shape} do not fit snippets of {snippet_len} "
                "samples, as par.w_pre and par.w_post say."
            )
            raise DataError(msg)
        if len(flat) != len(times_ms):
            msg = f"{path} has {len(flat)} snippets and {len(times_ms)} times."
            raise DataError(msg)
        n_channels = flat.shape[1] // snippet_len
        snippets = flat.reshape(len(flat), n_channels, snippet_len).swapaxes(1, 2)
        super().__init__(
            sampling_frequency, nbefore, snippet_len, np.arange(n_channels), flat.dtype
        )
        frames = as_samples(times_ms, path, sampling_frequency / 1000)
        self.add_snippets_segment(NumpySnippetsSegment(snippets, frames))
        self._kwargs = {"file_path": str(path.absolute())}

    @staticmethod
    def write_snippets(
        snippets_extractor: BaseSnippets, save_file_path: str | Path, *, overwrite: bool = False
    ) -> None:
        """Write snippets for wave_clus; see `write_waveclus_snippets`."""
        write_waveclus_snippets(snippets_extractor, save_file_path, overwrite=overwrite)


def read_waveclus_snippets(file_path: str | Path) -> WaveClusSnippetsExtractor:
    """Read snippets from a file of wave_clus; see `WaveClusSnippetsExtractor`."""
    return WaveClusSnippetsExtractor(file_path)


def write_waveclus_snippets(
    snippets: BaseSnippets, file_path: str | Path, *, overwrite: bool = False
) -> None:
    """Write snippets to a MATLAB file (version 5) that wave_clus sorts.

    Parameters
    ----------
    snippets : BaseSnippets
        Aligned snippets of one segment.
    file_path : str or Path
        The file, whose name must end in ``_spikes.mat``, by which wave_clus knows it.
    overwrite : bool, default False
        Replace a file that is there.

    Raises
    ------
    ParameterError
        If snippets are not aligned or of several segments, if there are too many for such a file,
        or if the name is another.
    WriteError
        If the file is there already (a FileExistsError, too), or cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from spikeloom.core.numpy_snippets import NumpySnippets
    >>> snippets = NumpySnippets(np.ones((2, 64, 4)), np.array([50, 90]), 30000.0, nbefore=20)
    >>> path = Path(tempfile.mkdtemp()) / "tetrode_spikes.mat"
    >>> write_waveclus_snippets(snippets, path)
    >>> read_waveclus_snippets(path).get_frames()
    array([50, 90])
    """
    from scipy.io import savemat  # noqa: PLC0415 - takes a while to import

    path = Path(file_path)
    if snippets.nbefore is None or snippets.nafter is None:
        msg = "wave_clus needs aligned snippets: nbefore of these is not known."
        raise ParameterError(msg)
    if not path.name.endswith("_spikes.mat"):
        msg = f"A file of snippets for wave_clus must be called ..._spikes.mat; got {path.name}."
        raise ParameterError(msg)
    if snippets.get_num_segments() != 1:
        msg = (
            f"A file of wave_clus has one segment, and these snippets have "
            f"{snippets.get_num_segments()}: write snippets.select_segments(...) one by one."
        )
        raise ParameterError(msg)
    n_values = snippets.get_num_snippets() * snippets.snippet_len * snippets.get_num_channels()
    if n_values * 8 > _BYTES_MAX:
        msg = f"{n_values} samples are more than the 2 GiB that such a file can hold."
        raise ParameterError(msg)
    refuse_taken(path, overwrite=overwrite)
    # MATLAB calculates in doubles.
    waves = np.asarray(snippets.get_snippets(), np.float64).swapaxes(1, 2)
    content = {
        "spikes": waves.reshape(len(waves), snippets.get_num_channels() * snippets.snippet_len),
        "index": (snippets.get_frames() / (snippets.sampling_frequency / 1000))[None],
        "par": {
            "sr": snippets.sampling_frequency,
            "w_pre": float(snippets.nbefore + 1),
            "w_post": float(snippets.nafter - 1),
        },
    }
    file = io.BytesIO()
    savemat(cast("Any", file), content)  # its stubs know of paths only
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, file.getvalue())


def _number(path: Path, fields: dict[str, NDArray[np.generic]], name: str) -> float:
    values = fields[name]
    if values.size != 1 or values.dtype.kind not in "biuf" or not np.isfinite(values).all():
        msg = f"{path}: {name.replace('/', '.')} must be a number; got {values!r}."
        raise DataError(msg)
    return float(values.flat[0])


def _times_ms(path: Path, fields: dict[str, NDArray[np.generic]]) -> NDArray[np.float64]:
    classes, times = fields.get("cluster_class"), fields.get("index")
    if classes is not None and classes.ndim == 2 and classes.shape[1] >= 2:
        times = classes[:, 1]
    if times is None or times.dtype.kind not in "iuf":
        msg = f"{path} has no times: neither cluster_class nor index in it has numbers."
        raise DataError(msg)
    return np.asarray(times, np.float64).reshape(-1)
