# Public names of this room, by module; imported when first used.
from .download import (
    download_dataset as download_dataset,
)
from .python_files import (
    read_python as read_python,
    write_python as write_python,
)
from .waveclus_snippets import (
    WaveClusSnippetsExtractor as WaveClusSnippetsExtractor,
    read_waveclus_snippets as read_waveclus_snippets,
)
