"""What each answer of ZeroTier Central that is no success means: one line with the next step."""

from __future__ import annotations

import contextlib
import json
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from .central_http import LOST, TLS

if TYPE_CHECKING:
    from .central_http import (
        Outcome,
    )

SITE = "https://my.zerotier.com"
WHERE_TOKENS_ARE_MADE = (
    "make one at my.zerotier.com (Account, API Access Tokens; in New Central: Organization, "
    "Service Accounts) and give it as zerotier_central_token or in the environment variable "
    "ZEROTIER_CENTRAL_TOKEN"
)
_PLAN = re.compile(
    r"\b(limit|plan|quota|upgrade|subscription|payment|billing|maximum|exceed)(s|ed|ing)?\b",
    re.IGNORECASE,
)
_PAYMENT, _TOKEN, _RIGHT, _BUSY, _DOWN = 402, 401, 403, 429, 503
_REDIRECTS, _REFUSALS, _FAULTS = 300, 400, 500


def words(text: str) -> str:
    """Return what Central says in an answer, on one line of at most 200 characters."""
    with contextlib.suppress(ValueError, KeyError, TypeError):
        text = str(json.loads(text)["message"])
    printable = "".join(sign if sign.isprintable() else " " for sign in text)
    return " ".join(printable.split())[:200]


def explain(outcome: Outcome, request: str) -> str:
    """Return what an outcome that is no success means; `request` is its method and path.

    The text continues the name of who answered: "ZeroTier Central (...) ".
    """
    tried = f"{outcome.seconds:.3g} s, tries: {outcome.tries}"
    if outcome.failure:
        return _unanswered(outcome, request, tried)
    if outcome.status >= _FAULTS:
        return (
            f"answered {outcome.status} to {request} ({tried}): {words(outcome.text)!r}; see "
            "https://status.zerotier.com, then run again"
        )
    if outcome.status == _BUSY:
        asked = "" if outcome.wait is None else f", asks to wait {outcome.wait:.3g} s"
        return (
            f"held its rate limit against {request} (429; {tried}{asked}); see what else uses "
            "this token's account (free: 20 requests a second), then run again"
        )
    if outcome.status < _REFUSALS:
        target = urlsplit(outcome.location)
        return (
            f"redirected {request} to {target.scheme}://{target.hostname} ({outcome.status}), "
            "where the token is not sent; check zerotier_central_url"
        )
    return _refused(outcome.status, request, words(outcome.text))


def may_have_worked(outcome: Outcome) -> bool:
    """Tell whether what failed may have been done all the same."""
    broken: bool = outcome.status >= _FAULTS and outcome.status != _DOWN
    return broken or outcome.failure == LOST


def _unanswered(outcome: Outcome, request: str, tried: str) -> str:
    if outcome.failure == TLS:
        return (
            f"cannot be trusted: TLS failed ({outcome.text}); where a proxy opens TLS, give its "
            "authority as ca_file (zerotier_central_ca_file, PEM), else check this machine's clock "
            "and authorities (ca-certificates, SSL_CERT_FILE)"
        )
    return (
        f"does not answer {request} ({tried}): {words(outcome.text)}; check this machine's way out "
        "(https_proxy, DNS, firewall), then run again"
    )


def _refused(status: int, request: str, said: str) -> str:
    if status == _PAYMENT or (status != _TOKEN and _PLAN.search(said)):
        return (
            f"refused {request} ({status}) in these words: {said!r}; remove what is no longer "
            f"used, or change the plan at {SITE}"
        )
    # The specification names a 403 for /network itself "Authorization required".
    if status == _TOKEN or (status, request) == (_RIGHT, "GET /network"):
        return f"refused the token ({status}): wrong or withdrawn; {WHERE_TOKENS_ARE_MADE}"
    if status == _RIGHT:
        may_not = "read this" if request.startswith("GET") else "change this"
        return (
            f"knows the token, but it may not {may_not}: {request} (403, {said!r}); the network's "
            f"owner gives that right at {SITE}"
        )
    return f"refused {request} ({status}): {said!r}"
