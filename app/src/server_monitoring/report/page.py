"""report.html: one file that opens offline and makes no request.

Guarantee: nothing that a run's files say stands in the page as markup or script. All of it is
packed as base64 and put into the page as text by the page's own script; a Content-Security-Policy
lets only the scripts and styles run that are known here by their sums, and forbids every request.
"""

import base64
import hashlib
import html
import json
import re
from importlib import resources

from server_monitoring import __version__
from server_monitoring.report.library import Library
from server_monitoring.report.overview import overview
from server_monitoring.report.payload import pack, pack_servers
from server_monitoring.results.changes import Change
from server_monitoring.results.folder import Results
from server_monitoring.results.manifest import Manifest

NAME = "report.html"
SCRIPTS = ("format.js", "table.js", "timeline.js", "charts.js", "facts.js", "main.js")
_MARK = re.compile(r"@@([a-z_]+)@@")


def render(
    results: Results, library: Library, against: tuple[Manifest, list[Change]] | None = None
) -> str:
    """Return the page.

    Args:
        results: the run.
        library: draws the charts.
        against: another run's manifest, and the changes since.

    """
    blocks = pack_servers(results)
    style = library.style + asset("page.css")
    script = "'use strict';\n(() => {\n" + "\n".join(map(asset, SCRIPTS)) + "\n})();\n"
    parts = {
        "csp": policy([library.script, script], style),
        "title": html.escape(f"Run {results.manifest.run_id}: server monitoring"),
        "generator": html.escape(f"server-monitoring {__version__}"),
        "licence": html.escape(library.licence).replace("--", "&#45;&#45;"),
        "style": style,
        "library": library.script,
        "script": script,
        "overview": pack(overview(results, blocks, against)),
        "blocks": json.dumps(blocks.texts, separators=(",", ":")),
    }
    return _MARK.sub(lambda mark: parts[mark[1]], asset("page.html"))


def asset(name: str) -> str:
    """Return the text of one of this package's files for the page."""
    return (resources.files(__package__) / "assets" / name).read_text(encoding="utf-8")


def policy(scripts: list[str], style: str) -> str:
    """Return the Content-Security-Policy: these scripts, this style, and no requests."""
    sums = " ".join(map(_source, scripts))
    return (
        f"default-src 'none'; script-src {sums}; style-src {_source(style)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _source(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
