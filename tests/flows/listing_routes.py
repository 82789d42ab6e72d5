"""Every way on which somebody could try to get a version listed; each is tried on its own and then taken back."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from io import StringIO
from typing import Any

from django.core.management import call_command
from django.db.models import F
from django.test import Client

from aiffinity.lib.errors import PlatformError
from packages import tasks
from packages.listing import list_submitted_version
from packages.models import Review, Version
from packages.policy import config_hash_of
from packages.reviewing.bulk import bulk_approve
from providers.models import User
from tests.packages.conftest import Maker

ADMIN = "/admin/packages"


@dataclass
class Desks:
    """A provider, and two superusers at the console: one is the provider, the other has no part in anything."""

    acme: Maker
    root: User
    reason: int

    def __post_init__(self) -> None:
        self.staff = _logged_in(self.root)
        self.owner_as_staff = _logged_in(User.objects.get(pk=self.acme.account.owner_id))


Route = Callable[[Desks, Version], object]


def _logged_in(user: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def _call(name: str, body: dict[str, Any] | None = None) -> Route:
    return lambda desks, version: desks.acme(
        "POST", f"/{version.package_id}/versions/{version.pk}/{name}", {} if body is None else body
    )


def _patch(**fields: Any) -> Route:
    return lambda desks, version: desks.acme("PATCH", f"/{version.package_id}/versions/{version.pk}", fields)


def _lower_tier_and_submit(desks: Desks, version: Version) -> None:
    """Edit to the tier that needs no approval, and go on as if what is validated still counted."""
    _patch(riskTier="data_only")(desks, version)
    for name in ("submit", "publish"):
        _call(name)(desks, version)


def _withdraw_and_publish(desks: Desks, version: Version) -> None:
    for name in ("withdraw", "submit", "publish"):
        _call(name)(desks, version)


def _suspend_and_resume(desks: Desks, version: Version) -> None:
    for name in ("suspend", "resume", "publish", "rollback"):
        _call(name)(desks, version)


def _patch_package(desks: Desks, version: Version) -> None:
    desks.acme("PATCH", f"/{version.package_id}", {"status": "published", "state": "listed", "listedAt": "2026-01-01"})


def _create_listed(desks: Desks, version: Version) -> None:
    body = {"capabilities": desks.acme.capabilities, "version": "3.0.0", "state": "listed"}
    desks.acme("POST", f"/{version.package_id}/versions", body)


def _reply(desks: Desks, version: Version) -> None:
    for review in Review.objects.filter(version=version):
        path = f"/{version.package_id}/versions/{version.pk}/reviews/{review.pk}/reply"
        desks.acme("POST", path, {"message": "Please list it."})


def _form(model: str) -> Route:
    def post(desks: Desks, version: Version) -> None:
        pk = version.pk if model == "version" else version.package_id
        body = {"state": "listed", "status": "published", "risk_tier": "data_only", "_save": "Save"}
        hashes = {"approved_content_hash": version.content_hash, "content_hash": version.content_hash}
        desks.staff.post(f"{ADMIN}/{model}/{pk}/change/", {**body, **hashes})

    return post


def _list_form(model: str) -> Route:
    def post(desks: Desks, version: Version) -> None:
        pk = version.pk if model == "version" else version.package_id
        forms = {"form-TOTAL_FORMS": 1, "form-INITIAL_FORMS": 1, "form-0-id": pk, "form-0-state": "listed"}
        chosen = {"action": "resume", "_selected_action": pk, "index": 0}
        desks.staff.post(f"{ADMIN}/{model}/", {**forms, **chosen, "_save": "Save"})

    return post


def _add_form(desks: Desks, version: Version) -> None:
    body = {"package": version.package_id, "version": "3.0.0", "state": "listed", "risk_tier": "data_only"}
    desks.staff.post(f"{ADMIN}/version/add/", {**body, "capabilities": "[]", "content_hash": "0" * 64})


def _step(model: str, name: str, *, is_owner: bool = False) -> Route:
    def post(desks: Desks, version: Version) -> None:
        client = desks.owner_as_staff if is_owner else desks.staff
        pk = version.pk if model == "version" else version.package_id
        client.post(f"{ADMIN}/{model}/{pk}/step/{name}/", {"reason": "Why not"})

    return post


def _act(*names: str, is_owner: bool = False) -> Route:
    """Take actions of the review page in this order, with the hashes of what there is and a confirmation."""

    def post(desks: Desks, version: Version) -> None:
        client = desks.owner_as_staff if is_owner else desks.staff
        body = {"content_hash": version.content_hash, "config_hash": config_hash_of(version), "reasons": desks.reason}
        given = {**body, "confirmed": "1", "comment": "Fine", "text": "Fine"}
        for review in Review.objects.filter(version=version):
            for name in names:
                client.post(f"{ADMIN}/review/{review.pk}/act/{name}/", given)

    return post


def _bulk(name: str) -> Route:
    def post(desks: Desks, version: Version) -> None:
        reviews = list(Review.objects.filter(version=version).values_list("pk", flat=True))
        path = f"{ADMIN}/review/queue/{version.risk_tier}/{name}/"
        desks.staff.post(path, {"review": reviews, "confirmed": "1", "comment": "All of them"})

    return post


def _bulk_suspend_and_resume(desks: Desks, version: Version) -> None:
    _bulk("suspend")(desks, version)
    for pk in Version.objects.filter(package=version.package_id).values_list("pk", flat=True):
        desks.staff.post(f"{ADMIN}/version/{pk}/step/resume/", {"reason": "Again"})
    _call("resume")(desks, version)


def _bulk_approve_as_owner(desks: Desks, version: Version) -> None:
    owner = User.objects.get(pk=desks.acme.account.owner_id)
    bulk_approve(Review.objects.filter(version=version), reviewer=owner, comment="Mine")


def _system(desks: Desks, version: Version) -> None:
    with suppress(PlatformError):
        list_submitted_version(version)


def _sweeps(desks: Desks, version: Version) -> None:
    tasks.list_submitted_versions()
    tasks.expire_claims_and_approvals()
    tasks.open_re_reviews()
    tasks.resume_validation_runs()
    tasks.list_submitted_versions()


def _commands(desks: Desks, version: Version) -> None:
    call_command("sweep_orphans", stdout=StringIO())
    call_command("backtest_check", "properties_typed", stdout=StringIO())


def _write(**columns: Any) -> Route:
    def update(desks: Desks, version: Version) -> None:
        Version.objects.filter(pk=version.pk).update(state="listed", **columns)

    return update


def _save(desks: Desks, version: Version) -> None:
    version.state, version.approved_content_hash = "listed", version.content_hash
    version.save()


def _insert(desks: Desks, version: Version) -> None:
    version.pk, version.version, version.state = "ver_forged", "9.0.0", "listed"
    version.approved_content_hash = version.content_hash
    Version.objects.bulk_create([version])


HTTP_ROUTES: dict[str, Route] = {
    "submit": _call("submit"),
    "submit to publish on approval": _call("submit", {"publishOnApproval": True}),
    "publish": _call("publish"),
    "rollback": _call("rollback"),
    "resume": _call("resume"),
    "suspend and resume": _suspend_and_resume,
    "withdraw, submit and publish": _withdraw_and_publish,
    "patch the state": _patch(state="listed"),
    "patch the hashes": _patch(approvedContentHash="0" * 64, contentHash="0" * 64),
    "patch the tier, submit and publish": _lower_tier_and_submit,
    "patch the package": _patch_package,
    "create as listed": _create_listed,
    "reply": _reply,
    "version form": _form("version"),
    "package form": _form("package"),
    "version list": _list_form("version"),
    "package list": _list_form("package"),
    "add form": _add_form,
    "resume in the console": _step("version", "resume"),
    "resume in the console as owner": _step("version", "resume", is_owner=True),
    "resume the package in the console": _step("package", "resume"),
    "approve": _act("approve"),
    "claim and approve": _act("claim", "approve"),
    "claim and approve as owner": _act("claim", "approve", is_owner=True),
    "approve twice": _act("claim", "approve", "claim", "approve"),
    "every other action": _act("note", "message", "escalate", "release", "request_changes", "reject", "suspend"),
    "bulk approve": _bulk("approve"),
    "bulk suspend, resume": _bulk_suspend_and_resume,
}
INNER_ROUTES: dict[str, Route] = {
    "bulk approve as owner": _bulk_approve_as_owner,
    "system": _system,
    "sweeps": _sweeps,
    "commands": _commands,
}
DATABASE_ROUTES: dict[str, Route] = {
    "update": _write(),
    "update with hash": _write(approved_content_hash=F("content_hash")),
    "update with tier": _write(approved_content_hash=F("content_hash"), risk_tier="data_only"),
    "save": _save,
    "insert": _insert,
}
