# Public names of this room, by module; imported when first used.
from .analyzer_to_nwb import (
    export_to_nwb as export_to_nwb,
)
from .analyzer_to_phy import (
    export_to_phy as export_to_phy,
)
from .analyzer_to_pynapple import (
    to_pynapple_tsgroup as to_pynapple_tsgroup,
)
from .comparing import (
    Differences as Differences,
    find_differences as find_differences,
)
from .conversion import (
    Conversion as Conversion,
    ConversionPlan as ConversionPlan,
    convert as convert,
    plan_conversion as plan_conversion,
)
from .kwik_files import (
    KwikChannelGroupData as KwikChannelGroupData,
    write_kwik as write_kwik,
)
from .nwb_units import (
    add_units_to_nwbfile as add_units_to_nwbfile,
)
from .recording_to_nwb import (
    export_recording_to_nwb as export_recording_to_nwb,
)
from .sorting_to_alf import (
    write_alf_sorting as write_alf_sorting,
)
from .sorting_to_kwik import (
    export_to_kwik as export_to_kwik,
)
from .sorting_to_phy import (
    write_phy_sorting as write_phy_sorting,
)
from .writer_registry import (
    Writer as Writer,
    get_writers as get_writers,
    register_writers as register_writers,
)
