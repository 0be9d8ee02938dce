"""Bytes that answer nothing that was asked: late replies, and what other masters say."""

from edge.node.bus.late import KEPT


class Strays:
    """Those of one line; ``late`` of edge.node.bus.late, ``others`` of edge.node.bus.others."""

    def __init__(self, late, others):
        self._late = late
        self._others = others

    def heard(self, stations: list, masters: list, received: bytes, now_us: int) -> bool:
        """Take bytes as they come; whether another master has asked, and its reply is still to come."""
        late = self._late
        late.strays = (late.strays + received)[-KEPT:]
        late.count(stations)
        asked = False
        while True:
            reply = late.answered()
            request = self._first_request(masters)
            if request is not None and (reply is None or request[0] < reply[0]):
                end, request, master = request
                asked = True
                self._others.heard(master.named(request), now_us)
                late.doubt(master, request, now_us + late.late_us, True)
            elif reply is not None:
                end, one = reply
                late.settle(one)
            else:
                return asked and late.foreign()
            late.strays = late.strays[end:]

    def _first_request(self, masters: list):
        """(Where it ends, its bytes, whose protocol it is) of the first request among the strays, or None."""
        first = None
        for master in masters:
            found = master.overheard(self._late.strays)
            if found and (first is None or found[0][0] < first[0]):
                first = (found[0][0], found[0][1], master)
        return first
