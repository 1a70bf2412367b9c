"""Requests with a token to one HTTPS address: sent, tried again, and told how they ended.

Guarantee: the token goes to that address's host alone (no redirect is followed; plain http is for
loopback alone, which takes no proxy) and stands in nothing that is returned or raised.
"""

from __future__ import annotations

import email.utils
import http.client
import ipaddress
import json
import re
import socket
import ssl
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

# Why there is no answer: never sent, perhaps sent and lost, no TLS, or a proxy that forbids it.
UNSENT, LOST, TLS, FORBIDDEN = "unsent", "lost", "tls", "forbidden"
_BUSY, _DOWN = 429, 503
_FAULTS = 500
_ATTEMPT_SECONDS = 20.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 8.0
# What a header can hold: http.client shows the value of one that it refuses.
_TOKEN = re.compile(r"[!-~]+")


class SettingError(ValueError):
    """A setting that cannot be used; its one line names it."""


class Outcome(NamedTuple):
    """How a request ended: an answer, or status 0 with a failure and its reason as the text."""

    status: int = 0
    text: str = ""
    failure: str = ""
    location: str = ""
    wait: float | None = None
    tries: int = 0
    seconds: float = 0.0


class _AsTheyCome(urllib.request.HTTPErrorProcessor):
    """Hands over each answer as it is, so that nothing follows a redirect or asks for a login."""

    def http_response(self, request: Any, response: Any) -> Any:  # noqa: ARG002
        """Return the answer."""
        return response

    https_response = http_response


class TokenHttp:
    """One address, one token; may be used by several threads at once."""

    def __init__(self, url: str, token: str, timeout: float, ca_file: str) -> None:
        """Check the settings; `timeout` is for a request with all its tries, in seconds.

        `ca_file` (PEM) adds to the authorities that this machine trusts. Raises SettingError.
        """
        self._base, self._token, self._timeout = _checked(url), token.strip(), timeout
        if not _TOKEN.fullmatch(self._token):
            message = "the token is empty or has characters (blanks, accents) that no token has"
            raise SettingError(message)
        if not timeout > 0:
            message = f"timeout: found {timeout}, expected more than 0 seconds"
            raise SettingError(message)
        direct = _is_loopback(urlsplit(self._base).hostname or "")
        proxies = urllib.request.ProxyHandler({} if direct else None)
        handlers: list[urllib.request.BaseHandler] = [_AsTheyCome(), proxies]
        if self._base.startswith("https:"):
            handlers.append(urllib.request.HTTPSHandler(context=_context(ca_file)))
        self._opener = urllib.request.build_opener(*handlers)

    @property
    def host(self) -> str:
        """The address's host, with the port where one is named."""
        return urlsplit(self._base).netloc

    def hide(self, text: str) -> str:
        """Return a text without the token."""
        return text.replace(self._token, "***")

    def send(self, method: str, path: str, body: Any = None, *, repeatable: bool = True) -> Outcome:
        """Send until there is an answer worth keeping or the time is over; return the last outcome.

        Tried again: 429, 503 and what was never sent; where `repeatable`, other 5xx and lost
        answers as well. Pauses double, unless the answer names one (Retry-After, and Central's own
        X-Ratelimit-Reset); one that is longer than the time left ends the tries at once.
        """
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._base + path, data, self._headers(), method=method)  # noqa: S310
        started, tries = time.monotonic(), 0
        while True:
            tries += 1
            left = self._timeout - (time.monotonic() - started)
            outcome = self._try(request, min(left, _ATTEMPT_SECONDS))
            spent = time.monotonic() - started
            backing_off = min(_FIRST_PAUSE * 2 ** (tries - 1), _LONGEST_PAUSE)
            pause = backing_off if outcome.wait is None else max(outcome.wait, _FIRST_PAUSE)
            if not _again(outcome, repeatable=repeatable) or spent + pause >= self._timeout:
                return outcome._replace(tries=tries, seconds=spent)
            time.sleep(pause)

    def _headers(self) -> dict[str, str]:
        return {
            "Authorization": f"token {self._token}",
            "Accept": "application/json",
            "Content-Type": "application/json",
            "User-Agent": "server-monitoring",
        }

    def _try(self, request: urllib.request.Request, seconds: float) -> Outcome:
        try:
            with self._opener.open(request, timeout=max(seconds, 0.001)) as response:
                text = response.read().decode("utf-8", "replace")
                location = response.headers.get("Location") or ""
                wait = _wait(response.headers)
                return Outcome(response.status, text, location=location, wait=wait)
        except (OSError, http.client.HTTPException, UnicodeError) as problem:
            return _failed(problem)


def _again(outcome: Outcome, *, repeatable: bool) -> bool:
    if outcome.failure:
        return outcome.failure == UNSENT or (outcome.failure == LOST and repeatable)
    return outcome.status in {_BUSY, _DOWN} or (outcome.status >= _FAULTS and repeatable)


def _failed(problem: Exception) -> Outcome:
    inner = problem.reason if isinstance(problem, urllib.error.URLError) else problem
    reason = getattr(inner, "strerror", None) or str(inner) or type(inner).__name__
    if isinstance(inner, ssl.SSLCertVerificationError):
        return Outcome(text=inner.verify_message, failure=TLS)
    if isinstance(inner, ssl.SSLError) and not isinstance(inner, ssl.SSLEOFError):
        return Outcome(text=inner.reason or reason, failure=TLS)
    if reason.startswith("Tunnel connection failed: 4"):
        return Outcome(text=f"its proxy says: {reason}", failure=FORBIDDEN)
    unsent = isinstance(inner, (ConnectionRefusedError, socket.gaierror))
    return Outcome(text=reason, failure=UNSENT if unsent else LOST)


def _wait(headers: Mapping[str, str]) -> float | None:
    """Return for how many seconds an answer asks to wait, or None where it does not say so."""
    text = headers.get("Retry-After") or headers.get("X-Ratelimit-Reset") or ""
    if text.strip().isdecimal():
        return float(text)
    try:
        until = email.utils.parsedate_to_datetime(text).timestamp()
        now = headers.get("Date")
        # By the server's own clock: this machine's may be wrong.
        since = email.utils.parsedate_to_datetime(now).timestamp() if now else time.time()
    except ValueError:
        return None
    return until - since if until > since else None


def _checked(url: str) -> str:
    """Return an address without a slash at its end, or refuse it."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host = ""
    if not host or "@" in parts.netloc or parts.query or parts.fragment:
        message = "url: expected https://host[:port]/path, without a user, query or fragment"
        raise SettingError(message)
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(host)):
        message = (
            f"url: found {url!r}, expected https://...: the token would travel in the clear "
            "(http is for loopback alone)"
        )
        raise SettingError(message)
    return url.rstrip("/")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _context(ca_file: str) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if ca_file:
        try:
            context.load_verify_locations(ca_file)
        except OSError as problem:
            message = (
                f"ca_file: {ca_file} cannot be used ({problem.strerror or problem}); expected the "
                "certificates of the further authorities to trust, as PEM"
            )
            raise SettingError(message) from problem
    return context
