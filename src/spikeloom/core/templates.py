"""Templates: the average waveforms of units, on all channels or on their own alone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.core.ids import IdIndex
from spikeloom.core.sparsity import ChannelSparsity
from spikeloom.core.template_peaks import PeakMode, PeakSign, main_channels
from spikeloom.errors import DataError, ParameterError
from spikeloom.storage.provenance_json import decode_json, encode_json

if TYPE_CHECKING:
    from probeinterface import Probe


@dataclass(eq=False)
class Templates:
    """The average waveforms of units.

    With a sparsity mask, each unit has its own channels only: they are the first columns of its
    template, in order, and the columns behind are zero.

    Raises
    ------
    ParameterError
        If shapes, ids or probe do not fit each other, or templates with a mask are not sparse.

    Examples
    --------
    >>> templates = Templates(np.zeros((2, 90, 4)), 30000.0, nbefore=30, unit_ids=["a", "b"])
    >>> templates.num_channels, templates.ms_before
    (4, 1.0)
    >>> templates.select_units(["b"]).unit_ids
    array(['b'], dtype='<U1')
    """

    templates_array: NDArray[Any]
    """Shape (n_units, n_samples, n_channels), or fewer channels with a mask."""
    sampling_frequency: float
    """In Hz."""
    nbefore: int
    """Samples before the spike."""
    is_in_uV: bool = True
    """Whether values are microvolts rather than steps of the file."""
    sparsity_mask: NDArray[np.bool_] | None = None
    """Which channels each unit has; shape (n_units, n_channels). None for all."""
    channel_ids: NDArray[Any] = None  # type: ignore[assignment]  # an array from then on
    """0, 1, 2, … by default; shape (n_channels,)."""
    unit_ids: NDArray[Any] = None  # type: ignore[assignment]  # an array from then on
    """0, 1, 2, … by default; shape (n_units,)."""
    probe: "Probe | None" = None
    """Its contacts are in the order of the channels."""
    check_for_consistent_sparsity: bool = True
    """Whether to look if templates with a mask are sparse."""
    num_units: int = field(init=False)
    """Number of units."""
    num_samples: int = field(init=False)
    """Samples of a template."""
    num_channels: int = field(init=False)
    """Number of channels."""
    nafter: int = field(init=False)
    """Samples from the spike on."""
    ms_before: float = field(init=False)
    """Milliseconds before the spike."""
    ms_after: float = field(init=False)
    """Milliseconds from the spike on."""
    sparsity: ChannelSparsity | None = field(init=False, default=None)
    """What the mask says, with ids; None without one."""

    def __post_init__(self) -> None:
        self.templates_array = np.asarray(self.templates_array)
        if self.templates_array.ndim != 3:
            shape = self.templates_array.shape
            msg = f"Templates have the shape (n_units, n_samples, n_channels); got {shape}."
            raise ParameterError(msg)
        self.num_units, self.num_samples, self.num_channels = self.templates_array.shape
        if self.sparsity_mask is not None:
            self.sparsity_mask = np.asarray(self.sparsity_mask, bool)
            self.num_channels = int(self.sparsity_mask.shape[1])
        self.channel_ids = _as_ids(self.channel_ids, self.num_channels, "channel")
        self.unit_ids = _as_ids(self.unit_ids, self.num_units, "unit")
        _check_probe(self.probe, self.num_channels)
        self.nbefore = int(self.nbefore)
        self.nafter = self.num_samples - self.nbefore
        self.ms_before = self.nbefore / self.sampling_frequency * 1000
        self.ms_after = self.nafter / self.sampling_frequency * 1000
        if self.sparsity_mask is not None:
            self.sparsity = ChannelSparsity(self.sparsity_mask, self.unit_ids, self.channel_ids)
            if self.check_for_consistent_sparsity:
                self._check_is_sparse(self.sparsity)

    def _check_is_sparse(self, sparsity: ChannelSparsity) -> None:
        for template, unit_id in zip(self.templates_array, sparsity.unit_ids.tolist(), strict=True):
            if not sparsity.are_waveforms_sparse(template, unit_id):
                msg = (
                    "Sparsity mask passed but the templates are not sparse: that of unit "
                    f"{unit_id!r} is not on its own channels alone. Use "
                    "Templates(...).to_sparse(mask) for templates on all channels."
                )
                raise ParameterError(msg)

    def __repr__(self) -> str:
        lines = [
            f"Templates: {self.num_units} units - {self.num_samples} samples - "
            f"{self.num_channels} channels ",
            f"sampling_frequency={self.sampling_frequency / 1000:.2f} kHz - "
            f"ms_before={self.ms_before:.2f} ms - ms_after={self.ms_after:.2f} ms",
        ]
        lines += [repr(part) for part in (self.probe, self.sparsity) if part is not None]
        return "\n".join(lines)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Templates):
            return False
        arrays = ("templates_array", "sparsity_mask", "channel_ids", "unit_ids")
        scalars = ("sampling_frequency", "nbefore", "is_in_uV")
        return (
            all(_is_same(getattr(self, name), getattr(other, name)) for name in arrays)
            and all(getattr(self, name) == getattr(other, name) for name in scalars)
            and bool(self.probe == other.probe)
        )

    __hash__ = None  # type: ignore[assignment]  # equal by content, which can be changed

    # -- parts -------------------------------------------------------------------------------

    def select_units(self, unit_ids: Iterable[Any]) -> "Templates":
        """Return the templates of some units, in the order given.

        Raises
        ------
        ParameterError
            If a unit is unknown.
        """
        indices = np.asarray(IdIndex(self.unit_ids, "unit id").positions(unit_ids), np.int64)
        mask = self.sparsity_mask
        return replace(
            self,
            templates_array=self.templates_array[indices],
            sparsity_mask=None if mask is None else mask[indices],
            unit_ids=self.unit_ids[indices],
            check_for_consistent_sparsity=False,
        )

    def select_channels(self, channel_ids: Iterable[Any]) -> "Templates":
        """Return the templates on some channels, in the order given, with that part of the probe.

        Raises
        ------
        ParameterError
            If a channel is unknown.
        """
        indices = np.asarray(IdIndex(self.channel_ids, "channel id").positions(channel_ids))
        indices = indices.astype(np.int64)
        part = replace(
            self,
            templates_array=self.get_dense_templates()[:, :, indices],
            sparsity_mask=None,
            channel_ids=self.channel_ids[indices],
            probe=_probe_part(self.probe, indices),
        )
        mask = self.sparsity_mask
        return part if mask is None else part.to_sparse(mask[:, indices])

    def to_sparse(self, sparsity: ChannelSparsity | NDArray[np.bool_]) -> "Templates":
        """Return the templates on the channels of their units alone.

        Parameters
        ----------
        sparsity : ChannelSparsity, or ndarray of shape (n_units, n_channels) and dtype bool

        Raises
        ------
        ParameterError
            If it does not fit, or templates are sparse already.
        """
        if self.sparsity is not None:
            msg = "These templates are sparse already; call to_dense() first."
            raise ParameterError(msg)
        if not isinstance(sparsity, ChannelSparsity):
            sparsity = ChannelSparsity(sparsity, self.unit_ids, self.channel_ids)
        array = sparsity.sparsify_templates(self.templates_array)
        return replace(self, templates_array=array, sparsity_mask=sparsity.mask)

    def to_dense(self) -> "Templates":
        """Return the templates on all channels; these ones, if they are already."""
        if self.sparsity is None:
            return self
        return replace(self, templates_array=self.get_dense_templates(), sparsity_mask=None)

    # -- values ------------------------------------------------------------------------------

    def are_templates_sparse(self) -> bool:
        """Return whether each unit has its own channels only."""
        return self.sparsity is not None

    def get_one_template_dense(self, unit_index: int) -> NDArray[Any]:
        """Return the template of the unit at a position, shape (n_samples, n_channels)."""
        template: NDArray[Any] = self.templates_array[unit_index]
        if self.sparsity is None:
            return template
        return self.sparsity.densify_waveforms(template, self.unit_ids[unit_index])

    def get_dense_templates(self) -> NDArray[Any]:
        """Return all templates on all channels, shape (n_units, n_samples, n_channels)."""
        if self.sparsity is None:
            return self.templates_array
        return self.sparsity.densify_templates(self.templates_array)

    def get_channel_locations(self) -> NDArray[np.float64]:
        """Return the positions of channels in micrometres; raises ParameterError without probe."""
        if self.probe is None:
            msg = "These templates have no probe, so the positions of channels are not known."
            raise ParameterError(msg)
        return np.asarray(self.probe.contact_positions, np.float64)

    def get_main_channels(
        self,
        peak_sign: PeakSign = "both",
        peak_mode: PeakMode = "extremum",
        outputs: Literal["index", "id"] = "index",
        with_dict: bool = False,
    ) -> Any:
        """Return the channel on which each unit is strongest.

        Parameters
        ----------
        peak_sign : {"neg", "pos", "both"}, default "both"
            Which way peaks go.
        peak_mode : {"extremum", "at_index", "peak_to_peak"}, default "extremum"
            How strong a peak is.
        outputs : {"index", "id"}, default "index"
            Positions or ids of channels.
        with_dict : bool, default False
            Return a dictionary by unit id rather than an array.

        Raises
        ------
        ParameterError
            If an option is unknown.
        """
        if outputs not in {"index", "id"}:
            msg = f"outputs must be 'index' or 'id'; got {outputs!r}."
            raise ParameterError(msg)
        channels = main_channels(self.get_dense_templates(), self.nbefore, peak_sign, peak_mode)
        found = channels if outputs == "index" else self.channel_ids[channels]
        if with_dict:
            return dict(zip(self.unit_ids.tolist(), found.tolist(), strict=True))
        return found

    # -- files -------------------------------------------------------------------------------

    def to_dict(self) -> dict[str, Any]:
        """Return a dictionary that `from_dict` takes, with arrays in it."""
        return {
            "templates_array": self.templates_array,
            "sparsity_mask": self.sparsity_mask,
            "channel_ids": self.channel_ids,
            "unit_ids": self.unit_ids,
            "sampling_frequency": self.sampling_frequency,
            "nbefore": self.nbefore,
            "is_in_uV": self.is_in_uV,
            "probe": None if self.probe is None else self.probe.to_dict(array_as_list=True),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Templates":
        """Make templates of a dictionary of `to_dict`, in which arrays may be lists.

        Raises
        ------
        DataError
            If something is missing.
        """
        missing = {"templates_array", "sampling_frequency", "nbefore"} - set(data)
        if missing:
            msg = f"This describes no templates: {', '.join(sorted(missing))} is missing."
            raise DataError(msg)
        mask, probe = data.get("sparsity_mask"), data.get("probe")
        array = np.asarray(data["templates_array"])
        if "templates_shape" in data:
            array = array.reshape(data["templates_shape"])
        if mask is not None and len(array) == 0:
            mask = np.zeros((0, len(data["channel_ids"])), bool)
        return cls(
            templates_array=array,
            sampling_frequency=float(data["sampling_frequency"]),
            nbefore=int(data["nbefore"]),
            is_in_uV=bool(data.get("is_in_uV", data.get("is_scaled", True))),
            sparsity_mask=mask,
            channel_ids=data.get("channel_ids", None),
            unit_ids=data.get("unit_ids", None),
            probe=None if probe is None else _probe_of(probe),
        )

    def to_json(self) -> str:
        """Return a JSON text that `from_json` takes."""
        # Lists do not tell the shape of what is empty.
        shape = {"templates_shape": list(self.templates_array.shape)}
        return encode_json(self.to_dict() | shape, indent=None).decode()

    @classmethod
    def from_json(cls, json_str: str) -> "Templates":
        """Make templates of a JSON text of `to_json`."""
        return cls.from_dict(decode_json(json_str, "The templates"))

    def to_zarr(self, folder_path: str | Path, overwrite: bool = False) -> None:
        """Save the templates to a zarr folder, whole or not at all.

        Parameters
        ----------
        folder_path : str or Path
            The folder; its name is taken as it is.
        overwrite : bool, default False
            Replace a zarr folder that is there.

        Raises
        ------
        WriteError
            If something is there (a FileExistsError, too), or it cannot be written.
        """
        from spikeloom.core.template_zarr import save_templates  # noqa: PLC0415 - imports zarr

        save_templates(self.to_dict(), self.probe, folder_path, overwrite=overwrite)

    @classmethod
    def from_zarr(cls, folder_path: str | Path, **storage: Any) -> "Templates":
        """Load templates from a zarr folder or URL; ``storage_options`` as fsspec takes them."""
        from spikeloom.core.template_zarr import read_templates  # noqa: PLC0415 - imports zarr

        return cls(**read_templates(folder_path, **storage))

    def add_templates_to_zarr_group(self, zarr_group: Any) -> None:
        """Write the templates to a zarr group: of the zarr package, or of `spikeloom.storage`."""
        from spikeloom.core.template_zarr import own_group, write_templates  # noqa: PLC0415

        write_templates(own_group(zarr_group), self.to_dict(), self.probe)

    @classmethod
    def from_zarr_group(cls, zarr_group: Any) -> "Templates":
        """Read templates from a zarr group that `add_templates_to_zarr_group` wrote."""
        from spikeloom.core.template_zarr import group_content, own_group  # noqa: PLC0415

        return cls(**group_content(own_group(zarr_group)))


def load_templates(location: str | Path, **options: Any) -> Templates:
    """Load templates from a zarr folder or URL."""
    return Templates.from_zarr(location, storage_options=options.get("storage_options"))


def _as_ids(ids: ArrayLike | None, n_ids: int, kind: str) -> NDArray[Any]:
    array = np.arange(n_ids) if ids is None else np.asarray(ids)
    if array.size == 0:
        array = array.reshape(0)
    if array.shape != (n_ids,):
        msg = f"{n_ids} {kind}s need an id each; got {array.size}."
        raise ParameterError(msg)
    return array


def _check_probe(probe: Any, n_channels: int) -> None:
    if probe is None:
        return
    if not hasattr(probe, "contact_positions"):
        msg = f"probe must be a Probe of the probeinterface package; got {type(probe).__name__}."
        raise ParameterError(msg)
    if probe.get_contact_count() != n_channels:
        msg = f"A probe of {probe.get_contact_count()} contacts does not fit {n_channels} channels."
        raise ParameterError(msg)


def _probe_of(description: Mapping[str, Any]) -> Any:
    from probeinterface import Probe  # noqa: PLC0415 - takes a while to import

    return Probe.from_dict(dict(description))


def _probe_part(probe: Any, indices: NDArray[np.int64]) -> Any:
    return None if probe is None or not indices.size else probe.get_slice(indices)


def _is_same(ours: Any, theirs: Any) -> bool:
    if ours is None or theirs is None:
        return ours is theirs
    return ours.dtype.kind == theirs.dtype.kind and np.array_equal(ours, theirs)
