# Public names of this room, by module; imported when first used.
from .experiment import (
    Experiment as Experiment,
)
from .kwik import (
    KwikModel as KwikModel,
)
