"""The order in which entries are worked that name each other."""


def ordered(entries: list, below, complain) -> list:
    """The names of ``entries``, each after those that ``below(entry)`` gives, entries of the same table.

    ``complain(entry, circle)`` for what runs in a circle, as "a -> b -> a".
    """
    names = []
    for entry in entries:
        _place(entry, below, complain, names, [])
    return names


def _place(entry, below, complain, names: list, above: list):
    if entry.name in names:
        return
    if entry.name in above:
        complain(entry, " -> ".join([*above[above.index(entry.name) :], entry.name]))
        return
    for other in below(entry):
        _place(other, below, complain, names, [*above, entry.name])
    if entry.name not in names:
        names.append(entry.name)
