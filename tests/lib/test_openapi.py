"""What an SDK's author finds in the OpenAPI document: names, statuses, scopes, enums, descriptions, examples."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from aiffinity.lib.api_docs import openapi_document
from aiffinity.lib.errors import REGISTRY
from aiffinity.lib.openapi_names import name_enums

METHODS = ("get", "post", "put", "patch", "delete")


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in openapi_document()["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]


def schemas() -> dict[str, Any]:
    found: dict[str, Any] = openapi_document()["components"]["schemas"]
    return found


def test_operation_ids_are_camel_case_words():
    assert [
        found["operationId"]
        for _, _, found in operations()
        if not re.fullmatch(r"[a-z]+([A-Z][A-Za-z]*)*", found["operationId"])
    ] == []


def test_schemas_do_not_carry_the_names_of_classes():
    assert [name for name in schemas() if re.search(r"(Body|Out|Serializer)\Z|\APatched", name)] == []
    assert {"App", "AppRequest", "AppPatchRequest", "Account", "RuntimeApp"} <= set(schemas())


def test_deletes_answer_the_final_state():
    for path, method, operation in operations():
        if method == "delete":
            assert "200" in operation["responses"], path
            assert "204" not in operation["responses"], path


def test_requests_are_closed_and_answers_are_open():
    assert schemas()["AppRequest"]["additionalProperties"] is False
    assert schemas()["DescriptorRequest"]["additionalProperties"] is False
    assert "additionalProperties" not in schemas()["App"]
    assert "additionalProperties" not in schemas()["Template"]


def test_enums_that_many_share_have_names():
    tier = {"$ref": "#/components/schemas/RiskTier"}
    assert schemas()["RiskTier"] == {
        "type": "string",
        "enum": ["data_only", "action_capable", "high_trust", "strategic_surface"],
    }
    assert tier.items() <= schemas()["Package"]["properties"]["risk_tier"].items()
    assert schemas()["ErrorCode"]["enum"] == list(REGISTRY)


def test_an_enum_does_not_take_the_name_of_a_schema():
    document = {"components": {"schemas": {"Tier": {"properties": {"tier": {"type": "string", "enum": ["a"]}}}}}}
    with pytest.raises(ValueError, match=r"\['Tier'\]"):
        name_enums(document, {"Tier": ["a"]})


def test_access_tokens_name_the_scope_that_a_call_needs():
    paths = openapi_document()["paths"]
    assert {"oauth2": ["runtime:write"]} in paths["/v1/providers/runtime/apps"]["post"]["security"]
    invoke = paths["/v1/providers/capabilities/{capability_id}/invoke"]["post"]
    assert {"oauth2": ["capabilities:invoke"]} in invoke["security"]
    assert {"502", "504"} <= set(invoke["responses"])
    assert "security" not in paths["/v1/providers/account/login"]["post"]


def test_the_token_endpoint_describes_the_errors_of_oauth():
    responses = openapi_document()["paths"]["/v1/providers/auth/token"]["post"]["responses"]
    schema = responses["401"]["content"]["application/json"]["schema"]
    assert schema == {"$ref": "#/components/schemas/OAuthError"}
    assert {"WWW-Authenticate", "X-RateLimit-Limit"} <= set(responses["401"]["headers"])


def test_every_parameter_and_tag_is_described():
    described = {tag["name"] for tag in openapi_document()["tags"]}
    for path, method, operation in operations():
        assert set(operation["tags"]) <= described, path
        assert operation["description"], path
        for parameter in operation["parameters"]:
            assert "$ref" in parameter or parameter.get("description"), (path, method, parameter["name"])


def test_every_field_of_a_schema_is_described():
    missing = [
        f"{name}.{field}"
        for name, schema in schemas().items()
        for field, described in schema.get("properties", {}).items()
        if "$ref" not in described and "description" not in described and name not in ("Error", "Meta", "ListMeta")
    ]
    assert missing == []


def test_every_error_has_an_example_of_its_own():
    responses = openapi_document()["components"]["responses"]
    for name, response in responses.items():
        if name == "NotModified":
            continue
        example = response["content"]["application/json"]["example"]["error"]
        assert set(example) == {"code", "message", "requestId", "details"}, name
        assert int(name.removeprefix("Error")) in REGISTRY[example["code"]].statuses


def test_the_second_path_of_a_view_names_the_first():
    item = openapi_document()["paths"]["/v1/providers/runtime/apps/{app_id}/auth-profile"]["put"]
    assert item["operationId"] == "putAuthProfileAlias"
    assert item["description"].splitlines()[0].endswith("The same as `/v1/providers/runtime/apps/{app_id}/auth`.")


def test_every_read_shows_its_tag_and_every_write_takes_one():
    for path, method, operation in operations():
        is_json_read = method == "get" and not path.startswith("/v1/space/connections/callback")
        names = {parameter.get("$ref", "").rpartition("/")[2] for parameter in operation["parameters"]}
        responses = operation["responses"]
        assert ("IfNoneMatch" in names, "304" in responses) == (is_json_read, is_json_read), (path, method)
        is_write = method in ("put", "patch", "delete")
        assert ("IfMatch" in names, "412" in responses) == (is_write, is_write), (path, method)
        assert "400" in responses or not is_write, (path, method)
        if is_json_read or method in ("put", "patch"):
            headers = [answer["headers"] for status, answer in responses.items() if status in ("200", "201")]
            assert all("ETag" in found for found in headers), (path, method)


def test_a_304_has_no_body():
    response = openapi_document()["components"]["responses"]["NotModified"]
    assert "content" not in response
    assert {"ETag", "X-Request-Id"} <= set(response["headers"])


def test_a_url_that_may_be_blank_fits_one_alternative_alone():
    # Under oneOf a text that fits both is refused.
    blank = schemas()["RuntimeAppCreateRequest"]["properties"]["logo_url"]["oneOf"]
    assert [re.search(each["pattern"], "") is None for each in blank if "pattern" in each] == [True]
    assert {"type": "string", "maxLength": 0} in blank


def test_a_registration_needs_an_app_or_the_fields_of_a_new_one():
    body = schemas()["RuntimeAppCreateRequest"]
    assert body["required"] == ["runtime_url"]
    assert body["anyOf"] == [{"required": ["app_id"]}, {"required": ["name", "description"]}]


def test_the_endpoints_of_oauth_clients_take_parameters_that_they_do_not_know():
    # RFC 6749 section 3.2: unknown parameters are ignored, and those without a value count as left out.
    for name, optional in (("TokenRequest", "scope"), ("OwnTokenRequest", "token_type_hint")):
        body = schemas()[name]
        assert "additionalProperties" not in body
        assert "minLength" not in body["properties"][optional]


def test_a_descriptor_says_what_its_lists_may_hold():
    fields = schemas()["DescriptorRequest"]["properties"]
    assert fields["examples"] == {
        "type": "array",
        "items": {"$ref": "#/components/schemas/ExampleRequest"},
        "maxItems": 20,
        "description": "Calls with their answers.",
    }
    assert schemas()["ExampleRequest"]["required"] == ["data"]
    assert fields["permissions"]["maxItems"] == fields["events"]["maxItems"] == 50
    assert fields["events"]["items"]["pattern"] == "^[a-z][a-z0-9_.]{0,63}$"
    guidance = schemas()["SurfaceGuidanceRequest"]["properties"]
    assert "daily_brief" in guidance["placement"]["items"]["enum"]
    assert (guidance["placement"]["maxItems"], guidance["preferred_components"]["maxItems"]) == (6, 8)


def test_a_text_that_must_not_be_blank_needs_more_than_white_space():
    assert schemas()["AppRequest"]["properties"]["name"]["pattern"] == r"[^\s\u001c-\u001f\u0085]"
    assert "pattern" not in schemas()["App"]["properties"]["name"]
    # A password is kept to the letter, and a changelog may be blank.
    assert "pattern" not in schemas()["LoginRequest"]["properties"]["password"]
    assert "pattern" not in schemas()["VersionCreateRequest"]["properties"]["changelog"]


def test_what_must_look_a_certain_way_has_a_pattern():
    assert schemas()["ContextRequest"]["properties"]["locale"]["pattern"].startswith("^[A-Za-z]{2,8}")
    assert schemas()["CredentialFieldRequest"]["properties"]["name"]["pattern"] == "^[A-Za-z_][A-Za-z0-9_]{0,63}$"
    assert schemas()["OAuth2Request"]["properties"]["scopes"]["items"]["pattern"].endswith("{1,200}$")


def test_reading_a_state_may_clash_with_the_capabilitys_mode():
    paths = openapi_document()["paths"]
    state = paths["/v1/providers/capabilities/{capability_id}/state"]["get"]
    assert state["responses"]["409"] == {"$ref": "#/components/responses/Error409"}
    connection = paths["/v1/space/installs/{install_id}/connection"]
    assert "502" in connection["post"]["responses"]
    assert "502" not in connection["get"]["responses"]


def test_a_successor_in_the_query_is_not_blank():
    [successor] = [
        each
        for each in openapi_document()["paths"]["/v1/providers/packages/manage/{package_id}"]["delete"]["parameters"]
        if each.get("name") == "successor"
    ]
    assert successor["schema"] == {"type": "string", "minLength": 1, "maxLength": 64}
