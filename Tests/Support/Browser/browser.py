"""Chromium, which shows the page as a person sees it."""

import contextlib
import shutil

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect, sync_playwright

from world import Failure

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"

# Everything that has an address, where the world is filled.
PLACES = {
    "dashboard": "/", "packages": "/packages", "package": "/packages/@quay/crane", "jobs": "/jobs", "job": "/jobs/{job}", "new-job": "/jobs/new",
    "form": "/jobs/new/full-refresh", "bundle-form": "/jobs/new/diff-build", "schedules": "/schedules", "artifacts": "/artifacts",
    "artifact": "/artifacts/{bundle}", "snapshots": "/snapshots", "compare": "/snapshots/compare?from=empty",
    "broken-archives": "/broken-archives?state=all", "destinations": "/destinations", "requests": "/requests", "media": "/media", "disks": "/disks", "settings": "/settings", "not-found": "/no/such/place",
}


def places(world):
    """Their paths below /ui."""
    job = world.get("/jobs?limit=1")["items"][0]["id"]
    bundle = world.get("/artifacts?limit=1")["items"][0]["bundle"]
    found = {name: path.format(job=job, bundle=bundle) for name, path in PLACES.items()}
    # Where one is known, and asks for something.
    known = [each["destination"] for each in world.get("/destinations")["items"] if each["standing"]]
    asked = [each["request"] for each in world.get("/requests")["items"]]
    return found | {f"destination-{at}": f"/destinations/{id}" for at, id in enumerate(known)} | {f"request-{at}": f"/requests/{id}" for at, id in enumerate(asked)}


class Sight:
    """A window on the page. What the page complains of in the console is kept."""

    def __init__(self, context, base):
        self.context, self.base = context, base
        self.page = context.new_page()
        self.complaints = []
        self.is_disturbed = False
        self.page.on("console", lambda message: self.hear(message.type, message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(f"uncaught: {error}"))

    def hear(self, kind, text):
        # That an address is not there, or a server gone, is said by the browser itself.
        if kind == "error" and not (self.is_disturbed or text.startswith("Failed to load resource")):
            self.complaints.append(text)

    def open(self, path="/"):
        self.page.goto(f"{self.base}/ui{path}")
        expect(self.page.locator("h1")).to_be_visible()
        self.settle()

    def settle(self):
        """Waits until nothing is being loaded any more."""
        expect(self.page.locator(".skeleton, [aria-busy=true]")).to_have_count(0)
        expect(self.page.locator(".log-empty")).to_have_count(0)

    def heading(self):
        return self.page.locator("h1")

    def role(self, role, name=None, **more):
        return self.page.get_by_role(role, name=name, **more)

    def axe(self):
        """What axe finds wrong, in words."""
        found = Axe().run(self.page)
        return [f"{each['id']}: {each['help']}: {[node['html'][:160] for node in each['nodes'][:3]]}" for each in found.response["violations"]]

    def overflow(self):
        """By how many pixels the page is wider than the window."""
        return self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


class Browser:
    def __init__(self, chromium, base):
        self.chromium, self.base = chromium, base
        self.sights = []

    def look(self, theme="light", language="en", width=1280, height=800, **more):
        context = self.chromium.new_context(
            viewport={"width": width, "height": height}, color_scheme=theme, locale="ru-RU" if language == "ru" else "en-GB",
            timezone_id="UTC", reduced_motion="reduce", **more)
        context.set_default_timeout(20_000)
        sight = Sight(context, self.base)
        self.sights.append(sight)
        return sight

    def complain(self):
        complaints = [complaint for sight in self.sights for complaint in sight.complaints]
        if complaints:
            raise Failure("the console says: " + "; ".join(complaints))


@contextlib.contextmanager
def browser(base):
    """Runs a browser; a complaint in the console of any of its windows is a failure in the end."""
    with sync_playwright() as playwright:
        # As root, and in most containers, Chromium's own sandbox cannot be had; nothing but this project's page is shown.
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            running = Browser(chromium, base)
            yield running
            running.complain()
        finally:
            chromium.close()


expect.set_options(timeout=20_000)
