"""The only gate to packages that not everybody has installed."""

from importlib import import_module
from typing import Any

from spikeloom.errors import MissingDependencyError


def require(module: str, *, feature: str, extra: str | None = None) -> Any:  # noqa: ANN401 - any module
    """Return a module of a package that is not installed with everything.

    Parameters
    ----------
    module : str
        Name of the package, or of a module of it.
    feature : str
        What needs it, as the beginning of a sentence.
    extra : str, optional
        Extra of spikeloom that it comes with; without one, the package is to be installed.

    Raises
    ------
    MissingDependencyError
        If it is not installed; the message says how to install it.

    Examples
    --------
    >>> require("json", feature="Reading JSON", extra="json").__name__
    'json'
    >>> require("nowhere.at_all", feature="Going nowhere", extra="travel")
    Traceback (most recent call last):
    spikeloom.errors.MissingDependencyError: Going nowhere needs nowhere, which is not installed:
    pip install 'spikeloom[travel]'.
    """
    try:
        return import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        how = package.replace("_", "-") if extra is None else f"'spikeloom[{extra}]'"
        msg = f"{feature} needs {package}, which is not installed: pip install {how}."
        raise MissingDependencyError(msg) from error
