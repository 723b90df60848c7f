"""Events of rigs that neo reads, under the names that SpikeInterface has for them."""

from pathlib import Path

from spikeloom.core.class_names import stored_as
from spikeloom.extractors.neo_spikes import NeoEventExtractor


@stored_as("spikeinterface.extractors.neoextractors.alphaomega.AlphaOmegaEventExtractor")
class AlphaOmegaEventExtractor(NeoEventExtractor):
    """Events of a folder of Alpha Omega.

    Parameters
    ----------
    folder_path : str or Path
        The folder with ``.mpx`` files.

    Raises
    ------
    MissingFileError, ReadError
        If there is nothing at the path, or neo cannot read it.
    MissingDependencyError
        If neo is not installed.
    """

    def __init__(self, folder_path: str | Path) -> None:
        super().__init__(folder_path, "alphaomega")
        self._kwargs = {"folder_path": self._kwargs["path"]}


@stored_as("spikeinterface.extractors.neoextractors.plexon2.Plexon2EventExtractor")
class Plexon2EventExtractor(NeoEventExtractor):
    """Events of a Plexon 2 file.

    Parameters
    ----------
    folder_path : str or Path
        The ``.pl2`` file, which SpikeInterface calls so.
    block_index : int, optional
        Which block; needed if there are several.
    use_names_as_ids : bool, default False
        Call channels by their names rather than by their ids.

    Raises
    ------
    MissingFileError, ReadError
        If there is nothing at the path, or neo cannot read it.
    MissingDependencyError
        If neo is not installed, or what it needs for this format.
    ParameterError
        If there are several blocks and none was chosen.
    """

    def __init__(
        self,
        folder_path: str | Path,
        block_index: int | None = None,
        use_names_as_ids: bool = False,
    ) -> None:
        super().__init__(folder_path, "plexon2", block_index, use_names_as_ids)
        self._kwargs = {
            "folder_path": self._kwargs["path"],
            "block_index": block_index,
            "use_names_as_ids": use_names_as_ids,
        }


def read_alphaomega_event(folder_path: str | Path) -> AlphaOmegaEventExtractor:
    """Read the events of a folder of Alpha Omega; see `AlphaOmegaEventExtractor`."""
    return AlphaOmegaEventExtractor(folder_path)


def read_plexon2_event(
    folder_path: str | Path, block_index: int | None = None, use_names_as_ids: bool = False
) -> Plexon2EventExtractor:
    """Read the events of a Plexon 2 file; see `Plexon2EventExtractor`."""
    return Plexon2EventExtractor(folder_path, block_index, use_names_as_ids)
