"""Versions that never pass their gates keep no other from being listed."""

import pytest

from packages import listing
from packages.models import Version, VersionState
from tests.packages.conftest import Maker

pytestmark = pytest.mark.django_db


def test_stuck_versions_do_not_keep_a_good_one_from_being_listed(acme: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "SWEEP_BATCH", 1)
    stuck = acme.version("submitted", risk_tier="data_only", name="Stuck")
    good = acme.version("submitted", risk_tier="data_only", name="Good")
    Version.objects.filter(pk=stuck.pk).update(content_hash="of other content")
    for _ in range(100):
        if listing.list_submitted_versions():
            break
    states = {version.pk: version.state for version in Version.objects.all()}
    assert states == {good.pk: VersionState.LISTED, stuck.pk: VersionState.SUBMITTED}
