"""Links in the OpenAPI document: what an answer's id can be used for."""

from typing import Any

from aiffinity.lib.api_docs import openapi_document
from tests.lib.test_openapi import operations

PACKAGES = "/v1/providers/packages/manage"
VERSIONS = f"{PACKAGES}/{{package_id}}/versions"
RUNTIME_APPS = "/v1/providers/runtime/apps"


def links(path: str, method: str, status: str) -> dict[str, Any]:
    found: dict[str, Any] = openapi_document()["paths"][path][method]["responses"][status].get("links", {})
    return found


def test_a_created_app_links_to_every_operation_on_it():
    parameters = {"app_id": "$response.body#/data/app_id"}
    assert links("/v1/providers/apps", "post", "201") == {
        name: {"operationId": name, "parameters": parameters} for name in ("getApp", "updateApp", "deleteApp")
    }


def test_a_registered_runtime_app_links_to_its_profiles_capabilities_and_secrets():
    found = links(RUNTIME_APPS, "post", "201")
    assert {"putAuthProfile", "putWebhookProfile", "createCapabilityTemplate", "listSecrets"} <= set(found)
    # The secret's key is nothing that this answer has.
    assert "putSecret" not in found


def test_a_package_links_to_its_versions_and_a_version_to_its_verbs():
    assert links(PACKAGES, "post", "201")["createVersion"]["parameters"] == {"package_id": "$response.body#/data/id"}
    found = links(VERSIONS, "post", "201")
    assert {"validateVersion", "submitVersion", "publishVersion"} <= set(found)
    assert found["submitVersion"]["parameters"] == {
        "package_id": "$request.path.package_id",
        "version_id": "$response.body#/data/id",
    }


def test_what_is_named_by_its_own_field_links_by_that():
    found = links(f"{RUNTIME_APPS}/{{app_id}}/capabilities", "post", "201")
    assert found["updateCapabilityTemplate"]["parameters"] == {
        "app_id": "$request.path.app_id",
        "name": "$response.body#/data/name",
    }


def test_an_answer_named_like_a_parameter_links_to_other_paths():
    install = links("/v1/space/marketplace/{id_or_slug}/install", "post", "201")
    assert install["connectInstall"]["parameters"] == {"install_id": "$response.body#/data/id"}
    run = links(f"{VERSIONS}/{{version_id}}/validate", "post", "202")
    assert set(run) == {"getValidation"}
    assert run["getValidation"]["parameters"]["run_id"] == "$response.body#/data/id"


def test_a_list_links_its_first_item_to_what_reads():
    found = links("/v1/providers/apps", "get", "200")
    assert found == {"getApp": {"operationId": "getApp", "parameters": {"app_id": "$response.body#/data/0/app_id"}}}


def test_every_link_gives_an_operation_all_of_its_path():
    wanted = {
        operation["operationId"]: {part[1:-1] for part in path.split("/") if part.startswith("{")}
        for path, _, operation in operations()
    }
    given = [
        (link["operationId"], set(link["parameters"]))
        for _, _, operation in operations()
        for response in operation["responses"].values()
        for link in response.get("links", {}).values()
    ]
    assert len(given) > 50
    assert [name for name, parameters in given if parameters != wanted[name]] == []
