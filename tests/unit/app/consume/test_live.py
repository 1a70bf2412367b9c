"""The live consumer without a broker: a reader that answers what a test gives it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from server_monitoring.broker.reader import TopicPartition
from server_monitoring.consume import live as live_module
from server_monitoring.consume.assignment import Claim
from server_monitoring.consume.live import LiveConsumer
from server_monitoring.consume.live_consumption import LEFT_OUT
from server_monitoring.consume.sift import Timely
from server_monitoring.errors import BrokerError, StorageError, UnreachableError
from server_monitoring.model.groups import Share
from server_monitoring.model.senders import Senders
from server_monitoring.model.signature import sign
from server_monitoring.settings import config
from server_monitoring.store import days
from server_monitoring.store.malformed import malformed_path

from tests.support.live_rows import DAY, MIDNIGHT, by_day, numbers, record, stored, value
from tests.unit.app.app_answers import CPU, MEM, Answers
from tests.unit.app.app_command import App

TIMELY = Timely(late=7200, future=60)
Start = Callable[["Topics"], LiveConsumer]


class Topics(Answers):
    """A reader whose clock begins at midnight, and which knows the oldest records."""

    def __init__(self, polls: list[dict[TopicPartition, list[Any]]] | None = None) -> None:
        """Answer `polls` in turn, then nothing."""
        super().__init__(polls or [])
        self.now = float(MIDNIGHT)
        self.oldest = 10
        self.senders = Senders()

    def beginning(self, tp: TopicPartition) -> int:
        """Return the same of each partition."""
        return self.oldest if tp.topic else 0

    def commit(self, offsets: dict[TopicPartition, int], metadata: str) -> None:
        """Remember what was shown, as the group's offsets."""
        super().commit(offsets, metadata)
        self.claim(offsets, metadata)


@pytest.fixture
def live(tmp_path: Path) -> Path:
    """Return the folder of all days."""
    return tmp_path / "data" / "live"


@pytest.fixture
def start(values: dict[str, Any], write: Callable[[object], Path], live: Path) -> Iterator[Start]:
    """Return a function that opens a live consumer of cpu_mem on a reader."""
    settings = config.load(write(values))
    made: list[LiveConsumer] = []

    def make(reader: Topics) -> LiveConsumer:
        for old in made:
            old.close()
        group, share = settings.group("cpu_mem"), Share(0, 1)
        of = share, TIMELY, reader.senders
        made.append(LiveConsumer(reader, live, group, *of, lambda: reader.now))
        return made[-1]

    yield make
    for old in made:
        old.close()


def run(made: LiveConsumer, reader: Topics) -> None:
    """Read all that the reader has, and end in order."""
    made.start()
    made.run(lambda: not reader.polls, lambda: None)


def sent(seconds: list[int], first: int = 10) -> list[Any]:
    """Return records from offset `first` on, numbered, each of one of these seconds."""
    return [record(CPU, first + n, value(second, n), MIDNIGHT) for n, second in enumerate(seconds)]


def test_a_row_is_of_the_day_of_its_own_time(start: Start, live: Path) -> None:
    """Not of its arrival: rows of yesterday come after midnight, among those of today."""
    seconds = [MIDNIGHT - 1, MIDNIGHT, MIDNIGHT - 2, MIDNIGHT + 1, MIDNIGHT + 30, MIDNIGHT - 3]
    reader = Topics([{CPU: sent(seconds)}])
    run(start(reader), reader)
    assert {d: numbers({d: r}) for d, r in stored(live, "topic-cpu").items()} == by_day(seconds)
    assert reader.claimed[CPU][0] == 16


def test_a_zone_is_taken_into_account_and_the_text_is_kept(start: Start, live: Path) -> None:
    """The analysis reads zones too."""
    content = b'{"ts": "2026-11-30T01:00:00+02:00", "server_id": "a", "cpu_pct": 1.0}'
    reader = Topics([{CPU: [record(CPU, 10, content)]}])
    run(start(reader), reader)
    assert stored(live, "topic-cpu") == {"2026-11-29": [["2026-11-30T01:00:00+02:00", "a", "1.0"]]}


def test_rows_of_batch_runs_are_skipped_and_counted(start: Start, live: Path) -> None:
    """Whatever they hold."""
    batch = [record(CPU, 10, b"?", run_id=b"r1"), record(CPU, 11, value(MIDNIGHT, 7))]
    reader = Topics([{CPU: batch}, {MEM: [record(MEM, 10, b"?", run_id=b"r1")]}])
    made = start(reader)
    run(made, reader)
    assert numbers(stored(live, "topic-cpu")) == [7]
    assert made.totals("foreign") == {"topic-cpu": 1, "topic-mem": 1}
    assert made.totals("rows") == {"topic-cpu": 1, "topic-mem": 0}


def test_malformed_records_are_set_aside_with_the_day_on_which_they_are_read(
    start: Start, live: Path
) -> None:
    """A time of day has no day; what else is no row says no time that could be trusted."""
    clock = b'{"ts": "00:00:01", "server_id": "a", "cpu_pct": 1.0}'
    batch = [record(CPU, 10, clock), record(CPU, 11, b"?"), record(CPU, 12, None)]
    reader = Topics([{CPU: [*batch, record(CPU, 13, value(MIDNIGHT, 7))]}])
    made = start(reader)
    run(made, reader)
    path = live / "2026-11-30" / "raw" / "topic-cpu" / "0.csv"
    assert malformed_path(path).read_text().count("\n") == 3
    assert "without a date" in malformed_path(path).read_text()
    assert made.totals("malformed")["topic-cpu"] == 3
    assert numbers(stored(live, "topic-cpu")) == [7]


def test_rows_that_do_not_count_live_are_stored_and_noted(start: Start, live: Path) -> None:
    """As detection has it: older than its patience when they arrive, or too far ahead."""
    late, future = MIDNIGHT - TIMELY.late, MIDNIGHT + TIMELY.future
    seconds = [late - 1, late, future, future + 1]
    reader = Topics([{CPU: sent(seconds)}])
    made = start(reader)
    run(made, reader)
    assert numbers(stored(live, "topic-cpu")) == [0, 1, 2, 3]
    assert numbers(stored(live, "topic-cpu", "untimely")) == [0, 3]
    assert made.totals("untimely")["topic-cpu"] == 2


def test_rows_that_are_not_signed_or_of_servers_that_are_not_watched_are_set_aside(
    start: Start, live: Path
) -> None:
    """Each is counted under one name, and lies with the malformed ones, with the reason."""
    key, contents = b"k" * 32, [value(MIDNIGHT, n) for n in range(3)]
    signed = [("signature", sign(key, "topic-cpu", b"a", contents[2]))]
    batch = [
        record(CPU, 10, contents[0]),  # by nobody's key
        record(CPU, 11, contents[1])._replace(headers=[("run_id", b"live")]),
        record(CPU, 12, contents[2])._replace(headers=[("run_id", b"live"), *signed]),
        record(CPU, 13, value(MIDNIGHT, 3, server="b")),
    ]
    reader = Topics([{CPU: batch}])
    reader.senders = Senders(frozenset({"a"}), {"a": key})
    made = start(reader)
    run(made, reader)
    assert numbers(stored(live, "topic-cpu")) == [2]
    counts = {name: made.totals(name)["topic-cpu"] for name in LEFT_OUT}
    assert {name: n for name, n in counts.items() if n} == {"unsigned": 2, "unlisted": 1}
    aside = malformed_path(live / "2026-11-30" / "raw" / "topic-cpu" / "0.csv").read_text()
    assert aside.count("without a signature of the server that it names") == 2
    assert aside.count("of a server that is not watched") == 1


def test_a_clock_that_is_far_off_makes_no_endless_number_of_folders(
    start: Start, live: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What comes then is set aside and counted; today's rows are stored in any case."""
    monkeypatch.setattr(days, "MOST_DAYS", 3)
    seconds = [MIDNIGHT + n * 400 * DAY for n in range(6)]
    reader = Topics([{CPU: sent(seconds)}, {CPU: sent([MIDNIGHT + DAY, seconds[5]], 16)}])
    made = start(reader)
    run(made, reader)
    assert len(stored(live, "topic-cpu")) == 4
    assert made.totals("outlying")["topic-cpu"] == 4
    aside = malformed_path(live / "2026-11-30" / "raw" / "topic-cpu" / "0.csv").read_text()
    assert aside.count("there are too many days already") == 4


def test_a_host_without_live_mode_is_told_so(app: App) -> None:
    """Before it connects."""
    said = app("consume", "--live", "--group", "cpu_mem")
    assert said.status == 3
    assert "live: missing, so live mode is not set up on this host" in said.error()


def test_a_first_start_misses_nothing(start: Start, live: Path) -> None:
    """It begins at the oldest record, however much is there already."""
    reader = Topics()
    reader.ends[CPU] = 1000
    start(reader)
    assert reader.claimed[CPU] == (10, Claim.of_this_host("live").text())
    assert not list(live.glob("2*"))


def test_another_host_goes_on_where_the_first_one_ended(start: Start, live: Path) -> None:
    """As that one committed; so does a host that gets a partition back."""
    reader = Topics([{CPU: sent([MIDNIGHT])}])
    reader.claimed[CPU] = 12, Claim("live", "another").text()
    made = start(reader)
    assert made.partitions[CPU].state.offset == 12
    assert made.partitions[MEM].state.offset == 10
    reader.claimed[CPU] = 40, Claim("live", "another").text()
    made = start(reader)
    assert made.partitions[CPU].state.offset == 40
    reader.claimed[CPU] = 50, Claim.of_this_host("live").text()
    reader.claimed[MEM] = 50, "no claim"
    made = start(reader)
    assert made.partitions[CPU].state.offset == 40
    assert made.partitions[MEM].state.offset == 10
    assert not list(live.glob("2*"))


def test_records_that_were_deleted_before_they_were_stored_are_told(start: Start) -> None:
    """With the offsets, and how to go on."""
    reader = Topics()
    start(reader)
    reader.oldest = 15
    with pytest.raises(
        BrokerError, match=r"partition 0: records from offset 10 to 14 are gone .*go on at 15"
    ) as caught:
        start(reader)
    journal = Path(str(caught.value).partition("move ")[2].partition(" away")[0])
    journal.rename(journal.with_suffix(".old"))
    with pytest.raises(BrokerError, match="topic-mem: partition 0: records from offset 10"):
        start(reader)


def test_a_topic_that_was_created_again_is_refused_at_once_and_at_the_next_start(
    start: Start,
) -> None:
    """Its offsets mean nothing here."""
    reader = Topics([{}] * 5)
    made = start(reader)
    reader.ids["topic-mem"] = "another"
    with pytest.raises(BrokerError, match="topic-mem: deleted and created again"):
        run(made, reader)
    with pytest.raises(StorageError, match="found topic id id-mem, but topic topic-mem is now"):
        start(reader)


def test_a_topic_that_has_grown_is_opened_again(start: Start) -> None:
    """Within the process, as after a broker that was away."""
    reader = Topics([{}] * 5)
    made = start(reader)
    reader.count = 2
    with pytest.raises(UnreachableError, match="topic-cpu: has grown; reading its new partitions"):
        run(made, reader)
    assert len(start(reader).partitions) == 4


def test_what_was_not_stored_is_read_again(
    start: Start, live: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A consumer that is gone in the middle leaves no row twice, and none out."""
    monkeypatch.setattr(live_module, "STORE_SECONDS", 1000)  # the first batch alone is stored
    rows = sent([MIDNIGHT + n for n in range(-3, 3)])
    reader = Topics([{CPU: rows[:2]}, {CPU: rows[2:]}])
    made = start(reader)

    def die() -> None:
        if not reader.polls:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        made.run(lambda: False, die)
    again = start(reader)
    assert again.partitions[CPU].state.offset == 12
    reader.polls = [{CPU: rows[again.partitions[CPU].state.offset - 10 :]}]
    run(again, reader)
    assert numbers(stored(live, "topic-cpu")) == list(range(6))
