"""Paths of the packages room, below /v1/providers/packages/manage."""

from django.urls import URLPattern, URLResolver, path

from packages.views import attestations, packages, reviews, validations, versions

_VERSION = "/<str:package_id>/versions/<str:version_id>"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", packages.PackageListView.as_view()),
    path("/<str:package_id>", packages.PackageView.as_view()),
    path("/<str:package_id>/versions", versions.VersionListView.as_view()),
    path(_VERSION, versions.VersionView.as_view()),
    path(f"{_VERSION}/validate", validations.ValidateView.as_view()),
    path(f"{_VERSION}/validations", validations.ValidationListView.as_view()),
    path(f"{_VERSION}/validations/<str:run_id>", validations.ValidationView.as_view()),
    path(f"{_VERSION}/submit", versions.SubmitView.as_view()),
    path(f"{_VERSION}/withdraw", versions.WithdrawView.as_view()),
    path(f"{_VERSION}/publish", versions.PublishView.as_view()),
    path(f"{_VERSION}/suspend", versions.SuspendView.as_view()),
    path(f"{_VERSION}/resume", versions.ResumeView.as_view()),
    path(f"{_VERSION}/rollback", versions.RollbackView.as_view()),
    path(f"{_VERSION}/attestations", attestations.AttestationListView.as_view()),
    path(f"{_VERSION}/reviews", reviews.ReviewListView.as_view()),
    path(f"{_VERSION}/reviews/<str:review_id>/reply", reviews.ReplyView.as_view()),
    path(f"{_VERSION}/diff", versions.VersionDiffView.as_view()),
]
