"""What phy does for a selection, with phylib; runs in the environment of ``scripts/peers``.

``peer_phylib.py open PARAMS`` opens a dataset and prints how long that took, as JSON.
``peer_phylib.py serve PARAMS`` opens it, then reads lists of clusters, one JSON list a line, and
answers each with the seconds that each view took and the shapes of what it got.

phy itself needs a display, so the steps between its views and phylib are repeated here, with phy
2.1's defaults: which spikes, which channels, the median and the filter of waveforms, the limits
and histograms of amplitudes. Left out are its caches, since every selection is a new one, the
messages between its parts, and drawing.
"""

import json
import logging
import sys
import time

import numpy as np
from phylib.io.array import SpikeSelector, _sample_spikes_evenly, _spikes_per_cluster
from phylib.io.model import load_model
from phylib.stats import correlograms
from scipy.signal import butter, lfilter

N_WAVEFORMS = 100
N_FEATURES = 2500
N_AMPLITUDES = 10_000
N_CORRELOGRAMS = 100_000
N_CHUNKS_KEPT = 20
N_BINS = 100
BIN_S, WINDOW_S = 0.001, 0.050


class Peer:
    """An open dataset, with what phy works out once for its tables."""

    def __init__(self, params_path):
        start = time.perf_counter()
        self.model = load_model(params_path)
        self.load_s = time.perf_counter() - start
        self.spikes = _spikes_per_cluster(self.model.spike_clusters)
        self.group_s = time.perf_counter() - start
        self.best = {i: self._best_channels(s) for i, s in self.spikes.items()}
        self.open_s = time.perf_counter() - start
        self.filter = butter(3, 150.0 / self.model.sample_rate * 2.0, "high")
        self.select = SpikeSelector(
            get_spikes_per_cluster=self.spikes.__getitem__,
            spike_times=self.model.spike_samples,
            chunk_bounds=self.model.traces.chunk_bounds,
            n_chunks_kept=N_CHUNKS_KEPT,
            spikes_are_disjoint=True,
        )

    def _best_channels(self, spikes):
        """Return the channels of a cluster, those of its most frequent template."""
        ids, counts = np.unique(self.model.spike_templates[spikes], return_counts=True)
        return self.model.get_template(ids[np.argmax(counts)]).channel_ids

    def waveforms(self, clusters):
        """Cut, centre and filter waveforms on the best channels of each cluster."""
        return [self._waveforms_of(i) for i in clusters]

    def _waveforms_of(self, cluster):
        spikes = self.select(N_WAVEFORMS, [cluster], subset_chunks=True, sample_evenly=True)
        data = self.model.get_waveforms(spikes, self.best[cluster])
        data = data - np.median(data, axis=1)[:, np.newaxis, :]
        for _ in range(2):
            data = np.flip(lfilter(*self.filter, data, axis=1), axis=1)
        return data

    def features(self, clusters):
        """Get features of each cluster on its best channels, of the background on the first's."""
        wanted = [(self.select(N_FEATURES, [i]), self.best[i]) for i in clusters]
        step = max(1, self.model.n_spikes // N_FEATURES)
        wanted.append((np.arange(0, self.model.n_spikes, step), self.best[clusters[0]]))
        found = []
        for spikes, channels in wanted:
            data = self.model.get_features(spikes, np.asarray(channels, np.int64))
            data[np.isnan(data)] = 0
            found += [data, self.model.spike_times[spikes]]
        return found

    def amplitudes(self, clusters):
        """Get template amplitudes of each cluster and of others on its channel, and histograms."""
        channel = self.best[clusters[0]][0]
        others = [i for i, best in self.best.items() if channel in best and i not in clusters]
        lists = [_sample_spikes_evenly(self.spikes[i], N_AMPLITUDES) for i in clusters]
        if others:
            share = N_AMPLITUDES // len(others)
            parts = [_sample_spikes_evenly(self.spikes[i], share) for i in others]
            lists.append(np.sort(np.concatenate(parts)))
        values = [self.model.amplitudes[spikes] for spikes in lists]
        times = [self.model.spike_times[spikes] for spikes in lists]
        low, high = np.quantile(np.concatenate(values), [0.01, 0.99])
        bins = np.linspace(min(0, low), high, N_BINS)
        return [*values, *times, *(np.histogram(part, bins)[0] for part in values)]

    def correlograms(self, clusters):
        """Count all pairs of spikes of the clusters."""
        spikes = self.select(N_CORRELOGRAMS, clusters)
        counts = correlograms(
            self.model.spike_times[spikes],
            self.model.spike_clusters[spikes],
            cluster_ids=clusters,
            sample_rate=self.model.sample_rate,
            bin_size=BIN_S,
            window_size=WINDOW_S,
        )
        return [counts]


def measure(peer, clusters):
    """Return seconds and sizes of each view for one selection."""
    seconds, sizes = {}, {}
    for name in ("waveforms", "features", "amplitudes", "correlograms"):
        start = time.perf_counter()
        arrays = getattr(peer, name)(clusters)
        seconds[name] = time.perf_counter() - start
        sizes[name] = sum(len(array) for array in arrays)
    return {"seconds": seconds, "sizes": sizes}


def main():
    """Open a dataset; answer requests if asked to."""
    logging.disable(logging.WARNING)
    mode, params_path = sys.argv[1:]
    peer = Peer(params_path)
    opened = {"load_s": peer.load_s, "group_s": peer.group_s, "open_s": peer.open_s}
    print(json.dumps(opened), flush=True)
    if mode == "serve":
        for line in sys.stdin:
            print(json.dumps(measure(peer, json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
