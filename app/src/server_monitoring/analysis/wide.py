"""Windows with wide values (see `model.values`): exact sums over all sizes of a double, in Spark.

A number is an array of limbs, whole numbers that count powers of 10^9 hundredths: limb 0 counts
hundredths, limb 1 10^9 of them. Doubles from 5E-324 to 1.8E+308 fill limbs -38 to 36. Only such
windows pay for it, and no user function is needed, which would need Python on Spark's side.
"""

from collections.abc import Callable, Sequence

from pyspark.sql import Column
from pyspark.sql import functions as F  # noqa: N812 - the name every Spark program uses

_BASE = 10**9
_DIGITS = 9
_ROUND_HALF = _BASE // 2
# Exponents of maxima that are written in positional notation, as Python does.
_SMALL, _LARGE = (-4, -1), (12, 15)


def hundredths(texts: Column, others: Sequence[tuple[Column, int]], count: Column) -> Column:
    """Return an average in hundredths, rounded once, half up (ties away from zero), as text.

    Args:
        texts: the wide values, an array of canonical texts.
        others: sums of all other values, each a bigint and the power of ten that it counts.
        count: how many values there are in all.

    """
    sums = F.array(*(_term(number, F.lit(power + 2)) for number, power in others))
    terms = F.filter(F.concat(F.transform(texts, _parsed), sums), lambda term: term["number"] != 0)
    half = F.coalesce(count, F.lit(1)) * _ROUND_HALF
    return _let(terms, lambda found: _let(_limbs(found), lambda sum_: _rounded(sum_, half, count)))


def _limbs(terms: Column) -> Column:
    """Return the sum of terms: its limbs from the place `first` on, at most -1, to one above 0."""
    places = F.transform(terms, lambda term: term["place"])
    first = F.least(F.array_min(places), F.lit(-1))
    # A sum may need one limb more than its terms' three.
    last = F.greatest(F.array_max(places) + 3, F.lit(0))
    limbs = F.transform(F.sequence(first, last), lambda place: _limb(terms, place))
    return F.struct(first.alias("first"), limbs.alias("limbs"))


def _rounded(total: Column, half: Column, count: Column) -> Column:
    """Return a sum over its count, rounded: half the count is added to its size before."""

    def of_sign(negative: Column) -> Column:
        sizes = F.transform(
            total["limbs"],
            lambda limb, at: (
                F.when(negative, -limb).otherwise(limb)
                + F.when(at + total["first"] == -1, half).otherwise(F.lit(0))
            ),
        )
        limbs = F.slice(_normal(sizes)["limbs"], 1 - total["first"], F.size(total["limbs"]))
        return _let(
            _quotient(limbs, count),
            lambda text: F.concat(F.when(negative & (text != "0"), "-").otherwise(""), text),
        )

    return _let(_normal(total["limbs"])["carry"] < 0, of_sign)


def _let(value: Column, use: Callable[[Column], Column]) -> Column:
    """Return what `use` makes of a value that is worked out once."""
    return F.element_at(F.transform(F.array(value), use), 1)


def _parsed(text: Column) -> Column:
    """Return the term of a wide value."""
    size = F.substring_index(text, "E", 1)
    exponent = F.substring_index(text, "E", -1).cast("int")
    fraction = F.length(F.substring_index(size, ".", -1))
    places = F.when(F.contains(size, F.lit(".")), fraction).otherwise(0)
    return _term(F.replace(size, F.lit("."), F.lit("")).cast("bigint"), exponent - places + 2)


def _term(number: Column, power: Column) -> Column:
    """Return `number` times 10^`power` hundredths: its lowest limb's place, and three limbs."""
    place = F.floor(power / _DIGITS).cast("int")
    scale = F.pow(F.lit(10), F.pmod(power, F.lit(_DIGITS))).cast("bigint")
    low, high = number % _BASE * scale, _div(number, _BASE) * scale
    limbs = F.array(low % _BASE, _div(low, _BASE) + high % _BASE, _div(high, _BASE))
    return F.struct(number.alias("number"), place.alias("place"), limbs.alias("limbs"))


def _limb(terms: Column, place: Column) -> Column:
    """Return the sum of all that terms have in a place."""
    return F.aggregate(
        terms,
        F.lit(0).cast("bigint"),
        lambda total, term: (
            total
            + F.coalesce(F.try_element_at(term["limbs"], _within(place - term["place"])), F.lit(0))
        ),
    )


def _within(at: Column) -> Column:
    """Return a place in an array of three, from 1; one that it does not have for any other."""
    return F.when(at.between(0, 2), at + 1).otherwise(4)


def _normal(limbs: Column) -> Column:
    """Return limbs from 0 to 10^9 - 1, and what is carried out of the last one: -1 below zero."""
    nothing = F.array().cast("array<bigint>")

    def add(state: Column, limb: Column) -> Column:
        total = state["carry"] + limb
        rest = F.pmod(total, F.lit(_BASE).cast("bigint"))
        limbs = F.array_append(state["limbs"], rest)
        return F.struct(_div(total - rest, _BASE).alias("carry"), limbs.alias("limbs"))

    start = F.struct(F.lit(0).cast("bigint").alias("carry"), nothing.alias("limbs"))
    return F.aggregate(limbs, start, add)


def _quotient(limbs: Column, count: Column) -> Column:
    """Return the digits of a number without sign, divided, without its rest."""

    def divide(state: Column, limb: Column) -> Column:
        dividend = state["rest"] * _BASE + limb
        digits = F.lpad(_div(dividend, count).cast("string"), _DIGITS, "0")
        text = F.concat(state["text"], digits)
        return F.struct((dividend % count).alias("rest"), text.alias("text"))

    start = F.struct(F.lit(0).cast("bigint").alias("rest"), F.lit("").alias("text"))
    text = F.aggregate(F.reverse(limbs), start, divide)["text"]
    return F.regexp_replace(text, "^0+(?=[0-9])", "")


def is_above(exact: Column, limit: int) -> Column:
    """Return whether hundredths as text are above a whole number of them."""
    digits, bound = F.ltrim(exact, F.lit("-")), str(abs(limit))
    longer, shorter = F.length(digits) > len(bound), F.length(digits) < len(bound)
    as_long = F.length(digits) == len(bound)
    positive = ~F.startswith(exact, F.lit("-"))
    if limit < 0:
        return positive | shorter | (as_long & (digits < bound))
    return positive & (longer | (as_long & (digits > bound)))


def two_places(exact: Column) -> Column:
    """Return hundredths as text with two places after a point."""
    digits = F.ltrim(exact, F.lit("-"))
    padded = F.lpad(digits, F.greatest(F.length(digits), F.lit(3)), F.lit("0"))
    minus = F.when(F.startswith(exact, F.lit("-")), "-").otherwise("")
    whole = F.left(padded, F.length(padded) - 2)
    return F.concat(minus, whole, F.lit("."), F.right(padded, F.lit(2)))


def shortest(text: Column) -> Column:
    """Return a wide value as Python's `repr` writes it, but with a capital E."""
    exponent = F.substring_index(text, "E", -1).cast("int")
    digits = F.regexp_replace(F.substring_index(text, "E", 1), "[-.]", "")
    minus = F.when(F.startswith(text, F.lit("-")), "-").otherwise("")
    small = F.concat(minus, F.lit("0."), F.repeat(F.lit("0"), -exponent - 1), digits)
    padded = F.rpad(digits, F.greatest(F.length(digits), exponent + 2), F.lit("0"))
    whole = F.left(padded, exponent + 1)
    large = F.concat(minus, whole, F.lit("."), F.substring(padded, exponent + 2, F.length(padded)))
    positional = F.when(exponent.between(*_SMALL), small).when(exponent.between(*_LARGE), large)
    return F.coalesce(positional, text)


def _div(dividend: Column, divisor: Column | int) -> Column:
    by = divisor if isinstance(divisor, Column) else F.lit(divisor)
    return F.call_function("div", dividend, by)
