"""Where spikeloom keeps what is its own: caches and user state, outside the data."""

import os
from pathlib import Path

import platformdirs

from spikeloom.storage.fingerprints import fingerprint_text

DATASET_FOLDER = ".spikeloom"
"""Folder made beside a dataset at the first edit or save, never by opening."""


def cache_folder() -> Path:
    """Return the folder for what can be computed again (``SPIKELOOM_CACHE_DIR`` overrides it)."""
    override = os.environ.get("SPIKELOOM_CACHE_DIR")
    return Path(override) if override else platformdirs.user_cache_path("spikeloom")


def state_folder() -> Path:
    """Return the folder for the user's layouts, settings and, where a dataset is read-only,
    journals (``SPIKELOOM_STATE_DIR`` overrides it).
    """  # noqa: D205 - one sentence
    override = os.environ.get("SPIKELOOM_STATE_DIR")
    return Path(override) if override else platformdirs.user_state_path("spikeloom")


def private_folder(data_folder: Path) -> Path:
    """Return the user's own folder for one dataset, named after where the dataset lies."""
    resolved = data_folder.resolve()
    return state_folder() / "datasets" / f"{resolved.name}-{fingerprint_text(str(resolved))[:12]}"


def is_writable(folder: Path) -> bool:
    """Tell whether files can be made in `folder`, without making one."""
    return os.access(folder, os.W_OK | os.X_OK)
