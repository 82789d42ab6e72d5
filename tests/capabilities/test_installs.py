"""Installing: consent, one row whatever happens, and the way back."""

from collections.abc import Callable
from typing import Any

import orjson
import pytest
from django.utils import timezone

from aiffinity.lib.errors import NotFound, NotInstallable, ValidationFailed
from aiffinity.lib.models import AuditEntry
from capabilities.installs import install_package, set_install_params, uninstall_package
from capabilities.models import CachedState, Install
from packages.models import Package
from providers.applications import delete_app
from providers.models import Account, User
from providers.opaque_ids import opaque_user_id
from runtime.models import Event
from tests.capabilities.conftest import Installed
from tests.parallel import held_up_by_this_transaction, in_parallel
from tests.published import Published

PERMISSIONS = ["tasks:write", "weather:read"]


def count_of(published: Published) -> int:
    """Return the package's count of installs."""
    return Package.objects.get(pk=published.package.pk).install_count


def refusal_codes(user: User, published: Published) -> list[str]:
    """Return why the package can't be installed."""
    with pytest.raises(NotInstallable) as refusal:
        install_package(user, published.package, actor="test")
    return [each.code for each in refusal.value.details]


def test_an_install_pins_the_version_and_records_the_consent(
    publish: Callable[..., Published], make_user: Callable[..., User]
) -> None:
    published, user = publish(webhook_url="https://acmeweather.com/hooks"), make_user()
    install, is_new = install_package(user, published.package, actor="user:1")
    assert is_new
    assert (install.version_id, install.consented_permissions) == (published.version.pk, PERMISSIONS)
    assert count_of(published) == 1
    event = Event.objects.get(type="install.created")
    assert orjson.loads(event.body)["data"]["permissions"] == PERMISSIONS
    assert f'"install_id":"{install.pk}"' in event.body
    assert opaque_user_id(user.pk, published.app.pk) in event.body
    assert user.pk not in event.body
    entry = AuditEntry.objects.get(subject=install.pk)
    assert (entry.action, entry.actor) == ("install.created", "user:1")
    assert entry.data == {"permissions": PERMISSIONS}


def test_a_second_install_is_the_same_install(
    publish: Callable[..., Published], make_user: Callable[..., User]
) -> None:
    published, user = publish(webhook_url="https://acmeweather.com/hooks"), make_user()
    first, _ = install_package(user, published.package, actor="test")
    second, is_new = install_package(user, published.package, actor="test")
    assert (second.pk, is_new) == (first.pk, False)
    assert Event.objects.filter(type="install.created").count() == 1
    assert count_of(published) == 1


def test_a_second_install_is_the_same_although_the_package_is_gone_from_the_catalog(
    publish: Callable[..., Published], make_user: Callable[..., User]
) -> None:
    published, user = publish(), make_user()
    first, _ = install_package(user, published.package, actor="test")
    published.set_version(state="suspended")
    second, is_new = install_package(user, published.package, actor="test")
    assert (second.pk, is_new) == (first.pk, False)


@pytest.mark.django_db(transaction=True)
def test_uninstalling_and_installing_at_once_keeps_the_count(
    publish: Callable[..., Published], make_user: Callable[..., User]
) -> None:
    published = publish()
    users = [make_user() for _ in range(6)]
    for user in users[:3]:
        install_package(user, published.package, actor="test")
    waiting = list(users)

    def change() -> None:
        user = waiting.pop()
        if Install.objects.for_user(user).exists():
            uninstall_package(user, published.package, actor="test")
        else:
            install_package(user, published.package, actor="test")

    in_parallel(6, change)
    assert count_of(published) == Install.objects.active().count() == 3


@pytest.mark.django_db(transaction=True)
def test_fifty_installs_at_once_make_one_row_and_one_event(
    publish: Callable[..., Published], make_user: Callable[..., User]
) -> None:
    published, user = publish(webhook_url="https://acmeweather.com/hooks"), make_user()
    results = in_parallel(50, lambda: install_package(user, published.package, actor="test"))
    assert len({install.pk for install, _ in results}) == 1
    assert [is_new for _, is_new in results].count(True) == 1
    assert Install.objects.count() == 1
    assert Event.objects.filter(type="install.created").count() == 1
    assert count_of(published) == 1


@pytest.mark.parametrize(
    ("consent", "code"),
    [(["weather:read"], "consent_incomplete"), ([*PERMISSIONS, "money:spend"], "unknown_permission")],
)
def test_a_consent_to_something_else_is_refused(
    publish: Callable[..., Published], make_user: Callable[..., User], consent: list[str], code: str
) -> None:
    published = publish()
    with pytest.raises(ValidationFailed) as refusal:
        install_package(make_user(), published.package, actor="test", consent=consent)
    assert [(each.field, each.code) for each in refusal.value.details] == [("consent.permissions", code)]
    assert Install.objects.count() == 0


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ({"package": {"suspended_at": timezone.now()}}, "suspended"),
        ({"version": {"state": "suspended"}}, "suspended"),
        ({"version": {"state": "superseded"}}, "not_listed"),
        ({"package": {"deprecated_at": timezone.now()}}, "deprecated"),
        ({"runtime": {"status": "suspended"}}, "suspended"),
        ({"runtime": {"status": "paused"}}, "suspended"),
        ({"app": {"deleted_at": timezone.now()}}, "orphaned"),
        ({"account": {"suspended_at": timezone.now()}}, "suspended"),
    ],
)
def test_what_is_not_installable_is_refused_with_its_reason(
    publish: Callable[..., Published], make_user: Callable[..., User], state: dict[str, Any], code: str
) -> None:
    published = publish()
    rows = {
        "package": published.package,
        "version": published.version,
        "runtime": published.runtime_app,
        "app": published.app,
        "account": published.account,
    }
    for name, fields in state.items():
        type(rows[name])._default_manager.filter(pk=rows[name].pk).update(**fields)
    assert refusal_codes(make_user(), published) == [code]
    assert Install.objects.count() == 0
    assert count_of(published) == 0


def suspend_account(published: Published) -> None:
    """Suspend the account behind a package."""
    Account.objects.filter(pk=published.account.pk).update(suspended_at=timezone.now())


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("stop", "code"),
    [
        (lambda published: published.set_package(suspended_at=timezone.now()), "suspended"),
        (lambda published: published.set_version(state="suspended"), "suspended"),
        (lambda published: published.set_runtime(status="suspended"), "suspended"),
        (suspend_account, "suspended"),
        (lambda published: delete_app(published.app, actor="test"), "orphaned"),
    ],
)
def test_what_stops_while_an_install_waits_for_its_turn_is_not_installed(
    publish: Callable[..., Published], make_user: Callable[..., User], stop: Callable[[Published], Any], code: str
) -> None:
    published, user = publish(), make_user()
    with held_up_by_this_transaction(lambda: refusal_codes(user, published)) as refused:
        Package.objects.select_for_update(no_key=True).get(pk=published.package.pk)
        stop(published)
    assert refused.result() == [code]
    assert Install.objects.count() == 0
    assert count_of(published) == 0


def test_a_degraded_app_can_be_installed(publish: Callable[..., Published], make_user: Callable[..., User]) -> None:
    published = publish()
    published.set_runtime(health_status="degraded")
    assert install_package(make_user(), published.package, actor="test")[1]


def test_uninstalling_deletes_the_states_and_counts_back(installed: Installed) -> None:
    assert installed.invoke().status_code == 200
    assert CachedState.objects.count() == 1
    removed = uninstall_package(installed.user, installed.published.package, actor="test")
    assert removed.pk == installed.install.pk
    assert removed.removed_at is not None
    assert CachedState.objects.count() == 0
    assert count_of(installed.published) == 0
    assert installed.invoke().status_code == 404
    with pytest.raises(NotFound):
        uninstall_package(installed.user, installed.published.package, actor="test")


def test_who_uninstalled_can_install_again(installed: Installed) -> None:
    uninstall_package(installed.user, installed.published.package, actor="test")
    again, is_new = install_package(installed.user, installed.published.package, actor="test")
    assert is_new
    assert again.pk != installed.install.pk


def test_params_are_kept_per_capability(installed: Installed) -> None:
    install = set_install_params(installed.install, params={"current_weather": {"location": "Bergen"}})
    assert install.params == {"current_weather": {"location": "Bergen"}}
    set_install_params(install, params={"create_task": {"title": "x"}, "current_weather": None})
    assert Install.objects.get(pk=install.pk).params == {"create_task": {"title": "x"}}


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"current_weather": {"location": 5}}, "params.current_weather.location"),
        ({"current_weather": []}, "params.current_weather"),
        ({"unheard_of": {}}, "params.unheard_of"),
    ],
)
def test_params_must_fit_the_capability(installed: Installed, params: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationFailed) as refusal:
        set_install_params(installed.install, params=params)
    assert [each.field for each in refusal.value.details] == [field]
    assert Install.objects.get(pk=installed.install.pk).params == {}
