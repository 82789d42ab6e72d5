"""Listings: which packages the catalog shows, and the document that it shows of each (spec 4 "Catalog")."""

import re
from typing import Any

from django.db.models import Case, F, Func, JSONField, QuerySet, When

from aiffinity.lib.errors import NotFound
from aiffinity.lib.ids import is_id
from capabilities.consents import permissions_of
from packages.models import AvailabilityMode, Package, Version, VersionState
from runtime.models import HealthStatus

SLUG = re.compile(r"\A[a-z][a-z0-9-]{2,63}\Z")
SHOWN_STATES = (VersionState.LISTED, VersionState.SUSPENDED, VersionState.SUPERSEDED)


class CapabilitySummaries(Func):
    """Picks name, mode, description and permissions out of each descriptor; the schemas stay in the database."""

    template = (
        "(SELECT coalesce(jsonb_agg(jsonb_build_object('name', item->'name', 'mode', item->'mode', "
        "'description', item->'description', 'permissions', item->'permissions') ORDER BY place), '[]') "
        "FROM jsonb_array_elements(%(expressions)s) WITH ORDINALITY AS items(item, place))"
    )
    output_field = JSONField()


def browsable_versions() -> QuerySet[Version]:
    """Return the listed versions of the packages that lists show: unlisted packages are left out."""
    return Version.objects.listed().filter(package__availability_mode=AvailabilityMode.PUBLIC)


def with_listing_fields(versions: QuerySet[Version]) -> QuerySet[Version]:
    """Read everything that a listing shows in the one query, without the schemas of the capabilities."""
    return (
        versions.select_related("package__account", "package__app", "package__successor")
        .defer("capabilities", "changelog")
        .annotate(
            summaries=CapabilitySummaries("capabilities"),
            health_status=F("package__app__runtime_app__health_status"),
        )
    )


def find_package(id_or_slug: str) -> Package:
    """Return the package of an id or slug that was ever listed, or raise NotFound."""
    packages = Package.objects.select_related("account", "app").filter(listed_at__isnull=False)
    if is_id(id_or_slug, "pkg"):
        package = packages.filter(pk=id_or_slug).first()
    else:
        package = packages.filter(slug=id_or_slug).first() if SLUG.match(id_or_slug) else None
    if package is None:
        raise NotFound
    return package


def shown_version(package: Package) -> Version:
    """Return the version that a package's page shows: the listed one, else the last that was; raises NotFound."""
    versions = with_listing_fields(Version.objects.filter(package=package, state__in=SHOWN_STATES))
    is_listed = Case(When(state=VersionState.LISTED, then=1), default=0)
    version = versions.order_by(is_listed.desc(), F("listed_at").desc(nulls_last=True)).first()
    if version is None:
        raise NotFound
    return version


def listing_document(version: Any) -> dict[str, Any]:
    """Render one row of `with_listing_fields` as the catalog shows it."""
    package, summaries = version.package, version.summaries
    return {
        "id": package.pk,
        "slug": package.slug,
        "name": package.name,
        "description": package.description,
        "category": package.category or None,
        "keywords": package.keywords,
        "images": package.images,
        "publisher": {
            "name": package.account.company_name,
            "verified": package.account.email_verified_at is not None,
        },
        "risk_tier": version.risk_tier,
        "certification": None,
        "permissions": permissions_of(summaries),
        "capabilities": [{name: item[name] for name in ("name", "mode", "description")} for item in summaries],
        "install_count": package.install_count,
        "rating": {"average": None, "count": 0},
        "version": version.version,
        "version_id": version.pk,
        "listed_at": package.listed_at,
        "updated_at": package.updated_at,
        "availability_mode": package.availability_mode,
        "successor": successor_of(package),
        "badges": badges_of(package, version.health_status),
    }


def successor_of(package: Package) -> dict[str, str] | None:
    """Return which package the provider offers instead of a deprecated one."""
    heir = package.successor if package.deprecated_at is not None else None
    return {"id": heir.pk, "slug": heir.slug, "name": heir.name} if heir is not None else None


def badges_of(package: Package, health_status: str | None) -> list[str]:
    """Return what a user should know before installing: degraded, orphaned."""
    found = {
        "degraded": health_status == HealthStatus.DEGRADED,
        "orphaned": package.app.deleted_at is not None,
    }
    return [name for name, holds in found.items() if holds]
