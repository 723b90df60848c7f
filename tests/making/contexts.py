"""View contexts of datasets, as the server makes them."""

from spikeloom.app.sessions import session_of
from spikeloom.datasets.template_loading import load_template_model
from spikeloom.engine.cancellation import CancelToken


def open_context(folder):
    """Open a dataset and return what its views are computed from."""
    return session_of(load_template_model(folder)).context(CancelToken())
