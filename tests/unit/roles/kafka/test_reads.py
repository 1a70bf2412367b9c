"""The script by which a broker that runs with something else than is there is known."""

import subprocess
from pathlib import Path

import pytest

from tests.support.kafka_templates import ROLE
from tests.support.playbooks import AS_ROOT

# In a view of the machine with an /etc of its own, where Debian says which Java is meant.
SCRIPT = """
set -e
mount -t tmpfs tmpfs /etc
mkdir -p /etc/kafka /etc/alternatives /etc/systemd/system
echo one | tee /etc/kafka/server.properties > /etc/systemd/system/kafka.service
ln -s "$2/jdk/bin/java" /etc/alternatives/java
sh "$1" "$2/tree" > "$2/before"
{change}
sh "$1" "$2/tree" > "$2/after"
"""


def differs(folder: Path, change: str) -> bool:
    """Return whether the script prints something else after a change, made in the folder."""
    for name, text in (("jdk/release", "21"), ("jdk/bin/java", ""), ("tree/.archive.sha256", "1")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    view = [*AS_ROOT, "unshare", "--mount", "sh", "-c", SCRIPT.format(change=change), "sh"]
    subprocess.run([*view, str(ROLE / "files/kafka-reads"), str(folder)], check=True)
    before = (folder / "before").read_text()
    assert len(before.splitlines()) == 4
    return before != (folder / "after").read_text()


@pytest.mark.parametrize(
    "change",
    [
        "echo two > /etc/kafka/server.properties",
        "echo two > /etc/systemd/system/kafka.service",
        "echo new > /etc/kafka/broker.pem",
        'echo 2 > "$2/tree/.archive.sha256"',
        'echo 25 > "$2/jdk/release"',
    ],
)
def test_what_a_broker_reads_is_told_when_it_changes(tmp_path: Path, change: str) -> None:
    """Settings, unit, certificate, the archive of Kafka, and Java."""
    assert differs(tmp_path, change)


def test_what_a_broker_does_not_read_is_not_told(tmp_path: Path) -> None:
    """So a broker is not restarted for it."""
    assert not differs(tmp_path, "touch /etc/kafka/server.properties; echo x > /etc/kafka/other")
