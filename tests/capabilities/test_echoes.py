"""A secret that a provider echoes reaches no user, no cache, no record and no event."""

from aiffinity.lib.crypto import Secret
from capabilities.models import CachedState, Invocation
from capabilities.recording import recorder
from runtime.models import Event, RuntimeApp
from runtime.named_secrets import set_named_secret
from tests.capabilities.conftest import Installed
from tests.fakes import FakeProvider

CANARY = "canary-named-secret"
OSLO = {"location": "Oslo"}


def test_an_echoed_secret_is_neither_answered_nor_kept(installed: Installed, fake_provider: FakeProvider) -> None:
    runtime_app = RuntimeApp.objects.select_related("app").get(pk=installed.published.app.pk)
    set_named_secret(runtime_app, "API_TOKEN", Secret(CANARY), actor="test")
    good = installed.invoke(OSLO).json()["data"]
    weather = {**good["data"], "condition": CANARY}
    fake_provider.answers["current_weather"] = lambda _: {"data": weather}

    refused = installed.invoke({"location": "Bergen"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (502, "UPSTREAM_INVALID_RESPONSE")
    assert [detail["code"] for detail in refused.json()["error"]["details"]] == ["secret_echoed"]
    stale = installed.invoke(OSLO, headers={"Cache-Control": "no-cache"})
    assert (stale.status_code, stale.json()["data"]["stale"]) == (200, True)
    assert stale.json()["data"]["data"] == good["data"]

    recorder.flush()
    assert [row.data for row in CachedState.objects.all()] == [good["data"]]
    failed = Invocation.objects.filter(status="error")
    assert {(row.error_code, row.error_message) for row in failed} == {
        ("UPSTREAM_INVALID_RESPONSE", "The provider's answer holds a secret of the call.")
    }
    texts = [refused.content.decode(), stale.content.decode(), *Event.objects.values_list("body", flat=True)]
    assert not any(CANARY in text for text in texts)
