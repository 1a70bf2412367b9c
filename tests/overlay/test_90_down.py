"""The overlay's lab goes down, so that what comes next begins from nothing."""

from tests.support.playbooks import play


def test_lab_goes_down() -> None:
    """No node of it stays."""
    result = play("playbooks/lab_down.yml")
    assert result.status == 0, result.tail()
