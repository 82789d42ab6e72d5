"""The second chapter, an action_capable package: held by a gate, approved by a reviewer, used once."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from examples.demo import bodies
from examples.demo.console import Console
from examples.demo.http import Answer
from examples.demo.pages import Page
from examples.demo.processes import DemoFailed, manage
from examples.demo.story import PASSWORD, Story, expect, validate

REVIEWER_EMAIL = "rita@aiffinity.me"
QUEUE = "/admin/packages/review/queue/action_capable/"
PACKAGES = "/v1/providers/packages/manage"
REASON = "The privacy policy doesn't fit"
QUESTION = "How long do you keep the title of a task?"
ANSWER = "30 days. Section 3 of the policy says so now."
PRIVACY_POLICY = "https://acmeweather.com/privacy"
TASK = {"title": "Take an umbrella", "priority": "high"}


def draft(story: Story) -> str:
    """Draft a package of a capability that does something; the story is about this one from here on."""
    package = expect(story.as_developer("POST", PACKAGES, bodies.action_package(story.app["id"])), 201).data
    story.package_id, story.version_id = package["id"], package["versions"][0]["id"]
    [descriptor] = _version(story)["capabilities"]
    story.capability_id = descriptor["capability_id"]
    return f"{package['slug']} 1.0.0 with {descriptor['name']}, {package['versions'][0]['risk_tier']}"


def submit_too_early(story: Story) -> str:
    """Submit without what the tier asks for; the refusal says what is missing."""
    refused = expect(story.as_developer("POST", f"{story.version_path}/submit"), 422)
    details = refused.body["error"]["details"]
    if [detail["code"] for detail in details] != ["listing_complete"]:
        raise DemoFailed(f"other gates failed: {details}")
    return f"{refused.status} {refused.error_code}: {details[0]['message']}"


def submit(story: Story) -> str:
    """Complete the listing and submit; the version waits for a reviewer."""
    body = {"privacyPolicyUrl": PRIVACY_POLICY}
    expect(story.as_developer("PATCH", f"{PACKAGES}/{story.package_id}", body), 200)
    expect(story.as_developer("POST", f"{story.version_path}/submit"), 200)
    version = _in_state(story, "submitted")
    story.review_id = version["review"]["id"]
    return _place(version["review"])


def hire_reviewer(story: Story) -> str:
    """Make the reviewer's login, as an administrator does."""
    arguments = ("--email", REVIEWER_EMAIL, "--password", PASSWORD, "--group", "reviewer")
    return manage(story.data_dir, "create_staff", *arguments)


def enter_console(story: Story) -> str:
    """Log in at /admin/ and open the tier's queue."""
    story.console = Console(story.platform.base_url)
    login = story.console.open(f"/admin/login/?next={QUEUE}")
    queue = story.console.post(login.form_with("password"), username=REVIEWER_EMAIL, password=PASSWORD)
    _require(queue, "Waiting 1 Overdue 0", "Acme Umbrella 1.0.0 acme-umbrella Acme Weather", "First listing", "Free")
    return "1 waits in the queue: Acme Umbrella 1.0.0 by Acme Weather, a first listing"


def request_changes(story: Story) -> str:
    """Claim the review, tick a reason and ask a question, after a look at what the provider will get."""
    claimed = _act(story, "claim")
    _require(claimed, "You hold this review for 30 minutes.")
    preview = _console(story).post(claimed.form_to("/request_changes/"), ticked=REASON, comment=QUESTION)
    _require(preview, "What the provider gets", REASON, QUESTION)
    _require(_console(story).post(preview.form_with("confirmed")), "The provider was told what to change.")
    return f"{REASON}: {QUESTION}"


def read_reasons(story: Story) -> str:
    """Read as the provider what the reviewer decided and why."""
    _in_state(story, "changes_requested")
    [review] = expect(story.as_developer("GET", f"{story.version_path}/reviews"), 200).data
    [decision] = review["decisions"]
    [reason] = decision["reasons"]
    if (reason["title"], decision["comment"]) != (REASON, QUESTION):
        raise DemoFailed(f"other words arrived: {decision}")
    return f"changes requested for {reason['code']} ({reason['link']}), and the question"


def reply(story: Story) -> str:
    """Answer; the version is back in the queue with its first date."""
    before = _version(story)["first_submitted_at"]
    path = f"{story.version_path}/reviews/{story.review_id}/reply"
    expect(story.as_developer("POST", path, {"message": ANSWER}), 201)
    version = _in_state(story, "submitted")
    if version["review"]["submitted_at"] != before:
        raise DemoFailed(f"the first date was lost: {before}, {version['review']}")
    return f"number {version['review']['position']} in the queue again, its first date kept"


def approve(story: Story) -> str:
    """Claim once more, read the answer, and approve what the page shows: its hashes travel in the form."""
    claimed = _act(story, "claim")
    _require(claimed, ANSWER)
    form = claimed.form_to("/approve/")
    preview = _console(story).post(form, comment="Thank you, that is clear.")
    _require(preview, "The provider can publish it then.")
    _require(_console(story).post(preview.form_with("confirmed")), "Your approval is recorded.")
    version = _in_state(story, "approved")
    if form.fields["content_hash"] != version["content_hash"]:
        raise DemoFailed(f"another content was approved: {form.fields}")
    return f"approved, for content {form.fields['content_hash'][:12]}… and no other"


def publish(story: Story) -> str:
    """Publish what was approved."""
    expect(story.as_developer("POST", f"{story.version_path}/publish"), 200)
    _in_state(story, "listed")
    found = expect(story.platform("GET", "/v1/providers/packages/catalog?q=umbrella"), 200).data
    if [listing["id"] for listing in found] != [story.package_id]:
        raise DemoFailed(f"the catalog answers {found}")
    return f"listed; “umbrella” finds {found[0]['name']} by {found[0]['publisher']['name']}"


def install(story: Story) -> str:
    """Install as the second user of the first chapter."""
    return str(expect(story.as_user("POST", f"/v1/space/marketplace/{story.package_id}/install"), 201).data["id"])


def act_unasked(story: Story) -> str:
    """Run the action without the user's yes; it is refused and Acme Weather hears nothing."""
    before = _tasks(story)
    refused = expect(_run_action(story, is_confirmed=False, key=""), 400)
    [detail] = refused.body["error"]["details"]
    if detail["code"] != "confirmation_required" or _tasks(story) != before:
        raise DemoFailed(f"not refused: {refused.body}")
    return f"{refused.status} {detail['code']}, Acme Weather hears nothing"


def act_twice(story: Story) -> str:
    """Run the action and send the same call again with the same key; Acme Weather acts once."""
    before = _tasks(story)
    first = expect(_run_action(story, is_confirmed=True), 200)
    again = expect(_run_action(story, is_confirmed=True), 200)
    made = _tasks(story) - before
    if made != 1 or not again.is_replayed or again.data != first.data:
        raise DemoFailed(f"acted {made} times: {first}, {again}")
    return f"2 calls with one Idempotency-Key, {made} task at Acme Weather: {first.data['data']['task_id'][:13]}…"


def deprecate(story: Story) -> str:
    """Retire the package: nobody new gets it, who has it keeps it."""
    expect(story.as_developer("DELETE", f"{PACKAGES}/{story.package_id}"), 200)
    refused = expect(story.as_developer("POST", f"/v1/space/marketplace/{story.package_id}/install"), 422)
    reasons = [detail["code"] for detail in refused.body["error"]["details"]]
    if "deprecated" not in reasons:
        raise DemoFailed(f"refused for another reason: {refused.body}")
    kept = expect(_run_action(story, is_confirmed=True, key="umbrella-tomorrow"), 200)
    return f"a new install gets {refused.status} {refused.error_code}, who has it can still use it ({kept.status})"


STEPS: tuple[tuple[str, Callable[[Story], str]], ...] = (
    ("draft an action", draft),
    ("validate", validate),
    ("submit too early", submit_too_early),
    ("complete and submit", submit),
    ("manage.py create_staff", hire_reviewer),
    ("reviewer logs in", enter_console),
    ("reviewer asks for changes", request_changes),
    ("developer reads why", read_reasons),
    ("developer answers", reply),
    ("reviewer approves", approve),
    ("publish", publish),
    ("user installs", install),
    ("act without a yes", act_unasked),
    ("act twice with one key", act_twice),
    ("deprecate", deprecate),
)


def _version(story: Story) -> Any:
    return expect(story.as_developer("GET", story.version_path), 200).data


def _in_state(story: Story, state: str) -> Any:
    version = _version(story)
    if version["state"] != state:
        raise DemoFailed(f"the version is {version['state']}, not {state}: {version}")
    return version


def _place(review: Any) -> str:
    hours = (datetime.fromisoformat(review["due_at"]) - datetime.fromisoformat(review["submitted_at"])).total_seconds()
    speed = "no decision yet to forecast from"
    if review["p50_hours"] is not None:
        speed = f"half take {review['p50_hours']} h, nine of ten {review['p90_hours']} h"
    return f"number {review['position']} in the queue, promised within {hours / 3600:.0f} h, {speed}"


def _console(story: Story) -> Console:
    if story.console is None:
        raise DemoFailed("nobody is logged in at the console")
    return story.console


def _act(story: Story, action: str) -> Page:
    page = _console(story).open(f"/admin/packages/review/{story.review_id}/change/")
    return _console(story).post(page.form_to(f"/{action}/"))


def _require(page: Page, *words: str) -> None:
    missing = [word for word in words if word not in page.text]
    if missing:
        raise DemoFailed(f"{page.url} ({page.status}) does not say {missing}: {page.text[:2000]}")


def _run_action(story: Story, *, is_confirmed: bool, key: str = "umbrella-today") -> Answer:
    body = {"params": TASK, "confirmed": is_confirmed}
    return story.as_user("POST", f"/v1/providers/capabilities/{story.capability_id}/action", body, idempotency_key=key)


def _tasks(story: Story) -> int:
    return int(expect(story.provider("GET", "/control/received"), 200).body["tasks"])
