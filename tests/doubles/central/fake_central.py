#!/usr/bin/env python3
"""Serve a fake ZeroTier Central on 127.0.0.1 until it is interrupted."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from central_faults import FaultError, parse
from central_mirror import Mirror
from central_server import FakeCentral


def arguments(given: list[str]) -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(prog="fake_central.py", description=__doc__)
    parser.add_argument("--token", required=True, help="the one API token that it accepts")
    parser.add_argument("--port", type=int, default=0, help="0 (the default) takes a free one")
    parser.add_argument("--state", type=Path, metavar="FILE", help="keep its records there")
    parser.add_argument(
        "--mirror", metavar="URL", help="a node's controller API to pass changes to"
    )
    parser.add_argument("--mirror-token", metavar="TOKEN", help="that node's authtoken.secret")
    parser.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="JSON",
        help='what to do wrong, such as {"request": "POST /network/.*", "status": 429, "times": 2}',
    )
    options = parser.parse_args(given)
    if bool(options.mirror) != bool(options.mirror_token):
        parser.error("--mirror and --mirror-token belong together")
    return options


def main(given: list[str]) -> int:
    """Serve; the first line on stdout is the address."""
    options = arguments(given)
    try:
        faults = [parse(text) for text in options.fault]
        mirror = Mirror(options.mirror, options.mirror_token) if options.mirror else None
        fake = FakeCentral(options.token, port=options.port, state=options.state, mirror=mirror)
    except (FaultError, OSError, ValueError) as problem:
        print(f"fake_central.py: {problem}", file=sys.stderr)  # noqa: T201
        return 2
    for fault in faults:
        fake.faults.add(fault)
    print(fake.url, flush=True)  # noqa: T201
    signal.sigwait({signal.SIGINT, signal.SIGTERM})
    fake.close()
    return 0


if __name__ == "__main__":
    # Blocked before any thread starts, so that sigwait alone receives them.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    sys.exit(main(sys.argv[1:]))
