"""Times of day and dates as loggers spell them: ISO, German, American, British, names of months."""

import re
from datetime import UTC, datetime

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
GERMAN_MONTHS = {"mär": 3, "mrz": 3, "mai": 5, "okt": 10, "dez": 12}
DAY_S = 86_400.0
_CLOCK = r"(\d{1,4}):(\d\d)(?::(\d\d)(?:[.,:](\d{1,9}))?)?\s*(?:([AaPp])\.?[Mm]\.?)?"
_CLOCK_ONLY = re.compile(_CLOCK)
_SHORT = re.compile(r"(\d{1,5}):(\d\d)(?:[.,](\d{1,9}))?")
_DATED = re.compile(rf"(\d{{1,4}})([./-])(\d{{1,2}})\2(\d{{1,4}})(?:[ T,;]+{_CLOCK})?")
_NAMED = re.compile(rf"(\d{{1,2}})[ .-]+([^\W\d]{{3,9}})\.?[ ,.-]+(\d{{4}}|\d\d)(?:[ T,]+{_CLOCK})?")
_NAMED_FIRST = re.compile(rf"([^\W\d]{{3,9}})\.?[ -]+(\d{{1,2}}),?[ -]+(\d{{4}})(?:[ T,]+{_CLOCK})?")


def clock(text: str):
    """Return the seconds of hh:mm:ss, fractions and AM or PM allowed; None where it is none."""
    found = _CLOCK_ONLY.fullmatch(text.strip())
    return None if found is None or found[3] is None else _seconds(found.groups())


def short(text: str, minutes: bool):
    """Return the seconds of mm:ss (`minutes`) or hh:mm; None where it is neither."""
    found = _SHORT.fullmatch(text.strip())
    if found is None or int(found[2]) > 59 or (found[3] and not minutes):
        return None
    whole = int(found[1]) * 60 + int(found[2])
    return (float(whole) + float("0." + (found[3] or "0"))) if minutes else 60.0 * whole


def is_short(text: str) -> bool:
    """Return whether a text is mm:ss or hh:mm, without saying which."""
    return _SHORT.fullmatch(text.strip()) is not None


def date(text: str, order: str):
    """Return (seconds since 1970, whether a time zone is said), None where the text is no date.

    `order` is "dmy", "mdy" or "ymd" for the three numbers of a date; a year of four digits in front and names
    of months need none.
    """
    text = text.strip()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return _other_date(text, order)
    zoned = moment.tzinfo is not None
    return (moment if zoned else moment.replace(tzinfo=UTC)).timestamp(), zoned


def _other_date(text: str, order: str):
    found = _DATED.fullmatch(text)
    if found:
        numbers = [int(found[1]), int(found[3]), int(found[4])]
        if len(found[1]) == 4:
            order = "ymd"
        day, month, year = (numbers[order.index(letter)] for letter in "dmy")
        rest = found.groups()[4:]
    elif found := _NAMED.fullmatch(text):
        day, month, year, rest = int(found[1]), _month(found[2]), int(found[3]), found.groups()[3:]
    elif found := _NAMED_FIRST.fullmatch(text):
        day, month, year, rest = int(found[2]), _month(found[1]), int(found[3]), found.groups()[3:]
    else:
        return None
    seconds = 0.0 if rest[0] is None else _seconds(rest)
    if seconds is None or seconds >= DAY_S or not month:
        return None
    try:
        start = datetime(year + 2000 if year < 100 else year, month, day, tzinfo=UTC)
    except ValueError:
        return None
    return start.timestamp() + seconds, False


def _month(name: str) -> int:
    short_name = name.casefold()[:3]
    return GERMAN_MONTHS.get(short_name, MONTHS.index(short_name) + 1 if short_name in MONTHS else 0)


def _seconds(parts):
    """Return the seconds of (hours, minutes, seconds or None, fraction or None, a or p or None)."""
    hours, minutes, seconds = int(parts[0]), int(parts[1]), int(parts[2] or 0)
    if minutes > 59 or seconds > 60:
        return None
    if parts[4]:
        if not 1 <= hours <= 12:
            return None
        hours = hours % 12 + (12 if parts[4] in "Pp" else 0)
    return 3600.0 * hours + 60.0 * minutes + seconds + float("0." + (parts[3] or "0"))
