"""What a validation run looks at: the version's content and the live provider, called as production calls it."""

import itertools
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from aiffinity.lib.crypto import Secret
from aiffinity.lib.errors import PlatformError, UpstreamError, UpstreamInvalidResponse, UpstreamTimeout
from aiffinity.lib.outbound import OutboundResponse
from aiffinity.lib.schemas import ExampleError, example_for
from packages.models import Version
from providers.opaque_ids import opaque_user_id
from runtime.auth_profiles import AuthSecrets, auth_secrets, secret_fields
from runtime.descriptors import input_schema
from runtime.health.on_demand import check_health
from runtime.models import HealthCheck, RuntimeApp
from runtime.named_secrets import open_named_secrets
from runtime.provider_answers import ExecuteAnswer, read_answer
from runtime.provider_client import ExecuteCall, send_call
from runtime.signing_secrets import signing_secret

TIME_LIMIT_SECONDS = 110
SAMPLES = 20
SEQUENTIAL_SAMPLES = 10
CONCURRENT_CALLS = 5
MAX_EXAMPLES_OF_ACTION = 3
SYNTHETIC_USER = "synthetic"
SYNTHETIC_INSTALL = "inst_00000000000000000000000000"
SHORTEST_SECRET = 8


class OutOfTimeError(Exception):
    """The run's time was up before a call could be made."""


@dataclass(frozen=True)
class Sample:
    """One call of a capability: the answer, or why there was none; `latency_ms` as measured."""

    params: dict[str, Any]
    answer: ExecuteAnswer | None
    failure: PlatformError | None
    latency_ms: float
    response: OutboundResponse | None = None

    @property
    def is_ok(self) -> bool:
        """Say whether the provider did what was asked; an action may still be pending."""
        return self.answer is not None and self.answer.status in ("ok", "pending")

    @property
    def is_timeout(self) -> bool:
        """Say whether the deadline passed."""
        return isinstance(self.failure, UpstreamTimeout)

    @property
    def is_refused(self) -> bool:
        """Say whether the provider refused in the words of the protocol, or with a 4xx."""
        if self.answer is not None:
            return self.answer.status == "error"
        return self.response is not None and 400 <= self.response.status < 500

    @property
    def problem(self) -> str:
        """Say what was wrong with the call, for a message."""
        if self.failure is not None:
            return self.failure.details[0].message if self.failure.details else self.failure.message
        if self.answer is not None and self.answer.status == "error":
            return f"The provider answered the error {self.answer.error_code}."
        return ""


@dataclass
class Case:
    """A version under test; loaded once, shared by all checks, which only read it and call the provider."""

    version: Version
    runtime_app: RuntimeApp
    run_id: str
    deadline: float = field(default_factory=lambda: time.monotonic() + TIME_LIMIT_SECONDS)
    samples: dict[str, list[Sample]] = field(default_factory=dict)
    _health: HealthCheck | None = None
    _health_lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.package = self.version.package
        self.app = self.package.app
        self.capabilities: list[dict[str, Any]] = self.version.capabilities
        self.auth: AuthSecrets = auth_secrets(self.runtime_app)
        self.user_id = opaque_user_id(SYNTHETIC_USER, self.app.pk)
        named = list(open_named_secrets(self.runtime_app).values())
        fields = secret_fields(self.runtime_app, self.auth.test_fields or {})
        tests = [self.auth.test_access_token, self.auth.test_api_key, *fields]
        self._secrets = [secret for secret in [*named, *tests] if secret is not None]
        self._secrets.append(signing_secret(self.runtime_app))

    def health(self) -> HealthCheck:
        """Ask the health endpoint, once a run; the runtime app of what comes back is as it stands after it."""
        with self._health_lock:
            if self._health is None:
                # The check refreshes the row that it is given; the case's own is shared by other checks.
                self._health = check_health(RuntimeApp.objects.select_related("app").get(pk=self.runtime_app.pk))
        return self._health

    def params_of(self, capability: dict[str, Any]) -> list[dict[str, Any]]:
        """Return params to call a capability with: those of its examples, else made from its input schema."""
        given = [example["params"] for example in capability.get("examples", ()) if "params" in example]
        if given:
            return given
        try:
            made = example_for(input_schema(capability))
        except ExampleError:
            return [{}]
        return [made if isinstance(made, dict) else {}]

    def call(
        self,
        capability: dict[str, Any],
        params: dict[str, Any],
        **changes: Any,
    ) -> Sample:
        """Call the provider once in the sandbox; `changes` are further fields of the ExecuteCall.

        Never raises for what the provider does. Raises OutOfTimeError once the run's time is up.
        """
        remaining_ms = int((self.deadline - time.monotonic()) * 1000)
        if remaining_ms <= 0:
            raise OutOfTimeError
        call = ExecuteCall(
            **{
                "runtime_app": self.runtime_app,
                "capability": capability["name"],
                "mode": capability["mode"],
                "params": params,
                "user_id": self.user_id,
                "install_id": SYNTHETIC_INSTALL,
                "is_sandbox": True,
                # A capability that fails often must not cut the others off.
                "circuit": f"{self.run_id}/{capability['name']}",
                "access_token": self.auth.test_access_token,
                "api_key": self.auth.test_api_key,
                "credentials": self.auth.test_fields,
                **changes,
            }
        )
        started, response = time.monotonic(), None
        try:
            response = send_call(call)
            answer = read_answer(response)
        except (UpstreamError, UpstreamTimeout, UpstreamInvalidResponse) as failure:
            elapsed_ms = response.elapsed_ms if response else (time.monotonic() - started) * 1000
            return Sample(params, None, failure, elapsed_ms, response)
        return Sample(params, answer, None, response.elapsed_ms, response)

    def idempotency_key(self, capability: dict[str, Any], index: int = 0) -> str:
        """Return the key of an action's example, the same one each time it is asked for in a run."""
        return f"{self.run_id}-{capability['name']}-{index}"

    def take_samples(self, capability: dict[str, Any]) -> None:
        """Make the calls that several checks look at: 20 of what only reads, one an example of an action."""
        if capability["mode"] == "action":
            self.samples[capability["name"]] = [
                self.call(capability, params, idempotency_key=self.idempotency_key(capability, index))
                for index, params in enumerate(self.params_of(capability)[:MAX_EXAMPLES_OF_ACTION])
            ]
            return
        params = list(itertools.islice(itertools.cycle(self.params_of(capability)), SAMPLES))
        taken = self.samples.setdefault(capability["name"], [])
        for each in params[:SEQUENTIAL_SAMPLES]:
            taken.append(self.call(capability, each))
        with ThreadPoolExecutor(CONCURRENT_CALLS) as pool:
            taken.extend(pool.map(lambda each: self._call_in_thread(capability, each), params[SEQUENTIAL_SAMPLES:]))

    def _call_in_thread(self, capability: dict[str, Any], params: dict[str, Any]) -> Sample:
        try:
            return self.call(capability, params)
        finally:
            connection.close()

    def samples_of(self, capability: dict[str, Any]) -> list[Sample]:
        """Return the calls made so far; fewer than planned where the run's time was up."""
        return self.samples.get(capability["name"], [])

    def canary_of(self, text: str) -> Secret:
        """Return a made-up secret of this run."""
        return Secret(f"canary-{self.run_id}-{text}")

    def holds_secret(self, body: bytes, *more: Secret) -> bool:
        """Say whether bytes hold one of the app's secrets or of those given."""
        values = [secret.reveal() for secret in (*self._secrets, *more)]
        return any(value.encode() in body for value in values if len(value) >= SHORTEST_SECRET)
