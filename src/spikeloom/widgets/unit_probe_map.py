"""Templates of units on the probe: how large they are on each channel."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from spikeloom.widgets.figures import Widget, drawn, figure_of, open_panels, panels_in
from spikeloom.widgets.probe_map import draw_probes, frame, probe_outlines_of
from spikeloom.widgets.sources import analyzer_of, chosen_units, extension_of, voltage_unit


def plot_unit_probe_map(
    sorting_analyzer: Any,
    unit_ids: Iterable[Any] | None = None,
    channel_ids: Iterable[Any] | None = None,
    with_channel_ids: bool = False,
    colorbar: bool = True,
    backend: str | None = None,
    **backend_kwargs: Any,
) -> Widget:
    """Plot how large the templates of units are on each channel, from lowest to highest.

    Parameters
    ----------
    sorting_analyzer : SortingAnalyzer
        With the extension "templates".
    unit_ids : list, optional
        Units; all by default.
    channel_ids : list, optional
        Channels to show; all by default.
    with_channel_ids : bool, default False
        Write the id of its channel on each contact.
    colorbar : bool, default True
        Say which colour stands for which amplitude.
    backend : str, optional
        Only "matplotlib".
    **backend_kwargs
        ``figure`` or ``axes`` to draw into; ``ncols``, ``figsize``, ``figtitle``.

    Returns
    -------
    Widget
        One axes for each unit; the data are the amplitudes, of shape (n_units, n_channels).

    Raises
    ------
    MissingExtensionError
        If the extension "templates" was not computed.
    ParameterError
        If there is no such unit or channel.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from spikeloom.analyzer import create_sorting_analyzer
    >>> from spikeloom.generation import generate_ground_truth_recording
    >>> recording, sorting = generate_ground_truth_recording([2.0], num_units=3, seed=0)
    >>> analyzer = create_sorting_analyzer(sorting, recording, progress_bar=False)
    >>> _ = analyzer.compute(["random_spikes", "templates"], progress_bar=False)
    >>> plot_unit_probe_map(analyzer, figure=Figure()).data.shape
    (3, 4)
    """
    analyzer = analyzer_of(sorting_analyzer)
    templates = extension_of(analyzer, "templates").get_data()
    listed, positions = chosen_units(analyzer, unit_ids)
    amplitudes = np.ptp(np.asarray(templates)[positions], axis=1).astype(np.float64)
    outlines = probe_outlines_of(analyzer)
    shown_um = outlines.locations_um
    if channel_ids is not None:
        shown_um = shown_um[analyzer.channel_ids_to_indices(list(channel_ids))]
    n = len(listed)
    n_columns = min(n, 6)
    size = (2.2 * n_columns + 1, 3.4 * -(-n // n_columns))
    panels = open_panels(backend, backend_kwargs, n, n_columns, size)
    for k, ax in enumerate(panels_in(panels)[:n]):
        contacts = draw_probes(ax, outlines, None, with_channel_ids=with_channel_ids)
        contacts.set_array(amplitudes[k])
        contacts.set_cmap("viridis")
        contacts.set_clim(0.0, float(amplitudes[k].max(initial=0.0)) or 1.0)
        frame(ax, shown_um, 20.0)
        ax.set_title(f"unit {listed[k]}", fontsize="small")
        if k % n_columns:
            ax.set_ylabel("")
        if colorbar:
            bar = figure_of(panels).colorbar(contacts, ax=ax, shrink=0.6)
            bar.ax.tick_params(labelsize="x-small")
            bar.set_label(f"amplitude ({voltage_unit(analyzer.return_in_uV)})", fontsize="x-small")
    return drawn(panels, amplitudes)
