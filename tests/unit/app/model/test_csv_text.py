"""Text cells that a spreadsheet would run get a mark, and readers take it off again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from server_monitoring.model.csv_text import csv_field, table_field, table_row, text_cell, unmarked


@pytest.mark.parametrize("first", "=+-@\t\r\n")
def test_what_a_spreadsheet_would_run_is_marked(first: str) -> None:
    """Whatever follows it."""
    for text in (first, first + "1", first + "\nx"):
        assert text_cell(text) == "'" + text


@pytest.mark.parametrize("text", ["", "a", "a=1", " =1", "'", "'a", "it's", "Zürich"])
def test_other_texts_stay_as_they_are(text: str) -> None:
    """Also those that begin with a mark of their own."""
    assert text_cell(text) == text == unmarked(text)


@given(st.text("'=+-@\t\r\na", max_size=6) | st.text())
def test_each_text_has_a_cell_of_its_own_that_reads_back(text: str) -> None:
    """So no two servers become one, and none is run."""
    cell = text_cell(text)
    assert unmarked(cell) == text
    assert cell[:1] not in {"=", "+", "-", "@", "\t", "\r", "\n"}


@pytest.mark.parametrize(("text", "cell"), [
    ("a;=1", '"a;=1"'), ("a\t=1", '"a\t=1"'), ("a,b", '"a,b"'), ('a"b', '"a""b"'), ("a b", "a b"),
])  # fmt: skip
def test_fields_of_a_table_are_quoted_where_another_program_would_end_them(
    text: str, cell: str
) -> None:
    """Raw data, which only the app reads, keep their shorter form."""
    assert table_field(text) == cell
    assert table_row([text, "1"]) == f"{cell},1\n"
    assert csv_field("a;\tb") == "a;\tb"
