"""Motion of the tissue along the probe: by how much it was displaced when, and at what depth."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.core.class_names import PEER_VERSION
from spikeloom.errors import DataError, MissingFileError, ParameterError
from spikeloom.storage.arrays import npy_writer, open_npy
from spikeloom.storage.atomic import write_atomic
from spikeloom.storage.provenance_json import encode_json, read_provenance
from spikeloom.storage.staged_saves import staged_save

_INFO = "spikeinterface_info.json"
_DIRECTIONS = ("x", "y", "z")


class Motion:
    """Displacement of the tissue over time and depth, by segment.

    Parameters
    ----------
    displacement : ndarray or list of ndarray, each of shape (n_times, n_depths)
        In micrometres. One array stands for one segment.
    temporal_bins_s : ndarray or list of ndarray, each of shape (n_times,)
        Middles of the bins of time in seconds, increasing.
    spatial_bins_um : ndarray of shape (n_depths,)
        Middles of the windows along the probe in micrometres, increasing. One for rigid motion.
    direction : {"x", "y", "z"}, default "y"
        Axis of the probe along which tissue moves.
    interpolation_method : str, default "linear"
        How to find the displacement between the middles: "linear" or "nearest"; others need scipy
        (see its RegularGridInterpolator).

    Raises
    ------
    ParameterError
        If the shapes do not fit each other, or the direction is unknown.

    Examples
    --------
    >>> motion = Motion(np.array([[0.0], [10.0]]), np.array([1.0, 2.0]), np.array([500.0]))
    >>> motion
    Motion rigid - interval 1.0s - 1 segments
    >>> motion.get_displacement_at_time_and_depth([0.0, 1.25, 9.0], [10.0, 20.0, 30.0])
    array([ 0. , 2.5, 10. ])
    """

    def __init__(
        self,
        displacement: NDArray[Any] | Sequence[Any],
        temporal_bins_s: NDArray[Any] | Sequence[Any],
        spatial_bins_um: ArrayLike,
        direction: str = "y",
        interpolation_method: str = "linear",
    ) -> None:
        if isinstance(displacement, np.ndarray) and displacement.ndim == 2:
            displacement, temporal_bins_s = [displacement], [temporal_bins_s]
        self.displacement: list[NDArray[Any]] = [np.asarray(each) for each in displacement]
        self.temporal_bins_s: list[NDArray[Any]] = [np.asarray(each) for each in temporal_bins_s]
        self.spatial_bins_um: NDArray[Any] = np.asarray(spatial_bins_um)
        self.direction = direction
        self.interpolation_method = interpolation_method
        self.check_properties()

    @property
    def num_segments(self) -> int:
        """Number of segments."""
        return len(self.displacement)

    @property
    def dim(self) -> int:
        """Column of positions that motion is along."""
        return _DIRECTIONS.index(self.direction)

    @property
    def temporal_bin_edges_s(self) -> list[NDArray[np.floating]]:
        """Edges of the bins of time in seconds, each of shape (n_times + 1,)."""
        return [ensure_time_bin_edges(middles) for middles in self.temporal_bins_s]

    def check_properties(self) -> None:
        """Raise ParameterError if shapes do not fit each other, or the direction is unknown."""
        if self.direction not in _DIRECTIONS:
            msg = f"direction must be one of x, y, z; got {self.direction!r}."
            raise ParameterError(msg)
        n_depths = self.spatial_bins_um.shape
        shapes = [each.shape for each in self.displacement]
        wanted = [(*each.shape, *n_depths) for each in self.temporal_bins_s]
        if len(n_depths) != 1 or shapes != wanted or any(len(shape) != 2 for shape in shapes):
            msg = (
                f"Displacement of shape {shapes} does not fit bins of time and depth, of shape "
                f"{[each.shape for each in self.temporal_bins_s]} and {n_depths}: each segment "
                "needs (n_times, n_depths)."
            )
            raise ParameterError(msg)

    def __repr__(self) -> str:
        n_depths = self.spatial_bins_um.size
        kind = "rigid" if n_depths == 1 else f"non-rigid - {n_depths} spatial bins"
        times_s = self.temporal_bins_s[0] if self.num_segments else np.zeros(0)
        interval_s = times_s[1] - times_s[0] if times_s.size > 1 else float("nan")
        return f"Motion {kind} - interval {interval_s}s - {self.num_segments} segments"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Motion) or self.num_segments != other.num_segments:
            return False
        ours = [*self.displacement, *self.temporal_bins_s, self.spatial_bins_um]
        theirs = [*other.displacement, *other.temporal_bins_s, other.spatial_bins_um]
        return (self.direction, self.interpolation_method) == (
            other.direction,
            other.interpolation_method,
        ) and all(
            one.shape == two.shape and np.allclose(one, two)
            for one, two in zip(ours, theirs, strict=True)
        )

    __hash__ = None  # type: ignore[assignment]  # equal by content, which can be changed

    def copy(self) -> "Motion":
        """Return a copy that shares nothing."""
        return Motion(
            [each.copy() for each in self.displacement],
            [each.copy() for each in self.temporal_bins_s],
            self.spatial_bins_um.copy(),
            direction=self.direction,
            interpolation_method=self.interpolation_method,
        )

    def get_boundaries(self) -> tuple[float, float]:
        """Return least and greatest displacement in micrometres."""
        parts = [each for each in self.displacement if each.size]
        if not parts:
            return 0.0, 0.0
        return float(min(each.min() for each in parts)), float(max(each.max() for each in parts))

    def get_displacement_at_time_and_depth(
        self,
        times_s: ArrayLike,
        locations_um: ArrayLike,
        segment_index: int | None = None,
        grid: bool = False,
    ) -> NDArray[np.float64]:
        """Return the displacement at some times and positions.

        Outside of the bins it is that at their edge.

        Parameters
        ----------
        times_s : array_like of shape (n_times,)
            In seconds.
        locations_um : array_like of shape (n_positions,) or (n_positions, 2 or 3)
            Positions along the direction of motion, or in all directions, in micrometres.
        segment_index : int, optional
            Needed if there are several segments.
        grid : bool, default False
            Every position at every time, rather than a position for each time.

        Returns
        -------
        ndarray of shape (n_times,), or (n_positions, n_times) for a grid
            In micrometres.

        Raises
        ------
        ParameterError
            If there is not a position for each time, or the segment is missing or unknown.
        """
        k = self._segment(segment_index)
        times = np.asarray(times_s, np.float64)
        depths_um = np.asarray(locations_um, np.float64)
        if depths_um.ndim == 2:
            depths_um = depths_um[:, self.dim]
        if times.ndim != 1 or depths_um.ndim != 1 or not (grid or times.shape == depths_um.shape):
            msg = (
                f"Times of shape {times.shape} and positions of shape {depths_um.shape} do not fit;"
                " give as many of the one as of the other, or grid=True."
            )
            raise ParameterError(msg)
        shape: tuple[int, ...] = times.shape
        if grid:
            shape = (depths_um.size, times.size)
            depths_um, times = (
                values.ravel() for values in np.meshgrid(depths_um, times, indexing="ij")
            )
        axes = (self.temporal_bins_s[k], self.spatial_bins_um)
        found = _interpolated(
            axes, self.displacement[k], (times, depths_um), self.interpolation_method
        )
        return found.reshape(shape)

    def _segment(self, segment_index: int | None) -> int:
        if segment_index is None and self.num_segments == 1:
            return 0
        if segment_index is None or not 0 <= segment_index < self.num_segments:
            msg = (
                f"Several segments need segment_index=, between 0 and {self.num_segments - 1}; got "
                f"{segment_index}."
            )
            raise ParameterError(msg)
        return int(segment_index)

    # -- files -------------------------------------------------------------------------------

    def to_dict(self) -> dict[str, Any]:
        """Return a dictionary that `from_dict` takes, with arrays in it."""
        return {
            "object": "Motion",
            "displacement": self.displacement,
            "temporal_bins_s": self.temporal_bins_s,
            "spatial_bins_um": self.spatial_bins_um,
            "interpolation_method": self.interpolation_method,
            "direction": self.direction,
        }

    @staticmethod
    def from_dict(d: Mapping[str, Any]) -> "Motion":
        """Make it of a dictionary of `to_dict`, in which arrays may be lists."""
        return Motion(
            [np.asarray(each, np.float64) for each in d["displacement"]],
            [np.asarray(each, np.float64) for each in d["temporal_bins_s"]],
            np.asarray(d["spatial_bins_um"], np.float64),
            direction=d.get("direction", "y"),
            interpolation_method=d.get("interpolation_method", "linear"),
        )

    def save(self, folder: str | Path, overwrite: bool = False) -> None:
        """Save to a folder, whole or not at all.

        Parameters
        ----------
        folder : str or Path
            The folder.
        overwrite : bool, default False
            Replace the motion that is there.

        Raises
        ------
        WriteError
            If something is there (a FileExistsError, too), or it cannot be written.
        """
        info = {
            "version": PEER_VERSION,
            "dev_mode": False,
            "object": "Motion",
            "num_segments": self.num_segments,
            "direction": self.direction,
            "interpolation_method": self.interpolation_method,
        }
        with staged_save(Path(folder), overwrite=overwrite, is_replaceable=_is_motion) as staging:
            staging.path.mkdir(exist_ok=True)
            write_atomic(staging.path / _INFO, encode_json(info))
            arrays = {"spatial_bins_um": self.spatial_bins_um}
            for k in range(self.num_segments):
                arrays[f"displacement_seg{k}"] = self.displacement[k]
                arrays[f"temporal_bins_s_seg{k}"] = self.temporal_bins_s[k]
            for name, array in arrays.items():
                write_atomic(staging.path / f"{name}.npy", npy_writer(array))

    @classmethod
    def load(cls, folder: str | Path) -> "Motion":
        """Load from a folder that `save` made, here or in SpikeInterface.

        Raises
        ------
        MissingFileError
            If there is no such folder.
        DataError
            If it holds something else.
        """
        folder = Path(folder)
        if not (folder / _INFO).is_file():
            msg = f"The folder {folder} does not contain a Motion object: it has no {_INFO}."
            raise MissingFileError(2, msg)
        info = read_provenance(folder / _INFO)
        if info.get("object") != "Motion":
            kind = info.get("object")
            msg = f"The folder {folder} does not contain a Motion object, but a {kind}."
            raise DataError(msg)
        n_segments = int(info["num_segments"])
        return cls(
            [np.array(open_npy(folder / f"displacement_seg{k}.npy")) for k in range(n_segments)],
            [np.array(open_npy(folder / f"temporal_bins_s_seg{k}.npy")) for k in range(n_segments)],
            np.array(open_npy(folder / "spatial_bins_um.npy")),
            direction=info["direction"],
            interpolation_method=info["interpolation_method"],
        )


def load_motion(folder: str | Path, **_options: Any) -> Motion:
    """Load motion from a folder."""
    return Motion.load(folder)


def ensure_time_bin_edges(time_bin_centers_s: ArrayLike) -> NDArray[np.floating]:
    """Return edges of bins of time halfway between their middles; the outer edges are middles.

    Examples
    --------
    >>> ensure_time_bin_edges([1.0, 2.0, 4.0])
    array([1. , 1.5, 3. , 4. ])
    """
    middles = np.asarray(time_bin_centers_s, np.float64)
    if not middles.size:
        return np.zeros(1)
    between = (middles[1:] + middles[:-1]) / 2
    return np.concatenate([middles[:1], between, middles[-1:]])


def _is_motion(folder: Path) -> bool:
    return (folder / _INFO).is_file() and read_provenance(folder / _INFO).get("object") == "Motion"


def _interpolated(
    axes: tuple[NDArray[Any], NDArray[Any]],
    values: NDArray[Any],
    points: tuple[NDArray[np.float64], NDArray[np.float64]],
    method: Any,
) -> NDArray[np.float64]:
    """Return values on a grid at points, which are moved into the grid."""
    moved = [np.clip(p, axis.min(), axis.max()) for p, axis in zip(points, axes, strict=True)]
    if method not in {"linear", "nearest"}:
        from scipy.interpolate import RegularGridInterpolator  # noqa: PLC0415 - rarely needed

        interpolator = RegularGridInterpolator(axes, values, method=method)
        return np.asarray(interpolator(np.column_stack(moved)), np.float64)
    (low_t, high_t, part_t), (low_d, high_d, part_d) = (
        _neighbours(axis, p) for axis, p in zip(axes, moved, strict=True)
    )
    if method == "nearest":
        rows = np.where(part_t <= 0.5, low_t, high_t)
        return np.asarray(values[rows, np.where(part_d <= 0.5, low_d, high_d)], np.float64)
    at_low = values[low_t, low_d] * (1 - part_d) + values[low_t, high_d] * part_d
    at_high = values[high_t, low_d] * (1 - part_d) + values[high_t, high_d] * part_d
    return np.asarray(at_low * (1 - part_t) + at_high * part_t, np.float64)


def _neighbours(
    axis: NDArray[Any], points: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Return the grid places below and above each point, and how far it is from the one below."""
    low = np.clip(np.searchsorted(axis, points, side="right") - 1, 0, max(0, axis.size - 2))
    high = np.minimum(low + 1, axis.size - 1)
    width = np.where(high > low, axis[high] - axis[low], 1.0)
    return low, high, (points - axis[low]) / width
