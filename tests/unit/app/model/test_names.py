"""Names that outlive a process."""

import re

import pytest
from server_monitoring.model.names import user

# What useradd and systemd take without complaint.
TAKEN = re.compile(r"[a-z_][a-z0-9_-]{0,30}")


@pytest.mark.parametrize(
    ("command", "group", "expected"),
    [
        ("produce", "", "sm-produce"),
        ("consume", "cpu_mem", "sm-consume-cpu_mem"),
        ("consume", "a" * 20, "sm-consume-" + "a" * 20),
        ("consume", "a" * 21, "sm-consume-aaaaaaaaaaa-93f368e7"),
        ("analyze", "CPU", "sm-analyze-cpu-130ff7be"),
    ],
)
def test_each_unit_has_a_user_that_linux_takes(command: str, group: str, expected: str) -> None:
    """A name that is too long, or has capitals, is cut and stays apart from others."""
    assert user(command, group) == expected
    assert TAKEN.fullmatch(expected)


def test_users_of_long_names_differ() -> None:
    """Also where only what is cut differs."""
    names = {user("consume", "a" * 40 + end) for end in ("b", "c", "B")}
    assert len(names) == len("bcB")
