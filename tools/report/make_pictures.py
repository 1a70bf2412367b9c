"""Make the README's pictures from a run's results: the terminal and the page, as small PNG files.

Needs the tests' requirements and Debian's chromium: `make pictures` installs both.
"""

import argparse
import html
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

CHROMIUM = "/usr/bin/chromium"
LINES = 14
TERMINAL = """<!doctype html><meta charset="utf-8"><style>
body {{ margin: 0; background: #11151a; }}
pre {{ margin: 0; padding: 18px 22px; width: max-content; color: #e7eaee;
  font: 13px/1.45 "DejaVu Sans Mono", monospace; }}
b {{ color: #7fd3a0; font-weight: 400; }}
</style><pre>{text}</pre>"""


def terminal_text(run: Path) -> str:
    """Return what a person types and sees: the first incidents of a run, and their count."""
    shown = f"server-monitoring alerts results/{run.name}"
    done = subprocess.run(
        [sys.executable, "-m", "server_monitoring", "alerts", str(run)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.stderr:
        sys.exit(done.stderr.strip())
    lines = done.stdout.splitlines()
    if len(lines) > LINES + 2:
        lines = [*lines[:LINES], f"... {len(lines) - LINES - 2:,} more", *lines[-2:]]
    return f"<b>$</b> {html.escape(shown)}\n" + html.escape("\n".join(lines))


def picture(browser: Browser, source: Path, target: Path, scheme: str, selector: str = "") -> None:
    """Save what the page `source` shows at 1280 x 800, or one element of it."""
    context = browser.new_context(
        viewport={"width": 1280, "height": 800},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    page = context.new_page()
    page.goto(source.as_uri())
    page.wait_for_load_state("networkidle")
    if selector == "pre":
        page.locator(selector).screenshot(path=target)
    else:
        page.wait_for_selector("html[data-ready]")
        if selector:
            page.locator("#incidents-table tbody tr:first-child button").click()
            page.wait_for_selector("#charts[data-server]")
            page.locator(selector).scroll_into_view_if_needed()
        page.screenshot(path=target)
    context.close()
    sys.stdout.write(f"{target}: {target.stat().st_size / 1000:.0f} kB\n")


def main() -> None:
    """Write the pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run_dir", type=Path, help="results of a run")
    parser.add_argument("docs", type=Path, help="folder for the pictures")
    args = parser.parse_args()
    run, docs = args.run_dir.resolve(), args.docs.resolve()
    report = run / "report.html"
    if not report.exists():
        sys.exit(f"{report}: missing; run 'server-monitoring report {args.run_dir}' first")
    docs.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        terminal = Path(folder) / "terminal.html"
        terminal.write_text(TERMINAL.format(text=terminal_text(run)), encoding="utf-8")
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        picture(browser, terminal, docs / "alerts.png", "dark", "pre")
        picture(browser, report, docs / "report.png", "light")
        picture(browser, report, docs / "report-charts.png", "dark", "#detail")
        browser.close()


if __name__ == "__main__":
    main()
