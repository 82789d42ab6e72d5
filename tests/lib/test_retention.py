"""Everything that is kept for a while goes when its time is over, and nothing else does."""

from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from aiffinity.lib import retention
from aiffinity.lib.models import IdempotencyRecord
from aiffinity.lib.retention import delete_in_batches, purge_all, register_retention
from aiffinity.lib.tasks import purge_expired
from providers.models import ClientSecret, MailToken, MailTokenPurpose, RefreshToken

pytestmark = pytest.mark.django_db

REGISTERED = {
    "idempotency records",
    "sessions",
    "mail tokens",
    "refresh tokens",
    "revoked tokens",
    "client secrets",
    "signing keys",
    "health checks",
    "webhook deliveries",
    "delivery attempts",
    "events",
    "webhook recoveries",
    "details of validation runs",
    "invocations",
    "cached states",
}


def run():
    output = StringIO()
    call_command("purge_expired", stdout=output)
    return dict(line.split(": ") for line in output.getvalue().splitlines())


def make_records(count, **ago):
    moment = timezone.now() - timedelta(**ago)
    IdempotencyRecord.objects.bulk_create(
        IdempotencyRecord(caller="a", key=f"{moment}{number}", request_hash="h", locked_until=moment, expires_at=moment)
        for number in range(count)
    )


def test_every_kind_of_row_with_an_end_is_named():
    assert set(run()) >= REGISTERED


def test_what_is_over_goes_and_what_is_not_stays(make_account, make_app):
    account = make_account()
    app = make_app(account)
    for over, ends_at in ((1, timezone.now() - timedelta(seconds=1)), (0, timezone.now() + timedelta(minutes=1))):
        Session.objects.create(session_key=f"s{over}", session_data="", expire_date=ends_at)
        MailToken.objects.create(
            token_hash=f"m{over}",
            purpose=MailTokenPurpose.VERIFY_EMAIL,
            account=account,
            email=account.email,
            expires_at=ends_at - timedelta(days=7),
        )
        # A used token is kept until its end, so that its replay is noticed.
        RefreshToken.objects.create(
            token_hash=f"r{over}", family="f", user=account.owner, expires_at=ends_at, used_at=timezone.now()
        )
        ClientSecret.objects.create(app=app, secret_hash=f"c{over}", expires_at=ends_at)
    make_records(2, seconds=1)
    make_records(3, seconds=-60)
    told = run()
    for name in ("sessions", "mail tokens", "refresh tokens", "client secrets"):
        assert told[name] == "1 deleted"
    assert told["idempotency records"] == "2 deleted"
    assert IdempotencyRecord.objects.count() == 3
    assert list(RefreshToken.objects.values_list("token_hash", flat=True)) == ["r0"]
    # The app's own secret has no end.
    assert ClientSecret.objects.filter(app=app).count() == 2
    assert {told[name] for name in REGISTERED} - {"1 deleted", "2 deleted"} == {"0 deleted"}


def test_batches_go_on_until_nothing_is_left(django_assert_max_num_queries):
    make_records(25, seconds=1)
    make_records(5, seconds=-60)
    old = IdempotencyRecord.objects.filter(expires_at__lt=timezone.now())
    with django_assert_max_num_queries(6):
        assert delete_in_batches(old, batch_size=10) == 25
    assert IdempotencyRecord.objects.count() == 5
    make_records(20, seconds=1)
    assert delete_in_batches(old, batch_size=10) == 20
    assert delete_in_batches(old, batch_size=10) == 0


def test_the_hourly_task_calls_the_same_verb():
    make_records(1, seconds=1)
    purge_expired()
    assert IdempotencyRecord.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_a_purge_that_fails_stops_no_other(monkeypatch):
    def fail(now):
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")
        return 0

    monkeypatch.setattr(retention, "_purges", dict(retention._purges))
    register_retention("broken", fail)
    register_retention("after it", lambda _: 7)
    assert [(purged.name, purged.deleted) for purged in purge_all()][-2:] == [("broken", None), ("after it", 7)]
    with pytest.raises(CommandError, match="1 of the purges failed"):
        run()
