"""ETag, If-None-Match and If-Match: what counts as unchanged, and that no write slips in between."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from aiffinity.lib.models import IdempotencyRecord
from tests.conftest import Api

pytestmark = pytest.mark.django_db(transaction=True)

NOTE = "/v1/test/notes/first"


def put(text, *, at=NOTE, **conditions):
    headers = {name.replace("_", "-"): value for name, value in conditions.items()}
    return Api().put(at, {"text": text}, headers=headers)


def move(**fields):
    assert IdempotencyRecord.objects.filter(caller="notes", key="first").update(**fields) == 1


@pytest.fixture
def tag(runs):
    """Make a note and return its tag."""
    made = put("one")
    assert made.status_code == 201
    runs.runs = 0
    runs.entered.clear()
    return made["ETag"]


def refusal(response):
    error = response.json()["error"]
    return response.status_code, error["code"], error["message"]


CHANGED = (
    412,
    "PRECONDITION_FAILED",
    "The resource has changed since you read it; read it again and repeat your change.",
)


def test_the_tag_is_that_of_the_resource_and_not_of_the_answer(tag, api):
    first, second = api.get(NOTE), api.get(NOTE)
    assert first["ETag"] == second["ETag"] == tag
    assert first.content != second.content
    assert api.get("/v1/test/pages")["ETag"] != api.get("/v1/test/pages?limit=1")["ETag"]


@pytest.mark.parametrize("form", ["{tag}", "W/{tag}", '"other", {tag}', "*", ' "other" , W/{tag} '])
def test_a_reader_who_has_it_gets_304(tag, api, form):
    response = api.get(NOTE, headers={"If-None-Match": form.format(tag=tag)})
    assert (response.status_code, response.content, response["ETag"]) == (304, b"", tag)
    head = api("HEAD", NOTE, headers={"If-None-Match": tag})
    assert head.status_code == 304


@pytest.mark.parametrize("form", ['"other"', "", "nonsense", '"'])
def test_a_reader_who_has_something_else_gets_it_all(tag, api, form):
    assert api.get(NOTE, headers={"If-None-Match": form}).json()["data"] == {"text": "one", "reads": None}


def test_an_error_carries_no_tag(tag, api):
    response = api.get("/v1/test/notes/second", headers={"If-None-Match": "*"})
    assert response.status_code == 404
    assert "ETag" not in response


@pytest.mark.parametrize("form", ["{tag}", "*", '"other", {tag}'])
def test_a_write_on_the_tag_that_stands_goes_through(tag, api, form):
    written = put("two", If_Match=form.format(tag=tag))
    assert (written.status_code, written.json()["data"]["text"]) == (200, "two")
    assert written["ETag"] == api.get(NOTE)["ETag"] != tag


@pytest.mark.parametrize("form", ['"other"', "W/{tag}", 'W/{tag}, "other"'])
def test_a_write_on_another_or_a_weak_tag_is_refused(tag, api, form):
    refused = put("two", If_Match=form.format(tag=tag))
    assert refusal(refused) == CHANGED
    assert refused["ETag"] == tag
    assert api.get(NOTE).json()["data"]["text"] == "one"


@pytest.mark.parametrize("header", ["If-Match", "If-None-Match"])
@pytest.mark.parametrize("value", ["", "abc", '"abc', 'abc"', '"a" "b"', "W/*", '*, "a"', '"a\x7fb"'])
def test_a_condition_that_is_none_names_its_header(tag, api, runs, header, value):
    refused = put("two", **{header.replace("-", "_"): value})
    assert refused.status_code == 400
    assert refused.json()["error"]["details"] == [
        {"field": header, "code": "invalid", "message": "Send the ETag as it was answered, with its quotes, or `*`."}
    ]
    assert runs.runs == 0


def test_a_second_delete_on_the_same_tag_finds_nothing(tag, api):
    assert [api.delete(NOTE, headers={"If-Match": tag}).status_code for _ in range(2)] == [200, 404]


def test_what_is_to_be_replaced_must_be_there(runs, api):
    refused = put("two", If_Match="*")
    message = "There is nothing at this path yet; leave If-Match out to make it."
    assert refusal(refused) == (412, "PRECONDITION_FAILED", message)
    assert api.get(NOTE).status_code == 404


def test_what_is_to_be_made_must_not_be_there(runs, api):
    made, again = put("one", If_None_Match="*"), put("two", If_None_Match="*")
    assert (made.status_code, refusal(again)[:2]) == (201, (412, "PRECONDITION_FAILED"))
    assert api.get(NOTE).json()["data"]["text"] == "one"


def test_what_the_platform_counts_changes_the_tag_and_holds_up_no_write(tag, api):
    move(status=7)
    assert api.get(NOTE, headers={"If-None-Match": tag}).json()["data"]["reads"] == 7
    assert put("two", If_Match=tag).status_code == 200


def write(text, tag):
    """Write on a thread of its own."""
    try:
        return put(text, If_Match=tag)
    finally:
        connection.close()


def write_while_another_writes(runs, tag, **fields):
    """Begin a write on the tag; another change is committed after the check and before the write."""
    runs.gate.clear()
    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write, "two", tag)
        assert runs.entered.wait(timeout=30)
        move(**fields)
        runs.gate.set()
        return writing.result(timeout=30)


def test_a_change_between_check_and_write_is_not_overwritten(tag, api, runs):
    refused = write_while_another_writes(runs, tag, request_hash="theirs")
    assert refusal(refused) == CHANGED
    assert api.get(NOTE).json()["data"]["text"] == "theirs"
    assert runs.runs == 1


def test_a_move_between_check_and_write_is_kept(tag, api, runs):
    written = write_while_another_writes(runs, tag, status=7)
    assert (written.status_code, written.json()["data"]) == (200, {"text": "two", "reads": 7})
    assert runs.runs == 2


def test_of_many_writers_on_one_tag_one_goes_through(tag, api):
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(write, [f"from {number}" for number in range(16)], [tag] * 16))
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 15
    won = next(answer for answer in answers if answer.status_code == 200)
    assert api.get(NOTE)["ETag"] == won["ETag"]
