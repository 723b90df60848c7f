"""Twin of `spikeloom.kernels.merge_trains`."""


def merge_trains(trains):
    spikes = sorted((sample, unit) for unit, train in enumerate(trains) for sample in train)
    return [sample for sample, _ in spikes], [unit for _, unit in spikes]
