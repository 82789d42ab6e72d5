"""What reviewers said to the provider, and the provider's answers."""

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from aiffinity.lib.errors import NotFound
from aiffinity.lib.views import get_owned
from packages.models import Review
from packages.reviewing.thread import reply
from packages.serializers.reviews import ReplyBody, ReviewOut, render_review
from packages.views.base import TAGS, PackagesView

EXAMPLE = OpenApiExample(
    "Answer",
    request_only=True,
    value={"message": "The units stand in the description of each field; see temperature_c."},
)


class ReviewListView(PackagesView):
    """A version's cases before reviewers."""

    @extend_schema(
        operation_id="listReviews", summary="List a version's reviews", tags=TAGS, responses=ReviewOut(many=True)
    )
    def get(self, request: Request, package_id: str, version_id: str) -> Response:
        """List the newest first, each with its decisions, reasons and messages."""
        version = self.version(package_id, version_id)
        cases = Review.objects.filter(version=version).prefetch_related("decisions", "messages")
        return self.paginate(cases.order_by("-opened_at", "-pk"), render_review)


class ReplyView(PackagesView):
    """An answer to reviewers."""

    @extend_schema(
        operation_id="replyToReview",
        summary="Answer reviewers",
        tags=TAGS,
        request=ReplyBody,
        responses={201: ReviewOut},
        examples=[EXAMPLE],
    )
    def post(self, request: Request, package_id: str, version_id: str, review_id: str) -> Response:
        """Write to the reviewers; where changes were requested, the version goes back into the queue as it is."""
        version = self.version(package_id, version_id)
        case = get_owned(Review.objects.for_account(self.account).filter(version=version), review_id)
        if self.caller.user is None:
            raise NotFound
        reply(case, user=self.caller.user, message=self.read(ReplyBody)["message"])
        return Response(render_review(Review.objects.get(pk=case.pk)), status=201)
