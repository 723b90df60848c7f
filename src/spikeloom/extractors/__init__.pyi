# Public names of this room, by module; imported when first used.
from .alf_sorting import (
    ALFSortingExtractor as ALFSortingExtractor,
    read_alf_sorting as read_alf_sorting,
)
from .bids_folders import (
    read_bids as read_bids,
)
from .cbin_recording import (
    CbinRecordingExtractor as CbinRecordingExtractor,
    CompressedBinaryIblExtractor as CompressedBinaryIblExtractor,
    read_cbin as read_cbin,
    read_cbin_ibl as read_cbin_ibl,
)
from .describing import (
    describe_path as describe_path,
)
from .download import (
    download_dataset as download_dataset,
)
from .hdf5_sortings import (
    CombinatoSortingExtractor as CombinatoSortingExtractor,
    HerdingspikesSortingExtractor as HerdingspikesSortingExtractor,
    read_combinato as read_combinato,
    read_herdingspikes as read_herdingspikes,
)
from .intan_folders import (
    read_split_intan_files as read_split_intan_files,
)
from .kwik_events import (
    KwikEventExtractor as KwikEventExtractor,
    read_kwik_event as read_kwik_event,
)
from .kwik_recording import (
    KwikRecordingExtractor as KwikRecordingExtractor,
    read_kwik_recording as read_kwik_recording,
)
from .kwik_sorting import (
    KlustaSortingExtractor as KlustaSortingExtractor,
    read_klusta as read_klusta,
    read_kwik as read_kwik,
)
from .matlab_sortings import (
    CellExplorerSortingExtractor as CellExplorerSortingExtractor,
    HDSortSortingExtractor as HDSortSortingExtractor,
    WaveClusSortingExtractor as WaveClusSortingExtractor,
    read_cellexplorer as read_cellexplorer,
    read_hdsort as read_hdsort,
    read_waveclus as read_waveclus,
)
from .maxwell_events import (
    MaxwellEventExtractor as MaxwellEventExtractor,
    read_maxwell_event as read_maxwell_event,
)
from .mclust_sorting import (
    MClustSortingExtractor as MClustSortingExtractor,
    read_mclust as read_mclust,
)
from .mcs_recording import (
    MCSH5RecordingExtractor as MCSH5RecordingExtractor,
    read_mcsh5 as read_mcsh5,
)
from .mda_recording import (
    MdaRecordingExtractor as MdaRecordingExtractor,
    MdaSortingExtractor as MdaSortingExtractor,
    read_mda_recording as read_mda_recording,
    read_mda_sorting as read_mda_sorting,
)
from .mearec_files import (
    MEArecRecordingExtractor as MEArecRecordingExtractor,
    MEArecSortingExtractor as MEArecSortingExtractor,
    read_mearec as read_mearec,
    read_mearec_recording as read_mearec_recording,
    read_mearec_sorting as read_mearec_sorting,
)
from .mearec_templates import (
    MEArecTemplates as MEArecTemplates,
    read_mearec_templates as read_mearec_templates,
)
from .neo_event_readers import (
    AlphaOmegaEventExtractor as AlphaOmegaEventExtractor,
    Plexon2EventExtractor as Plexon2EventExtractor,
    read_alphaomega_event as read_alphaomega_event,
    read_plexon2_event as read_plexon2_event,
)
from .neo_readers import (
    AlphaOmegaRecordingExtractor as AlphaOmegaRecordingExtractor,
    AxographRecordingExtractor as AxographRecordingExtractor,
    AxonaRecordingExtractor as AxonaRecordingExtractor,
    AxonRecordingExtractor as AxonRecordingExtractor,
    BiocamRecordingExtractor as BiocamRecordingExtractor,
    BlackrockRecordingExtractor as BlackrockRecordingExtractor,
    BrainVisionRecordingExtractor as BrainVisionRecordingExtractor,
    CedRecordingExtractor as CedRecordingExtractor,
    EDFRecordingExtractor as EDFRecordingExtractor,
    ElanRecordingExtractor as ElanRecordingExtractor,
    IntanRecordingExtractor as IntanRecordingExtractor,
    MaxwellRecordingExtractor as MaxwellRecordingExtractor,
    MCSRawRecordingExtractor as MCSRawRecordingExtractor,
    MedRecordingExtractor as MedRecordingExtractor,
    MicromedRecordingExtractor as MicromedRecordingExtractor,
    NeuralynxRecordingExtractor as NeuralynxRecordingExtractor,
    NeuroExplorerRecordingExtractor as NeuroExplorerRecordingExtractor,
    NeuroNexusRecordingExtractor as NeuroNexusRecordingExtractor,
    NeuroScopeRecordingExtractor as NeuroScopeRecordingExtractor,
    NixRecordingExtractor as NixRecordingExtractor,
    OpenEphysLegacyRecordingExtractor as OpenEphysLegacyRecordingExtractor,
    Plexon2RecordingExtractor as Plexon2RecordingExtractor,
    PlexonRecordingExtractor as PlexonRecordingExtractor,
    Spike2RecordingExtractor as Spike2RecordingExtractor,
    SpikeGadgetsRecordingExtractor as SpikeGadgetsRecordingExtractor,
    TdtRecordingExtractor as TdtRecordingExtractor,
    WinEdrRecordingExtractor as WinEdrRecordingExtractor,
    WinWcpRecordingExtractor as WinWcpRecordingExtractor,
    get_neo_extractors as get_neo_extractors,
    get_neo_num_blocks as get_neo_num_blocks,
    get_neo_streams as get_neo_streams,
    read_alphaomega as read_alphaomega,
    read_axograph as read_axograph,
    read_axon as read_axon,
    read_axona as read_axona,
    read_biocam as read_biocam,
    read_blackrock as read_blackrock,
    read_brainvision as read_brainvision,
    read_ced as read_ced,
    read_edf as read_edf,
    read_elan as read_elan,
    read_intan as read_intan,
    read_maxwell as read_maxwell,
    read_mcsraw as read_mcsraw,
    read_med as read_med,
    read_micromed as read_micromed,
    read_neo as read_neo,
    read_neuralynx as read_neuralynx,
    read_neuroexplorer as read_neuroexplorer,
    read_neuronexus as read_neuronexus,
    read_nix as read_nix,
    read_openephys_legacy as read_openephys_legacy,
    read_plexon as read_plexon,
    read_plexon2 as read_plexon2,
    read_spike2 as read_spike2,
    read_spikegadgets as read_spikegadgets,
    read_tdt as read_tdt,
    read_winedr as read_winedr,
    read_winwcp as read_winwcp,
)
from .neo_recording import (
    NeoRecordingExtractor as NeoRecordingExtractor,
)
from .neo_spikes import (
    BlackrockSortingExtractor as BlackrockSortingExtractor,
    NeoEventExtractor as NeoEventExtractor,
    NeoSortingExtractor as NeoSortingExtractor,
    NeuralynxSortingExtractor as NeuralynxSortingExtractor,
    NeuroExplorerSortingExtractor as NeuroExplorerSortingExtractor,
    Plexon2SortingExtractor as Plexon2SortingExtractor,
    PlexonSortingExtractor as PlexonSortingExtractor,
    read_blackrock_sorting as read_blackrock_sorting,
    read_neo_event as read_neo_event,
    read_neo_sorting as read_neo_sorting,
    read_neuralynx_sorting as read_neuralynx_sorting,
    read_neuroexplorer_sorting as read_neuroexplorer_sorting,
    read_plexon2_sorting as read_plexon2_sorting,
    read_plexon_sorting as read_plexon_sorting,
)
from .neuroscope_files import (
    NeuroScopeSortingExtractor as NeuroScopeSortingExtractor,
    read_neuroscope as read_neuroscope,
    read_neuroscope_recording as read_neuroscope_recording,
    read_neuroscope_sorting as read_neuroscope_sorting,
)
from .nwb_events import (
    NwbEventExtractor as NwbEventExtractor,
    read_nwb_event as read_nwb_event,
)
from .nwb_recording import (
    NwbRecordingExtractor as NwbRecordingExtractor,
    read_nwb_recording as read_nwb_recording,
)
from .nwb_sorting import (
    NwbSortingExtractor as NwbSortingExtractor,
    read_nwb as read_nwb,
    read_nwb_sorting as read_nwb_sorting,
)
from .nwb_timeseries import (
    NwbTimeSeriesExtractor as NwbTimeSeriesExtractor,
    read_nwb_timeseries as read_nwb_timeseries,
)
from .openephys_events import (
    OpenEphysBinaryEventExtractor as OpenEphysBinaryEventExtractor,
    read_openephys_event as read_openephys_event,
)
from .openephys_recording import (
    OpenEphysBinaryRecordingExtractor as OpenEphysBinaryRecordingExtractor,
    read_openephys as read_openephys,
)
from .phy_sorting import (
    KiloSortSortingExtractor as KiloSortSortingExtractor,
    PhySortingExtractor as PhySortingExtractor,
    read_kilosort as read_kilosort,
    read_phy as read_phy,
)
from .plain_arrays import (
    NpyRecordingExtractor as NpyRecordingExtractor,
    read_npy_recording as read_npy_recording,
)
from .prb_files import read_prb as read_prb, read_probe_file as read_probe_file
from .python_files import (
    read_python as read_python,
    write_python as write_python,
)
from .reader_registry import (
    Reader as Reader,
    get_available_readers as get_available_readers,
    get_readers as get_readers,
    register_readers as register_readers,
)
from .reading import (
    read as read,
)
from .sinaps_hdf5_recording import (
    SinapsResearchPlatformH5RecordingExtractor as SinapsResearchPlatformH5RecordingExtractor,
    read_sinaps_research_platform_h5 as read_sinaps_research_platform_h5,
)
from .sinaps_recording import (
    SinapsResearchPlatformRecordingExtractor as SinapsResearchPlatformRecordingExtractor,
    read_sinaps_research_platform as read_sinaps_research_platform,
)
from .spikeglx_events import (
    SpikeGLXEventExtractor as SpikeGLXEventExtractor,
    read_spikeglx_event as read_spikeglx_event,
)
from .spikeglx_recording import (
    SpikeGLXRecordingExtractor as SpikeGLXRecordingExtractor,
    read_spikeglx as read_spikeglx,
    read_spikeglx_probe as read_spikeglx_probe,
)
from .spykingcircus_sorting import (
    SpykingCircusSortingExtractor as SpykingCircusSortingExtractor,
    read_spykingcircus as read_spykingcircus,
)
from .table_events import (
    TableEventExtractor as TableEventExtractor,
    read_event_table as read_event_table,
)
from .trace_files import (
    TraceFilesRecording as TraceFilesRecording,
    read_traces as read_traces,
)
from .tridesclous_sorting import (
    TridesclousSortingExtractor as TridesclousSortingExtractor,
    read_tridesclous as read_tridesclous,
)
from .waveclus_snippets import (
    WaveClusSnippetsExtractor as WaveClusSnippetsExtractor,
    read_waveclus_snippets as read_waveclus_snippets,
)
from .whitematter_recording import (
    WhiteMatterRecordingExtractor as WhiteMatterRecordingExtractor,
    read_whitematter as read_whitematter,
)
from .xclust_sorting import (
    XClustSortingExtractor as XClustSortingExtractor,
    read_xclust as read_xclust,
)
from .yass_sorting import (
    YassSortingExtractor as YassSortingExtractor,
    read_yass as read_yass,
)
