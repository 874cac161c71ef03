"""What a person does on the page, in a real browser before the real server: scenarios.py NAME runs one, "list" names all."""

import json
import os
import re
import shutil
import subprocess
import sys

from browser import browser, expect, places
from world import TOP, Failure, namespace, wait_for, world

SCENARIOS = {}


def scenario(words):
    """Names a scenario by what it shows."""

    def add(body):
        SCENARIOS[words] = body
        return body

    return add


def check(condition, words):
    if not condition:
        raise Failure(words)


@scenario("a full refresh is started and watched to its end, and what follows on it")
def full_refresh():
    with world() as here:
        here.ferry("want", "harbour", "@quay/crane")
        here.serve()
        with browser(here.url) as runner:
            sight = runner.look()
            sight.open("/jobs")
            sight.role("link", "New job").first.click()
            sight.role("link", re.compile("Full refresh")).click()
            sight.page.get_by_label("Parallelism").fill("4")
            sight.role("button", "Start").click()
            expect(sight.heading()).to_have_text("Full refresh #1")
            expect(sight.page.locator(".page-title .badge").first).to_have_text("Succeeded")
            expect(sight.page.locator(".note-good")).to_contain_text("tarballs fetched")
            expect(sight.page.get_by_role("log")).to_contain_text("full_cache_refresh")
            sight.role("link", "Jobs", exact=True).first.click()
            for kind in ("Scan", "Check of archives", "Snapshot", "Bundle"):
                row = sight.page.locator("tbody tr").filter(has=sight.role("link", kind, exact=True))
                expect(row).to_contain_text("Succeeded")
            check(here.get("/jobs/1")["parameters"] == {"parallelism": 4}, "the parameter that was entered did not arrive")
            sight.role("link", "Dashboard").click()
            expect(sight.page.locator(".action")).to_contain_text("Everything is in order")


@scenario("a dry run says what would be done and changes nothing")
def dry_run():
    with world() as here:
        here.ferry("want", "buoy")
        here.serve()
        with browser(here.url) as runner:
            sight = runner.look()
            sight.open("/jobs/new/full-refresh")
            sight.role("button", "Dry run").click()
            expect(sight.page.locator(".note-good")).to_contain_text("to fetch")
            check(not os.path.exists(here.path("connected/storage/buoy/buoy-1.1.0.tgz")), "a dry run has fetched something")


@scenario("a bundle is asked for by the names of destinations and of what they have")
def bundle_form():
    with world() as here:
        here.fill()
        here.serve()
        stranger = "d-" + "0" * 20
        with browser(here.url) as runner:
            sight = runner.look()
            sight.open(f"/jobs/new/diff-build?destination={stranger}&baseline=next")
            # One that is not known yet is entered by its id.
            expect(sight.page.get_by_label("Destination", exact=True)).to_have_value("…")
            expect(sight.page.get_by_label("Its id")).to_have_value(stranger)
            sight.page.get_by_label("Destination", exact=True).select_option("Everyone")
            expect(sight.page.get_by_label("Its id")).to_have_count(0)
            baseline = sight.page.get_by_label("Baseline")
            expect(baseline.locator("option:checked")).to_contain_text("What is known of it")
            baseline.select_option("Nothing: a full bundle")
            sight.page.get_by_label("Target").select_option("The newest snapshot")
            sight.role("button", "Start").click()
            expect(sight.page.locator(".page-title .badge").first).to_have_text("Succeeded")
            job = here.get("/jobs?limit=1")["items"][0]
            check(job["parameters"] == {"baseline": "empty", "target": "newest"}, f"it was asked for with {job['parameters']}")
            check(here.get("/artifacts?limit=1")["items"][0]["baseline"] is None, "it is no full bundle")


@scenario("a job that hangs is cancelled")
def cancel():
    with world() as here:
        here.ferry("want", "buoy")
        here.configure(registry=here.silent_registry())
        here.serve()
        job = here.post("/jobs/full-refresh")["id"]
        with browser(here.url) as runner:
            sight = runner.look()
            sight.open(f"/jobs/{job}")
            state = sight.page.locator(".page-title .badge").first
            expect(state).to_have_text("Running")
            sight.role("button", "Cancel the job").click()
            dialog = sight.role("dialog")
            expect(dialog).to_contain_text("Cancel this job?")
            sight.page.keyboard.press("Escape")
            expect(dialog).to_have_count(0)
            sight.role("button", "Cancel the job").click()
            dialog.get_by_role("button", name="Cancel the job").click()
            expect(state).to_have_text("Cancelled")
            check(here.ended(job)["state"] == "cancelled", "the job was not cancelled")


@scenario("packages are searched, sorted and opened, and the back button leads back")
def search():
    with world() as here:
        here.fill()
        here.serve()
        with browser(here.url) as runner:
            sight = runner.look()
            sight.open("/packages")
            rows = sight.page.locator("tbody tr")
            expect(rows).to_have_count(12)
            sight.page.keyboard.press("/")
            sight.page.keyboard.type("quay")
            expect(rows).to_have_count(3)
            check(sight.page.url.endswith("?search=quay"), "the search is not in the address")
            sight.role("button", "Size").click()
            expect(sight.page.locator("th[aria-sort=descending]")).to_have_text("Size")
            sight.page.locator("tbody a", has_text="@quay/crane").click()
            expect(sight.heading()).to_have_text("@quay/crane")
            check(sight.page.url.endswith("/ui/packages/@quay/crane"), f"the address is {sight.page.url}")
            expect(sight.page.locator("tbody", has_text="1.0.1")).to_contain_text("cached")
            expect(sight.page.locator(".card", has_text="Needed by")).to_contain_text("No package in storage needs it.")
            sight.open("/packages/right-side")
            sight.page.locator(".card", has_text="Needed by").get_by_role("link", name="harbour").click()
            expect(sight.heading()).to_have_text("harbour")
            sight.page.go_back()
            sight.page.go_back()
            expect(sight.heading()).to_have_text("@quay/crane")
            sight.page.go_back()
            expect(rows).to_have_count(3)
            expect(sight.role("searchbox", "Search packages")).to_have_value("quay")
            sight.page.reload()
            expect(rows).to_have_count(3)
            sight.role("searchbox", "Search packages").fill("no such thing")
            expect(sight.page.locator(".state")).to_contain_text("No package matches")
            sight.role("button", "Take filters away").click()
            expect(rows).to_have_count(12)


@scenario("a broken archive is found, repaired and proved again")
def repair():
    with world() as here:
        here.fill()
        here.damage("buoy", "1.1.0")
        here.serve()
        with browser(here.url) as runner:
            sight = runner.look()
            sight.open("/broken-archives")
            expect(sight.page.locator(".state")).to_contain_text("No archive is broken")
            sight.role("button", "Check again").click()
            row = sight.page.locator("tbody tr", has_text="buoy-1.1.0.tgz")
            expect(row).to_contain_text("cut off")
            expect(sight.page.locator(".nav a", has_text="Broken")).to_contain_text("1")
            row.get_by_role("button", name="buoy-1.1.0.tgz", exact=True).click()
            expect(sight.role("dialog")).to_contain_text("Not repaired yet")
            sight.page.keyboard.press("Escape")
            row.get_by_role("button", name="Repair: buoy-1.1.0.tgz").click()
            expect(sight.page.locator(".state")).to_contain_text("No archive is broken")
            sight.page.get_by_label("State").select_option("repaired")
            expect(row).to_contain_text("repaired")


@scenario("a bundle is exported to a medium that is plugged in meanwhile")
def export():
    with world() as here:
        here.fill()
        here.serve()
        with browser(here.url) as runner:
            sight = runner.look()
            sight.open("/media")
            expect(sight.page.locator(".state")).to_contain_text("No medium is plugged in")
            here.plug("stick")
            card = sight.page.locator(".medium", has_text="stick")
            expect(card).to_contain_text("new to Ferry")
            card.get_by_role("button", name="Export a bundle: stick").click()
            dialog = sight.role("dialog")
            dialog.get_by_role("button", name="Export", exact=True).click()
            expect(dialog).to_contain_text("Safe to remove")
            dialog.get_by_role("button", name="Close").last.click()
            expect(card).to_contain_text("ready")
            expect(card).to_contain_text("Safe to remove")
            label = here.get("/artifacts")["items"][0]["label"]
            expect(card.get_by_role("link", name=label)).to_be_visible()
            medium = here.get("/media")["items"][0]
            check(medium["bundleCount"] == 1, "there is no bundle on the medium")
            sight.role("link", "Dashboard").click()
            expect(sight.page.locator(".card", has_text="Media").last).to_contain_text("stick")


@scenario("a bundle that no stick has room for goes over two of them")
def spread():
    with world() as here:
        here.publish("bulky", ["1.0.0"], bulk=14 << 20)
        here.ferry("want", "bulky")
        here.fill()
        here.serve()
        with browser(here.url) as runner:
            sight = runner.look()
            sight.open("/media")
            for stick, to_come in (("first", 1), ("second", 0)):
                here.plug(stick, lambda away: here.enter("dd", "if=/dev/zero", f"of={away}/filler", "bs=1M", "count=52", "status=none"))
                card = sight.page.locator(".medium", has_text=stick)
                card.get_by_role("button", name=f"Export a bundle: {stick}").click()
                dialog = sight.role("dialog")
                expect(dialog).to_contain_text("It does not fit")
                dialog.get_by_label("Cut into volumes of, MiB").fill("4")
                dialog.get_by_label("Spread it over several media").check()
                dialog.get_by_role("button", name="Export", exact=True).click()
                expect(dialog).to_contain_text("Safe to remove")
                expect(dialog.get_by_text("Volumes of it are still to be written")).to_have_count(to_come)
                dialog.get_by_role("button", name="Close").last.click()
            bundle = here.get("/artifacts")["items"][0]
            here.isolate("Plant 7")
            places = [here.pull(stick) for stick in ("first", "second")]
            check(bundle["sizeBytes"] > 14 << 20, f"the bundle is too small: {bundle}")
            here.offline("import", *places)
            check(os.path.isfile(here.path("isolated/storage/bulky/bulky-1.0.0.tgz")), "it did not come in from both sticks")


def wrong(digits):
    """A fingerprint that differs in its last digit."""
    return digits[:-1] + ("0" if digits[-1] != "0" else "1")


@scenario("a destination introduces itself, is confirmed by its fingerprint, and is treated and forgotten")
def destination():
    with world() as here:
        here.fill()
        here.serve()
        plant = here.isolate("Plant 7")
        here.plug("stick")
        here.export("stick", here.get("/artifacts")["items"][0]["bundle"])
        here.offline("import", here.pull("stick"))
        with browser(here.url) as runner:
            sight = runner.look()
            sight.open("/destinations")
            expect(sight.page.locator("tbody tr")).to_have_count(1)
            here.replug("stick")
            notice = sight.page.locator(".action", has_text="“Plant 7” has introduced itself")
            expect(notice).to_be_visible()
            row = sight.page.locator("tbody tr", has_text="Plant 7")
            expect(row).to_contain_text("no receipt yet")
            expect(sight.page.locator(".nav a", has_text="Destinations")).to_contain_text("1")
            notice.get_by_role("button", name="Confirm its key").click()
            dialog = sight.role("dialog")
            digits = here.get(f"/destinations/{plant}")["fingerprint"]
            dialog.get_by_label("Fingerprint").fill(wrong(digits))
            expect(dialog).to_contain_text("It differs from character 32 on")
            expect(dialog.get_by_role("button", name="Confirm its key")).to_be_disabled()
            dialog.get_by_label("Fingerprint").fill(digits.upper())
            expect(dialog).to_contain_text("It is the same")
            dialog.get_by_role("button", name="Confirm its key").click()
            expect(notice).to_have_count(0)
            # The receipt that had been refused counts now, without a stick being pulled.
            expect(row).to_contain_text("state #1")
            expect(row).to_contain_text("has all")
            expect(row).to_contain_text("nothing new")
            row.get_by_role("link", name="Plant 7").click()
            expect(sight.heading()).to_have_text("Plant 7")
            expect(sight.page.locator(".card", has_text="Next bundle").first).to_contain_text("It has the newest state")
            expect(sight.page.locator(".card", has_text="Receipts").last.locator("tbody tr")).to_have_count(1)
            sight.page.get_by_label("Its bundles start from").select_option("what it is assumed to have")
            sight.page.get_by_label("Called quiet after, days").fill("7")
            sight.role("button", "Save").click()
            expect(sight.page.locator(".toast", has_text="It is kept")).to_be_visible()
            standing = here.get(f"/destinations/{plant}")
            check(standing["baseline"] == "assume-applied" and standing["quietDays"] == 7, f"it is treated otherwise: {standing}")
            here.post(f"/destinations/{plant}/policy?quietDays=9")
            expect(sight.page.get_by_label("Called quiet after, days")).to_have_value("9")
            other = runner.look()
            other.open("/destinations")
            expect(other.page.locator("tbody tr", has_text="Plant 7")).to_have_count(1)
            sight.role("button", "Forget").click()
            expect(dialog).to_contain_text("its next bundle would be a full one")
            dialog.get_by_role("button", name="Forget").click()
            expect(sight.heading()).to_have_text("Destinations")
            expect(sight.page.locator("tbody tr", has_text="Plant 7")).to_have_count(0)
            # Whoever looks elsewhere sees it, too.
            expect(other.page.locator("tbody tr", has_text="Plant 7")).to_have_count(0)


@scenario("a request is shown with what is asked for, approved, and followed to its job")
def request():
    with world() as here:
        here.fill()
        here.publish("tug", ["1.0.0"])
        here.serve()
        plant = here.isolate("Plant 7")
        here.plug("stick")
        here.export("stick", here.get("/artifacts")["items"][0]["bundle"])
        place = here.pull("stick")
        here.offline("import", place)
        here.offline("request", "tug@^1", "sextant@^9", "--to", place)
        here.replug("stick")
        known = wait_for("the card", lambda: here.get("/destinations")["items"][0]["standing"])
        with browser(here.url) as runner:
            sight = runner.look()
            sight.open("/requests")
            expect(sight.page.locator(".state")).to_contain_text("Nothing is asked for")
            here.confirm(plant, known["fingerprint"])
            # It shows by itself, as it would when a medium is plugged in.
            here.read("stick")
            row = sight.page.locator("tbody tr", has_text="2 packages")
            expect(row).to_contain_text("Plant 7")
            row.get_by_role("link", name="2 packages").click()
            expect(sight.page.locator(".card", has_text="Wanted packages").last).to_contain_text("tug@^1")
            sight.role("button", "Approve").click()
            expect(sight.page.locator(".page-title .badge")).to_have_text("approved")
            follows = sight.page.locator(".card", has_text="What follows")
            expect(follows).to_contain_text("Delta refresh")
            expect(follows.locator(".badge")).to_have_text("Succeeded")
            check(os.path.exists(here.path("connected/storage/tug/tug-1.0.0.tgz")), "what was asked for was not fetched")
            sight.role("link", "Requests").click()
            expect(sight.page.locator("tbody tr", has_text="2 packages")).to_contain_text("approved")


@scenario("a request for a filler shows the bundle that did not fit, and the filler is made")
def filler():
    with world() as here:
        here.fill()
        here.publish("tug", ["1.0.0"], {"buoy": "^1.0.0"})
        here.ferry("want", "tug")
        here.ferry("refresh", "full")
        here.ferry("bundle", "--target", "new", "--baseline", "last-bundle")
        here.serve()
        plant = here.isolate("Plant 7")
        here.plug("stick")
        bundle = here.get("/artifacts")["items"][0]
        here.export("stick", bundle["bundle"])
        place = here.pull("stick")
        try:
            here.offline("import", place)
        except Failure as error:
            check("ended with 13" in str(error), f"the import failed otherwise: {error}")
        here.offline("receipt", "--to", place)
        here.replug("stick")
        known = wait_for("the card", lambda: here.get("/destinations")["items"][0]["standing"])
        here.confirm(plant, known["fingerprint"])
        here.read("stick")
        with browser(here.url) as runner:
            sight = runner.look()
            sight.open("/requests?state=new")
            sight.page.locator("tbody tr a").first.click()
            expect(sight.heading()).to_contain_text("that a bundle builds upon")
            expect(sight.page.locator(".facts")).to_contain_text(bundle["label"])
            expect(sight.page.locator(".card", has_text="Missing files").last).to_contain_text("buoy/buoy-1.1.0.tgz")
            sight.role("button", "Approve").click()
            follows = sight.page.locator(".card", has_text="What follows")
            expect(follows.get_by_role("link", name=re.compile("Bundle #"))).to_be_visible()
            expect(follows.locator(".badge")).to_have_text("Succeeded")
            made = here.get("/artifacts?limit=1")["items"][0]
            check(made["destination"] == plant, "the filler is for somebody else")


@scenario("a medium shows what came back on it, and a receipt of a restored destination is accepted")
def replies():
    with world() as here:
        here.fill()
        here.serve()
        plant = here.isolate("Plant 7")
        here.plug("stick")
        here.export("stick", here.get("/artifacts")["items"][0]["bundle"])
        place = here.pull("stick")
        here.offline("import", place)
        here.offline("request", "tug", "--to", place)
        here.replug("stick")
        known = wait_for("the card", lambda: here.get("/destinations")["items"][0]["standing"])
        here.confirm(plant, known["fingerprint"])
        with browser(here.url) as runner:
            sight = runner.look()
            # What was told before the page was there is read again.
            sight.open("/media")
            card = sight.page.locator(".medium", has_text="stick")
            expect(card).to_contain_text("Receipt of Plant 7")
            expect(card.get_by_role("link", name="Plant 7 asks for 1 package")).to_be_visible()
            expect(card).to_contain_text("to decide")
            shutil.copytree(here.path("isolated"), here.path("backup"))
            here.offline("receipt", "--to", here.pull("stick"))
            here.replug("stick")
            wait_for("the receipt", lambda: len(here.get(f"/destinations/{plant}")["receipts"]) == 2)
            expect(card).to_contain_text("state #1")
            shutil.rmtree(here.path("isolated"))
            shutil.copytree(here.path("backup"), here.path("isolated"))
            place = here.pull("stick")
            here.enter("rm", "-rf", os.path.join(place, "ferry/receipts"))
            here.offline("receipt", "--to", place)
            here.replug("stick")
            expect(card).to_contain_text("is no newer than the last one")
            card.get_by_role("button", name="It was restored: accept").click()
            expect(card).not_to_contain_text("is no newer than the last one")
            check(len(here.get(f"/destinations/{plant}")["receipts"]) == 3, "the older receipt does not count")
            sight.open("/packages/buoy")
            expect(sight.page.locator(".card", has_text="Bundles that carried it")).to_contain_text("acknowledged by Plant 7")


@scenario("the dashboard says how far behind destinations are, and what is to be decided first")
def dashboard():
    with world() as here:
        here.fill()
        here.publish("tug", ["1.0.0"])
        here.ferry("want", "tug")
        here.ferry("refresh", "full")
        here.ferry("bundle", "--target", "new", "--baseline", "last-bundle")
        here.serve()
        here.correspond()
        with browser(here.url) as runner:
            sight = runner.look()
            sight.open("/")
            action = sight.page.locator(".action")
            expect(action).to_contain_text("“Laboratory, building 4” has introduced itself")
            card = sight.page.locator(".card", has_text="What the next bundle would carry").last
            row = card.locator("tbody tr", has_text="Plant 7")
            for words in ("state #1", "1 bundle", "on a medium", "1 package"):
                expect(row).to_contain_text(words)
            expect(card.locator("tbody tr", has_text="Laboratory")).to_contain_text("not confirmed")
            expect(card.locator("tbody tr", has_text="Everyone")).to_contain_text("nothing new")
            action.get_by_role("link", name="Compare its key").click()
            expect(sight.heading()).to_have_text("Laboratory, building 4")
            sight.role("button", "Confirm its key").click()
            sight.role("dialog").get_by_label("Fingerprint").fill(sight.page.locator("code.fingerprint").inner_text())
            sight.role("dialog").get_by_role("button", name="Confirm its key").click()
            expect(sight.role("dialog")).to_have_count(0)
            sight.role("link", "Dashboard").click()
            expect(action).to_contain_text("Plant 7 asks for 1 package")
            action.get_by_role("link", name="Decide").click()
            sight.role("button", "Decline").click()
            expect(sight.page.locator(".page-title .badge")).to_have_text("declined")
            sight.role("link", "Dashboard").click()
            # A bundle for everyone leads to the newest state already; something new does not.
            expect(action).to_contain_text("Everything is in order")
            here.publish("barge", ["1.0.0"])
            here.ferry("want", "barge")
            here.ferry("refresh", "full")
            here.run("snapshot")
            expect(action).to_contain_text("There is something to carry")


@scenario("a bundle is looked into, proved and compared")
def artifact():
    with world() as here:
        here.fill()
        here.serve()
        with browser(here.url) as runner:
            sight = runner.look()
            sight.open("/artifacts")
            sight.page.locator("tbody a").first.click()
            expect(sight.page.locator("tbody")).to_contain_text("@quay/crane")
            sight.role("button", "Verify").click()
            expect(sight.page.locator(".proof")).to_contain_text("Every byte is what was written")
            expect(sight.page.locator(".proof")).to_contain_text("a key of this registry")
            sight.role("link", "Compare these").click()
            expect(sight.page.locator(".counts")).to_contain_text(re.compile("added [1-9]"))
            with sight.page.expect_download() as download:
                sight.page.go_back()
                sight.role("link", "Download").click()
            check(download.value.suggested_filename.endswith(".tar.zst"), "the download has another name")


@scenario("a log is followed, searched and wrapped")
def log():
    with world() as here:
        here.fill()
        here.serve()
        with browser(here.url) as runner:
            sight = runner.look()
            sight.open("/jobs/1")
            lines = sight.page.locator(".log-line")
            expect(lines.last).to_contain_text("succeeded")
            count = lines.count()
            sight.role("searchbox", "Search the log").fill("SUCCEEDED")
            expect(lines).to_have_count(1)
            expect(sight.page.locator("mark")).to_have_text("succeeded")
            sight.role("searchbox", "Search the log").fill("")
            expect(lines).to_have_count(count)
            sight.role("button", "Wrap lines").click()
            expect(sight.role("button", "Wrap lines")).to_have_attribute("aria-pressed", "false")


@scenario("the language is switched, whole, and stays")
def language():
    with world() as here:
        here.fill()
        here.serve()
        if namespace():
            here.correspond()
        here.damage("buoy", "1.1.0")
        for job in ("broken-rescan", "broken-repair", "metadata-scan", "snapshot", "diff-build", "retention", "delta-refresh"):
            here.run(job)
        for job in ("full-refresh", "broken-repair", "diff-build", "retention"):
            here.run(job, {"dryRun": True})
        with browser(here.url) as runner:
            sight = runner.look()
            sight.open("/packages")
            sight.role("button", "RU").click()
            expect(sight.heading()).to_have_text("Пакеты")
            expect(sight.page.locator("html")).to_have_attribute("lang", "ru")
            sight.page.reload()
            expect(sight.heading()).to_have_text("Пакеты")
            expect(sight.page.locator("tbody")).to_contain_text("КиБ")
            check(sight.page.title() == "Пакеты · Ferry", "the title is not Russian")
            # What people read of the page itself, on each page, is Russian: names, states, buttons.
            jobs = {f"job {job['id']}": f"/jobs/{job['id']}" for job in here.get("/jobs?limit=100")["items"]}
            for name, path in (places(here) | jobs).items():
                sight.open(path)
                words = sight.page.locator("h2, th, dt, label, .state-title, .button, .tabs a, .nav-long, .tile-label").all_inner_texts()
                # Code, and what has no other name in Russian.
                foreign = [word for word in words if re.search("[A-Za-z]{3}", word) and not re.search("[А-Яа-я]", word)]
                foreign = [word for word in foreign if word.strip().lower() not in KEPT and not re.match(r"^[a-z0-9@./_:-]+$", word.strip())]
                check(not foreign, f"{name}: not in Russian: {foreign}")
                # What the server says in its own words is told apart, so that it is read aloud as English.
                spoken = sight.page.evaluate(SPOKEN)
                check(not spoken, f"{name}: neither Russian nor marked as English: {spoken}")
            # So is what came of jobs that did their work, of every kind.
            sight.open("/jobs")
            done = sight.page.locator("tbody tr").filter(has_text="Успешно")
            kinds = set(done.locator("a.strong").all_inner_texts())
            check(len(kinds) >= 8, f"not every kind has done its work: {kinds}")
            for row in done.all():
                check(re.search("[а-я]", row.locator("td").nth(2).inner_text()), f"what came of it is not in Russian: {row.inner_text()}")
            other = runner.look(language="ru")
            other.open("/")
            expect(other.heading()).to_have_text("Обзор")


# Texts of four words or more of English that nothing says to be English.
SPOKEN = """() => {
    const walk = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
    const found = [];
    while (walk.nextNode()) {
        const { parentElement, data } = walk.currentNode;
        if (/([A-Za-z]{2,}[ ,]+){3}[A-Za-z]{2,}/.test(data) && !parentElement.closest("[lang=en], code, [role=log], option")) found.push(data);
    }
    return found;
}"""
KEPT = {"latest", "sha-512", "verdaccio", "ferry"}


@scenario("a theme is chosen and stays")
def theme():
    with world() as here:
        here.serve()
        with browser(here.url) as runner:
            sight = runner.look(theme="light")
            sight.open("/")
            back = "getComputedStyle(document.body).backgroundColor"
            light = sight.page.evaluate(back)
            sight.role("button", "Dark").click()
            expect(sight.page.locator("html")).to_have_attribute("data-theme", "dark")
            dark = sight.page.evaluate(back)
            check(light != dark, "the theme changes nothing")
            sight.page.reload()
            check(sight.page.evaluate(back) == dark, "the theme is forgotten")
            other = runner.look(theme="dark")
            other.open("/")
            check(other.page.evaluate(back) == dark, "the browser's preference does not count")


@scenario("the server is lost and comes back, and the page goes on by itself")
def lost():
    with world() as here:
        here.fill()
        here.serve()
        with browser(here.url) as runner:
            sight = runner.look()
            sight.open("/packages")
            sight.is_disturbed = True
            here.stop()
            expect(sight.page.locator(".lost")).to_contain_text("The server has not answered since")
            expect(sight.page.locator("tbody tr")).to_have_count(12)
            sight.role("link", "Artifacts").click()
            expect(sight.page.locator("[role=alert]").last).to_contain_text("The server does not answer")
            here.serve()
            expect(sight.page.locator(".lost")).to_have_count(0)
            expect(sight.page.locator("tbody tr").first).to_contain_text("diff-")
            # What happened meanwhile is told, and what happens then.
            here.run("snapshot")
            sight.role("link", "Jobs", exact=True).first.click()
            expect(sight.page.locator("tbody tr").first).to_contain_text("Snapshot")


@scenario("what others start shows by itself")
def live():
    with world() as here:
        here.fill()
        here.serve()
        with browser(here.url) as runner:
            sight = runner.look()
            sight.open("/jobs")
            count = sight.page.locator("tbody tr").count()
            here.ferry("scan")
            expect(sight.page.locator("tbody tr")).to_have_count(count + 1)
            expect(sight.page.locator("tbody tr").first).to_contain_text("the command line")


@scenario("a schedule is paused, goes on and is started")
def schedule():
    with world() as here:
        here.fill()
        here.serve()
        with browser(here.url) as runner:
            sight = runner.look()
            sight.open("/schedules")
            row = sight.page.locator("tbody tr").filter(has=sight.role("button", "Run now: scan", exact=True))
            sight.role("button", "Pause: scan").click()
            expect(row).to_contain_text("paused")
            check(next(each for each in here.get("/schedules")["items"] if each["name"] == "scan")["paused"], "it is not paused")
            sight.role("button", "Resume: scan").click()
            expect(row).not_to_contain_text("paused")
            sight.role("button", "Run now: scan", exact=True).click()
            sight.role("link", "Watch it").click()
            expect(sight.page.locator(".page-title .badge").first).to_have_text("Succeeded")


@scenario("everything can be reached by the keyboard")
def keyboard():
    with world() as here:
        here.fill()
        here.serve()
        with browser(here.url) as runner:
            sight = runner.look()
            sight.open("/")
            sight.page.keyboard.press("Tab")
            check(sight.page.evaluate("document.activeElement.className") == "skip", "the first stop does not skip the navigation")
            sight.page.keyboard.press("Control+k")
            sight.page.keyboard.type("tide")
            expect(sight.role("option", re.compile("tide-table"))).to_be_visible()
            sight.page.keyboard.press("Enter")
            expect(sight.heading()).to_have_text("tide-table")
            check(sight.page.evaluate("document.activeElement.tagName") == "H1", "the focus does not follow to the new page")
            sight.page.keyboard.press("Control+k")
            sight.page.keyboard.press("Escape")
            expect(sight.role("dialog")).to_have_count(0)


@scenario("an empty state says what to do")
def empty():
    with world() as here:
        here.serve()
        with browser(here.url) as runner:
            sight = runner.look()
            sight.open("/")
            expect(sight.page.locator(".action")).to_contain_text("The storage has not been looked at yet")
            for path, words in (
                ("/packages", "No package is known yet"), ("/jobs", "No job has run yet"), ("/artifacts", "No bundle has been made yet"),
                ("/snapshots", "No snapshot has been taken yet"), ("/broken-archives", "Nothing has been checked yet"), ("/media", "No medium is plugged in"),
                ("/destinations", "No destination is known yet"), ("/requests", "Nothing is asked for"),
            ):
                sight.open(path)
                expect(sight.page.locator(".state")).to_contain_text(words)
            sight.open("/packages/no-such-package")
            expect(sight.page.locator(".state")).to_contain_text("There is no such thing")
            sight.open("/")
            sight.role("button", "Scan the storage").click()
            expect(sight.page.locator(".action")).to_contain_text("The cache is not fresh")


@scenario("axe finds no violation, in either theme, language and size")
def accessible():
    with world() as here:
        here.fill()
        here.damage("buoy", "1.1.0")
        here.ferry("check")
        here.serve()
        if namespace():
            here.correspond()
        found = []
        with browser(here.url) as runner:
            for look in (
                {"theme": "light", "language": "en"}, {"theme": "dark", "language": "ru"}, {"theme": "dark", "language": "en", "width": 375, "height": 740},
                {"theme": "light", "language": "ru", "width": 375, "height": 740},
            ):
                sight = runner.look(**look)
                for name, path in places(here).items():
                    sight.open(path)
                    found += [f"{name} {look}: {words}" for words in sight.axe()]
            sight = runner.look()
            if namespace():
                sight.open("/destinations")
                sight.role("button", "Confirm its key").click()
                sight.role("dialog").get_by_label("Fingerprint").fill("x")
                found += [f"key: {words}" for words in sight.axe()]
                sight.page.keyboard.press("Escape")
                sight.page.locator("tbody a", has_text="Plant 7").click()
                sight.role("button", "Forget").click()
                found += [f"forget: {words}" for words in sight.axe()]
            sight.open("/broken-archives")
            sight.role("button", "buoy-1.1.0.tgz", exact=True).click()
            found += [f"dialog: {words}" for words in sight.axe()]
            sight.page.keyboard.press("Escape")
            sight.page.keyboard.press("Control+k")
            expect(sight.role("listbox")).to_be_visible()
            found += [f"palette: {words}" for words in sight.axe()]
        check(not found, "\n".join(found))


@scenario("no page is wider than a phone, or a window of 1280")
def widths():
    with world() as here:
        here.fill()
        here.damage("buoy", "1.1.0")
        here.ferry("check")
        here.serve()
        if namespace():
            here.correspond()
        found = []
        with browser(here.url) as runner:
            # Russian words are the longer ones.
            for width, language in ((360, "en"), (360, "ru"), (768, "ru"), (960, "ru"), (1280, "ru"), (1280, "en")):
                sight = runner.look(language=language, width=width)
                for name, path in places(here).items():
                    sight.open(path)
                    if (surplus := sight.overflow()) > 0:
                        found.append(f"{name} at {width} in {language}: {surplus} px")
                    cells = "cells => cells.filter(cell => cell.offsetParent && cell.clientWidth < 110).length"
                    if sight.page.locator("td.main").evaluate_all(cells) > 0:
                        found.append(f"{name} at {width} in {language}: what names a row has no room")
        check(not found, "; ".join(found))


@scenario("the page's types are those of the service's document")
def types():
    with world() as here:
        here.serve()
        tool = os.path.join(TOP, "Sources/Online/WebUI/tools/schema.mjs")
        document = json.dumps(here.get("/openapi.json"))
        made = subprocess.run(["node", tool], input=document, stdout=subprocess.PIPE, text=True, check=True).stdout
        place = os.path.join(TOP, "Sources/Online/WebUI/app/api/schema.ts")
        with open(place, encoding="utf-8") as file:
            check(file.read() == made, f"{place} is not what the document says; \"scripts/webui types\" writes it anew")


def main():
    if sys.argv[1:] == ["list"]:
        print("\n".join(SCENARIOS))
        return 0
    try:
        SCENARIOS[sys.argv[1]]()
    except (Failure, AssertionError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
