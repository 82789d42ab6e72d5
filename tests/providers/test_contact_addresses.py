"""A new contact address: it waits, is proven by its own mail, and the old one hears of it."""

from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.utils import timezone

from aiffinity.lib.mail_delivery import send_due
from providers.models import Account, MailToken
from tests.parallel import in_parallel

ACCOUNT = "/v1/providers/account"
NEW = "ops@acmeweather.com"

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(make_account):
    return make_account()


@pytest.fixture
def token(account, id_token):
    return id_token(account)


def change(api, token, email):
    return api.patch(ACCOUNT, {"email": email}, token=token)


def verify(api, mailed):
    response = api.post(f"{ACCOUNT}/verify", {"token": mailed})
    return response.status_code, response.json().get("error", {}).get("code")


def addresses(api, token):
    data = api.get(ACCOUNT, token=token).json()["data"]
    return data["email"], data["pending_email"], data["verification_status"]


def subjects(address):
    send_due()
    return [message.subject for message in mail.outbox if address in message.to]


def test_the_old_address_hears_of_the_new_one(api, account, token, mail_tokens):
    old = account.email
    change(api, token, NEW)
    assert subjects(old) == []
    verify(api, mail_tokens(NEW)[0])
    assert subjects(old) == ["The contact address of Acme Weather was changed"]
    assert NEW in mail.outbox[-1].body
    assert addresses(api, token) == (NEW, None, "verified")


def test_verifying_the_first_address_notifies_nobody(api, sign_up, mail_tokens):
    account = sign_up()
    verify(api, mail_tokens(account.email)[0])
    assert len(subjects(account.email)) == 1


def test_the_token_is_good_once(api, account, token, mail_tokens):
    change(api, token, NEW)
    [mailed] = mail_tokens(NEW)
    assert [verify(api, mailed) for _ in range(2)] == [(200, None), (400, "TOKEN_INVALID")]


def test_resend_goes_to_the_address_that_waits(api, account, token, mail_tokens):
    change(api, token, NEW)
    response = api.post(f"{ACCOUNT}/verify/resend", token=token)
    assert (response.status_code, response.json()["data"]["pending_email"]) == (200, NEW)
    first, second = mail_tokens(NEW)
    assert subjects(account.email) == []
    assert verify(api, first) == (200, None)
    assert verify(api, second) == (400, "TOKEN_INVALID")


def test_an_account_that_was_never_verified_waits_for_the_new_address(api, sign_up, id_token, mail_tokens):
    account = sign_up("typo@acmeweather.com")
    token = id_token(account)
    changed = change(api, token, NEW)
    assert changed.json()["data"]["pending_email"] == NEW
    api.post(f"{ACCOUNT}/verify/resend", token=token)
    assert len(mail_tokens(NEW)) == 2
    assert len(mail_tokens("typo@acmeweather.com")) == 1
    assert verify(api, mail_tokens(NEW)[0]) == (200, None)
    assert addresses(api, token) == (NEW, None, "verified")
    assert subjects("typo@acmeweather.com") == ["Verify your mail address for Acme Weather"]


def test_a_mail_to_an_address_that_was_replaced_is_no_way_back(api, sign_up, id_token, mail_tokens):
    token = id_token(sign_up("typo@acmeweather.com"))
    change(api, token, "second@acmeweather.com")
    change(api, token, NEW)
    assert addresses(api, token)[1] == NEW
    for stale in ("typo@acmeweather.com", "second@acmeweather.com"):
        assert verify(api, mail_tokens(stale)[0]) == (400, "TOKEN_INVALID")
    assert verify(api, mail_tokens(NEW)[0]) == (200, None)
    assert addresses(api, token) == (NEW, None, "verified")


def test_asking_for_the_present_address_takes_the_change_back(api, account, token, mail_tokens):
    change(api, token, NEW)
    response = change(api, token, account.email.upper())
    assert (response.status_code, response.json()["data"]["pending_email"]) == (200, None)
    assert verify(api, mail_tokens(NEW)[0]) == (400, "TOKEN_INVALID")
    again = api.post(f"{ACCOUNT}/verify/resend", token=token)
    assert (again.status_code, again.json()["error"]["code"]) == (409, "CONFLICT")
    assert addresses(api, token) == (account.email, None, "verified")


def test_a_change_that_nobody_verified_within_a_day_is_off(api, account, token, id_token, mail_tokens):
    change(api, token, NEW)
    [mailed] = mail_tokens(NEW)
    with time_machine.travel(timezone.now() + timedelta(hours=25)):
        assert verify(api, mailed) == (400, "TOKEN_EXPIRED")
        assert addresses(api, id_token(account)) == (account.email, None, "verified")


@pytest.mark.parametrize("by", ["login", "contact"])
def test_an_address_that_is_somebody_elses_is_taken(api, account, token, make_account, mail_tokens, by):
    other = make_account("Other Company")
    if by == "contact":
        other.email = "contact@other.example.com"
        other.save()
    response = change(api, token, other.email.upper())
    assert (response.status_code, response.json()["error"]["code"]) == (409, "EMAIL_TAKEN")
    assert addresses(api, token) == (account.email, None, "verified")
    assert mail_tokens(other.email) == []


def test_a_contact_address_that_nobody_verified_is_not_taken(api, account, token, make_account):
    squatter = make_account("Other Company", verified=False)
    Account.objects.filter(pk=squatter.pk).update(email=NEW)
    assert change(api, token, NEW).status_code == 200


def test_somebody_elses_address_is_taken_for_a_first_contact_too(api, account, make_user, id_token):
    user = make_user()
    body = {"company_name": "Solo", "email": account.email}
    response = api.post(ACCOUNT, body, token=id_token(user))
    assert (response.status_code, response.json()["error"]["code"]) == (409, "EMAIL_TAKEN")
    assert not Account.objects.filter(owner=user).exists()


def test_ones_own_login_address_can_become_the_contact_again(api, account, token, mail_tokens):
    login = account.email
    Account.objects.update(email=NEW)
    assert change(api, token, login).status_code == 200
    assert verify(api, mail_tokens(login)[0]) == (200, None)
    assert addresses(api, token) == (login, None, "verified")


@pytest.mark.django_db(transaction=True)
def test_parallel_uses_of_two_tokens_succeed_once(api, make_account, id_token, mail_tokens):
    token = id_token(make_account())
    change(api, token, NEW)
    api.post(f"{ACCOUNT}/verify/resend", token=token)
    mailed = iter(mail_tokens(NEW) * 10)
    answers = in_parallel(20, lambda: verify(api, next(mailed)))
    assert sorted(status for status, _ in answers) == [200] + [400] * 19
    assert not MailToken.objects.filter(used_at=None).exists()
