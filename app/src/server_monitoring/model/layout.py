"""How a data set is written, where that is a matter of settings and not of its content."""

from dataclasses import dataclass

SEPARATORS = {",": ",", ";": ";", "|": "|", "tab": "\t"}  # as settings have them, and in the file
STOP, KEEP = "stop", "keep"
EPOCH_SECONDS, EPOCH_MILLISECONDS = "epoch_seconds", "epoch_milliseconds"
TIME_UNITS = ("", EPOCH_SECONDS, EPOCH_MILLISECONDS)


@dataclass(frozen=True)
class Layout:
    """What a data set's content does not say, or not surely.

    Attributes:
        separator: between the fields of a CSV file, one of the keys of SEPARATORS.
        decimal_comma: whether a CSV file's numbers have a comma for a point.
        time_unit: EPOCH_SECONDS or EPOCH_MILLISECONDS if times are so many since 1970, else "".
        clock_goes_back: whether times of day that go back within a server STOP the run, as they
            are of several days, or are to be KEEPed.

    """

    separator: str = ","
    decimal_comma: bool = False
    time_unit: str = ""
    clock_goes_back: str = STOP
