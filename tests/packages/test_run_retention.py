"""The findings of old validation runs go; what still counts stays."""

from datetime import timedelta

import pytest
from django.utils import timezone

from packages.models import ValidationRun
from packages.run_retention import purge_run_details

pytestmark = pytest.mark.django_db


def test_findings_of_old_runs_go_and_those_of_the_newest_stay(maker):
    version, now, ids = maker("https://api.acmeweather.com").version(), timezone.now(), []
    for days in (200, 100, 95, 89):
        ended_at = now - timedelta(days=days)
        run = ValidationRun.objects.create(
            version=version, state="failed", checks=[{"name": "x"}], score=50, finished_at=ended_at
        )
        ValidationRun.objects.filter(pk=run.pk).update(created_at=ended_at)
        ids.append(run.pk)
    assert purge_run_details(now) == 3
    kept = {row.pk: row for row in ValidationRun.objects.filter(pk__in=ids)}
    assert [kept[pk].checks for pk in ids] == [[], [], [], [{"name": "x"}]]
    assert {kept[pk].score for pk in ids} == {50}
    # The newest keeps its findings however old it is.
    assert purge_run_details(now + timedelta(days=300)) == 0
