"""Passwords that were forgotten: a token by mail, once, for an hour; nobody learns who has an account."""

import time
from datetime import UTC, datetime, timedelta
from statistics import median

import pytest
import time_machine
from django.core import mail
from django.utils import timezone

from aiffinity.lib.mail_delivery import send_due
from aiffinity.lib.models import AuditEntry, IdempotencyRecord, OutgoingMail
from aiffinity.lib.ratelimit import redis_client
from providers.identity import identity_backend
from providers.identity.local import sign_id_token
from providers.models import MailToken, MailTokenPurpose, RefreshToken, User
from tests.conftest import PASSWORD
from tests.parallel import held_up_by_this_transaction, in_parallel

ACCOUNT = "/v1/providers/account"
RESET = f"{ACCOUNT}/password-reset"
CONFIRM = f"{RESET}/confirm"
EMAIL = "dev@acmeweather.com"
NEW_PASSWORD = "another horse, another battery"

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(sign_up):
    return sign_up(EMAIL)


@pytest.fixture
def ask(api, mail_tokens):
    """Return a function that asks for a reset and returns the token out of the mail."""

    def ask_for(email=EMAIL):
        assert api.post(RESET, {"email": email}).status_code == 202
        return mail_tokens(email)[-1]

    return ask_for


def log_in(api, password):
    return api.post(f"{ACCOUNT}/login", {"email": EMAIL, "password": password})


def subjects(address=EMAIL):
    send_due()
    return [message.subject for message in mail.outbox if address in message.to]


def without_ids(response):
    body = response.json()
    body.get("meta", body.get("error")).pop("requestId")
    return body


def test_the_mailed_token_sets_a_new_password_once(api, account, ask):
    body = {"token": ask(), "password": NEW_PASSWORD}
    first = api.post(CONFIRM, body)
    assert (first.status_code, first.json()["data"]["id"]) == (200, account.pk)
    assert (log_in(api, PASSWORD).status_code, log_in(api, NEW_PASSWORD).status_code) == (401, 200)

    second = api.post(CONFIRM, {**body, "password": "yet another horse"})
    assert (second.status_code, second.json()["error"]["code"]) == (400, "TOKEN_INVALID")
    assert log_in(api, NEW_PASSWORD).status_code == 200
    assert AuditEntry.objects.filter(subject=account.pk, action="account.password_reset").count() == 1


def test_the_mail_says_what_to_do_and_the_notice_has_no_token(api, account, ask, settings):
    token = ask()
    [message] = [each for each in mail.outbox if each.subject.startswith("Reset")]
    assert message.subject == "Reset your password for Acme Weather"
    assert token in message.body
    assert f"POST {settings.BASE_URL}{CONFIRM}" in message.body
    assert "within an hour" in message.body
    api.post(CONFIRM, {"token": token, "password": NEW_PASSWORD})
    assert subjects()[-1] == "Your password for Acme Weather was changed"
    notice = mail.outbox[-1]
    assert "mt_" not in notice.body
    assert NEW_PASSWORD not in notice.body


def test_a_verified_contact_address_is_told_too(api, account, ask):
    account.email, account.email_verified_at = "ops@acmeweather.com", timezone.now()
    account.save()
    api.post(CONFIRM, {"token": ask(), "password": NEW_PASSWORD})
    assert subjects()[-1] == "Your password for Acme Weather was changed"
    assert subjects("ops@acmeweather.com") == ["Your password for Acme Weather was changed"]


def test_the_answer_is_the_same_for_an_address_that_nobody_has(api, account):
    known, unknown = (api.post(RESET, {"email": email}) for email in ("DEV@acmeweather.com", "nobody@example.com"))
    assert known.status_code == unknown.status_code == 202
    assert without_ids(known) == without_ids(unknown) == {"data": {"expires_in": 3600}, "meta": {}}
    assert set(known.headers) == set(unknown.headers)
    assert MailToken.objects.filter(purpose=MailTokenPurpose.RESET_PASSWORD).count() == 1
    assert subjects("nobody@example.com") == []
    assert len(subjects()) == 2
    assert not OutgoingMail.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_answer_takes_the_same_time_for_an_address_that_nobody_has(api, make_account):
    def taken_ms(email):
        redis_client().flushdb()
        began_at = time.perf_counter()
        assert api.post(RESET, {"email": email}).status_code == 202
        return (time.perf_counter() - began_at) * 1000

    taken_ms("first@example.com")
    known = [make_account().owner.email for _ in range(60)]
    differences = [taken_ms(email) - taken_ms(f"nobody{number}@example.com") for number, email in enumerate(known)]
    assert abs(median(differences)) <= 5
    assert MailToken.objects.count() == 60


@pytest.mark.parametrize("change", [{"is_active": False}, {"is_staff": True}])
def test_who_may_not_reset_gets_the_same_answer_and_no_mail(api, account, change):
    User.objects.update(**change)
    assert api.post(RESET, {"email": EMAIL}).status_code == 202
    assert not MailToken.objects.filter(purpose=MailTokenPurpose.RESET_PASSWORD).exists()
    assert subjects() == ["Verify your mail address for Acme Weather"]


def test_a_contact_address_that_nobody_logs_in_with_resets_nothing(api, account):
    account.email = "ops@acmeweather.com"
    account.save()
    assert api.post(RESET, {"email": "ops@acmeweather.com"}).status_code == 202
    assert subjects("ops@acmeweather.com") == []


def test_a_token_older_than_an_hour_is_expired(api, account, ask):
    token = ask()
    with time_machine.travel(timezone.now() + timedelta(minutes=61)):
        response = api.post(CONFIRM, {"token": token, "password": NEW_PASSWORD})
    assert (response.status_code, response.json()["error"]["code"]) == (400, "TOKEN_EXPIRED")
    assert log_in(api, PASSWORD).status_code == 200


def test_each_kind_of_mail_token_is_good_for_its_purpose_alone(api, account, ask, mail_tokens):
    [verification] = mail_tokens(EMAIL)
    reset = ask()
    for path, body in (
        (CONFIRM, {"token": verification, "password": NEW_PASSWORD}),
        (f"{ACCOUNT}/verify", {"token": reset}),
    ):
        response = api.post(path, body)
        assert (response.status_code, response.json()["error"]["code"]) == (400, "TOKEN_INVALID")
    account.refresh_from_db()
    assert account.verification_status == "pending"
    assert log_in(api, PASSWORD).status_code == 200


def test_a_waiting_reset_is_no_waiting_address(api, make_account, id_token):
    account = make_account()
    api.post(RESET, {"email": account.owner.email})
    assert MailToken.objects.count() == 1
    assert api.get(ACCOUNT, token=id_token(account)).json()["data"]["pending_email"] is None


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"password": "short"}, "password", "password_too_short"),
        ({"password": "password123"}, "password", "password_too_common"),
        ({"password": "73518462907351"}, "password", "password_entirely_numeric"),
        ({"password": "dev@acmeweather.com"}, "password", "password_too_similar"),
        ({"password": "x" * 129}, "password", "max_length"),
        ({"password": None}, "password", "null"),
        ({"token": 7}, "token", "type"),
        ({"new_password": NEW_PASSWORD}, "new_password", "unknown_field"),
    ],
)
def test_wrong_fields_are_named_and_leave_the_token_good(api, account, ask, change, field, code):
    body = {"token": ask(), "password": NEW_PASSWORD}
    response = api.post(CONFIRM, {**body, **change})
    assert response.status_code == 400
    [detail] = [each for each in response.json()["error"]["details"] if each["field"] == field][:1]
    assert detail["code"] == code
    assert log_in(api, PASSWORD).status_code == 200
    assert api.post(CONFIRM, body).status_code == 200


def test_whoever_was_logged_in_is_out(api, account, ask):
    with time_machine.travel(timezone.now() - timedelta(minutes=5)):
        sessions = [log_in(api, PASSWORD).json()["data"] for _ in range(2)]
    assert api.get(ACCOUNT, token=sessions[0]["id_token"]).status_code == 200
    api.post(CONFIRM, {"token": ask(), "password": NEW_PASSWORD})

    assert not RefreshToken.objects.filter(revoked_at=None).exists()
    for session in sessions:
        refreshed = api.post(f"{ACCOUNT}/token/refresh", {"refresh_token": session["refresh_token"]})
        used = api.get(ACCOUNT, token=session["id_token"])
        for response in (refreshed, used):
            assert (response.status_code, response.json()["error"]["code"]) == (401, "TOKEN_INVALID")
    again = log_in(api, NEW_PASSWORD).json()["data"]
    assert api.get(ACCOUNT, token=again["id_token"]).status_code == 200
    assert api.post(f"{ACCOUNT}/token/refresh", {"refresh_token": again["refresh_token"]}).status_code == 200


def test_another_user_stays_logged_in(api, account, ask, sign_up):
    other = sign_up("other@example.com", "Other Company")
    with time_machine.travel(timezone.now() - timedelta(minutes=5)):
        id_token = sign_id_token(other.owner)
    session = api.post(f"{ACCOUNT}/login", {"email": other.email, "password": PASSWORD}).json()["data"]
    api.post(CONFIRM, {"token": ask(), "password": NEW_PASSWORD})
    assert api.get(ACCOUNT, token=id_token).status_code == 200
    assert api.post(f"{ACCOUNT}/token/refresh", {"refresh_token": session["refresh_token"]}).status_code == 200


def test_a_reset_ends_the_login_lock(api, account, ask):
    assert [log_in(api, "wrong").status_code for _ in range(11)] == [401] * 10 + [429]
    assert log_in(api, PASSWORD).status_code == 429
    api.post(CONFIRM, {"token": ask(), "password": NEW_PASSWORD})
    assert log_in(api, NEW_PASSWORD).status_code == 200


def test_a_reset_ends_every_other_token_for_one(api, account, ask):
    older, newer, newest = ask(), ask(), ask()
    assert len({older, newer, newest}) == 3
    assert api.post(CONFIRM, {"token": newer, "password": NEW_PASSWORD}).status_code == 200
    for token in (older, newest):
        response = api.post(CONFIRM, {"token": token, "password": "yet another horse"})
        assert (response.status_code, response.json()["error"]["code"]) == (400, "TOKEN_INVALID")
    assert log_in(api, NEW_PASSWORD).status_code == 200


def test_a_token_to_an_address_that_is_no_longer_the_users_is_no_good(api, account, ask):
    token = ask()
    User.objects.update(email="moved@acmeweather.com")
    response = api.post(CONFIRM, {"token": token, "password": NEW_PASSWORD})
    assert (response.status_code, response.json()["error"]["code"]) == (400, "TOKEN_INVALID")
    assert User.objects.get().check_password(PASSWORD)


@pytest.mark.django_db(transaction=True)
def test_twenty_parallel_uses_of_a_token_succeed_once(api, sign_up, ask):
    sign_up(EMAIL)
    token = ask()
    passwords = iter([f"{NEW_PASSWORD} {number}" for number in range(20)])

    def confirm():
        password = next(passwords)
        return api.post(CONFIRM, {"token": token, "password": password}).status_code, password

    answers = in_parallel(20, confirm)
    assert sorted(status for status, _ in answers) == [200] + [400] * 19
    [(_, chosen)] = [answer for answer in answers if answer[0] == 200]
    assert User.objects.get().check_password(chosen)
    assert subjects().count("Your password for Acme Weather was changed") == 1


@pytest.mark.django_db(transaction=True)
def test_parallel_uses_of_different_tokens_set_one_password(api, sign_up, ask):
    sign_up(EMAIL)
    tokens = iter([ask() for _ in range(4)])
    statuses = in_parallel(4, lambda: api.post(CONFIRM, {"token": next(tokens), "password": NEW_PASSWORD}).status_code)
    assert sorted(statuses) == [200, 400, 400, 400]


@pytest.mark.django_db(transaction=True)
def test_a_login_with_the_old_password_that_is_under_way_fails(api, sign_up):
    user = sign_up(EMAIL).owner
    with held_up_by_this_transaction(lambda: log_in(api, PASSWORD)) as login:
        identity_backend().set_password(user, NEW_PASSWORD)
    assert login.result().status_code == 401
    assert not RefreshToken.objects.exists()


def test_mails_to_one_address_are_limited_wherever_they_are_asked_for(api, account, settings):
    settings.TRUSTED_PROXIES = 1
    for email in (EMAIL, "nobody@example.com"):
        answers = [
            api.post(RESET, {"email": email}, headers={"X-Forwarded-For": f"203.0.113.{host}"}) for host in range(6)
        ]
        assert [answer.status_code for answer in answers] == [202] * 5 + [429]
        assert (answers[5]["X-RateLimit-Limit"], answers[5].json()["error"]["code"]) == ("5", "RATE_LIMITED")
    assert MailToken.objects.filter(purpose=MailTokenPurpose.RESET_PASSWORD).count() == 5


@pytest.mark.parametrize(("path", "calls"), [(RESET, 10), (CONFIRM, 30)])
def test_calls_of_one_address_are_limited(api, path, calls):
    bodies = {RESET: {"email": "x"}, CONFIRM: {"token": "mt_unknown", "password": NEW_PASSWORD}}
    statuses = [api.post(path, bodies[path]).status_code for _ in range(calls + 1)]
    assert statuses == [400] * calls + [429]


def test_nothing_is_kept_under_an_idempotency_key(api, account, ask):
    headers = {"Idempotency-Key": "k"}
    for _ in range(2):
        assert api.post(RESET, {"email": EMAIL}, headers=headers).status_code == 202
    body = {"token": ask(), "password": NEW_PASSWORD}
    assert [api.post(CONFIRM, body, headers=headers).status_code for _ in range(2)] == [200, 400]
    assert not IdempotencyRecord.objects.exists()
    assert MailToken.objects.filter(purpose=MailTokenPurpose.RESET_PASSWORD).count() == 3


def test_a_token_of_somebody_who_joined_the_staff_meanwhile_is_no_good(api, account, ask):
    token = ask()
    User.objects.update(is_staff=True)
    response = api.post(CONFIRM, {"token": token, "password": NEW_PASSWORD})
    assert (response.status_code, response.json()["error"]["code"]) == (400, "TOKEN_INVALID")
    assert User.objects.get().check_password(PASSWORD)


def test_whoever_logged_in_within_the_second_of_the_reset_is_out(api, account, ask):
    token = ask()
    with time_machine.travel(datetime(2030, 1, 1, 12, 0, 0, 200_000, UTC), tick=False) as clock:
        MailToken.objects.update(expires_at=timezone.now() + timedelta(hours=1))
        before = log_in(api, PASSWORD).json()["data"]["id_token"]
        clock.shift(timedelta(milliseconds=300))
        assert api.post(CONFIRM, {"token": token, "password": NEW_PASSWORD}).status_code == 200
        clock.shift(timedelta(milliseconds=300))
        after = log_in(api, NEW_PASSWORD).json()["data"]
        refreshed = api.post(f"{ACCOUNT}/token/refresh", {"refresh_token": after["refresh_token"]}).json()["data"]
        statuses = [
            api.get(ACCOUNT, token=each).status_code for each in (before, after["id_token"], refreshed["id_token"])
        ]
    assert statuses == [401, 200, 200]
