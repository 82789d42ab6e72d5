"""Fixtures of the library's tests."""

import pytest

from tests.lib import views


@pytest.fixture
def runs(settings, db):
    """Serve the test views alone and count their runs from nought."""
    settings.ROOT_URLCONF = "tests.lib.views"
    views.counters.__init__()  # type: ignore[misc]  # Afresh, in the object that the views know.
    return views.counters
