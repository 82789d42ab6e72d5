"""Sign-up, verification, login and refresh, over HTTP."""

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from aiffinity.lib.retention import purge_all
from providers.models import Account, MailToken, RefreshToken, User
from tests.conftest import PASSWORD
from tests.parallel import in_parallel

SIGN_UP = {"company_name": "Acme Weather", "email": "dev@acmeweather.com", "password": PASSWORD}

pytestmark = pytest.mark.django_db


def test_sign_up_answers_a_pending_account_and_sends_a_mail(api, mail_tokens):
    response = api.post("/v1/providers/account", SIGN_UP)

    assert response.status_code == 201
    data = response.json()["data"]
    assert data["id"].startswith("acct_")
    assert data["company_name"] == "Acme Weather"
    assert data["email"] == "dev@acmeweather.com"
    assert data["verification_status"] == "pending"
    assert data["plan_tier"] == "free"
    assert "password" not in response.content.decode()
    assert len(mail_tokens("dev@acmeweather.com")) == 1


def test_sign_up_accepts_camel_case(api):
    body = {"companyName": "Acme", "email": "a@example.com", "password": PASSWORD}
    assert api.post("/v1/providers/account", body).status_code == 201


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"company_name": ""}, "company_name", "blank"),
        ({"company_name": "x" * 121}, "company_name", "max_length"),
        ({"company_name": 7}, "company_name", "type"),
        ({"company_name": "<script>alert(1)</script>"}, "company_name", "payload"),
        ({"email": "nobody"}, "email", "invalid"),
        ({"email": None}, "email", "null"),
        ({"password": "short"}, "password", "password_too_short"),
        ({"password": "password123"}, "password", "password_too_common"),
        ({"plan_tier": "enterprise"}, "plan_tier", "unknown_field"),
        ({"companyname": "Acme"}, "companyname", "unknown_field"),
    ],
)
def test_wrong_sign_up_fields_are_named(api, change, field, code):
    response = api.post("/v1/providers/account", {**SIGN_UP, **change})

    assert response.status_code == 400
    error = response.json()["error"]
    assert error["code"] == "VALIDATION_ERROR"
    assert (error["details"][0]["field"], error["details"][0]["code"]) == (field, code)
    assert error["message"].startswith(f"{field}: ")
    assert not Account.objects.exists()


def test_an_address_can_sign_up_once(api):
    api.post("/v1/providers/account", SIGN_UP)
    response = api.post("/v1/providers/account", {**SIGN_UP, "email": "DEV@acmeweather.com"})

    assert response.status_code == 409
    assert response.json()["error"]["code"] == "EMAIL_TAKEN"
    assert Account.objects.count() == 1


def test_an_id_token_without_a_password_makes_an_account_for_its_user(api, make_user, id_token):
    user = make_user("someone@example.com")
    response = api.post("/v1/providers/account", {"company_name": "Solo"}, token=id_token(user))

    assert response.status_code == 201
    assert response.json()["data"]["verification_status"] == "verified"
    again = api.post("/v1/providers/account", {"company_name": "Solo"}, token=id_token(user))
    assert (again.status_code, again.json()["error"]["code"]) == (409, "CONFLICT")


def test_the_mailed_token_verifies_once(api, mail_tokens):
    api.post("/v1/providers/account", SIGN_UP)
    (token,) = mail_tokens("dev@acmeweather.com")

    first = api.post("/v1/providers/account/verify", {"token": token})
    assert first.status_code == 200
    assert first.json()["data"]["verification_status"] == "verified"
    assert User.objects.get().is_email_verified
    second = api.post("/v1/providers/account/verify", {"token": token})
    assert (second.status_code, second.json()["error"]["code"]) == (400, "TOKEN_INVALID")


def test_a_token_older_than_a_day_is_expired(api, mail_tokens):
    api.post("/v1/providers/account", SIGN_UP)
    (token,) = mail_tokens("dev@acmeweather.com")
    MailToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    response = api.post("/v1/providers/account/verify", {"token": token})
    assert (response.status_code, response.json()["error"]["code"]) == (400, "TOKEN_EXPIRED")
    assert Account.objects.get().verification_status == "pending"


@pytest.mark.django_db(transaction=True)
def test_twenty_parallel_uses_of_a_token_succeed_once(api, mail_tokens):
    api.post("/v1/providers/account", SIGN_UP)
    (token,) = mail_tokens("dev@acmeweather.com")
    statuses = in_parallel(20, lambda: api.post("/v1/providers/account/verify", {"token": token}).status_code)
    assert sorted(statuses) == [200] + [400] * 19


def test_resend_waits_a_minute(api, sign_up, id_token, mail_tokens):
    account = sign_up()
    first = api.post("/v1/providers/account/verify/resend", token=id_token(account))
    second = api.post("/v1/providers/account/verify/resend", token=id_token(account))

    assert first.status_code == 200
    assert (second.status_code, second.json()["error"]["code"]) == (429, "RATE_LIMITED")
    assert 1 <= int(second.headers["Retry-After"]) <= 120
    assert len(mail_tokens(account.email)) == 2


def test_login_answers_tokens_that_work(api, sign_up):
    account = sign_up()
    response = api.post("/v1/providers/account/login", {"email": account.email, "password": PASSWORD})

    assert response.status_code == 200
    data = response.json()["data"]
    assert data["expires_in"] == 3600
    assert data["account"]["id"] == account.pk
    mine = api.get("/v1/providers/account", token=data["id_token"])
    assert (mine.status_code, mine.json()["data"]["id"]) == (200, account.pk)


def test_login_says_the_same_for_a_wrong_address_and_a_wrong_password(api, sign_up):
    account = sign_up()
    wrong_password = api.post("/v1/providers/account/login", {"email": account.email, "password": "no"})
    wrong_address = api.post("/v1/providers/account/login", {"email": "no@x.com", "password": PASSWORD})

    assert wrong_password.status_code == wrong_address.status_code == 401
    bodies = [response.json()["error"] for response in (wrong_password, wrong_address)]
    for body in bodies:
        body.pop("requestId")
    assert bodies[0] == bodies[1]


def test_ten_failed_logins_lock_the_identity(api, sign_up):
    account = sign_up()
    wrong = {"email": account.email, "password": "wrong"}
    statuses = [api.post("/v1/providers/account/login", wrong).status_code for _ in range(11)]
    right = api.post("/v1/providers/account/login", {"email": account.email, "password": PASSWORD})

    assert statuses == [401] * 10 + [429]
    assert right.status_code == 429


def test_a_good_login_forgets_the_failures(api, sign_up):
    account = sign_up()
    good = {"email": account.email, "password": PASSWORD}
    wrong = {"email": account.email, "password": "wrong"}
    for _ in range(2):
        for _ in range(9):
            assert api.post("/v1/providers/account/login", wrong).status_code == 401
        assert api.post("/v1/providers/account/login", good).status_code == 200


def test_refresh_rotates_and_a_replay_revokes_the_family(api, sign_up):
    account = sign_up()
    login = api.post("/v1/providers/account/login", {"email": account.email, "password": PASSWORD})
    first = login.json()["data"]["refresh_token"]

    second = api.post("/v1/providers/account/token/refresh", {"refresh_token": first})
    assert second.status_code == 200
    newest = second.json()["data"]["refresh_token"]
    replay = api.post("/v1/providers/account/token/refresh", {"refreshToken": first})
    assert (replay.status_code, replay.json()["error"]["code"]) == (401, "TOKEN_INVALID")
    after = api.post("/v1/providers/account/token/refresh", {"refresh_token": newest})
    assert (after.status_code, after.json()["error"]["code"]) == (401, "TOKEN_INVALID")


@pytest.mark.django_db(transaction=True)
def test_twenty_parallel_refreshes_succeed_once(api, sign_up):
    account = sign_up()
    login = api.post("/v1/providers/account/login", {"email": account.email, "password": PASSWORD})
    body = {"refresh_token": login.json()["data"]["refresh_token"]}
    statuses = in_parallel(20, lambda: api.post("/v1/providers/account/token/refresh", body).status_code)
    assert sorted(statuses) == [200] + [401] * 19


def test_an_expired_id_token_says_so(api, make_account, id_token):
    with time_machine.travel(timezone.now() - timedelta(hours=2)):
        token = id_token(make_account())
    response = api.get("/v1/providers/account", token=token)
    assert (response.status_code, response.json()["error"]["code"]) == (401, "TOKEN_EXPIRED")
    assert "invalid_token" in response.headers["WWW-Authenticate"]


def test_patch_changes_only_what_is_given(api, make_account, id_token):
    account = make_account("Acme Weather")
    response = api.patch(
        "/v1/providers/account",
        {"notificationPreferences": {"qualityAlerts": False}},
        token=id_token(account),
    )
    assert response.status_code == 200
    data = response.json()["data"]
    assert data["company_name"] == "Acme Weather"
    assert data["notification_preferences"] == {"quality_alerts": False}


def test_a_new_contact_address_waits_until_it_is_verified(api, make_account, id_token, mail_tokens):
    account = make_account()
    token = id_token(account)
    changed = api.patch("/v1/providers/account", {"email": "ops@acmeweather.com"}, token=token)
    assert changed.json()["data"]["email"] == account.email
    assert changed.json()["data"]["pending_email"] == "ops@acmeweather.com"

    (mailed,) = mail_tokens("ops@acmeweather.com")
    api.post("/v1/providers/account/verify", {"token": mailed})
    now = api.get("/v1/providers/account", token=token).json()["data"]
    assert (now["email"], now["pending_email"]) == ("ops@acmeweather.com", None)


def test_a_suspended_account_is_refused(api, make_account, id_token):
    account = make_account(suspended_at=timezone.now())
    response = api.get("/v1/providers/account", token=id_token(account))
    assert (response.status_code, response.json()["error"]["code"]) == (403, "ACCOUNT_SUSPENDED")


@pytest.mark.django_db(transaction=True)
def test_a_replay_during_a_rotation_leaves_no_living_token_in_the_family(api, sign_up):
    account = sign_up()
    login = api.post("/v1/providers/account/login", {"email": account.email, "password": PASSWORD})
    first = {"refresh_token": login.json()["data"]["refresh_token"]}
    second = api.post("/v1/providers/account/token/refresh", first).json()["data"]["refresh_token"]
    rotate, replay = {"refresh_token": second}, first
    bodies = iter([rotate, replay] * 5)

    statuses = in_parallel(10, lambda: api.post("/v1/providers/account/token/refresh", next(bodies)).status_code)
    assert statuses.count(200) <= 1
    assert not RefreshToken.objects.filter(revoked_at=None).exists()


def test_an_expired_refresh_token_says_so_and_makes_no_other(api, sign_up):
    account = sign_up()
    login = api.post("/v1/providers/account/login", {"email": account.email, "password": PASSWORD})
    RefreshToken.objects.update(expires_at=timezone.now())
    body = {"refresh_token": login.json()["data"]["refresh_token"]}
    response = api.post("/v1/providers/account/token/refresh", body)
    assert (response.status_code, response.json()["error"]["code"]) == (401, "TOKEN_EXPIRED")
    assert RefreshToken.objects.count() == 1


def test_an_id_token_may_name_another_contact_address_that_is_verified_by_mail(api, make_user, id_token, mail_tokens):
    user = make_user("someone@example.com")
    body = {"company_name": "Solo", "email": "contact@example.com"}
    response = api.post("/v1/providers/account", body, token=id_token(user))
    data = response.json()["data"]
    assert (response.status_code, data["email"]) == (201, "contact@example.com")
    assert data["verification_status"] == "pending"
    assert len(mail_tokens("contact@example.com")) == 1


def test_an_id_token_without_an_address_needs_one_in_the_body(api, id_token):
    user = User.objects.create_user(None)
    response = api.post("/v1/providers/account", {"company_name": "Solo"}, token=id_token(user))
    assert (response.status_code, response.json()["error"]["details"][0]["field"]) == (400, "email")
    assert not Account.objects.exists()


def test_sign_ups_for_one_address_are_limited_wherever_they_come_from(api, settings):
    settings.TRUSTED_PROXIES = 1
    taken = [
        api.post("/v1/providers/account", SIGN_UP, headers={"X-Forwarded-For": f"203.0.113.{host}"}).status_code
        for host in range(11)
    ]
    other = api.post("/v1/providers/account", {**SIGN_UP, "email": "other@acmeweather.com"})
    assert taken == [201] + [409] * 9 + [429]
    assert other.status_code == 201


def test_a_stricter_limits_refusal_carries_that_limits_headers(api, sign_up):
    account = sign_up()
    wrong = {"email": account.email, "password": "wrong"}
    refused = [api.post("/v1/providers/account/login", wrong) for _ in range(11)][-1]
    assert refused.status_code == 429
    assert (refused["X-RateLimit-Limit"], refused["X-RateLimit-Remaining"]) == ("10", "0")
    assert int(refused["Retry-After"]) >= 1


def test_an_account_can_not_have_mails_sent_to_ever_new_addresses(api, make_account, id_token, mail_tokens):
    token = id_token(make_account())
    statuses = [
        api.patch("/v1/providers/account", {"email": f"victim{number}@example.com"}, token=token).status_code
        for number in range(6)
    ]
    assert statuses == [200] * 5 + [429]
    assert [len(mail_tokens(f"victim{number}@example.com")) for number in (4, 5)] == [1, 0]


def test_a_mailed_token_says_that_it_is_too_old_for_days(api, mail_tokens):
    api.post("/v1/providers/account", SIGN_UP)
    (token,) = mail_tokens("dev@acmeweather.com")
    with time_machine.travel(timezone.now() + timedelta(days=7)):
        list(purge_all())
        response = api.post("/v1/providers/account/verify", {"token": token})
    assert (response.status_code, response.json()["error"]["code"]) == (400, "TOKEN_EXPIRED")
    with time_machine.travel(timezone.now() + timedelta(days=9)):
        list(purge_all())
    assert not MailToken.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_change_on_condition_does_not_undo_one_that_was_made_since_the_caller_was_looked_up(api, sign_up, id_token):
    account = sign_up()
    token = id_token(account)
    tag = api.get("/v1/providers/account", token=token)["ETag"]

    def change_first(execute, sql, *args):
        if "ISOLATION LEVEL" in sql:
            in_parallel(1, lambda: Account.objects.update(company_name="Acme Climate"))
        return execute(sql, *args)

    body = {"company_name": "Acme Sunshine"}
    with connection.execute_wrapper(change_first):
        refused = api.patch("/v1/providers/account", body, token=token, headers={"If-Match": tag})
    assert (refused.status_code, refused.json()["error"]["code"]) == (412, "PRECONDITION_FAILED")
    assert refused["ETag"] == api.get("/v1/providers/account", token=token)["ETag"]
    assert Account.objects.get().company_name == "Acme Climate"
