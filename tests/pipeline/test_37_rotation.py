"""New passwords and certificates while a run goes on: every row once, and no secret shown."""

import threading
from typing import TYPE_CHECKING

from tests.pipeline.accounting import check, end_offsets
from tests.pipeline.runs import Name, Run
from tests.pipeline.secrets_search import secrets
from tests.support.playbooks import Result, on, play

if TYPE_CHECKING:
    from pathlib import Path

RATE = 300
CERTIFICATE = "sha256sum /etc/server-monitoring/pki/*.pem /etc/kafka/broker.pem"
STARTED = "for i in $(seq 600); do systemctl is-active --quiet {unit} && break; sleep 0.2; done"


def test_everything_is_rotated_while_a_run_goes_on(run_pipeline: Run, run_name: Name) -> None:
    """Producer and consumers go on by their new credentials, the broker by its new certificate."""
    name = run_name("rotated")
    before, old_secrets, old_files = end_offsets(), secrets(), on("kafka-1", CERTIFICATE)
    ended: list[tuple[Result, Path]] = []
    run = threading.Thread(target=lambda: ended.append(run_pipeline(name, pipeline_rate=RATE)))
    run.start()
    on("producer-1", STARTED.format(unit=f"server-monitoring-produce@{name}"))
    rotated = play("playbooks/secrets_rotate.yml")
    run.join(timeout=600)
    assert rotated.status == 0, rotated.tail()
    [(result, folder)] = ended
    assert result.status == 0, result.tail()
    check(folder, before)

    new_secrets = secrets()
    passwords = {key for key in old_secrets if key.startswith("kafka_access_password_")}
    assert passwords
    assert not passwords & new_secrets.keys()
    new_files = on("kafka-1", CERTIFICATE).splitlines()
    assert not set(old_files.splitlines()) & set(new_files)
    again = play("provision.yml", "--tags=secrets,pki,kafka,kafka_access", "--diff", "-vvv")
    assert again.status == 0, again.tail()
    assert set(again.changed().values()) == {0}, again.tail(100)
    for printed in (rotated.output, result.output, again.output):
        shown = [key for key, value in (old_secrets | new_secrets).items() if value in printed]
        assert shown == []
