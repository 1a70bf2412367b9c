"""What units say of how far they are can be read back from the words that people see."""

import pytest
from server_monitoring.host.progress import Progress, read, sent_text, stored_text


def test_producer_s_words_come_back_as_rows_and_rows_a_second() -> None:
    """Its rate counts messages, of which each row has one for each metric."""
    text = sent_text(100, 400, 4, 400, 2.0)
    assert text == "sent 100 of 400 rows (400 messages, 200/s)"
    assert read(text) == Progress(sent=100, total=400, rate=50.0)


def test_producer_s_words_before_the_first_row_have_no_rate() -> None:
    """Nothing is divided by zero."""
    assert read(sent_text(0, 400, 4, 0, 0.0)) == Progress(total=400)


def test_consumer_s_words_come_back_as_rows_of_each_topic() -> None:
    """With the rate of all topics, or none where it is not known."""
    rows = {"topic-cpu": 30, "topic_mem.x": 10}
    assert stored_text(rows, rows, 4.0) == "stored 30 of topic-cpu, 10 of topic_mem.x (10/s)"
    assert read(stored_text(rows, rows, 4.0)) == Progress(stored=rows, rate=10.0)
    assert read(stored_text(rows, rows, 0.0)) == Progress(stored=rows)


def test_what_an_earlier_start_did_is_counted_but_makes_no_rate() -> None:
    """A tenth of the rows in a second is not all of them in a second."""
    text = sent_text(100, 400, 4, 40, 2.0)
    assert text == "sent 100 of 400 rows (400 messages, 20/s)"
    assert read(text) == Progress(sent=100, total=400, rate=5.0)
    assert stored_text({"t": 30, "u": 10}, {"t": 3, "u": 1}, 2.0).endswith(" 10 of u (2/s)")


def test_consumer_s_words_are_found_inside_others() -> None:
    """As in what a stopped consumer says."""
    text = f"stopped before the end; {stored_text({'t': 3}, {}, 0)}; start again to resume"
    assert read(text) == Progress(stored={"t": 3})


@pytest.mark.parametrize(
    "text", ["", "sending 40 rows of x.csv", "waiting for records of run r1", "stored nothing"]
)
def test_other_words_tell_no_progress(text: str) -> None:
    """A first status, or a wait for the broker or disk, is none."""
    assert read(text) is None
