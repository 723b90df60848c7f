import dataclasses

import msgspec
import pytest

from spikeloom.engine.cancellation import CancelToken
from spikeloom.errors import Cancelled, CurationError, UnknownNameError
from spikeloom.viewdata.views import VIEWS

ALL = ["amplitudes", "correlograms", "features", "firing_rate", "isi", "traces", "waveforms"]


def test_all_views_are_known_by_name():
    assert VIEWS.names() == ALL
    with pytest.raises(UnknownNameError, match="No view is named 'nope'"):
        VIEWS.get("nope")


@pytest.mark.parametrize("name", ALL)
def test_every_parameter_and_every_field_is_documented_and_has_a_default(name):
    import inspect

    view = VIEWS.get(name)
    assert view.params() is not None
    for kind in (view.params, view.result):
        source = inspect.getsource(kind)
        fields = kind.__annotations__
        assert source.count('"""') == 2 * (len(fields) + 1), kind


@pytest.mark.parametrize("name", ALL)
def test_views_give_their_own_result_and_do_not_change_the_context(name, context):
    view = VIEWS.get(name)
    before = context.state
    first, second = (view.compute(context, [2, 0], view.params()) for _ in range(2))
    assert type(first) is view.result
    assert dataclasses.is_dataclass(first)
    assert context.state is before
    for field in dataclasses.fields(first):
        assert str(getattr(first, field.name)) == str(getattr(second, field.name))


@pytest.mark.parametrize("name", ALL)
def test_a_cluster_that_does_not_exist_is_an_error(name, context):
    view = VIEWS.get(name)
    if name == "traces":
        assert view.compute(context, [99], view.params()).spike_times_s.size == 0
        return
    with pytest.raises(CurationError, match="99"):
        view.compute(context, [99], view.params())


@pytest.mark.parametrize("name", sorted(set(ALL) - {"correlograms"}))
def test_work_that_nobody_waits_for_is_given_up(name, context):
    view = VIEWS.get(name)
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        view.compute(dataclasses.replace(context, cancel=token), [2, 0], view.params())


@pytest.mark.parametrize("name", ALL)
def test_parameters_can_be_read_from_text(name):
    view = VIEWS.get(name)
    texts = {
        field: str(getattr(view.params(), field)).lower() for field in view.params.__struct_fields__
    }
    assert msgspec.convert(texts, view.params, strict=False) == view.params()
