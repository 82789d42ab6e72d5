"""Bodies and answers for packages."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from aiffinity.lib.serializers import JsonObjectField, StrictBooleanField, StrictSerializer, TextField
from packages.categories import CATEGORY_SLUGS
from packages.models import AvailabilityMode, Package, PackageStatus, RiskTier, Version
from packages.serializers.versions import VersionSummaryOut, capabilities_field, render_version_summary
from providers.serializers import ProseField, UrlField

MAX_KEYWORDS = 20
MAX_IMAGES = 8
DELETED = "deleted"


@extend_schema_field({"type": "string", "pattern": "^[a-z][a-z0-9-]{2,63}$"})
class SlugField(TextField):
    """A package's name in addresses."""


class _ListingFields(StrictSerializer):
    name = ProseField(min_length=1, max_length=80, help_text="Display name in the catalog.")
    description = ProseField(min_length=1, max_length=2000)
    category = serializers.ChoiceField(
        choices=CATEGORY_SLUGS,
        required=False,
        allow_blank=True,
        error_messages={"invalid_choice": f"There is no such category. Choose one of {', '.join(CATEGORY_SLUGS)}."},
        help_text="A shelf of the catalog, as `GET /v1/space/categories` lists them.",
    )
    keywords = serializers.ListField(
        child=ProseField(min_length=1, max_length=40), max_length=MAX_KEYWORDS, required=False
    )
    images = serializers.ListField(
        child=UrlField(), max_length=MAX_IMAGES, required=False, help_text="Addresses of listing images."
    )
    support_url = UrlField(required=False, allow_blank=True)
    privacy_policy_url = UrlField(required=False, allow_blank=True)
    availability_mode = serializers.ChoiceField(choices=AvailabilityMode.values, required=False)


class PackageCreateBody(_ListingFields):
    """`POST /v1/providers/packages/manage`."""

    app_id = TextField(max_length=40, help_text="The app that runs the capabilities.")
    slug = SlugField(max_length=64, help_text="3 to 64 lower-case letters, digits and hyphens; unique everywhere.")
    risk_tier = serializers.ChoiceField(choices=RiskTier.values, help_text="Of version 1.0.0.")
    capabilities = capabilities_field()
    changelog = ProseField(max_length=5000, required=False, allow_blank=True)
    publish_on_approval = StrictBooleanField(required=False, help_text="List the version as soon as it is approved.")


class PackagePatchBody(_ListingFields):
    """`PATCH /v1/providers/packages/manage/{id}`: listing metadata only."""


class DeprecationBody(StrictSerializer):
    """`DELETE /v1/providers/packages/manage/{id}`; the query takes the same."""

    successor = TextField(
        max_length=64, required=False, help_text="Id or slug of a published package that replaces this one."
    )


class PackageListQuery(serializers.Serializer[Any]):
    """Filters of the list of packages."""

    status = serializers.ChoiceField(choices=PackageStatus.values, required=False)


class PackageOut(serializers.Serializer[Any]):
    """A package with its derived status and counts."""

    id = serializers.CharField()
    app_id = serializers.CharField()
    name = serializers.CharField()
    slug = serializers.CharField()
    description = serializers.CharField()
    category = serializers.CharField()
    keywords = serializers.ListField(child=serializers.CharField())
    images = serializers.ListField(child=serializers.CharField())
    support_url = serializers.CharField()
    privacy_policy_url = serializers.CharField()
    availability_mode = serializers.ChoiceField(choices=AvailabilityMode.values)
    status = serializers.ChoiceField(choices=[*PackageStatus.values, DELETED])
    risk_tier = serializers.ChoiceField(choices=RiskTier.values, help_text="Of the newest version.")
    install_count = serializers.IntegerField()
    listed_at = serializers.DateTimeField(allow_null=True, help_text="First listing.")
    deprecated_at = serializers.DateTimeField(allow_null=True)
    successor_id = serializers.CharField(allow_null=True, help_text="The package that replaces a deprecated one.")
    pending_listing = JsonObjectField(help_text="Changed `name` and `images` that wait for a reviewer.")
    suspended_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    versions = VersionSummaryOut(many=True, help_text="All versions, the newest first.")


def render_package(package: Package, versions: list[Version], *, status: str) -> dict[str, Any]:
    """Render a package with its versions, the newest first."""
    return {
        "id": package.pk,
        "app_id": package.app_id,
        "name": package.name,
        "slug": package.slug,
        "description": package.description,
        "category": package.category,
        "keywords": package.keywords,
        "images": package.images,
        "support_url": package.support_url,
        "privacy_policy_url": package.privacy_policy_url,
        "availability_mode": package.availability_mode,
        "status": status,
        "risk_tier": versions[0].risk_tier if versions else None,
        "install_count": package.install_count,
        "listed_at": package.listed_at,
        "deprecated_at": package.deprecated_at,
        "successor_id": package.successor_id,
        "pending_listing": package.pending_listing,
        "suspended_at": package.suspended_at,
        "created_at": package.created_at,
        "updated_at": package.updated_at,
        "versions": [render_version_summary(version) for version in versions],
    }
