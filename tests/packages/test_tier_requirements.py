"""Attestations over HTTP and the curation grant; the gates that ask for them."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from aiffinity.lib.errors import InvalidState, PermissionDenied
from aiffinity.lib.models import AuditEntry
from packages.models import Attestation, AttestationKind, CurationGrant, Version
from packages.tier_requirements import grant_curation, has_curation_grant, revoke_curation
from providers.models import User
from tests.packages.conftest import Maker
from tests.packages.reviewing.cases import attest

MakeReviewer = Callable[..., User]


def statement(kind: str, **fields: Any) -> dict[str, Any]:
    return {"kind": kind, "statement": "AES-256 at rest.", "signed_by": "Jane Doe, CISO", **fields}


def sign(acme: Maker, version: Version, *given: dict[str, Any], **kwargs: Any) -> Any:
    path = f"/{version.package_id}/versions/{version.pk}/attestations"
    return acme("POST", path, {"attestations": list(given)}, **kwargs)


def failed_gates(acme: Maker, version: Version) -> list[str]:
    gates = acme("GET", f"/{version.package_id}/versions/{version.pk}").json()["data"]["gates"]
    return [gate["name"] for gate in gates if not gate["passed"]]


def test_every_kind_has_to_be_signed_for_the_gate(acme: Maker) -> None:
    version = acme.version("validated", risk_tier="high_trust")
    first, *others = AttestationKind.values
    response = sign(acme, version, statement(first))
    assert response.status_code == 201, response.content
    assert response.json()["data"]["missing"] == others
    assert failed_gates(acme, version) == ["attestations_signed"]
    refused = acme("POST", f"/{version.package_id}/versions/{version.pk}/submit", {})
    assert refused.json()["error"]["details"][0]["message"] == (
        f"Sign {', '.join(others)} (POST …/attestations); a signature counts for 12 months."
    )
    camel = {"kind": others[0], "statement": "We do.", "signedBy": "Jane Doe"}
    assert sign(acme, version, camel, *(statement(kind) for kind in others[1:])).json()["data"]["missing"] == []
    assert failed_gates(acme, version) == []
    listed = acme("GET", f"/{version.package_id}/versions/{version.pk}/attestations").json()
    assert (listed["meta"]["pagination"]["total"], {each["kind"] for each in listed["data"]}) == (
        5,
        set(AttestationKind.values),
    )
    assert AuditEntry.objects.filter(subject=version.pk, action="version.attested").count() == 2
    submitted = acme("POST", f"/{version.package_id}/versions/{version.pk}/submit", {})
    assert submitted.json()["data"]["state"] == "submitted"


def test_attestations_count_for_12_months_and_for_later_versions_of_the_package_only(acme: Maker) -> None:
    first = acme.version("listed", risk_tier="high_trust")
    attest(first)
    later = acme.version("validated", package=first.package, version="1.1.0")
    other = acme.version("validated", risk_tier="high_trust")
    assert failed_gates(acme, later) == []
    assert failed_gates(acme, other) == ["attestations_signed"]
    Attestation.objects.filter(kind="retention").update(signed_at=timezone.now() - timedelta(days=366))
    assert failed_gates(acme, later) == ["attestations_signed"]


@pytest.mark.parametrize(
    "given",
    [
        [],
        [statement("encryption"), statement("encryption")],
        [statement("promise")],
        [statement("encryption", statement="")],
        [statement("encryption", signed_by="<b>Jane</b>")],
        [statement("encryption", signed_at="2020-01-01T00:00:00Z")],
        [{"kind": "encryption"}],
    ],
    ids=["none", "twice", "unknown", "empty", "markup", "own date", "missing"],
)
def test_bad_attestations_are_refused(acme: Maker, given: list[dict[str, Any]]) -> None:
    response = sign(acme, acme.version("draft"), *given)
    assert (response.status_code, response.json()["error"]["code"]) == (400, "VALIDATION_ERROR")
    assert not Attestation.objects.exists()


def test_another_account_signs_nothing(acme: Maker, maker: Callable[..., Maker]) -> None:
    version = acme.version("draft")
    assert sign(acme, version, statement("encryption"), token=maker().token).status_code == 404
    assert sign(acme, version, statement("encryption"), token="").status_code == 401
    assert not Attestation.objects.exists()


def test_strategic_surface_needs_a_grant_given_by_a_curator(acme: Maker, make_reviewer: MakeReviewer) -> None:
    version = acme.version("validated", risk_tier="strategic_surface")
    attest(version)
    assert failed_gates(acme, version) == ["curation_granted"]
    curator = make_reviewer("curator")
    grant_curation(version.package, curator=curator, note="Partner of the launch")
    assert failed_gates(acme, version) == []
    with pytest.raises(InvalidState):
        grant_curation(version.package, curator=curator)
    revoke_curation(version.package, curator=curator)
    assert failed_gates(acme, version) == ["curation_granted"]
    with pytest.raises(InvalidState):
        revoke_curation(version.package, curator=curator)
    actions = AuditEntry.objects.filter(subject=version.package_id).values_list("action", flat=True)
    assert list(actions.order_by("sequence"))[-2:] == ["package.curation_granted", "package.curation_revoked"]


def test_who_is_no_curator_or_has_a_part_in_it_grants_nothing(acme: Maker, make_reviewer: MakeReviewer) -> None:
    package = acme.package()
    insider = make_reviewer("curator", is_superuser=True)
    acme.set_account(email=insider.email)
    for user in (make_reviewer("security_reviewer"), insider):
        with pytest.raises(PermissionDenied):
            grant_curation(package, curator=user)
    assert not has_curation_grant(package)
    assert not CurationGrant.objects.exists()
