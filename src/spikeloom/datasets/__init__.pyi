# Public names of this room, by module; imported when first used.
from .experiment import (
    Experiment as Experiment,
)
from .kilosort_analyzer import (
    read_kilosort_as_analyzer as read_kilosort_as_analyzer,
)
from .kwik import (
    KwikModel as KwikModel,
)
