"""How soon the page shows something, before a catalog of many packages, and how large it is: measure.py [PACKAGES]."""

import gzip
import re
import sqlite3
import statistics
import sys
import urllib.request

from browser import browser, expect
from world import world

ROUNDS = 5


def multiply(here, count):
    """Enters so many packages into the catalog, as a scan would have."""
    catalog = sqlite3.connect(here.path("state/data.sqlite"), timeout=60)
    now = catalog.execute("SELECT max(taken) FROM storage_total").fetchone()[0]
    packages, rows = [], []
    for number in range(count):
        name = f"@scope-{number % 300}/part-{number}" if number % 3 else f"package-{number}"
        base = name.rpartition("/")[2]
        packages.append((1_000_000 + number, name))
        rows.append((
            1_000_000 + number, name.encode(), name, name, base, b"", now, 0, 4000, "proxied", f"What {name} is for", f"1.{number % 40}.0",
            number % 60 + 1, number % 9 + 1, number % 9 + 1, number * 7919 % 9_000_000, now, now, now - number * 10**9))
    catalog.executemany(
        "INSERT INTO package (id, sort_key, name, folded, base, listing, scanned, packument, packument_bytes, source, summary, latest, known, cached,"
        f" tarballs, bytes, first_seen, changed, published) VALUES ({', '.join('?' * 19)})", rows)
    catalog.executemany("INSERT INTO package_search (rowid, folded) VALUES (?, ?)", packages)
    catalog.commit()
    catalog.close()


def timed(sight, path, locator):
    """Milliseconds from going to an address until something is there, and until the browser painted first."""
    sight.page.goto("about:blank")
    sight.page.goto(f"{sight.base}/ui{path}", wait_until="commit")
    sight.page.wait_for_selector(locator)
    now = sight.page.evaluate("performance.now()")
    paint = sight.page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0")
    return now, paint


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with world() as here:
        here.fill()
        multiply(here, count)
        here.serve()
        page = urllib.request.urlopen(here.url + "/ui/").read().decode()
        total = 0
        for name in re.findall(r'/ui/(assets/[^"]+)', page):
            data = urllib.request.urlopen(f"{here.url}/ui/{name}").read()
            total += len(gzip.compress(data, 9))
            print(f"{name}: {len(data):,} bytes, {len(gzip.compress(data, 9)):,} compressed")
        print(f"all that is loaded: {total:,} bytes compressed")
        with browser(here.url) as runner:
            for name, path, locator in (
                ("packages", "/packages", "tbody a"), ("packages, last page", f"/packages?page={count // 50}", "tbody a"),
                ("packages, by size", "/packages?sort=-bytes", "tbody a"), ("packages, searched", "/packages?search=part-99", "tbody a"), ("dashboard", "/", ".tile-value"),
            ):
                found = []
                for _ in range(ROUNDS):
                    # A new context has nothing in its cache.
                    sight = runner.look()
                    found.append(timed(sight, path, locator))
                    sight.context.close()
                content, paint = (statistics.median(each) for each in zip(*found))
                print(f"{name}: painted first after {paint:.0f} ms, content after {content:.0f} ms (median of {ROUNDS}, cold cache)")
            sight = runner.look()
            sight.open("/packages")
            expect(sight.page.locator("tbody tr")).to_have_count(50)
            took = sight.page.evaluate("""async () => {
                const field = document.querySelector("input[type=search]");
                const before = document.querySelector("tbody").innerText;
                const begin = performance.now();
                Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(field, "part-4711");
                field.dispatchEvent(new Event("input", { bubbles: true }));
                while (document.querySelector("tbody").innerText === before) await new Promise(requestAnimationFrame);
                return performance.now() - begin;
            }""")
            print(f"search, from the last letter to the rows: {took:.0f} ms, of which 150 wait for another letter")


if __name__ == "__main__":
    main()
    sys.exit(0)
