"""The normal distribution, without the package that has all distributions."""

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from spikeloom.errors import ParameterError


def normal_pdf(x: ArrayLike, mu: float = 0.0, sigma: float = 1.0) -> Any:
    """Return the density of a normal distribution.

    Parameters
    ----------
    x : array_like
        Where.
    mu : float, default 0.0
        Its mean.
    sigma : float, default 1.0
        Its standard deviation, positive.

    Returns
    -------
    float or ndarray
        The density, as `x` is.

    Raises
    ------
    ParameterError
        If `sigma` is not positive.

    Examples
    --------
    >>> round(float(normal_pdf(0.0)), 6)
    0.398942
    """
    if not sigma > 0:
        msg = f"The standard deviation must be positive; got {sigma}."
        raise ParameterError(msg)
    z = (np.asarray(x, np.float64) - mu) / sigma
    return (np.exp(-0.5 * z**2) / (sigma * math.sqrt(2 * math.pi)))[()]
