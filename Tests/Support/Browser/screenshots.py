"""Pictures of every page, in both themes, both languages, on a desk and on a phone: screenshots.py FOLDER [NAME ...]."""

import argparse
import datetime
import os
import random
import sqlite3

from browser import browser, places
from world import world

LOOKS = [
    ("desk-light-en", {"theme": "light", "language": "en"}), ("desk-dark-ru", {"theme": "dark", "language": "ru"}),
    ("phone-light-ru", {"theme": "light", "language": "ru", "width": 390, "height": 844}),
    ("phone-dark-en", {"theme": "dark", "language": "en", "width": 390, "height": 844}),
]


def remember(here, days=120):
    """Gives the catalog a past, so that there is growth to draw."""
    chance = random.Random(7)
    catalog = sqlite3.connect(here.path("state/data.sqlite"), timeout=30)
    columns = "packages, local_packages, versions, cached, tarballs, tarball_bytes, packument_bytes, damaged"
    newest, *sums = catalog.execute(f"SELECT taken, {columns} FROM storage_total ORDER BY taken DESC").fetchone()
    share = 0.5
    for day in range(days, 0, -1):
        share = min(0.99, share + chance.choice([0, 0, 1, 1, 2, 5]) * 0.5 / days / 1.5)
        row = [newest - day * 86_400 * 10**9] + [int(each * share) for each in sums]
        catalog.execute(f"INSERT OR IGNORE INTO storage_total (taken, {columns}) VALUES ({', '.join('?' * len(row))})", row)
    catalog.commit()
    catalog.close()


def prepare(here):
    """What there is to see: several bundles, a medium, damage, jobs of every ending."""
    here.fill()
    for step in range(4):
        here.publish(f"cargo-{step}", ["1.0.0"], bulk=20_000 * (step + 1))
        here.ferry("want", f"cargo-{step}")
        here.ferry("refresh", "full")
        here.ferry("bundle", "--target", "new", "--baseline", "last-bundle")
    here.publish("late-cargo", ["1.0.0"], bulk=50_000)
    here.ferry("want", "late-cargo")
    here.ferry("refresh", "full")
    here.ferry("snapshot")
    here.ferry("scan")
    remember(here)
    here.serve()
    here.plug("stick")
    medium = here.get("/media")["items"][0]["id"]
    bundle = here.get("/artifacts")["items"][1]["bundle"]
    here.ended(here.post(f"/media/{medium}/export?artifact={bundle}&initialise=true")["id"])
    here.run("broken-rescan")
    here.damage("buoy", "1.1.0")
    here.damage("harbour", "3.1.0")
    here.run("broken-rescan")
    here.correspond()


def main():
    parser = argparse.ArgumentParser(prog="scripts/screenshots", description="Takes pictures of the pages of the web UI.")
    parser.add_argument("folder", help=argparse.SUPPRESS)
    parser.add_argument("pages", nargs="*", help="which pages, such as dashboard (default: all)")
    arguments = parser.parse_args()
    folder, wanted = arguments.folder, arguments.pages
    os.makedirs(folder, exist_ok=True)
    begin = datetime.datetime.now()
    count = 0
    with world() as here:
        prepare(here)
        if unknown := set(wanted) - places(here).keys():
            parser.error(f"there is no page {', '.join(sorted(unknown))}; there are {', '.join(places(here))}")
        with browser(here.url) as runner:
            for look, options in LOOKS:
                sight = runner.look(**options)
                for name, path in places(here).items():
                    if wanted and name not in wanted:
                        continue
                    sight.open(path)
                    # What moves would be caught somewhere on its way.
                    sight.page.screenshot(path=os.path.join(folder, f"{name}.{look}.png"), animations="disabled")
                    count += 1
    print(f"{count} pictures in {folder}, in {(datetime.datetime.now() - begin).seconds} s")


if __name__ == "__main__":
    main()
