"""What the doctor says of validation runs."""

from datetime import timedelta

import pytest
from django.utils import timezone

from packages.examinations import examine_validations
from packages.models import ValidationRun

pytestmark = pytest.mark.django_db


def test_runs_that_nobody_works_on_are_found(maker):
    version = maker("https://api.acmeweather.com").version()
    run = ValidationRun.objects.create(version=version, content_hash=version.content_hash)
    assert list(examine_validations()) == []
    now = timezone.now()
    for minutes, severity in ((2, "WARNING"), (11, "FAULT")):
        ValidationRun.objects.update(created_at=now - timedelta(minutes=minutes))
        [finding] = examine_validations()
        assert (finding.code, finding.severity.name) == ("validations_late", severity)
    ValidationRun.objects.filter(pk=run.pk).update(state="running", lease_until=now + timedelta(seconds=10))
    assert list(examine_validations()) == []
