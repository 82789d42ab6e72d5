"""Bodies, query parameters and answers of the catalog room."""

from typing import Any

from rest_framework import serializers

from aiffinity.lib.cursors import cursor_field
from aiffinity.lib.serializers import JsonObjectField, StrictSerializer, TextField
from aiffinity.lib.views import PageQuery
from catalog.search import SORTS
from packages.models import AvailabilityMode, RiskTier
from runtime.descriptors import MODES


class CatalogQueryParams(PageQuery):
    """What is looked for in the catalog."""

    q = serializers.CharField(
        required=False, allow_blank=True, max_length=200, help_text="Words of name, keywords, description, publisher."
    )
    category = serializers.CharField(required=False, max_length=40, help_text="A slug of /v1/space/categories.")
    risk_tier = serializers.ChoiceField(required=False, choices=RiskTier.choices, help_text="Only this risk tier.")
    sort = serializers.ChoiceField(
        required=False, choices=sorted(SORTS), help_text="Without it the best match first, or the most popular."
    )
    cursor = cursor_field()


class ConsentBody(StrictSerializer):
    """What the user agreed to."""

    permissions = serializers.ListField(
        child=TextField(max_length=200), max_length=500, help_text="All permissions of the listing."
    )


class InstallBody(StrictSerializer):
    """An install; installing is the consent to the permissions of the listing."""

    consent = ConsentBody(required=False, allow_null=True, help_text="Refused unless it is what the listing asks.")


class PermissionListBody(ConsentBody):
    """What the user agrees to now; unlike the rest of a PATCH it is whole or refused."""

    def to_internal_value(self, data: Any) -> Any:
        """Refuse a consent without its permissions."""
        consent = super().to_internal_value(data)
        if "permissions" not in consent:
            raise serializers.ValidationError({"permissions": ["This field is required."]}, code="required")
        return consent


class InstallPatchBody(StrictSerializer):
    """Settings of an install."""

    params = JsonObjectField(help_text="Params by capability name, for background refreshes; null takes them back.")
    consent = PermissionListBody(help_text="To the listed version, where it asks for more than the installed one.")


class PublisherOut(serializers.Serializer[Any]):
    """Who offers a package."""

    name = serializers.CharField()
    verified = serializers.BooleanField()


class RatingOut(serializers.Serializer[Any]):
    """What users think of a package."""

    average = serializers.FloatField(allow_null=True)
    count = serializers.IntegerField()


class ListedCapabilityOut(serializers.Serializer[Any]):
    """A capability as the catalog shows it."""

    name = serializers.CharField()
    mode = serializers.ChoiceField(choices=MODES)
    description = serializers.CharField()


class SuccessorOut(serializers.Serializer[Any]):
    """The package that a provider offers instead."""

    id = serializers.CharField()
    slug = serializers.CharField()
    name = serializers.CharField()


class ListingOut(serializers.Serializer[Any]):
    """A package in the catalog."""

    id = serializers.CharField()
    slug = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField()
    category = serializers.CharField(allow_null=True)
    keywords = serializers.ListField(child=serializers.CharField())
    images = serializers.ListField()
    publisher = PublisherOut()
    risk_tier = serializers.ChoiceField(choices=RiskTier.choices)
    certification = serializers.CharField(allow_null=True)
    permissions = serializers.ListField(child=serializers.CharField())
    capabilities = ListedCapabilityOut(many=True)
    install_count = serializers.IntegerField()
    rating = RatingOut()
    version = serializers.CharField()
    version_id = serializers.CharField()
    listed_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    availability_mode = serializers.ChoiceField(choices=AvailabilityMode.choices)
    successor = SuccessorOut(allow_null=True, help_text="What a deprecated package is replaced by.")
    badges = serializers.ListField(child=serializers.ChoiceField(choices=["degraded", "orphaned"]))


class InstallStateOut(serializers.Serializer[Any]):
    """The caller's install of a listing."""

    id = serializers.CharField()
    version = serializers.CharField()
    version_id = serializers.CharField()
    created_at = serializers.DateTimeField()


class MarketplaceListingOut(ListingOut):
    """A package in the marketplace: the listing with the caller's install."""

    install = InstallStateOut(allow_null=True)


class ReasonOut(serializers.Serializer[Any]):
    """Why a package can or can't be installed."""

    code = serializers.CharField()
    message = serializers.CharField()
    blocking = serializers.BooleanField()
    action = serializers.CharField(allow_null=True, help_text="consent, connect, open, or null.")


class InstallabilityOut(serializers.Serializer[Any]):
    """Whether a package can be installed."""

    installable = serializers.BooleanField()
    reasons = ReasonOut(many=True)


class PackageDetailOut(ListingOut):
    """A package's page: the listing with its installability."""

    support_url = serializers.CharField(allow_null=True)
    privacy_policy_url = serializers.CharField(allow_null=True)
    installability = InstallabilityOut()


class MarketplaceDetailOut(PackageDetailOut):
    """A package's page in the marketplace."""

    install = InstallStateOut(allow_null=True)


class InstalledPackageOut(serializers.Serializer[Any]):
    """The package of an install."""

    id = serializers.CharField()
    slug = serializers.CharField()
    name = serializers.CharField()
    images = serializers.ListField()


class InstallConnectionOut(serializers.Serializer[Any]):
    """Whether the install needs a connection, and how it stands."""

    required = serializers.BooleanField(  # type: ignore[assignment]  # The same word as in the connection.
        help_text="Whether the provider's app asks for a connection."
    )
    status = serializers.ChoiceField(
        choices=["none", "active", "reconnect_required"], help_text="How the connection stands."
    )


class InstallOut(serializers.Serializer[Any]):
    """A user's install."""

    id = serializers.CharField()
    status = serializers.ChoiceField(choices=["active", "removed"])
    package_id = serializers.CharField()
    package = InstalledPackageOut()
    version_id = serializers.CharField()
    version = serializers.CharField()
    permissions = serializers.ListField(child=serializers.CharField())
    consented_at = serializers.DateTimeField()
    params = JsonObjectField()
    connection = InstallConnectionOut()
    badges = serializers.ListField(child=serializers.ChoiceField(choices=["degraded", "orphaned", "suspended"]))
    created_at = serializers.DateTimeField()
    removed_at = serializers.DateTimeField(allow_null=True)


class CategoryOut(serializers.Serializer[Any]):
    """A category with the number of its packages."""

    slug = serializers.CharField()
    name = serializers.CharField()
    package_count = serializers.IntegerField()
