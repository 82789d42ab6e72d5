"""Calling capabilities: invoke, action and the state that is kept (spec 2 "Capabilities")."""

from dataclasses import asdict

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from capabilities.actions import run_action
from capabilities.callers import find_target
from capabilities.calls import CallContext
from capabilities.gateway import current_state, invoke
from capabilities.serializers import ActionBody, AnswerOut, InstallQuery, InvokeBody
from providers.permissions import IsUserOrAccountOrApp
from providers.views.base import CallerView

NO_CACHE = OpenApiParameter(
    "Cache-Control",
    str,
    OpenApiParameter.HEADER,
    description="`no-cache` asks the provider even though a fresh answer is kept.",
)


class InvokeView(CallerView):
    """Reading a capability in mode state or history."""

    permission_classes = [IsUserOrAccountOrApp]
    documented_errors = (502, 504)

    @extend_schema(
        operation_id="invokeCapability",
        summary="Invoke a capability",
        tags=["Capabilities"],
        parameters=[NO_CACHE],
        request=InvokeBody,
        responses=AnswerOut,
        examples=[
            OpenApiExample("A place", value={"params": {"location": "Oslo"}}, request_only=True),
        ],
    )
    def post(self, request: Request, capability_id: str) -> Response:
        """Answer from the cache while it is fresh, else ask the provider."""
        body = self.read(InvokeBody)
        target = find_target(self.caller, capability_id, body.get("install_id"))
        skips_cache = "no-cache" in request.headers.get("Cache-Control", "").lower()
        context = body.get("context", CallContext())
        return Response(asdict(invoke(target, body["params"], context=context, skips_cache=skips_cache)))


class ActionView(CallerView):
    """Running an action for a user."""

    permission_classes = [IsUserOrAccountOrApp]
    documented_errors = (502, 504)

    @extend_schema(
        operation_id="runAction",
        summary="Run an action",
        tags=["Capabilities"],
        request=ActionBody,
        responses=AnswerOut,
        examples=[
            OpenApiExample(
                "A task", value={"params": {"title": "Take an umbrella"}, "confirmed": True}, request_only=True
            ),
        ],
    )
    def post(self, request: Request, capability_id: str) -> Response:
        """Run it once, with the user's confirmation."""
        body = self.read(ActionBody)
        answer = run_action(
            find_target(self.caller, capability_id, body.get("install_id")),
            body["params"],
            context=body.get("context", CallContext()),
            is_confirmed=body["confirmed"],
            idempotency_key=request.headers.get("Idempotency-Key"),
        )
        return Response(asdict(answer))


class StateView(CallerView):
    """The last answer of a state capability."""

    permission_classes = [IsUserOrAccountOrApp]
    documented_errors = (409,)

    @extend_schema(
        operation_id="getCapabilityState",
        summary="Read the kept state of a capability",
        tags=["Capabilities"],
        parameters=[InstallQuery],
        responses=AnswerOut,
    )
    def get(self, request: Request, capability_id: str) -> Response:
        """Answer the last successful invocation's data with its ttl."""
        query = self.read_query(InstallQuery)
        return Response(asdict(current_state(find_target(self.caller, capability_id, query.get("install_id")))))
