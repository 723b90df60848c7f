"""What metrics are computed from, gathered from an analyzer."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.core.noise_levels import get_noise_levels
from spikeloom.core.random_chunks import get_random_data_chunks
from spikeloom.metrics.inputs import MetricInputs, UnitTemplates
from spikeloom.metrics.pc_features import PcFeatures, pc_features
from spikeloom.metrics.spikes import spikes_of_table

if TYPE_CHECKING:
    from spikeloom.analyzer.analyzer import SortingAnalyzer


def inputs_of_analyzer(
    analyzer: "SortingAnalyzer",
    *,
    periods: ArrayLike | None = None,
    with_pcs: bool = True,
    with_recording: bool = True,
    with_waveforms: bool = True,
    noise_params: Mapping[str, Any] | None = None,
) -> MetricInputs:
    """Gather all that an analyzer has of what metrics need.

    Parameters
    ----------
    analyzer : SortingAnalyzer
        The analyzer; extensions that it lacks are left out.
    periods : array_like, optional
        Take spikes of these periods only.
    with_pcs : bool, default True
        Take principal components, if they are there.
    with_recording : bool, default True
        Take the noise of the recording, if it is at hand.
    with_waveforms : bool, default True
        Take waveforms, too, if components are taken.
    noise_params : mapping, optional
        With ``max_spikes`` and ``seed``: take so many pieces of each segment of the recording, too,
        if it is at hand.

    Returns
    -------
    MetricInputs
    """
    has_recording = analyzer.has_recording() or analyzer.has_temporary_recording()
    return MetricInputs(
        spikes=spikes_of_table(
            analyzer.sorting.spike_table(),
            n_units=analyzer.get_num_units(),
            n_samples=analyzer.recording_info.n_samples,
            sampling_frequency=analyzer.sampling_frequency,
            periods=periods,
        ),
        spike_amplitudes=_data(analyzer, "spike_amplitudes", "amplitudes"),
        amplitude_scalings=_data(analyzer, "amplitude_scalings", "amplitude_scalings"),
        spike_locations=_data(analyzer, "spike_locations", "spike_locations"),
        noise_levels=_data(analyzer, "noise_levels", "noise_levels"),
        templates=templates_of_analyzer(analyzer),
        noise_std=(
            np.asarray(
                get_noise_levels(
                    analyzer.recording,
                    return_in_uV=analyzer.return_in_uV,
                    method="std",
                    random_slices_kwargs={"seed": 0},
                    progress_bar=False,
                )
            )
            if has_recording and with_recording
            else None
        ),
        principal_components=_pcs(analyzer) if with_pcs else None,
        waveforms=_waveforms(analyzer) if with_pcs and with_waveforms else None,
        noise_snippets=None if noise_params is None else noise_of_analyzer(analyzer, noise_params),
    )


def noise_of_analyzer(
    analyzer: "SortingAnalyzer", noise_params: Mapping[str, Any]
) -> NDArray[np.floating] | None:
    """Return pieces of the recording at random times, as long as templates.

    Parameters
    ----------
    analyzer : SortingAnalyzer
        The analyzer.
    noise_params : mapping
        With ``max_spikes``, the number of pieces of each segment, and ``seed``.

    Returns
    -------
    ndarray of shape (n_pieces, n_samples, n_channels), or None
        In microvolts if templates are; None without a recording or templates, or if a segment is
        shorter than a template.
    """
    templates: Any = analyzer.get_loaded("templates")
    if templates is None or not (analyzer.has_recording() or analyzer.has_temporary_recording()):
        return None
    n_samples = templates.nbefore + templates.nafter
    if not min(analyzer.recording_info.n_samples, default=0) > n_samples:
        return None
    pieces = get_random_data_chunks(
        analyzer.recording,
        return_in_uV=analyzer.return_in_uV,
        num_chunks_per_segment=noise_params["max_spikes"],
        chunk_size=n_samples,
        seed=noise_params["seed"],
    )
    return np.asarray(pieces).reshape(-1, n_samples, analyzer.get_num_channels())


def templates_of_analyzer(
    analyzer: "SortingAnalyzer", *, operator: str = "average"
) -> UnitTemplates | None:
    """Return the templates of an analyzer, None if they were not computed."""
    extension: Any = analyzer.get_loaded("templates")
    if extension is None or analyzer.recording_info.probegroup is None:
        return None
    return UnitTemplates(
        templates=extension.get_templates(operator=operator),
        nbefore=extension.nbefore,
        main_channels=analyzer.main_channel_indices,
        channel_locations=analyzer.get_channel_locations(),
        sparsity_mask=None if analyzer.sparsity is None else analyzer.sparsity.mask,
        peak_sign=analyzer.peak_sign,  # type: ignore[arg-type] # checked when it was set
        median_templates=extension.data.get("median"),
    )


def _data(analyzer: "SortingAnalyzer", name: str, key: str) -> NDArray[Any] | None:
    extension = analyzer.get_loaded(name)
    return None if extension is None else extension.data[key]


def _chosen_units(analyzer: "SortingAnalyzer") -> NDArray[np.int64]:
    """Return the unit of each spike that was chosen for waveforms."""
    chosen = _data(analyzer, "random_spikes", "random_spikes_indices")
    return np.asarray(analyzer.sorting.spike_table().unit_index[chosen], np.int64)


def _pcs(analyzer: "SortingAnalyzer") -> PcFeatures | None:
    extension: Any = analyzer.get_loaded("principal_components")
    if extension is None:
        return None
    is_concatenated = extension.params["mode"] == "concatenated"
    mask = None if analyzer.sparsity is None or is_concatenated else analyzer.sparsity.mask
    return pc_features(
        extension.data["pca_projection"],
        _chosen_units(analyzer),
        analyzer.get_num_units(),
        main_channels=analyzer.main_channel_indices,
        sparsity_mask=mask,
        is_packed=mask is not None,
    )


def _waveforms(analyzer: "SortingAnalyzer") -> list[NDArray[Any]] | None:
    extension: Any = analyzer.get_loaded("waveforms")
    if extension is None:
        return None
    return [extension.get_waveforms_one_unit(unit_id) for unit_id in analyzer.unit_ids.tolist()]
