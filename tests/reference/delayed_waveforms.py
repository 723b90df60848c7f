"""Twin of `spikeloom.kernels.delayed_waveforms`."""


def delayed_waveform(values, first, share, gain, n_steps, n_samples):
    places = [first + t * n_steps for t in range(n_samples)]
    return [gain * ((1 - share) * values[k] + share * values[k + 1]) for k in places]
