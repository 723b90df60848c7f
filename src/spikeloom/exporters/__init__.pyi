# Public names of this room, by module; imported when first used.
from .analyzer_to_phy import (
    export_to_phy as export_to_phy,
)
