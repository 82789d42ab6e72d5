"""What the doctor says of the keys that sign tokens."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from providers.examinations import examine_signing_keys
from providers.models import SigningKey, SigningKeyUse
from providers.signing_keys import active_key

pytestmark = pytest.mark.django_db


def test_old_signing_keys_are_found_until_they_are_rotated():
    for use in SigningKeyUse:
        active_key(use)
    assert list(examine_signing_keys()) == []
    SigningKey.objects.update(created_at=timezone.now() - timedelta(days=91))
    findings = list(examine_signing_keys())
    assert [(finding.code, finding.severity.name) for finding in findings] == [("signing_key_old", "WARNING")] * 2
    assert findings[0].what == "The key that signs access tokens is 91 days old."
    output = StringIO()
    call_command("rotate_signing_keys", stdout=output)
    assert output.getvalue().count("signs from now on") == 2
    assert list(examine_signing_keys()) == []
    assert SigningKey.objects.count() == 4
