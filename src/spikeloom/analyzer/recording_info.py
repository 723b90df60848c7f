"""What an analyzer knows of its recording without the recording itself."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from spikeloom.core import probes
from spikeloom.core.ids import IdIndex
from spikeloom.core.recording import BaseRecording
from spikeloom.errors import ParameterError

if TYPE_CHECKING:
    from probeinterface import ProbeGroup


@dataclass
class RecordingInfo:
    """Channels, sizes, properties and probe of a recording."""

    channel_ids: NDArray[Any]
    sampling_frequency: float
    n_samples: list[int]
    """Samples of each segment."""
    is_filtered: bool
    dtype: np.dtype[Any]
    properties: dict[str, NDArray[Any]] = field(default_factory=dict)
    probegroup: "ProbeGroup | None" = None

    @classmethod
    def of(cls, recording: BaseRecording) -> Self:
        """Return what is to be known of a recording."""
        return cls(
            channel_ids=recording.channel_ids,
            sampling_frequency=recording.sampling_frequency,
            n_samples=[recording.get_num_samples(k) for k in range(recording.get_num_segments())],
            is_filtered=recording.is_filtered(),
            dtype=recording.dtype,
            properties={
                key: values
                for key in recording.get_property_keys()
                if (values := recording.get_property(key)) is not None
            },
            probegroup=probes.copied(recording.get_probegroup()) if recording.has_probe() else None,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return it as SpikeInterface writes it, without the probe."""
        return {
            "channel_ids": self.channel_ids.tolist(),
            "sampling_frequency": float(self.sampling_frequency),
            "num_channels": len(self.channel_ids),
            "num_samples": [int(n) for n in self.n_samples],
            "is_filtered": bool(self.is_filtered),
            "properties": {
                key: values.tolist()
                for key, values in self.properties.items()
                if values.dtype.names is None and key not in {"contact_vector", "location"}
            },
            "dtype": np.dtype(self.dtype).name,
        }

    @classmethod
    def from_dict(cls, attributes: dict[str, Any], probegroup: "ProbeGroup | None") -> Self:
        """Return what `to_dict`, or an older version, wrote."""
        known = dict(attributes)
        properties = {
            key: np.asarray(values)
            for key, values in known.get("properties", {}).items()
            if values is not None and key not in {"contact_vector", "location"}
        }
        n_samples = known["num_samples"]
        return cls(
            # Without any, nothing says what they are.
            channel_ids=np.asarray(known["channel_ids"] or np.zeros(0, np.int64)),
            sampling_frequency=float(known["sampling_frequency"]),
            n_samples=list(n_samples) if isinstance(n_samples, list | tuple) else [n_samples],
            is_filtered=bool(known.get("is_filtered", False)),
            dtype=np.dtype(known.get("dtype") or "float32"),
            properties=properties,
            probegroup=probegroup,
        )

    def get_channel_locations(self) -> NDArray[np.float64]:
        """Return the positions of the channels in micrometres, shape (n_channels, 2)."""
        if self.probegroup is None:
            msg = "This analyzer's recording has no probe, so positions of channels are unknown."
            raise ParameterError(msg)
        return probes.locations(self.probegroup)

    def indices_of(self, channel_ids: Any) -> NDArray[np.int64]:
        """Return the positions of channels."""
        return np.asarray(IdIndex(self.channel_ids, "channel id").positions(channel_ids))

    def differences(self, recording: BaseRecording, *, with_dtype: bool = True) -> list[str]:
        """Return in what a recording differs from this, in words; nothing if it fits."""
        other = RecordingInfo.of(recording)
        found = []
        if self.channel_ids.tolist() != other.channel_ids.tolist():
            found.append(f"channels {other.channel_ids.tolist()[:8]}")
        if abs(self.sampling_frequency - other.sampling_frequency) > 1e-2:
            found.append(f"a sampling frequency of {other.sampling_frequency} Hz")
        if list(self.n_samples) != list(other.n_samples):
            found.append(f"segments of {other.n_samples} samples")
        if with_dtype and np.dtype(self.dtype) != other.dtype:
            found.append(f"values of {other.dtype}")
        return found

    def sliced(self, channel_ids: Any) -> "RecordingInfo":
        """Return it for some channels."""
        positions = self.indices_of(channel_ids)
        return RecordingInfo(
            channel_ids=self.channel_ids[positions],
            sampling_frequency=self.sampling_frequency,
            n_samples=list(self.n_samples),
            is_filtered=self.is_filtered,
            dtype=self.dtype,
            properties={key: values[positions] for key, values in self.properties.items()},
            probegroup=probes.sliced(self.probegroup, positions),
        )
