"""Time stamps in Spark: the expressions that belong to `timestamps`."""

from collections.abc import Iterable

from pyspark.sql import Column
from pyspark.sql import functions as F  # noqa: N812 - the name every Spark program uses

from server_monitoring.model import timestamps

_ISO_SECONDS = "yyyy-MM-dd'T'HH:mm:ss"
_SIGN_AT = len("2024-05-01T20:52:00") + 1


def time_second(text: Column, form: timestamps.TimeForm) -> Column:
    """Return the seconds of texts that match the pattern of `form`.

    Null for a day that does not exist.
    """
    if form is timestamps.ISO:
        return _iso_second(text)
    return _second_of_day(text, 1)


def _part(text: Column, at: int) -> Column:
    return F.substring(text, at, 2).cast("bigint")


def _second_of_day(text: Column, at: int) -> Column:
    return _part(text, at) * 3600 + _part(text, at + 3) * 60 + _part(text, at + 6)


def _iso_second(text: Column) -> Column:
    # A date that does not exist is null, and so is the whole.
    day = F.unix_date(F.substring(text, 1, 10).try_cast("date")).cast("bigint")
    sign = F.substring(text, _SIGN_AT, 1)
    ahead = _part(text, _SIGN_AT + 1) * 3600 + _part(text, _SIGN_AT + 4) * 60
    offset = F.when(sign == "Z", 0).when(sign == "-", -ahead).otherwise(ahead)
    return day * timestamps.SECONDS_PER_DAY + _second_of_day(text, 12) - offset


def time_text(second: Column, like: str) -> Column:
    """Return seconds as texts of the form, and in the zone, of the time `like`.

    HH:mm:ss begins again at 00:00:00 past midnight. The session's time zone must be UTC.
    """
    if timestamps.form_of(like) is timestamps.ISO:
        zone = timestamps.zone_of(like)
        local = F.timestamp_seconds(second + timestamps.offset_of(zone))
        return F.concat(F.date_format(local, _ISO_SECONDS), F.lit(zone))
    # Looked up: formatting a time stamp takes several times as long.
    of_day = F.pmod(second, F.lit(timestamps.SECONDS_PER_DAY))
    minutes = _texts(f"{minute // 60:02}:{minute % 60:02}" for minute in range(24 * 60))
    seconds = _texts(f":{part:02}" for part in range(60))
    minute = F.call_function("div", of_day, F.lit(60))
    return F.concat(minutes[minute.cast("int")], seconds[(of_day % 60).cast("int")])


def _texts(texts: Iterable[str]) -> Column:
    """Return a constant array, given to Java in one call."""
    return F.split(F.lit(",".join(texts)), ",")
