import pytest

from spikeloom.core.base import BaseExtractor
from spikeloom.errors import DataError
from spikeloom.generation.generated_sortings import generate_sorting
from spikeloom.generation.noise_recordings import NoiseGeneratorRecording
from spikeloom.generation.template_injection import InjectTemplatesRecording

PEER_PATHS = [
    ("noise", "spikeinterface.generation.noise_tools.NoiseGeneratorRecording"),
    ("noise", "spikeinterface.core.generate.NoiseGeneratorRecording"),
    ("sorting", "spikeinterface.core.generate.SortingGenerator"),
]


def make():
    sorting = generate_sorting(1, 1000.0, [1.0], seed=0)
    return {"noise": NoiseGeneratorRecording(1, 1000.0, [1.0], seed=0), "sorting": sorting}


@pytest.mark.parametrize(("kind", "path"), PEER_PATHS)
def test_what_spikeinterface_would_draw_otherwise_is_refused(kind, path):
    description = make()[kind].to_dict()
    assert description["class"].startswith("spikeloom.")
    description["class"] = path
    with pytest.raises(DataError, match=r"Save the data themselves"):
        BaseExtractor.from_dict(description)


@pytest.mark.parametrize(("kind", "path"), PEER_PATHS)
def test_it_is_refused_within_other_recordings(kind, path):
    made = make()
    injected = InjectTemplatesRecording(
        made["sorting"], [[[1.0]]], nbefore=0, parent_recording=made["noise"]
    )
    description = injected.to_dict(recursive=True)
    assert description["class"] == "spikeinterface.core.generate.InjectTemplatesRecording"
    inner = "sorting" if kind == "sorting" else "parent_recording"
    description["kwargs"][inner]["class"] = path
    with pytest.raises(DataError, match="draws other numbers"):
        BaseExtractor.from_dict(description)
