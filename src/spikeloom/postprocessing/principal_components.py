"""Principal components of the waveforms of chosen spikes."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from spikeloom.analyzer.core_random_spikes import ComputeRandomSpikes
from spikeloom.analyzer.core_waveforms import random_spikes_of, repack
from spikeloom.analyzer.extension import AnalyzerExtension, register_result_extension
from spikeloom.analyzer.unit_rows import places_of
from spikeloom.core.class_names import stored_as
from spikeloom.engine.executor import map_items
from spikeloom.errors import MissingExtensionError, ParameterError
from spikeloom.postprocessing.one_thread import algebra_on_one_thread
from spikeloom.postprocessing.pca_models import (
    Moments,
    PCAModel,
    model_of_rows,
    models_of,
    moments_of_piece,
)

if TYPE_CHECKING:
    from spikeloom.analyzer.analyzer import SortingAnalyzer

MODES = ("by_channel_local", "by_channel_global", "concatenated")
_N_TOGETHER = 16
"""Units whose covariances are held at once."""
_MODEL = "pca_model_"


@register_result_extension
@stored_as("spikeinterface.postprocessing.principal_component.ComputePrincipalComponents")
class ComputePrincipalComponents(AnalyzerExtension):
    """Projections of the chosen waveforms on their principal components.

    Parameters
    ----------
    n_components : int, default 5
        Number of components.
    mode : {"by_channel_local", "by_channel_global", "concatenated"}, default "by_channel_local"
        Components for each channel; for all channels together; or of all channels one behind the
        other, which needs a dense analyzer.
    whiten : bool, default True
        Divide projections by their standard deviation.
    dtype : dtype, default "float32"
        Of the projections.

    Notes
    -----
    The data ``pca_projection`` are of shape (n_chosen, n_components, n_channels), channels as in
    ``waveforms``; (n_chosen, n_components) where channels are concatenated. Components are fitted
    to the waveforms of units that have at least `n_components`, exactly; their sign is such that
    the largest weight is positive. ``pca_model_components``, ``pca_model_mean``,
    ``pca_model_explained_variance`` and ``pca_model_n_samples`` hold them, model by model.
    """

    extension_name: ClassVar[str] = "principal_components"
    depend_on: ClassVar[list[str]] = ["random_spikes", "waveforms"]
    need_job_kwargs: ClassVar[bool] = True

    def _set_params(
        self,
        n_components: int = 5,
        mode: str = "by_channel_local",
        whiten: bool = True,
        dtype: DTypeLike = "float32",
    ) -> dict[str, Any]:
        if mode not in MODES:
            msg = f"mode must be one of {', '.join(MODES)}; got {mode!r}."
            raise ParameterError(msg)
        if n_components < 1:
            msg = f"n_components must be at least 1; got {n_components}."
            raise ParameterError(msg)
        return {
            "n_components": int(n_components),
            "mode": mode,
            "whiten": bool(whiten),
            "dtype": np.dtype(dtype).str,
        }

    # -- models ------------------------------------------------------------------------------

    def _run(self, verbose: bool = False, **job_kwargs: Any) -> None:  # noqa: ARG002
        if self._mode == "concatenated" and self.sparsity is not None:
            msg = (
                "Channels can be concatenated in a dense analyzer only: create it with "
                "sparse=False, or use mode='by_channel_local'."
            )
            raise ParameterError(msg)
        models = self._fitted()
        self.data = {
            f"{_MODEL}components": np.array([one.components_ for one in models]),
            f"{_MODEL}mean": np.array([one.mean_ for one in models]),
            f"{_MODEL}explained_variance": np.array([one.explained_variance_ for one in models]),
            f"{_MODEL}n_samples": np.array([one.n_samples_seen_ for one in models], np.int64),
        }
        units = self._random_spikes.unit_indices()
        self.data["pca_projection"] = self._projected(units, self._waveforms(), models)

    @property
    def _mode(self) -> str:
        return str((self.params or {})["mode"])

    @property
    def _n_components(self) -> int:
        return int((self.params or {})["n_components"])

    @property
    def _dtype(self) -> np.dtype[Any]:
        dtype: np.dtype[Any] = np.dtype((self.params or {}).get("dtype", "float32"))
        return dtype

    @property
    def _random_spikes(self) -> ComputeRandomSpikes:
        return random_spikes_of(self.sorting_analyzer)

    def _waveforms(self) -> NDArray[Any]:
        return waveforms_of(self.sorting_analyzer)

    def _channels_of(self, unit_index: int) -> NDArray[np.int64]:
        if self.sparsity is None:
            return np.arange(self.sorting_analyzer.get_num_channels())
        return np.flatnonzero(self.sparsity.mask[unit_index])

    def _fitted(self) -> list[PCAModel]:
        """Return the models: one for each channel, or one."""
        waveforms = self._waveforms()
        whiten = bool((self.params or {})["whiten"])
        rows_of = _rows_by_unit(self._random_spikes.unit_indices(), self._n_units)
        if self._mode == "concatenated":
            large = [rows for rows in rows_of if len(rows) >= self._n_components]
            used = np.sort(np.concatenate(large)) if large else np.zeros(0, np.int64)
            flat = waveforms.reshape(len(waveforms), waveforms.shape[1] * waveforms.shape[2])
            return [model_of_rows(flat, used, self._n_components, whiten=whiten)]
        is_local = self._mode == "by_channel_local"
        n_models = self.sorting_analyzer.get_num_channels() if is_local else 1
        moments = Moments.empty(n_models, waveforms.shape[1])
        units = [unit for unit, rows in enumerate(rows_of) if self._is_large(unit, len(rows))]

        def of_unit(unit: int) -> tuple[Any, Any]:
            n_channels = len(self._channels_of(unit))
            return moments_of_piece(_snippets(waveforms, rows_of[unit], n_channels))

        with algebra_on_one_thread():
            for first in range(0, len(units), _N_TOGETHER):
                some = units[first : first + _N_TOGETHER]
                for unit, (means, scatters) in zip(some, map_items(of_unit, some), strict=True):
                    channels = self._channels_of(unit)
                    models = channels.tolist() if is_local else [0] * len(channels)
                    moments.add(models, len(rows_of[unit]), means, scatters)
            return models_of(moments, self._n_components, whiten=whiten)

    def _is_large(self, unit_index: int, n_spikes: int) -> bool:
        """Return whether a unit has as many waveforms as there are components."""
        n = n_spikes
        if self._mode == "by_channel_global":
            n *= len(self._channels_of(unit_index))
        return n >= self._n_components and n_spikes > 0

    @property
    def _n_units(self) -> int:
        return self.sorting_analyzer.get_num_units()

    def get_pca_model(self) -> Any:
        """Return the components.

        Returns
        -------
        list of PCAModel, or PCAModel
            One for each channel in mode "by_channel_local", else one.

        Raises
        ------
        MissingExtensionError
            If they are not there: SpikeInterface pickles them, which is not read.
        """
        models = self._models()
        return models if self._mode == "by_channel_local" else models[0]

    def _models(self) -> list[PCAModel]:
        if f"{_MODEL}components" not in self.data:
            msg = (
                "The principal components themselves were saved in a form that is not read, only "
                "their projections are there: compute('principal_components') makes them anew."
            )
            raise MissingExtensionError(msg)
        whiten = bool((self.params or {})["whiten"])
        parts = ("components", "mean", "explained_variance", "n_samples")
        arrays = [np.asarray(self.data[f"{_MODEL}{part}"]) for part in parts]
        return [PCAModel(a, b, c, int(n), whiten) for a, b, c, n in zip(*arrays, strict=True)]

    # -- projections -------------------------------------------------------------------------

    def _projected(
        self, units: NDArray[np.integer], waveforms: NDArray[Any], models: Sequence[PCAModel]
    ) -> NDArray[Any]:
        """Return the projections of waveforms of spikes of units."""
        n, n_components = len(waveforms), self._n_components
        if self._mode == "concatenated":
            weight, offset = models[0].affine()
            flat = np.zeros((n, n_components), self._dtype)
            for first in range(0, n, 4096):
                block = waveforms[first : first + 4096].reshape(-1, len(weight))
                flat[first : first + 4096] = block @ weight.astype(np.float32) + offset
            return flat
        weights, offsets = stacked(models, self.sorting_analyzer.get_num_channels())
        projections = np.zeros((n, n_components, waveforms.shape[2]), self._dtype)
        rows_of = _rows_by_unit(units, self._n_units)

        def project(unit: int) -> None:
            rows, channels = rows_of[unit], self._channels_of(unit)
            snippets = _snippets(waveforms, rows, len(channels))
            found = snippets @ weights[channels] + offsets[channels, np.newaxis]
            projections[rows, :, : len(channels)] = found.transpose(1, 2, 0)

        with algebra_on_one_thread():
            map_items(project, [unit for unit in range(self._n_units) if len(rows_of[unit])])
        return projections

    def project_new(
        self,
        new_spikes: NDArray[np.void],
        new_waveforms: NDArray[Any],
        progress_bar: bool = True,  # noqa: ARG002 - it is quick
    ) -> NDArray[Any]:
        """Return the projections of other waveforms.

        Parameters
        ----------
        new_spikes : ndarray of shape (n,)
            Their spikes, whose ``unit_index`` says which channels there are.
        new_waveforms : ndarray of shape (n, n_samples, n_channels)
            Channels as in the extension "waveforms".

        Returns
        -------
        ndarray of shape (n, n_components, n_channels), or (n, n_components)
        """
        if len(new_spikes) != len(new_waveforms):
            msg = f"{len(new_spikes)} spikes cannot have {len(new_waveforms)} waveforms."
            raise ParameterError(msg)
        units = np.asarray(new_spikes["unit_index"], np.int64)
        return self._projected(units, np.asarray(new_waveforms), self._models())

    def run_for_all_spikes(
        self,
        file_path: str | Path | None = None,
        verbose: bool = False,  # noqa: ARG002 - the progress bar says it
        **job_kwargs: Any,
    ) -> NDArray[Any]:
        """Project all spikes, in one pass over the recording.

        Parameters
        ----------
        file_path : str or Path, optional
            Numpy file to write; without it, projections are in memory only.
        **job_kwargs
            Job options.

        Returns
        -------
        ndarray of shape (n_spikes, n_components, n_channels), or (n_spikes, n_components)
            In the order of the spike vector, channels as in the extension "waveforms"; a memory
            map of the file. Traces outside the recording are zero.

        Raises
        ------
        MissingExtensionError
            If there is no recording.
        """
        from spikeloom.postprocessing.all_projections import project_all  # noqa: PLC0415

        return project_all(self, self._models(), file_path, **job_kwargs)

    def _get_data(self) -> NDArray[Any]:
        return np.asarray(self.data["pca_projection"])

    def get_projections_one_unit(self, unit_id: Any, sparse: bool = False) -> Any:
        """Return the projections of the chosen spikes of a unit.

        Parameters
        ----------
        unit_id : int or str
        sparse : bool, default False
            On the channels of the unit only, which are returned, too.

        Returns
        -------
        projections : ndarray of shape (n_chosen_of_unit, n_components, n_channels)
            Zero on channels that are not the unit's.
        channel_indices : ndarray of shape (n_channels,)
            With `sparse` only.

        Raises
        ------
        ParameterError
            If `sparse` and channels are concatenated, or the analyzer is dense.
        """
        if sparse and (self._mode == "concatenated" or self.sparsity is None):
            msg = "There are sparse projections by channel, and in a sparse analyzer, only."
            raise ParameterError(msg)
        unit_index = self.sorting_analyzer.sorting.id_to_index(unit_id)
        rows = np.flatnonzero(self._random_spikes.unit_indices() == unit_index)
        projections = self._get_data()[rows]
        if self.sparsity is None:
            return projections
        channels = self._channels_of(unit_index)
        projections = projections[:, :, : len(channels)]
        if sparse:
            return projections, channels
        dense = np.zeros((*projections.shape[:2], self.sparsity.num_channels), projections.dtype)
        dense[:, :, channels] = projections
        return dense

    def get_some_projections(
        self, channel_ids: Iterable[Any] | None = None, unit_ids: Iterable[Any] | None = None
    ) -> tuple[NDArray[Any], NDArray[np.int64]]:
        """Return the projections of some units on some channels.

        Parameters
        ----------
        channel_ids, unit_ids : list, optional
            All by default.

        Returns
        -------
        some_projections : ndarray of shape (n, n_components, n_channels)
            Zero on channels that are not the unit's. (n, n_components) if channels are
            concatenated.
        spike_unit_indices : ndarray of shape (n,)
            Position of the unit of each.
        """
        analyzer = self.sorting_analyzer
        places = places_of(analyzer.sorting, analyzer.unit_ids if unit_ids is None else unit_ids)
        units = self._random_spikes.unit_indices()
        rows = np.flatnonzero(np.isin(units, places))
        projections, units = self._get_data()[rows], units[rows]
        if self._mode == "concatenated":
            return projections, units
        channels = np.arange(analyzer.get_num_channels())
        if channel_ids is not None:
            channels = analyzer.channel_ids_to_indices(list(channel_ids))
        if self.sparsity is None:
            return projections[:, :, channels], units
        dense = np.zeros((len(rows), projections.shape[1], len(channels)), projections.dtype)
        for unit in np.unique(units):
            mask = self.sparsity.mask[unit]
            mine, known = np.flatnonzero(units == unit), np.flatnonzero(mask[channels])
            columns = (np.cumsum(mask) - 1)[channels[known]]
            block = np.zeros((len(mine), *dense.shape[1:]), dense.dtype)
            block[:, :, known] = projections[mine][:, :, columns]
            dense[mine] = block
        return dense, units

    # -- for other analyzers -----------------------------------------------------------------

    def _with_models(self, projections: NDArray[Any]) -> dict[str, Any]:
        data = {key: value for key, value in self.data.items() if key.startswith(_MODEL)}
        return {**data, "pca_projection": projections}

    def _select_units_extension_data(self, unit_ids: Sequence[Any]) -> dict[str, Any]:
        projections = self._get_data()[self._random_spikes.rows_of_units(unit_ids)]
        if self.sparsity is not None:
            places = places_of(self.sorting_analyzer.sorting, unit_ids)
            n_columns = int(self.sparsity.mask[places].sum(axis=1).max(initial=0))
            projections = projections[:, :, :n_columns]
        return self._with_models(projections)

    def _select_channels_extension_data(self, channel_ids: Sequence[Any]) -> dict[str, Any]:
        if self._mode == "concatenated":
            msg = "Concatenated channels cannot be taken apart: compute them anew."
            raise ParameterError(msg)
        channels = self.sorting_analyzer.channel_ids_to_indices(channel_ids)
        projections = self._get_data()
        if self.sparsity is None:
            data = self._with_models(projections[:, :, channels])
        else:
            units, mask = self._random_spikes.unit_indices(), self.sparsity.mask
            packed, _ = repack(projections, units, units, mask, mask[:, channels], channels)
            data = self._with_models(packed)
        if self._mode == "by_channel_local":
            for key in data:
                if key.startswith(_MODEL):
                    data[key] = np.asarray(data[key])[channels]
        return data

    def _merge_extension_data(
        self,
        merge_unit_groups: Sequence[Sequence[Any]],  # noqa: ARG002 - the new sorting tells
        new_unit_ids: Sequence[Any],  # noqa: ARG002
        new_sorting_analyzer: "SortingAnalyzer",
        keep_mask: NDArray[np.bool_] | None = None,
        verbose: bool = False,  # noqa: ARG002
        **job_kwargs: Any,  # noqa: ARG002
    ) -> dict[str, Any]:
        rows = self._random_spikes.rows_kept(keep_mask)
        projections = self._get_data()[rows]
        if self.sparsity is None or new_sorting_analyzer.sparsity is None:
            return self._with_models(projections)
        places = self._random_spikes.places_kept(keep_mask)
        new_units = np.asarray(
            new_sorting_analyzer.sorting.spike_table().unit_index[places], np.int64
        )
        packed, is_incomplete = repack(
            projections,
            self._random_spikes.unit_indices()[rows],
            new_units,
            self.sparsity.mask,
            new_sorting_analyzer.sparsity.mask,
            np.arange(self.sparsity.num_channels),
        )
        if is_incomplete.any():
            # The merged waveforms have channels that these spikes had not before.
            other = type(self)(new_sorting_analyzer)
            other.params = self.params
            waveforms = waveforms_of(new_sorting_analyzer)[is_incomplete]
            packed[is_incomplete] = other._projected(
                new_units[is_incomplete], waveforms, self._models()
            )
        return self._with_models(packed)

    def _split_extension_data(
        self,
        split_units: Mapping[Any, Any],  # noqa: ARG002 - parts have the channels of their unit
        new_unit_ids: Sequence[Any],  # noqa: ARG002
        new_sorting_analyzer: "SortingAnalyzer",  # noqa: ARG002
        verbose: bool = False,  # noqa: ARG002
        **job_kwargs: Any,  # noqa: ARG002
    ) -> dict[str, Any]:
        return self._with_models(self._get_data().copy())


def waveforms_of(analyzer: "SortingAnalyzer") -> NDArray[Any]:
    """Return the waveforms of an analyzer; raises MissingExtensionError if there are none."""
    extension = analyzer.get_extension("waveforms")
    if extension is None:
        msg = "There are no waveforms: call analyzer.compute('waveforms') first."
        raise MissingExtensionError(msg)
    return np.asarray(extension.data["waveforms"])


def stacked(
    models: Sequence[PCAModel], n_channels: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return weights (n_channels, n_samples, n_components) and offsets of models by channel."""
    parts = [one.affine() for one in models]
    weights = np.array([weight for weight, _ in parts], np.float32)
    offsets = np.array([offset for _, offset in parts], np.float32)
    if len(models) == 1:
        weights = np.broadcast_to(weights, (n_channels, *weights.shape[1:]))
        offsets = np.broadcast_to(offsets, (n_channels, *offsets.shape[1:]))
    return weights, offsets


def _rows_by_unit(units: NDArray[np.integer], n_units: int) -> list[NDArray[np.int64]]:
    order = np.argsort(units, kind="stable")
    borders = np.searchsorted(units[order], np.arange(n_units + 1))
    return [order[a:b] for a, b in pairwise(borders)]


def _snippets(
    waveforms: NDArray[Any], rows: NDArray[np.int64], n_channels: int
) -> NDArray[np.floating]:
    """Return the waveforms of some spikes by channel, a copy (n_channels, n_rows, n_samples)."""
    dtype = np.float64 if waveforms.dtype == np.float64 else np.float32
    by_channel = np.empty((n_channels, len(rows), waveforms.shape[1]), dtype)
    by_channel[...] = waveforms[rows][:, :, :n_channels].transpose(2, 0, 1)
    return by_channel


compute_principal_components = ComputePrincipalComponents.function_factory()
