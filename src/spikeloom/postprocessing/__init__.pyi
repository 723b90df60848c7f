# Public names of this room, by module; imported when first used.
from .acgs_3d import (
    ComputeACG3D as ComputeACG3D,
    compute_acgs_3d as compute_acgs_3d,
)
from .amplitude_scalings import (
    ComputeAmplitudeScalings as ComputeAmplitudeScalings,
    compute_amplitude_scalings as compute_amplitude_scalings,
)
from .correlogram_comparison import CorrelogramGTComparison as CorrelogramGTComparison
from .correlograms import (
    ComputeAutoCorrelograms as ComputeAutoCorrelograms,
    ComputeCorrelograms as ComputeCorrelograms,
    auto_correlogram_for_one_segment as auto_correlogram_for_one_segment,
    compute_auto_correlograms as compute_auto_correlograms,
    compute_correlograms as compute_correlograms,
    correlogram_for_one_segment as correlogram_for_one_segment,
)
from .isi_histograms import (
    ComputeISIHistograms as ComputeISIHistograms,
    compute_isi_histograms as compute_isi_histograms,
    compute_isi_histograms_numba as compute_isi_histograms_numba,
    compute_isi_histograms_numpy as compute_isi_histograms_numpy,
)
from .pca_models import PCAModel as PCAModel
from .principal_components import (
    ComputePrincipalComponents as ComputePrincipalComponents,
    compute_principal_components as compute_principal_components,
)
from .spike_amplitudes import (
    ComputeSpikeAmplitudes as ComputeSpikeAmplitudes,
    compute_spike_amplitudes as compute_spike_amplitudes,
)
from .spike_locations import (
    ComputeSpikeLocations as ComputeSpikeLocations,
    compute_spike_locations as compute_spike_locations,
)
from .template_comparison import (
    MultiTemplateComparison as MultiTemplateComparison,
    TemplateComparison as TemplateComparison,
    compare_multiple_templates as compare_multiple_templates,
    compare_templates as compare_templates,
)
from .template_similarity import (
    ComputeTemplateSimilarity as ComputeTemplateSimilarity,
    compute_similarity_with_templates_array as compute_similarity_with_templates_array,
    compute_template_similarity as compute_template_similarity,
    compute_template_similarity_by_pair as compute_template_similarity_by_pair,
)
from .unit_locations import (
    ComputeUnitLocations as ComputeUnitLocations,
    compute_center_of_mass as compute_center_of_mass,
    compute_grid_convolution as compute_grid_convolution,
    compute_location_max_channel as compute_location_max_channel,
    compute_monopolar_triangulation as compute_monopolar_triangulation,
    compute_unit_locations as compute_unit_locations,
)
from .valid_unit_periods import (
    ComputeValidUnitPeriods as ComputeValidUnitPeriods,
    compute_valid_unit_periods as compute_valid_unit_periods,
)
