"""Principal-component features of a sorting analyzer, as files of a phy dataset."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.analyzer.chunk_pass import run_chunk_tasks
from spikeloom.engine.options import job_options
from spikeloom.errors import MissingExtensionError
from spikeloom.postprocessing.all_projections import ProjectionTask
from spikeloom.postprocessing.principal_components import ComputePrincipalComponents, stacked

if TYPE_CHECKING:
    from spikeloom.analyzer.analyzer import SortingAnalyzer


def n_components_of(analyzer: "SortingAnalyzer") -> int:
    """Return how many components the features have."""
    params: dict[str, Any] = _computed(analyzer).params or {}
    return int(params["n_components"])


def write_projections(
    analyzer: "SortingAnalyzer", mask: NDArray[np.bool_], path: Path, **job_kwargs: Any
) -> None:
    """Write the features of all spikes on the channels of their units.

    They are written through a memory map, in one pass over the recording; arguments are those of
    `projection_task`, and job options.
    """
    (features,) = run_chunk_tasks(
        analyzer.recording,
        [projection_task(analyzer, mask, path)],
        in_uV=analyzer.return_in_uV,
        options=job_options(**job_kwargs),
        job_name="project all spikes",
    )
    features.flush()


def projection_task(
    analyzer: "SortingAnalyzer", mask: NDArray[np.bool_], path: Path
) -> ProjectionTask:
    """Return what writes the features of all spikes on the channels of their units.

    Parameters
    ----------
    analyzer : SortingAnalyzer
        With ``principal_components``, their ``waveforms``, and the recording.
    mask : ndarray of shape (n_units, n_channels) and dtype bool
        Channels of each unit.
    path : Path
        Numpy file to write, of shape (n_spikes, n_components, n_columns): the channels of a unit,
        from the lowest on; zero in columns behind them.
    """
    extension = _with_models(analyzer)
    waveforms: Any = analyzer.get_extension("waveforms")
    weights, offsets = stacked(extension._models(), mask.shape[1])
    columns = np.where(mask, np.cumsum(mask, axis=1) - 1, -1)
    table = analyzer.sorting.spike_table()
    shape = (table.n_spikes, extension._n_components, int(columns.max()) + 1)
    return ProjectionTask(
        table,
        (int(waveforms.nbefore), int(waveforms.nafter)),
        columns,
        np.ascontiguousarray(weights),
        np.ascontiguousarray(offsets),
        np.lib.format.open_memmap(path, "w+", extension._dtype, shape),
    )


def padded_channels(mask: NDArray[np.bool_], locations: NDArray[np.floating]) -> NDArray[np.int64]:
    """Return the channels of the columns of features, with others behind those of a unit.

    Their features are zero. They are channels that exist, as readers take them for indices; that
    the unit has not yet, as a column is found by its channel; and those nearby, as they are shown.

    Parameters
    ----------
    mask : ndarray of shape (n_units, n_channels) and dtype bool
        Channels of each unit, at least one.
    locations : ndarray of shape (n_channels, 2)
        In um.

    Returns
    -------
    ndarray of shape (n_units, n_columns) and dtype int64

    Examples
    --------
    >>> mask = np.array([[True, True, False, False], [False, False, False, True]])
    >>> padded_channels(mask, np.array([[0.0, 0.0], [0.0, 20.0], [0.0, 40.0], [0.0, 60.0]]))
    array([[0, 1],
           [3, 2]])
    """
    n_columns = int(mask.sum(axis=1).max(initial=0))
    channels = np.zeros((len(mask), n_columns), np.int64)
    for row, is_own in zip(channels, mask, strict=True):
        own, other = np.flatnonzero(is_own), np.flatnonzero(~is_own)
        distances_um = np.linalg.norm(locations[other] - locations[own].mean(axis=0), axis=1)
        nearest = other[np.argsort(distances_um, kind="stable")]
        row[:] = np.concatenate([own, nearest])[:n_columns]
    return channels


def _computed(analyzer: "SortingAnalyzer") -> ComputePrincipalComponents:
    extension = analyzer.get_extension("principal_components")
    if not isinstance(extension, ComputePrincipalComponents):
        msg = "There are no principal components: compute('principal_components') first."
        raise MissingExtensionError(msg)
    return extension


def _with_models(analyzer: "SortingAnalyzer") -> ComputePrincipalComponents:
    """Return components by channel: those there are, or else some computed for this purpose."""
    extension = _computed(analyzer)
    params = dict(extension.params or {})
    is_concatenated = params.get("mode") == "concatenated"
    if not is_concatenated and "pca_model_components" in extension.data:
        return extension
    # Features of a phy dataset are by channel; and those of SpikeInterface are pickled.
    other = ComputePrincipalComponents(analyzer)
    params["mode"] = "by_channel_local" if is_concatenated else params["mode"]
    other.set_params(save=False, **params)
    other._run()
    return other
