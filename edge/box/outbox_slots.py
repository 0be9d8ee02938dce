"""The rows of samples in an outbox file: slots that are written again in place.

SQLite gives freed pages out again in an order that scatters the next row over the file, the more so the
longer it goes on, and for each page of 512 bytes a flash gets 4096. So a row that is not needed any more
stays as a spare, with a head of zeros, and a block that fits takes it. A row of the same length is
overwritten by SQLite where it lies, and pages that lay side by side at first stay so.
"""

import bisect

from edge.box.outbox_salvage import SLOT_LOCAL, Damaged, row_size, slot_pages, slot_size
from edge.node.report.outbox.blocks import HEAD_SIZE

NO_HEAD = bytes(HEAD_SIZE)
KEY_MAX = 1 << 62


def new_pages(size: int) -> int:
    """Overflow pages of a new slot for a body of ``size`` bytes: for what may come after it, some more."""
    pages = slot_pages(size)
    return pages + pages // 8


def new_row(size: int, key: int) -> tuple:
    """(bytes in a leaf page, overflow pages) of such a slot."""
    return row_size(slot_size(new_pages(size)), key, SLOT_LOCAL)


class Slots:
    """The rows of the table ``sample``: how long they are, which of them are spares.

    ``spare_pages``: what the spares take of the file.
    """

    def __init__(self):
        self._pages = {}  # of each row, by its key
        self._spares = {}  # keys, rising, by their pages
        self._last = 0  # the key that was taken last
        self._next_key = 1
        self.spare_pages = 0

    def copy(self) -> "Slots":
        other = Slots()
        other._pages = dict(self._pages)
        other._spares = {pages: list(keys) for pages, keys in self._spares.items()}
        other._last = self._last
        other._next_key = self._next_key
        other.spare_pages = self.spare_pages
        return other

    def lay(self, key: int, body_bytes: int, spare: bool):
        """Note a row as it was found, in rising order of keys. Damaged where it was never written so."""
        if key < self._next_key or key > KEY_MAX or not isinstance(body_bytes, int):
            raise Damaged(f"row {key}")
        self._next_key = key + 1
        self._pages[key] = slot_pages(body_bytes)
        if spare:
            self._add(key)

    def put(self, database, head: bytes, body: bytes, room: int) -> int:
        """Store a block; the key of its row. ``room``: pages that the file may grow by.

        Damaged where a spare is not there.
        """
        pages = slot_pages(len(body))
        key = self._taken(pages)
        if key is not None:
            body += bytes(slot_size(self._pages[key]) - len(body))
            found = database.execute("UPDATE sample SET head = ?, body = ? WHERE key = ?", (head, body, key))
            if found.rowcount != 1:
                raise Damaged(f"spare {key}")
        else:
            pages = new_pages(len(body))
            self.make_room(database, pages + 2 - room)
            key = self._next_key
            self._next_key += 1
            self._pages[key] = pages
            body += bytes(slot_size(pages) - len(body))
            database.execute("INSERT INTO sample VALUES (?, ?, ?)", (key, head, body))
        self._last = key
        return key

    def free(self, database, key: int):
        """What is in this row is not needed any more."""
        database.execute("UPDATE sample SET head = ? WHERE key = ?", (NO_HEAD, key))
        self._add(key)

    def make_room(self, database, pages: int):
        """Give up spares, of the size that takes most, until so many pages are free."""
        while pages > 0 and self.spare_pages:
            size = max(self._spares, key=lambda each: each * len(self._spares[each]))
            key = self._spares[size].pop()
            database.execute("DELETE FROM sample WHERE key = ?", (key,))
            del self._pages[key]
            self.spare_pages -= size
            pages -= size

    def _add(self, key: int):
        pages = self._pages[key]
        bisect.insort(self._spares.setdefault(pages, []), key)
        self.spare_pages += pages

    def _taken(self, pages: int):
        """A spare of so many pages or a quarter more, None without one.

        The next one in the file: what is written together is to lie together.
        """
        best = None
        for size in range(pages, pages + pages // 4 + 1):
            keys = self._spares.get(size)
            if not keys:
                continue
            i = bisect.bisect(keys, self._last) % len(keys)
            rank = (keys[i] < self._last, keys[i])
            if best is None or rank < best[0]:
                best = (rank, size, i)
        if best is None:
            return None
        self.spare_pages -= best[1]
        return self._spares[best[1]].pop(best[2])
