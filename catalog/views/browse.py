"""Browsing: the public catalog, the marketplace of a user, a package's page, categories (spec 2 "Catalog")."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from aiffinity.lib.envelope import Page, Pagination
from aiffinity.lib.views import PageQuery
from catalog.categories import counted_categories
from catalog.installed import installability_for, with_install_state
from catalog.listings import find_package, listing_document, shown_version
from catalog.search import CatalogQuery, find_listings
from catalog.serializers import (
    CatalogQueryParams,
    CategoryOut,
    InstallabilityOut,
    ListingOut,
    MarketplaceDetailOut,
    MarketplaceListingOut,
    PackageDetailOut,
)
from catalog.views.base import PublicView, UserView
from providers.models import User


class CatalogView(PublicView):
    """The public catalog."""

    @extend_schema(
        operation_id="listCatalog",
        summary="Browse and search the catalog",
        tags=["Catalog"],
        parameters=[CatalogQueryParams],
        responses=ListingOut(many=True),
    )
    def get(self, request: Request) -> Response:
        """List what everybody may install."""
        return Response(find_listings(CatalogQuery(**self.read_query(CatalogQueryParams))))


class MarketplaceView(UserView):
    """The catalog with the caller's installs."""

    @extend_schema(
        operation_id="listMarketplace",
        summary="Browse and search the marketplace",
        tags=["Space"],
        parameters=[CatalogQueryParams],
        responses=MarketplaceListingOut(many=True),
    )
    def get(self, request: Request) -> Response:
        """List as the catalog does, with `install` beside each package."""
        page = find_listings(CatalogQuery(**self.read_query(CatalogQueryParams)))
        return Response(Page(with_install_state(page.items, self.user), page.pagination))


class PackageView(PublicView):
    """A package's public page."""

    @extend_schema(
        operation_id="getCatalogPackage",
        summary="Retrieve a package with its installability",
        tags=["Catalog"],
        responses=PackageDetailOut,
    )
    def get(self, request: Request, id_or_slug: str) -> Response:
        """Answer the listing; with a user's token the reasons are the user's own."""
        return Response(package_page(id_or_slug, user_of(request)))


class MarketplacePackageView(UserView):
    """A package's page for a user."""

    @extend_schema(
        operation_id="getMarketplacePackage",
        summary="Retrieve a package with your install state",
        tags=["Space"],
        responses=MarketplaceDetailOut,
    )
    def get(self, request: Request, id_or_slug: str) -> Response:
        """Answer the listing with `install`."""
        page = package_page(id_or_slug, self.user)
        return Response(with_install_state([page], self.user)[0])


class InstallabilityView(PublicView):
    """Whether a package can be installed."""

    @extend_schema(
        operation_id="getInstallability",
        summary="Say whether a package can be installed, and why not",
        tags=["Catalog"],
        responses=InstallabilityOut,
    )
    def get(self, request: Request, id_or_slug: str) -> Response:
        """Answer the reasons; with a user's token the user's own."""
        package = find_package(id_or_slug)
        return Response(installability_for(package, shown_version(package), user_of(request)))


class CategoryListView(PublicView):
    """All categories."""

    @extend_schema(
        operation_id="listCategories",
        summary="List the categories",
        tags=["Space"],
        responses=CategoryOut(many=True),
    )
    def get(self, request: Request) -> Response:
        """List them by name with the number of their packages."""
        found, query = counted_categories(), self.read_query(PageQuery)
        limit, offset = query["limit"], query["offset"]
        return Response(Page(found[offset : offset + limit], Pagination(len(found), limit, offset)))


def package_page(id_or_slug: str, user: User | None) -> dict[str, Any]:
    """Render a package's page; raises NotFound for what was never listed."""
    package = find_package(id_or_slug)
    version = shown_version(package)
    return {
        **listing_document(version),
        "support_url": package.support_url or None,
        "privacy_policy_url": package.privacy_policy_url or None,
        "installability": installability_for(package, version, user),
    }


def user_of(request: Request) -> User | None:
    """Return the user of a public route's token, None for an app's and without one."""
    return getattr(request.auth, "user", None)
