"""What is noted in the ``run_info`` of an extension, beside what SpikeInterface notes there."""

ORIGIN = "made_of"
"""Names of the extensions that were there when it was computed of them."""

HASH = "hash"
"""Hash of its parameters and of what it was made of; see `spikeloom.analyzer.result_hashes`."""
