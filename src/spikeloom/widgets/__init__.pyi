# Public names of this room, by module; imported when first used.
from .amplitudes import (
    plot_all_amplitudes_distributions as plot_all_amplitudes_distributions,
    plot_amplitudes as plot_amplitudes,
)
from .comparisons import (
    plot_agreement_matrix as plot_agreement_matrix,
    plot_confusion_matrix as plot_confusion_matrix,
)
from .correlograms import (
    plot_autocorrelograms as plot_autocorrelograms,
    plot_crosscorrelograms as plot_crosscorrelograms,
)
from .depths_over_time import (
    plot_drift_raster_map as plot_drift_raster_map,
    plot_locations as plot_locations,
)
from .figures import (
    Widget as Widget,
    get_default_plotter_backend as get_default_plotter_backend,
    set_default_plotter_backend as set_default_plotter_backend,
)
from .isi_distribution import plot_isi_distribution as plot_isi_distribution
from .locations import (
    plot_spike_locations as plot_spike_locations,
    plot_unit_locations as plot_unit_locations,
)
from .metric_histograms import plot_metric_histograms as plot_metric_histograms
from .metrics import (
    plot_quality_metrics as plot_quality_metrics,
    plot_template_metrics as plot_template_metrics,
)
from .probe_map import (
    plot_peak_activity as plot_peak_activity,
    plot_probe_map as plot_probe_map,
)
from .rasters import plot_rasters as plot_rasters
from .report import export_report as export_report
from .sorter_agreement import (
    plot_multicomparison_agreement as plot_multicomparison_agreement,
    plot_multicomparison_agreement_by_sorter as plot_multicomparison_agreement_by_sorter,
    plot_multicomparison_graph as plot_multicomparison_graph,
)
from .template_similarity import plot_template_similarity as plot_template_similarity
from .traces import plot_traces as plot_traces
from .unit_colors import (
    get_some_colors as get_some_colors,
    get_unit_colors as get_unit_colors,
)
from .unit_depths import plot_unit_depths as plot_unit_depths
from .unit_presence import plot_unit_presence as plot_unit_presence
from .unit_probe_map import plot_unit_probe_map as plot_unit_probe_map
from .unit_summary import plot_unit_summary as plot_unit_summary
from .unit_waveforms import (
    plot_unit_templates as plot_unit_templates,
    plot_unit_waveforms as plot_unit_waveforms,
)
from .valid_periods import plot_valid_unit_periods as plot_valid_unit_periods
from .waveform_density import (
    plot_unit_waveforms_density_map as plot_unit_waveforms_density_map,
)
