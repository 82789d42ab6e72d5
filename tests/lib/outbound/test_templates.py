"""URLs with placeholders: where these may stand and what their values may do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiffinity.lib.outbound import EgressPolicy, UrlRefused, check_url_template, render_url_template

POLICY = EgressPolicy()
FIELDS = ("subdomain", "api_key")


@pytest.mark.parametrize(
    "template",
    [
        "https://{subdomain}.acmeweather.com/v1/validate",
        "https://api.{subdomain}.acmeweather.com/v1/{api_key}",
        "https://api.acmeweather.com/v1?key={api_key}&sub={subdomain}",
        "https://api.acmeweather.com/v1",
    ],
)
def test_well_placed_placeholders_are_admitted(template: str) -> None:
    check_url_template(template, FIELDS, POLICY)


@pytest.mark.parametrize(
    ("template", "rule"),
    [
        ("https://{subdomain}/v1", "placeholder"),
        ("https://{subdomain}.com/v1", "placeholder"),
        ("https://acmeweather.{subdomain}/v1", "placeholder"),
        ("https://api-{subdomain}.acmeweather.com/", "placeholder"),
        ("https://{subdomain}{api_key}.acmeweather.com/", "placeholder"),
        ("https://api.acmeweather.com:{api_key}/", "placeholder"),
        ("https://{api_key}@acmeweather.com/", "placeholder"),
        ("{subdomain}://acmeweather.com/", "malformed"),
        ("https://api.acmeweather.com/{other}", "unknown_placeholder"),
        ("https://api.acmeweather.com/{}", "malformed"),
        ("https://api.acmeweather.com/{api_key", "malformed"),
        ("https://api.acmeweather.com/#{api_key}", "fragment"),
        ("https://{subdomain}.corp.internal/", "local_name"),
        ("http://{subdomain}.acmeweather.com/", "scheme"),
        ("https://{subdomain}.0.0.1/", "malformed"),
    ],
)
def test_misplaced_placeholders_are_refused(template: str, rule: str) -> None:
    with pytest.raises(UrlRefused) as refused:
        check_url_template(template, FIELDS, POLICY)
    assert refused.value.rule == rule


def test_values_are_filled_in_percent_encoded() -> None:
    url = render_url_template(
        "https://{subdomain}.acmeweather.com/v1/{api_key}?k={api_key}",
        {"subdomain": "north-1", "api_key": "a/b?c=d&e#f \r\n%ü"},
        POLICY,
    )
    encoded = "a%2Fb%3Fc%3Dd%26e%23f%20%0D%0A%25%C3%BC"
    assert url == f"https://north-1.acmeweather.com/v1/{encoded}?k={encoded}"


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ({"subdomain": "evil.com/", "api_key": "k"}, "placeholder_value"),
        ({"subdomain": "a.b", "api_key": "k"}, "placeholder_value"),
        ({"subdomain": "-a", "api_key": "k"}, "placeholder_value"),
        ({"subdomain": "a\n", "api_key": "k"}, "placeholder_value"),
        ({"subdomain": "a@", "api_key": "k"}, "placeholder_value"),
        ({"subdomain": "\uff41", "api_key": "k"}, "placeholder_value"),
        ({"subdomain": "a" * 64, "api_key": "k"}, "placeholder_value"),
        ({"subdomain": "a", "api_key": ".."}, "placeholder_value"),
        ({"subdomain": "a", "api_key": "\ud800"}, "placeholder_value"),
        ({"subdomain": "a", "api_key": ""}, "missing_value"),
        ({"api_key": "k"}, "missing_value"),
        ({"subdomain": "a", "api_key": "k" * 2048}, "length"),
    ],
)
def test_values_that_would_lead_elsewhere_are_refused(values: dict[str, str], rule: str) -> None:
    with pytest.raises(UrlRefused) as refused:
        render_url_template("https://{subdomain}.acmeweather.com/{api_key}", values, POLICY)
    assert refused.value.rule == rule


def test_refusal_never_repeats_a_value() -> None:
    with pytest.raises(UrlRefused) as refused:
        render_url_template("https://{subdomain}.acmeweather.com/", {"subdomain": "hunter2!"}, POLICY)
    assert "hunter2" not in refused.value.message


@given(st.text(min_size=1, max_size=30))
def test_no_value_changes_host_path_depth_or_parameters(value: str) -> None:
    template = "https://{subdomain}.acmeweather.com/v1/{api_key}/x?k={api_key}"
    try:
        url = render_url_template(template, {"subdomain": "a", "api_key": value}, POLICY)
    except UrlRefused:
        return
    assert url.startswith("https://a.acmeweather.com/v1/")
    assert (url.count("/"), url.count("?"), url.count("&"), url.count("#")) == (5, 1, 0, 0)
