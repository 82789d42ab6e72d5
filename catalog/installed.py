"""What a user has: the documents of installs, and the install state beside a listing (spec 1 decision 11)."""

from collections.abc import Iterable
from typing import Any

from django.db.models import F, OuterRef, QuerySet, Subquery

from capabilities.installability import Candidate, installability
from capabilities.models import Install
from catalog.connected import NOT_CONNECTED
from catalog.listings import badges_of
from packages.models import Package, Version, VersionState
from providers.models import User
from runtime.connections.authority import is_made_with, shown_status
from runtime.models import Connection, ConnectionStatus, RuntimeApp


def installs_of(user: User) -> QuerySet[Install]:
    """Return a user's installs, the newest first, with what their documents show."""
    return with_what_is_shown(Install.objects.for_user(user)).order_by("-created_at", "-pk")


def with_what_is_shown(installs: QuerySet[Install]) -> QuerySet[Install]:
    """Join what the documents of installs show."""
    connections = Connection.objects.standing().filter(install_id=OuterRef("pk"))
    return (
        installs.select_related("package__account", "package__app", "version")
        .defer("version__capabilities", "version__changelog")
        .annotate(
            health_status=F("package__app__runtime_app__health_status"),
            auth_profile=F("package__app__runtime_app__auth_profile"),
            connection_status=Subquery(connections.values("status")),
            connection_made_with=Subquery(connections.values("authority_hash")),
        )
    )


def install_document(install: Any) -> dict[str, Any]:
    """Render an install; `badges` says why it may not work now: degraded, orphaned, suspended."""
    package, version = install.package, install.version
    is_suspended = (
        package.suspended_at is not None or package.account.is_suspended or version.state == VersionState.SUSPENDED
    )
    return {
        "id": install.pk,
        "status": "active" if install.removed_at is None else "removed",
        "package_id": package.pk,
        "package": {"id": package.pk, "slug": package.slug, "name": package.name, "images": package.images},
        "version_id": version.pk,
        "version": version.version,
        "permissions": install.consented_permissions,
        "consented_at": install.consented_at,
        "params": install.params,
        "connection": _connection(install),
        "badges": badges_of(package, install.health_status) + ["suspended"] * is_suspended,
        "created_at": install.created_at,
        "removed_at": install.removed_at,
    }


def with_install_state(listings: Iterable[dict[str, Any]], user: User) -> list[dict[str, Any]]:
    """Add `install` to each listing: `{id, version, version_id, created_at}`, or null where the user lacks it."""
    listings = list(listings)
    rows = Install.objects.for_user(user).filter(package__in=[listing["id"] for listing in listings])
    columns = rows.values("package_id", "id", "version_id", "created_at", version_number=F("version__version"))
    installs = {
        row["package_id"]: {
            "id": row["id"],
            "version": row["version_number"],
            "version_id": row["version_id"],
            "created_at": row["created_at"],
        }
        for row in columns
    }
    return [{**listing, "install": installs.get(listing["id"])} for listing in listings]


def installability_for(package: Package, version: Version, user: User | None) -> dict[str, Any]:
    """Say whether a package can be installed, with the user's own reasons where one is known."""
    install = None
    if user is not None:
        install = Install.objects.for_user(user).filter(package=package).select_related("version").first()
    runtime_app = RuntimeApp.objects.filter(pk=package.app_id).first()
    is_connected = install is not None and _is_connected(install, runtime_app)
    return installability(Candidate(package, version, runtime_app, install, is_connected))


def _connection(install: Any) -> dict[str, Any]:
    profile, status = install.auth_profile, install.connection_status
    shown = shown_status(status, install.connection_made_with, profile) if status else NOT_CONNECTED
    return {"required": profile is not None, "status": shown}


def _is_connected(install: Install, runtime_app: RuntimeApp | None) -> bool:
    found = Connection.objects.filter(install_id=install.pk, status=ConnectionStatus.ACTIVE).first()
    return found is not None and runtime_app is not None and is_made_with(found, runtime_app.auth_profile)
