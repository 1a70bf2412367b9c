"""The errors a user can cause or meet, each with the exit status of the command.

ServerMonitoringError           1
├── UsageError                  2  the command line
├── ConfigError                 3  the configuration file
├── DatasetError                4  the data set
├── BrokerError                 5  the broker or a topic
│   ├── UnreachableError        8  the broker does not answer: the same may work later
│   │   └── CredentialsError   11  it refuses during a run a user it let in before: a rotation
│   ├── FencedError            12  another process took over what this one did
│   ├── AuthenticationError     5  it rejects the user or the password
│   ├── AuthorizationError      5  the user may not do this
│   └── TlsError                5  certificate or protocol are not as expected
├── StorageError                6  files of a run on this host
│   └── DiskFullError           6  no space left for them
├── AnalysisError               7  raw data or the Spark job
└── ResultsError                9  a run's results folder

Each message is one line that names the thing, what was found and what to do; where there is more
to say, such as each bad row, that is in lines of its own before it. Only `cli.main` catches them.
"""

import unicodedata
from collections.abc import Iterable


class ServerMonitoringError(Exception):
    """Base of all errors that are reported as one line, without a traceback."""

    exit_status = 1

    def __init__(self, message: str, details: Iterable[str] = ()) -> None:
        """Say `message` in one line, after a line for each of the `details`."""
        super().__init__(message)
        self.details = tuple(details)


class UsageError(ServerMonitoringError):
    """The command line is wrong."""

    exit_status = 2


class ConfigError(ServerMonitoringError):
    """The configuration file is missing, or a setting in it is wrong."""

    exit_status = 3


class DatasetError(ServerMonitoringError):
    """The data set is missing, or rows of it cannot be used."""

    exit_status = 4


class BrokerError(ServerMonitoringError):
    """The broker does not answer, a topic is missing, or a record was refused."""

    exit_status = 5


class UnreachableError(BrokerError):
    """The broker does not answer; whoever starts the command may try again later."""

    exit_status = 8


class CredentialsError(UnreachableError):
    """The broker refuses during a run a user it let in; a new start may have new credentials."""

    exit_status = 11


class FencedError(BrokerError):
    """Another process took over: this one has nothing left to do until it is started again."""

    exit_status = 12


class AuthenticationError(BrokerError):
    """The broker rejects the user or the password."""


class AuthorizationError(BrokerError):
    """The user may not do this."""


class TlsError(BrokerError):
    """The broker's certificate or protocol is not as expected."""


class StorageError(ServerMonitoringError):
    """A file of the run cannot be written, or contradicts its sidecar."""

    exit_status = 6


class DiskFullError(StorageError):
    """There is no space left for a file of the run."""


class AnalysisError(ServerMonitoringError):
    """Raw data is missing or corrupt, or the Spark job failed."""

    exit_status = 7


class ResultsError(ServerMonitoringError):
    """A results folder is missing, incomplete, or contradicts itself."""

    exit_status = 9


def printable(text: str) -> str:
    """Return `text` with escapes for what would control a terminal or reverse the line."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        char if unicodedata.category(char)[0] not in "CZ" or char == " " else f"\\u{ord(char):04x}"
        for char in text
    )


def printable_lines(text: str) -> str:
    """Return `text` as `printable` does, but with its line ends."""
    return "\n".join(map(printable, text.split("\n")))


def one_line(text: object, limit: int = 300) -> str:
    """Return `text` on one line of at most `limit` characters, for use in a message."""
    line = printable(" ".join(str(text).split()))
    return line if len(line) <= limit else line[: limit - 3] + "..."


def shown(text: str, limit: int = 60) -> str:
    """Return a text from a file in quotation marks, with escapes for what a terminal would obey."""
    return one_line(repr(text[:limit]) if text.isprintable() else ascii(text[:limit]), limit)


def counted(count: int, what: str) -> str:
    """Return a count and what is counted, in the plural by an s: 1 bad row, 2,000 bad rows."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"
