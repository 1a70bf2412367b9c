"""New passwords and certificates while a run goes on that nothing else disturbs."""

import pytest

from tests.pipeline.accounting import check, end_offsets
from tests.pipeline.disturbed import disturbed
from tests.pipeline.rotation import Rotation
from tests.pipeline.runs import Name, Run
from tests.support.playbooks import on, play

pytestmark = pytest.mark.long

RATE = 300


def test_everything_is_rotated_while_a_run_goes_on(run_pipeline: Run, run_name: Name) -> None:
    """Producer and consumers go on by their new credentials, the broker by its new certificate."""
    before, rotation = end_offsets(), Rotation()
    result, folder = disturbed(
        run_pipeline, run_name("rotated"), lambda _: rotation.happen(), pipeline_rate=RATE
    )
    check(folder, before)
    again = play("provision.yml", "--tags=secrets,pki,kafka,kafka_access", "--diff", "-vvv")
    assert again.status == 0, again.tail()
    assert set(again.changed().values()) == {0}, again.tail(100)
    rotation.check(result.output, again.output)


def test_after_a_change_of_the_authority_an_old_key_opens_nothing() -> None:
    """A copy of the broker's key and certificate administrated before it, and is refused after."""
    copies = "/root/copy-of-broker.pem", "/root/copy.properties"
    ask = (
        "/opt/kafka/bin/kafka-broker-api-versions.sh --bootstrap-server 172.29.0.1:9094 "
        f"--command-config {copies[1]} >/dev/null 2>&1; echo $?"
    )
    on(
        "kafka-1",
        f"umask 077; cp /etc/kafka/broker.pem {copies[0]}; "
        f"sed 's|=/etc/kafka/broker.pem|={copies[0]}|' /etc/kafka/admin.properties > {copies[1]}",
    )
    try:
        assert on("kafka-1", ask) == "0"
        changed = play("playbooks/authority_change.yml")
        assert changed.status == 0, changed.tail()
        assert on("kafka-1", f"timeout 60 {ask}") != "0"
        own = ask.replace(copies[1], "/etc/kafka/admin.properties")
        assert on("kafka-1", own) == "0"
    finally:
        on("kafka-1", f"rm {' '.join(copies)}")
    again = play("provision.yml", "--tags=secrets,pki,kafka,kafka_access")
    assert again.status == 0, again.tail()
    assert set(again.changed().values()) == {0}, again.tail(100)
