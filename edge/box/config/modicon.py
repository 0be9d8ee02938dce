"""Register numbers as many manuals print them: 40001 is the first holding register, whose address is 0.

The leading digit names the table, and the rest counts from 1 (Modicon's notation). On the wire there is only
the address; the table is in the function.
"""

# leading digit -> (table, function that reads it)
_TABLES = {1: ("discrete", 2), 3: ("input", 4), 4: ("holding", 3)}
_BITS = ("coil", "discrete")


def meaning(number: int):
    """(table, function, address) that a number of five or six digits stands for, or None."""
    for unit in (10000, 100000):
        found = _TABLES.get(number // unit)
        if found and 1 <= number % unit <= 65536:
            return (*found, number % unit - 1)
    return None


def hint(number: int, table: str) -> str:
    """What an address most likely means that a table can hardly have, or "" where it is as good as any.

    Of bits none but 1xxxx is a hint, of registers none but 3xxxx and 4xxxx.
    """
    found = meaning(number)
    if found is None or (found[0] in _BITS) != (table in _BITS):
        return ""
    return said(found)


def said(found: tuple) -> str:
    """A meaning as the end of a sentence."""
    table, function, address = found
    return f'address = {address} of table "{table}" (function {function})'
