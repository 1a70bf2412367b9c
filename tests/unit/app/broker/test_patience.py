"""A broker that does not answer is waited for, within one bound, by one process."""

from collections.abc import Callable

import pytest
from server_monitoring.broker.patience import Patience
from server_monitoring.errors import BrokerError, CredentialsError, UnreachableError

AWAY = UnreachableError("no answer")


class Broker:
    """One that is away at certain times; each question that gets no answer takes ten seconds."""

    def __init__(self, away: Callable[[float], bool]) -> None:
        """Be `away` as this says of the seconds that have passed."""
        self.now = 0.0
        self.away = away
        self.told: list[int] = []

    def patience(self, timeout: float) -> Patience:
        """Return a patience by this broker's clock."""
        return Patience(
            timeout,
            lambda left, _: self.told.append(round(left)),
            lambda: self.now,
            self.sleep,
        )

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds

    def ask(self) -> str:
        """Answer, or not."""
        if self.away(self.now):
            self.now += 10
            raise AWAY
        return "here"


def test_a_broker_that_comes_back_is_asked_again() -> None:
    """And whoever looks is told meanwhile for how long it will be waited for."""
    broker = Broker(lambda now: now < 30)
    assert broker.patience(60).retry(broker.ask) == "here"
    assert broker.told == [50, 39, 28]


def test_a_broker_that_stays_away_is_given_up_in_time() -> None:
    """With what the last question met; at most one question later than the bound."""
    broker = Broker(lambda _: True)
    with pytest.raises(UnreachableError, match="no answer"):
        broker.patience(20).retry(broker.ask)
    assert 20 <= broker.now <= 30


def test_each_outage_has_the_whole_time() -> None:
    """An attempt that got its answer, and failed later, begins a new one."""
    broker = Broker(lambda _: False)
    patience = broker.patience(15)
    ends = iter([1000, 2000, 3000])

    def attempt() -> str:
        patience.answered()
        broker.now = next(ends)
        if broker.now < 3000:
            raise AWAY
        return "done"

    assert patience.retry(attempt) == "done"
    assert broker.told == [15, 15]


def test_who_is_to_stop_does_not_wait() -> None:
    """SIGTERM during an outage."""
    broker = Broker(lambda _: True)
    with pytest.raises(UnreachableError):
        broker.patience(600).retry(broker.ask, lambda: True)
    assert broker.now == 10


@pytest.mark.parametrize("error", [BrokerError("refused"), CredentialsError("changed")])
def test_other_errors_are_not_waited_for(error: BrokerError) -> None:
    """New credentials come with a new process."""
    broker = Broker(lambda _: False)

    def refuse() -> None:
        raise error

    with pytest.raises(type(error)):
        broker.patience(600).retry(refuse)
    assert broker.now == 0
