"""Who may call which install."""

from collections.abc import Callable
from typing import Any

from tests.capabilities.conftest import Installed

OSLO = {"location": "Oslo"}


def test_an_app_names_an_install_of_its_own_account(
    installed: Installed, api: Any, access_token: Callable[..., str], make_account: Any, make_app: Any
) -> None:
    token = access_token(installed.published.app)
    path, body = installed.path("invoke"), {"params": OSLO, "install_id": installed.install.pk}
    assert api.post(path, body, token=token).status_code == 200
    unnamed = api.post(path, {"params": OSLO}, token=token)
    assert unnamed.status_code == 400
    assert unnamed.json()["error"]["details"][0]["field"] == "install_id"
    stranger = access_token(make_app(make_account("Other Company")))
    assert api.post(path, body, token=stranger).status_code == 404
    assert api.post(path, {"params": OSLO}, token=stranger).status_code == 404


def test_foreign_and_malformed_ids_are_not_found(
    installed: Installed, install: Callable[..., Installed], api: Any, id_token: Any, make_user: Any
) -> None:
    stranger = id_token(make_user())
    assert api.post(installed.path("invoke"), {}, token=stranger).status_code == 404
    other = install(installed.published)
    body = {"install_id": other.install.pk}
    assert api.post(installed.path("invoke"), body, token=installed.token).status_code == 404
    assert api.post(installed.path("invoke"), {"install_id": "inst_x"}, token=installed.token).status_code == 404
    for capability_id in ("cap_01J8XKWM3N4QR5STVYZ2BCDEFG", "nonsense", "cap%00"):
        path = f"/v1/providers/capabilities/{capability_id}"
        assert api.post(f"{path}/invoke", {}, token=installed.token).status_code == 404
        assert api.get(f"{path}/state", token=installed.token).status_code == 404
        assert api.get(f"{path}/history", token=installed.token).status_code == 404


def test_without_a_token_nobody_calls(installed: Installed, api: Any) -> None:
    for verb in ("invoke", "action"):
        assert api.post(installed.path(verb), {}).status_code == 401
    for verb in ("state", "history"):
        assert api.get(installed.path(verb)).status_code == 401
