"""Register the extensions of this room, by importing them."""

import spikeloom.postprocessing.acgs_3d  # noqa: F401
import spikeloom.postprocessing.amplitude_scalings  # noqa: F401
import spikeloom.postprocessing.correlograms  # noqa: F401
import spikeloom.postprocessing.isi_histograms  # noqa: F401
import spikeloom.postprocessing.principal_components  # noqa: F401
import spikeloom.postprocessing.spike_amplitudes  # noqa: F401
import spikeloom.postprocessing.spike_locations  # noqa: F401
import spikeloom.postprocessing.template_similarity  # noqa: F401
import spikeloom.postprocessing.unit_locations  # noqa: F401
import spikeloom.postprocessing.valid_unit_periods  # noqa: F401
