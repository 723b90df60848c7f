"""Twins of `spikeloom.kernels.spike_order`."""


def count_labels(labels, n_labels):
    return [sum(1 for label in labels if label == wanted) for wanted in range(n_labels)]


def order_by_label(labels, n_labels):
    return [i for wanted in range(n_labels) for i, label in enumerate(labels) if label == wanted]


def merge_runs(runs):
    """Merge sorted runs; return values and the run of each, equal values in the order of runs."""
    return sorted(
        ((value, run) for run, values in enumerate(runs) for value in values),
        key=lambda pair: pair[0],
    )


def keep_labels(labels, samples, new_label):
    """Return (sample, new label) of the spikes whose new label is not negative."""
    return [
        (sample, new_label[label])
        for label, sample in zip(labels, samples, strict=True)
        if new_label[label] >= 0
    ]
