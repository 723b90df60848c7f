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
from .kwik_files import (
    KwikChannelGroupData as KwikChannelGroupData,
    write_kwik as write_kwik,
)
from .nwb_units import (
    add_units_to_nwbfile as add_units_to_nwbfile,
)
from .sorting_to_kwik import (
    export_to_kwik as export_to_kwik,
)
