"""How the user left the page: layout and settings, for all datasets and for each."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spikeloom.errors import ReadError, WriteError
from spikeloom.storage.json_codec import read_json, write_json
from spikeloom.storage.places import private_folder, state_folder

STATE_NAME = "state.json"


@dataclass(frozen=True, slots=True)
class KeptState:
    """State of the page that outlives it."""

    shared_path: Path
    """What holds for all datasets of an app."""
    local_path: Path
    """What holds for one dataset."""

    @classmethod
    def of(cls, app_name: str, data_folder: Path) -> "KeptState":
        """Return where the state of an app on a dataset is kept."""
        return cls(
            state_folder() / app_name / STATE_NAME,
            private_folder(data_folder) / f"{app_name}-{STATE_NAME}",
        )

    def load(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the shared and the local state; empty where there is none or it is damaged."""
        return _read(self.shared_path), _read(self.local_path)

    def keep(self, shared: dict[str, Any], local: dict[str, Any]) -> None:
        """Write both states; a full or read-only disk is no reason to stop working."""
        for path, state in ((self.shared_path, shared), (self.local_path, local)):
            try:
                write_json(path, state)
            except (WriteError, OSError):
                return

    def clear(self) -> None:
        """Forget both states.

        Raises
        ------
        WriteError
            If a file cannot be deleted.
        """
        for path in (self.shared_path, self.local_path):
            try:
                path.unlink(missing_ok=True)
            except NotADirectoryError:
                continue
            except OSError as error:
                msg = f"{path} cannot be deleted: {error.strerror or error}."
                raise WriteError(error.errno or 0, msg) from error


def _read(path: Path) -> dict[str, Any]:
    try:
        state = read_json(path)
    except ReadError:
        return {}
    return state if isinstance(state, dict) else {}
