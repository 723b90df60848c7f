"""What Neuropixels probes tell besides positions: when a channel is sampled, where it saturates."""

from typing import TYPE_CHECKING, Any

import numpy as np

from spikeloom.core.recording import BaseRecording

if TYPE_CHECKING:
    from probeinterface import Probe


def set_neuropixels_probe(recording: BaseRecording, probe: "Probe", stream_name: str) -> None:
    """Set a probe, and what it knows of the channels.

    The property ``inter_sample_shift`` says by how much of a sampling period each channel is
    sampled late, as many share a converter; the annotation ``saturation_threshold_uV`` what the
    converter can reach. They are left out where the probe does not know.

    Parameters
    ----------
    recording : BaseRecording
        A recording, all of whose channels the probe is wired to.
    probe : Probe
        The probe, as probeinterface reads it of SpikeGLX or Open Ephys.
    stream_name : str
        Name of the stream; ``lf`` in it means the gain of that band.
    """
    has_shanks = probe.shank_ids is not None
    recording.set_probe(probe, in_place=True, group_mode="by_shank" if has_shanks else "auto")
    known: dict[str, Any] = probe.annotations
    order = probe.contact_annotations.get("adc_sample_order")
    n_per_adc: Any = known.get("num_channels_per_adc")
    ap_hz: Any = known.get("ap_sample_frequency_hz")
    lf_hz: Any = known.get("lf_sample_frequency_hz")
    if None not in (n_per_adc, ap_hz, lf_hz) and order is not None:
        # Where the local field is sampled, too, it takes a cycle of the converter in thirteen.
        n_cycles = int(n_per_adc * (1 + lf_hz / ap_hz))
        recording.set_property("inter_sample_shift", np.asarray(order, np.float64) / n_cycles)
    gain = known.get("lf_gain" if "lf" in stream_name.lower() else "ap_gain")
    range_v = known.get("adc_range_vpp")
    if gain and range_v is not None:
        recording.annotate(saturation_threshold_uV=float(range_v) / 2 / float(gain) * 1e6)
