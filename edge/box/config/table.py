"""One kind of table of a node file: which keys it may hold."""

from edge.box.config.fields import Choice, Unfit


class Table:
    """One kind of table.

    ``named``: [bus.NAME] and so on rather than one table; ``chooser``: the key that says which of
    ``kinds`` an entry is; ``kinds``: kind -> (meaning, keys); ``keys``: key -> field, of every kind;
    ``required``: the file must have it; ``below``: kind -> key -> the Table that stands below it.
    A name with a dot is a table within a single table.
    """

    def __init__(self, name, meaning, keys, chooser="", kinds=None, named=True, required=False, below=None):
        self.name = name
        self.meaning = meaning
        self.keys = keys
        self.chooser = chooser
        self.kinds = kinds or {}
        self.named = named
        self.required = required
        self.below = below or {}

    def tables_below(self, kind=None) -> dict:
        """The tables that may stand below an entry of one kind, or below any where the kind is not known."""
        return {
            key: table
            for name, tables in self.below.items()
            if kind is None or kind == name
            for key, table in tables.items()
        }

    def fields(self, kind=None) -> dict:
        """The keys of an entry of one kind, or those of all kinds where the kind is not known."""
        fields = dict(self.keys)
        if self.chooser:
            fields[self.chooser] = Choice("which of the following", tuple(self.kinds))
            for name, (_, keys) in self.kinds.items():
                if kind is None or kind == name:
                    fields.update(keys)
        return fields

    def fits_some_kind(self, key: str, value) -> bool:
        """Whether one of the kinds would take a value for a key of its own."""
        for _, keys in self.kinds.values():
            if key in keys:
                try:
                    keys[key].read(value)
                except Unfit:
                    continue
                return True
        return False

    def kinds_with(self, key: str) -> list:
        """The kinds that know a key."""
        return [
            kind for kind, (_, keys) in self.kinds.items() if key in keys or key in self.tables_below(kind)
        ]
