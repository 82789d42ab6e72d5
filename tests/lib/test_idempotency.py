"""Idempotency-Key: one run, one answer, whatever comes twice."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from aiffinity.lib.models import IdempotencyRecord
from aiffinity.lib.tasks import purge_expired
from tests.conftest import Api

BODY = {"display_name": "A"}


def post(api, key="k", body=BODY, path="/v1/test/echo", **headers):
    return api.post(path, body, headers={"Idempotency-Key": key, **headers})


def test_a_repeated_request_gets_the_first_answer_without_its_secret(api, runs):
    first, second = post(api), post(api)
    assert (first.status_code, second.status_code) == (201, 201)
    assert "Idempotency-Replayed" not in first
    assert second["Idempotency-Replayed"] == "true"
    assert first.json()["data"]["client_secret"] == "cs_live_1"
    assert second.json()["data"] == {"display_name": "A", "run": 1}
    assert second.json()["meta"] == first.json()["meta"]
    assert "X-RateLimit-Limit" in second
    assert runs.runs == 1
    assert "cs_live" not in str(IdempotencyRecord.objects.get().body)


def test_a_bare_answer_is_replayed_bare(api, runs):
    bodies = [post(api, path="/v1/test/bare", body=None).json() for _ in range(2)]
    assert bodies == [{"run": 1}, {"run": 1}]


def test_an_error_of_the_caller_is_replayed_too(api, runs):
    answers = [post(api, body={"nope": 1}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [400, 400]
    assert answers[0].json() == answers[1].json()
    assert answers[1]["Idempotency-Replayed"] == "true"


def test_a_problem_is_replayed_as_a_problem(api, runs):
    answers = [post(api, body={"nope": 1}, Accept="application/problem+json") for _ in range(2)]
    assert [answer["Content-Type"] for answer in answers] == ["application/problem+json"] * 2
    assert answers[0].json() == answers[1].json()
    assert answers[1]["Idempotency-Replayed"] == "true"


@pytest.mark.parametrize(("path", "body"), [("/v1/test/echo", {"display_name": "B"}), ("/v1/test/bare", BODY)])
def test_the_key_with_another_request_is_refused(api, runs, path, body):
    post(api)
    response = post(api, path=path, body=body)
    assert response.status_code == 409
    assert response.json()["error"]["code"] == "IDEMPOTENCY_KEY_REUSED"
    assert runs.runs == 1


def test_another_spelling_of_the_same_json_is_the_same_request(api, runs):
    post(api, body=b'{"display_name": "A", "count": 1}')
    assert post(api, body=b'{ "count": 1.0,"display_name":"A"}')["Idempotency-Replayed"] == "true"


@pytest.mark.parametrize("how", ["plainly", "database"])
def test_a_failure_of_the_platform_is_not_kept(api, runs, how):
    for _ in range(2):
        assert post(api, path=f"/v1/test/fail/{how}").status_code >= 500
    assert runs.runs == 2
    assert not IdempotencyRecord.objects.exists()


def test_invalid_json_and_wrong_methods_claim_no_key(api, runs):
    assert post(api, body=b"{").status_code == 400
    assert post(api, path="/v1/test/pages").status_code == 405
    assert not IdempotencyRecord.objects.exists()
    assert post(api).status_code == 201


@pytest.mark.parametrize("key", ["", "a" * 256, "ä", "a\tb"])
def test_a_malformed_key_is_refused(api, runs, key):
    response = post(api, key=key)
    assert response.status_code == 400
    assert response.json()["error"]["details"][0]["field"] == "Idempotency-Key"
    assert runs.runs == 0


def test_a_key_of_255_printable_characters_is_taken(api, runs):
    assert post(api, key="~ " * 127 + "x").status_code == 201


def test_callers_do_not_share_keys(runs, settings):
    settings.TRUSTED_PROXIES = 1
    api = Api()
    answers = [post(api, **{"X-Forwarded-For": f"8.8.8.{number}"}) for number in (1, 2, 1)]
    assert [answer.json()["data"]["run"] for answer in answers] == [1, 2, 1]


def test_a_key_is_free_again_after_24_hours(api, runs):
    post(api)
    IdempotencyRecord.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert post(api, body={"display_name": "B"}).json()["data"]["run"] == 2
    IdempotencyRecord.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    purge_expired()
    assert not IdempotencyRecord.objects.exists()


def test_a_request_that_died_is_taken_over_and_may_not_write_later(api, runs):
    post(api)
    record = IdempotencyRecord.objects.get()
    died = timezone.now() - timedelta(seconds=1)
    IdempotencyRecord.objects.update(status=None, body=None, locked_until=died)
    assert post(api).json()["data"]["run"] == 2
    late = IdempotencyRecord.objects.filter(pk=record.pk, locked_until=record.locked_until)
    assert not late.exists()


@pytest.mark.django_db(transaction=True)
def test_of_20_parallel_requests_with_one_key_one_runs(runs):
    runs.gate.clear()

    def call():
        try:
            return post(Api())
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as threads:
        futures = [threads.submit(call) for _ in range(20)]
        assert runs.entered.wait(timeout=30)
        refused = 0
        for future in futures:
            # The one that runs waits at the gate until all others were refused.
            if refused == 19:
                break
            refused += not _is_held(future)
        runs.gate.set()
        answers = [future.result() for future in futures]
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 19
    assert runs.runs == 1
    refusals = [answer for answer in answers if answer.status_code == 409]
    assert {answer.json()["error"]["code"] for answer in refusals} == {"CONFLICT"}
    assert {answer["Retry-After"] for answer in refusals} == {"2"}
    assert post(Api())["Idempotency-Replayed"] == "true"


def _is_held(future):
    try:
        future.result(timeout=5)
    except TimeoutError:
        return True
    return False


def test_what_was_sent_can_not_be_guessed_from_the_kept_hash(api, runs, settings):
    post(api, key="a")
    settings.SECRET_KEY = "another key of the deployment"
    post(api, key="b")
    hashes = set(IdempotencyRecord.objects.values_list("request_hash", flat=True))
    assert len(hashes) == 2
