"""A real Chromium that drives the staff console, and a record of what its pages tried."""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from django.contrib.auth.models import Group
from django.db import connections
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from packages.groups import ensure_groups
from providers.models import User
from tests.conftest import PASSWORD

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
]
# The contrast of the least legible text with the nearest ground that is not transparent (WCAG 2.2, 1.4.3).
LEAST_CONTRAST = """() => {
  const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (colour) => parts(colour).slice(0, 3).map((part) => part / 255)
    .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
    .reduce((sum, part, index) => sum + part * [0.2126, 0.7152, 0.0722][index], 0);
  const ground = (element) => {
    const colour = getComputedStyle(element).backgroundColor;
    return parts(colour)[3] === 0 && element.parentElement ? ground(element.parentElement) : colour;
  };
  const texts = [...document.querySelectorAll("body *:not([aria-hidden=true])")]
    .filter((element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim()));
  return Math.min(...texts.map((element) => {
    const pair = [light(getComputedStyle(element).color), light(ground(element))].sort((a, b) => b - a);
    return (pair[0] + 0.05) / (pair[1] + 0.05);
  }));
}"""
# Where pictures for the handbook go; without it none is made.
PICTURES = os.environ.get("CONSOLE_PICTURES_DIR", "")


def chromium_path() -> str:
    """Return the machine's Chromium; without one the test fails and says what to install."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.fail("The console's tests need Chromium: apt-get install chromium", pytrace=False)
    return found


@dataclass
class Window:
    """One staff member's browser window, with everything suspicious that happened in it."""

    page: Page
    base_url: str
    foreign: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)

    def open(self, path: str) -> None:
        """Go to a path of the platform."""
        self.page.goto(f"{self.base_url}{path}")

    def log_in(self, user: User) -> None:
        """Log in with the form."""
        self.open("/admin/login/?next=/admin/")
        self.page.get_by_label("Email").fill(user.email or "")
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Log in").click()
        self.page.get_by_role("heading", name="Staff console").wait_for()

    def picture(self, name: str, *, whole: bool = False) -> None:
        """Make a picture for the handbook where one is asked for."""
        if PICTURES:
            # A page that is read already may not be painted yet: the picture would be white.
            self.page.wait_for_load_state("networkidle")
            self.page.evaluate("document.fonts.ready.then(() => new Promise(requestAnimationFrame))")
            self.page.screenshot(path=Path(PICTURES) / f"{name}.png", full_page=whole)


@pytest.fixture
def chromium() -> Iterator[Browser]:
    """Start Chromium for one test: Playwright's loop would be in the way of other tests in this process."""
    with pytest.MonkeyPatch.context() as patch:
        # Playwright's loop runs in this thread, where Django would take every query for one of a coroutine.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
            yield browser
            browser.close()
            # While the loop runs, Django gives the test a connection of its own, which nobody else would close.
            connections.close_all()


@pytest.fixture
def open_window(chromium: Browser, live_server) -> Iterator[Callable[..., Window]]:
    """Return a function that opens a window with cookies of its own; nothing but the platform can be reached."""
    contexts: list[BrowserContext] = []

    def make(**options) -> Window:
        context = chromium.new_context(viewport={"width": 1440, "height": 1000}, **options)
        context.set_default_timeout(10_000)
        contexts.append(context)
        window = Window(context.new_page(), live_server.url)
        watch(window)
        return window

    yield make
    for context in contexts:
        context.close()


def watch(window: Window) -> None:
    """Record foreign requests (and refuse them), refusals of the policy, script errors and dialogs."""

    def gate(route) -> None:
        if route.request.url.startswith((window.base_url, "data:")):
            route.continue_()
        else:
            window.foreign.append(route.request.url)
            route.abort()

    def on_dialog(dialog) -> None:
        window.dialogs.append(dialog.message)
        dialog.dismiss()

    window.page.route("**/*", gate)
    window.page.on("dialog", on_dialog)
    window.page.on("pageerror", lambda error: window.refused.append(str(error)))
    window.page.on("console", lambda line: window.refused.append(line.text) if line.type == "error" else None)


@pytest.fixture
def make_staff(transactional_db: None) -> Callable[..., User]:
    """Return a factory of staff with a password, in groups of reviewers."""

    def make(email: str, *groups: str, **fields) -> User:
        ensure_groups()
        user = User.objects.create_user(email, PASSWORD, is_staff=True, is_email_verified=True, **fields)
        user.groups.set(Group.objects.filter(name__in=groups))
        return User.objects.get(pk=user.pk)

    return make
