"""Takes the README's pictures of reports in a real browser (Debian's chromium, driven by playwright).

Usage: python docs/screenshot.py runs/NAME/report.html docs/report.png [--figure NAME]

Without a figure it is the top of the report.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from playwright.sync_api import sync_playwright

WIDTH, HEIGHT = 1200, 1210


def main() -> None:
    """Write the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("report", type=Path, help="a report.html")
    parser.add_argument("picture", type=Path, help="the PNG file to write")
    parser.add_argument("--figure", help="name of one figure, such as settings")
    arguments = parser.parse_args()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu", "--no-first-run"]
        )
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.goto(arguments.report.absolute().as_uri())
        page.wait_for_selector("#plot-weights .main-svg")  # the last plot
        if arguments.figure is None:
            page.screenshot(path=arguments.picture)
        else:
            page.locator("figure", has=page.locator(f"#plot-{arguments.figure}")).screenshot(path=arguments.picture)
        browser.close()


if __name__ == "__main__":
    main()
