# Public names of this room, by module; imported when first used.
from .added_spikes import (
    add_synchrony_to_sorting as add_synchrony_to_sorting,
    generate_sorting_to_inject as generate_sorting_to_inject,
)
from .generated_snippets import (
    generate_snippets as generate_snippets,
)
from .generated_sortings import (
    SortingGenerator as SortingGenerator,
    create_sorting_npz as create_sorting_npz,
    generate_sorting as generate_sorting,
)
from .ground_truth_recordings import (
    GroundTruthRecording as GroundTruthRecording,
    generate_ground_truth_recording as generate_ground_truth_recording,
)
from .mock_recordings import (
    MockRecording as MockRecording,
    generate_recording as generate_recording,
    generate_recording_by_size as generate_recording_by_size,
)
from .noise_recordings import (
    NoiseGeneratorRecording as NoiseGeneratorRecording,
    generate_noise as generate_noise,
    noise_generator_recording as noise_generator_recording,
)
from .random_firings import (
    clean_refractory_period as clean_refractory_period,
    synthesize_poisson_spike_vector as synthesize_poisson_spike_vector,
    synthesize_random_firings as synthesize_random_firings,
    synthetize_spike_train_bad_isi as synthetize_spike_train_bad_isi,
)
from .sorting_faults import (
    inject_some_duplicate_units as inject_some_duplicate_units,
    inject_some_split_units as inject_some_split_units,
)
from .spike_waveforms import (
    generate_single_fake_waveform as generate_single_fake_waveform,
)
from .template_injection import (
    InjectTemplatesRecording as InjectTemplatesRecording,
    inject_templates as inject_templates,
)
from .template_shapes import (
    generate_channel_locations as generate_channel_locations,
    generate_templates as generate_templates,
)
from .toy_example import (
    toy_example as toy_example,
)
from .transformed_sortings import (
    TransformSorting as TransformSorting,
)
from .unit_locations import (
    generate_unit_locations as generate_unit_locations,
)
