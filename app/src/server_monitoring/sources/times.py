"""How the times of one data set are read: in one form, each as its canonical text."""

import re
from collections.abc import Callable, Sequence

from server_monitoring.model.layout import EPOCH_MILLISECONDS, EPOCH_SECONDS
from server_monitoring.model.timestamps import (
    FORMS,
    ISO,
    TimeForm,
    canonical_time,
    epoch_time,
    expected_forms,
)

_PER_SECOND = {EPOCH_SECONDS: 1, EPOCH_MILLISECONDS: 1000}
# Digits of a count since 1970, for some centuries around now.
_LOOKS_LIKE = {EPOCH_SECONDS: r"[0-9]{10}(\.[0-9]*)?", EPOCH_MILLISECONDS: r"[0-9]{13}(\.[0-9]*)?"}


class Times:
    """Reads times; the first good one decides the form, where nothing else does.

    Attributes:
        form: of the data set; None as long as it is not known.

    """

    def __init__(self, form: TimeForm | None, unit: str) -> None:
        """Read times of a form, of any if it is None, or counts since 1970 in a time unit."""
        self.form = ISO if unit else form
        self._unit = unit
        self._is_set = form is not None
        self._read: Callable[[str], str] = canonical_time
        if unit:
            self._read = lambda text: epoch_time(text, _PER_SECOND[unit])

    def canonical(self, text: str) -> str:
        """Return a time's canonical text.

        Raises:
            ValueError: not a time of the data set's form; the text says what was expected.

        """
        try:
            found = self._read(text)
        except ValueError as error:
            raise ValueError(self._expected(text, str(error))) from None
        if self.form is not None and not self.form.matches(found):
            raise ValueError(self._expected(text, self._other_form()))
        return found

    def canonical_all(self, texts: Sequence[str]) -> Sequence[str] | None:
        """Return the canonical text of each, or None if one may be wrong or the form is open."""
        if self.form is None:
            return None
        distinct = set(texts)
        if not self._unit and all(map(self.form.matches, distinct)):
            return texts
        try:
            known = {text: self.canonical(text) for text in distinct}
        except ValueError:
            return None
        return [known[text] for text in texts]

    def settle(self, canonical: str) -> None:
        """Let a good row's time decide the form, where that is still open."""
        if self.form is None:
            self.form = next(form for form in FORMS if form.matches(canonical))

    def _other_form(self) -> str:
        if self._is_set:
            return "as pipeline_start is written; leave that empty to take the form of the data"
        return "as in the first good row"

    def _expected(self, text: str, hint: str) -> str:
        if self._unit:
            return f"{self._unit.replace('_', ' ')}, as pipeline_time_unit says"
        for unit, digits in _LOOKS_LIKE.items():
            if re.fullmatch(digits, text):
                hint = f"{unit.replace('_', ' ')} are read if pipeline_time_unit is {unit}"
        expected = f"a time {self.form.name if self.form else expected_forms()}"
        return f"{expected} ({hint})" if hint else expected
