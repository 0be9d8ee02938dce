"""A Modbus RTU slave on a pseudo-terminal that paces its bytes, and times what the master does.

    python -m benchmarks.paced_responder BAUD [--at-once] [--dead UNIT]

A process of its own: it spins while it waits for the moment of its next byte, so that its own lateness is
not measured as the master's. A character takes 11 bits; the reply begins 3.5 characters (1.75 ms above
19200 baud) after the request; --at-once answers without any pace. Every unit answers FC 3 and FC 4, but for
the dead one. The first line on standard output is {"port": ...}; each line on standard input is answered by
what was seen since the last: requests, gaps (from the last byte of a reply to the next request, in us),
periods (from request to request).
"""

import argparse
import json
import os
import select
import sys
import time
import tty

from edge.node.bus import modbus

CHAR_BITS = 11
# A sleep may overshoot by so much: the rest is spun.
SPIN_NS = 400000


def silence_us(baud: int) -> float:
    """The silence between frames that MODBUS over Serial Line V1.02 asks for."""
    return 1750.0 if baud > 19200 else 3.5 * CHAR_BITS * 1e6 / baud


class Responder:
    def __init__(self, baud: int, at_once: bool, dead: int):
        self._fd, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._fd, False)
        self.path = os.ttyname(self._slave)
        self._char_ns = CHAR_BITS * 1e9 / baud
        self._silence_ns = 1000 * silence_us(baud)
        self._at_once = at_once
        self._dead = dead
        self._sent_ns = 0
        self._asked_ns = 0
        self.clear()

    def clear(self):
        self.requests = {}
        self.gaps = []
        self.periods = []

    def serve(self):
        """Answer until standard input ends."""
        while True:
            request = self._request()
            if request is None:
                return
            self._answer(request)

    def _request(self):
        """The next request, read the moment it is there; None at the end of standard input."""
        due_ns = self._sent_ns + self._silence_ns
        buffer = b""
        while True:
            left_ns = due_ns - time.monotonic_ns()
            if not buffer and (left_ns > SPIN_NS or left_ns < -20 * SPIN_NS):
                wait_s = (left_ns - SPIN_NS) / 1e9 if left_ns > 0 else 0.05
                ready, _, _ = select.select([sys.stdin, self._fd], [], [], wait_s)
                if sys.stdin in ready and not self._report():
                    return None
            try:
                data = os.read(self._fd, 256)
            except BlockingIOError:
                continue
            if not buffer:
                asked_ns = time.monotonic_ns()
            buffer += data
            if len(buffer) >= 8:
                self._note(asked_ns, buffer)
                return buffer[:8]

    def _note(self, asked_ns: int, request: bytes):
        unit = request[0]
        self.requests[unit] = self.requests.get(unit, 0) + 1
        if self._sent_ns > self._asked_ns:
            self.gaps.append((asked_ns - self._sent_ns) // 1000)
            self.periods.append((asked_ns - self._asked_ns) // 1000)
        self._asked_ns = asked_ns

    def _answer(self, request: bytes):
        unit, function = request[0], request[1]
        if unit == self._dead:
            return
        count = (request[4] << 8) | request[5]
        reply = modbus.sealed(bytes((unit, function, 2 * count)) + bytes(range(2 * count)))
        if self._at_once:
            self._sent_ns = time.monotonic_ns()
            os.write(self._fd, reply)
            return
        start_ns = self._asked_ns + len(request) * self._char_ns + self._silence_ns
        for place in range(len(reply)):
            due_ns = start_ns + (place + 1) * self._char_ns
            left_ns = due_ns - time.monotonic_ns()
            if left_ns > 2 * SPIN_NS:
                time.sleep((left_ns - SPIN_NS) / 1e9)
            while time.monotonic_ns() < due_ns:
                pass
            self._sent_ns = time.monotonic_ns()
            os.write(self._fd, reply[place : place + 1])

    def _report(self) -> bool:
        if not sys.stdin.readline():
            return False
        seen = {"requests": self.requests, "gaps": self.gaps, "periods": self.periods}
        print(json.dumps(seen), flush=True)
        self.clear()
        return True


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks.paced_responder", description=__doc__)
    parser.add_argument("baud", type=int)
    parser.add_argument("--at-once", action="store_true")
    parser.add_argument("--dead", type=int, default=-1)
    args = parser.parse_args()
    responder = Responder(args.baud, args.at_once, args.dead)
    print(json.dumps({"port": responder.path}), flush=True)
    responder.serve()


if __name__ == "__main__":
    main()
