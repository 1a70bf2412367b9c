"""New passwords and certificates, also while a run goes on."""

from tests.pipeline.secrets_search import secrets
from tests.support.playbooks import Result, on, play

_CERTIFICATE = "sha256sum /etc/server-monitoring/pki/*.pem /etc/kafka/broker.pem"


class Rotation:
    """What there was before, and what the rotation said."""

    def __init__(self) -> None:
        """Look at what there is."""
        self._secrets, self._files = secrets(), on("kafka-1", _CERTIFICATE).splitlines()
        self._results: list[Result] = []

    def happen(self) -> None:
        """Rotate everything."""
        self._results.append(play("playbooks/secrets_rotate.yml"))

    def check(self, *printed: str) -> None:
        """Hold what there is now against what there was: nothing stays, and nothing was shown.

        Raises:
            AssertionError: it failed, something stayed, or a secret is in its output or `printed`.

        """
        [result] = self._results
        assert result.status == 0, result.tail()
        new = secrets()
        passwords = {key for key in self._secrets if key.startswith("kafka_access_password_")}
        assert passwords
        assert not passwords & new.keys()
        assert not set(self._files) & set(on("kafka-1", _CERTIFICATE).splitlines())
        for text in (result.output, *printed):
            assert [key for key, value in (self._secrets | new).items() if value in text] == []
