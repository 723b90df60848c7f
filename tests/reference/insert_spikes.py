"""Twin of `spikeloom.kernels.insert_spikes`."""


def insert_spikes(spikes, more):
    order = sorted(range(len(spikes) + len(more)), key=(spikes + more).__getitem__)
    places = [order.index(len(spikes) + k) for k in range(len(more))]
    return sorted(spikes + more), places
