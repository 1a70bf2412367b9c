"""New passwords and certificates while a run goes on that nothing else disturbs."""

import pytest

from tests.pipeline.accounting import check, end_offsets
from tests.pipeline.disturbed import disturbed
from tests.pipeline.rotation import Rotation
from tests.pipeline.runs import Name, Run
from tests.support.playbooks import play

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
