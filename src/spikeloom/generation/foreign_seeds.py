"""Seeds of other programs, from which we would draw other numbers."""

from collections.abc import Mapping
from typing import Any

from spikeloom.errors import DataError


def refuse_foreign_seed(description: Mapping[str, Any]) -> None:
    """Refuse to make an object from a seed that SpikeInterface drew from.

    Parameters
    ----------
    description : mapping
        Description of the object, as `to_dict` returns it.

    Raises
    ------
    DataError
        If it was made by SpikeInterface: the same seed would give other data here, which nobody
        would notice.

    Examples
    --------
    >>> refuse_foreign_seed({"class": "spikeloom.generation.NoiseGeneratorRecording"})
    >>> refuse_foreign_seed({"class": "spikeinterface.generation.NoiseGeneratorRecording"})
    Traceback (most recent call last):
    spikeloom.errors.DataError: A NoiseGeneratorRecording of SpikeInterface is drawn anew from its
    seed each time, and spikeloom draws other numbers from the same seed. ...
    """
    path = str(description.get("class", ""))
    if not path.startswith("spikeinterface."):
        return
    name = path.rpartition(".")[2]
    msg = (
        f"A {name} of SpikeInterface is drawn anew from its seed each time, and spikeloom draws "
        "other numbers from the same seed. Save the data themselves in SpikeInterface, "
        "e.g. with .save(folder=...), and load what was saved."
    )
    raise DataError(msg)
