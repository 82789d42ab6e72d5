"""The demo is a test: the whole story over HTTP, with real processes."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from examples.demo import connection_story, review_story, story
from examples.demo.pages import read_page

ROOT = Path(__file__).resolve().parents[2]
STEP = re.compile(r"\A([ \d]\d) (\S.*?) +(\d+) ms  (\S.*)\Z")
FORMS = """
<form method="post" action="/logout/"><input type="hidden" name="csrf" value="a&amp;b"><button>Log out</button></form>
<form method="post"><input type="hidden" name="csrf" value="t2"><input type="checkbox" name="all">
  <label for="r1"><input type="checkbox" name="reasons" value="1" id="r1"><span>Too vague</span></label>
  <label for="c">Comment</label><textarea name="comment" id="c">as it stands</textarea>
  <select id="canned"><option>Insert…</option></select><input type="submit" name="go" value="Go">
</form><script>var hidden = "<p>unseen</p>"</script>
"""


@pytest.mark.timeout(180)
def test_the_demo_tells_the_whole_story():
    # A database or a mail server that is in use elsewhere must not become the demo's.
    used = {"DATABASE_URL": "postgres://nobody@127.0.0.1:1/used", "REDIS_URL": "redis://127.0.0.1:1", "EMAIL_URL": "x:"}
    result = subprocess.run(
        [sys.executable, "-m", "examples.demo"],
        cwd=ROOT,
        env={**os.environ, **used},
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )

    assert result.returncode == 0, result.stdout + result.stderr
    told = [found.groups() for line in result.stdout.splitlines() if (found := STEP.match(line))]
    steps = (*story.STEPS, *review_story.STEPS, *connection_story.STEPS)
    assert [title for _, title, _, _ in told] == [title for title, _ in steps]
    assert [int(number) for number, *_ in told] == list(range(1, len(told) + 1))
    said = {title: figure for _, title, _, figure in told}
    assert "4 of them by both signatures" in said["webhooks arrive"]
    assert "503 CAPABILITY_SUSPENDED" in said["suspend"]
    assert said["submit too early"] == "422 GATE_NOT_PASSED: Complete the listing: privacy_policy_url."
    assert said["complete and submit"].startswith("number 1 in the queue, promised within 48 h")
    assert said["reviewer approves"].startswith("approved, for content ")
    assert "2 calls with one Idempotency-Key, 1 task" in said["act twice with one key"]
    assert said["invoke as the user"] == "ada@example.com: Ada's roof, Ada's harbour"
    assert "connection.created, connection.revoked" in said["uninstall"]
    assert result.stdout.splitlines()[-1].startswith(f"done: {len(told)} steps in ")


def test_a_page_is_read_as_a_browser_would_send_it():
    page = read_page("http://host/review/", 200, FORMS)
    assert (page.form_to("/logout/").url, page.form_to("/logout/").fields) == ("http://host/logout/", {"csrf": "a&b"})
    form = page.form_with("comment")
    assert form.url == "http://host/review/"
    assert form.fields == {"csrf": "t2", "comment": "as it stands"}
    assert form.ticks == {"Too vague": ("reasons", "1")}
    assert "Too vague" in page.text
    assert "unseen" not in page.text
    with pytest.raises(LookupError, match="2 forms for 'csrf'"):
        page.form_with("csrf")
