"""Python on a node of the lab as one of its accounts, past the app."""

from pathlib import PurePosixPath

from tests.support.playbooks import on

BROKER = "172.29.0.1:9092"
PYTHON = "/opt/server-monitoring/bin/python"
CREDENTIALS = PurePosixPath("/etc/server-monitoring/credentials")
CA = "/etc/server-monitoring/kafka-ca.pem"

_LOGIN = f"""
import json
login = json.load(open("{CREDENTIALS}/%s.json"))
common = dict(
    bootstrap_servers="{BROKER}", security_protocol="SASL_SSL", ssl_cafile="{CA}",
    sasl_mechanism="SCRAM-SHA-512", sasl_plain_username=login["username"],
    sasl_plain_password=login["password"],
)
"""


def as_account(node: str, account: str, script: str) -> str:
    """Run a script with the credentials that a node has, and return what it prints.

    Args:
        node: on which it happens.
        account: one of that node's.
        script: for the app's Python; `common` holds what a client of kafka-python is to be given.

    """
    return on(node, script_as(account, script))


def script_as(account: str, script: str) -> str:
    """Return the command that runs a script as `as_account` does."""
    return command(_LOGIN % account + script)


def command(script: str) -> str:
    """Return the command that runs a script by the app's Python."""
    return f"{PYTHON} - <<'EOF'\n{script}\nEOF"
