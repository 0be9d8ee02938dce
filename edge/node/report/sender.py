"""From the outbox to one broker in one language: ``Sender`` joins an outbox, a speaker and a connection.

The order of what is sent, on every connection: the speaker's births, then events, then live samples, then the
backlog, oldest first, in the rest of the window. Live is what was stored after the births; everything older
is sent as historical, since the births carried newer values already.

A speaker that is ``acknowledged`` sends at QoS 1. The others (Sparkplug B) send at QoS 0 and let a QoS 1
barrier follow, at least every second while something is unconfirmed. What is not done when a connection ends
is sent again on the next one. A speaker without ``history`` gets all open entries as one message.
"""

from edge.node.report.delivery import OWN, Batch, Delivery
from edge.node.report.identity import CONTESTED_MS
from edge.node.report.records import EVENT, SAMPLE

LANES = (EVENT, SAMPLE)  # in the order in which they are sent

BIRTHS_MS = 1000  # the shortest time between two births on a connection, however many are asked for
PARTING_MS = 2000  # for the goodbye before a connection that is given up on purpose
MERGED_MAX = 64  # newest entries shown to a speaker without history
ANSWERS_MAX = 16  # answers to commands that wait for room
COMMANDS_MAX = 32  # commands that wait to be fetched
RETAINED_MAX = 8  # topics of retained messages that are said again on every connection
LOOK_AGAIN_MS = 250  # while ending, or while the outbox has what it can't read
IDLE_MS = 60000

# How far the ending has come.
RUNNING = 0
DRAINING = 1
FAREWELL = 2
LEAVING = 3
CLOSED = 4


class Sender:
    """One speaker's way from the outbox to its broker.

    ``speaker``, ``outbox``, ``connection``: see speaker.py, segments.py and connection.py.
    ``decode(lane, id, record)``: the Sample or Event, None for a record that can't be read.
    ``clock``: for the wall-clock time in births and goodbyes.
    ``budget``: records that one step may turn into messages.
    ``claim``: sees to it that no other node has this one's name, see identity.py; None: nobody does.
    """

    def __init__(self, speaker, connection, outbox, decode, clock, budget: int = 64, claim=None):
        self.name = speaker.name
        self.speaker = speaker
        self.connection = connection
        self.delivery = Delivery(connection, speaker.acknowledged, self._done)
        self.last_error = ""
        self.ending = RUNNING
        self.commands_lost = 0
        self._begun = False
        self._claim = claim
        self._outbox = outbox
        self._decode = decode
        self._clock = clock
        self._budget = budget
        self._left = 0  # of the budget, in this step
        self._look_again = False
        self._connections = 0
        self._commands = []
        self._answers = []
        self._retained = {}  # topic -> its newest retained message
        self._merge_due_ms = 0  # not before this does a speaker without history say samples again
        self._drain_until_ms = 0
        self._end_ms = 0
        self._forget()
        connection.before_connect = self._before_connect
        if claim is not None:
            connection.question = (claim.identity.topic, claim.identity.token)

    def _forget(self):
        """As it is without a connection."""
        self._up = False
        self._subscribed = False
        self._born = False
        self._part_by_ms = -1  # the deadline of a goodbye before the next connection
        self._part_why = ""
        self._births_due_ms = 0
        self._claimed = False
        self._born_after = {EVENT: 0, SAMPLE: 0}
        self._events_at = 0  # sent up to this id
        self._live_at = 0
        self._backlog = []  # stretches of samples: [sent up to, until]
        self._merged = {EVENT: None, SAMPLE: None}  # the batch under way of a speaker without history

    # What the engine asks ------------------------------------------------------------------

    def begin(self):
        """The speaker has begun, perhaps anew with another catalogue: connect, or send the births again."""
        self._begun = True
        self._born = False

    def commands(self) -> list:
        """(payload, retained) of the commands since the last call."""
        commands, self._commands = self._commands, []
        return commands

    def reply(self, payload: bytes):
        """Send the answer to a command, as soon as there is room for it."""
        if len(self._answers) >= ANSWERS_MAX:
            self._answers.pop(0)
            self.delivery.skipped += 1
        self._answers.append(payload)

    def take_over(self, old):
        """Go on where a sender of the same speaker has ended: counters, and what is said or heard yet."""
        self.delivery.take_over(old.delivery)
        self.speaker.untold += old.speaker.untold
        self.speaker.refused += old.speaker.refused
        self.speaker.node_silent = old.speaker.node_silent
        self.commands_lost += old.commands_lost
        self._connections = old._connections
        self._claim = old._claim
        self.connection.question = old.connection.question
        self.connection.contested_until_ms = old.connection.contested_until_ms
        self._commands = old._commands
        self._answers = old._answers
        self._retained = old._retained

    def node_silent(self, silent: bool, now_ms: int):
        """The node has fallen silent, or speaks again: who listens must not take it for sound meanwhile."""
        self.speaker.node_silent = silent
        if silent and not self.speaker.ready():
            if self._born:
                self._part_from("the node is silent", now_ms)
        else:
            self._born = False

    def live(self, topic: str, payload: bytes, retain: bool, qos: int) -> bool:
        """Send a message that is not from the outbox at once or never; a retained one on every connection."""
        if retain:
            self._retain((topic, payload, qos, True))
        if self._up and self._born and self.ending < FAREWELL:
            return self.delivery.live(topic, payload, retain, qos, self._clock.now_ms())
        self.delivery.skipped += 1
        return False

    def pollable(self):
        return self.connection.pollable() if self._begun and self.ending != CLOSED else None

    @property
    def closed(self) -> bool:
        return self.ending == CLOSED

    @property
    def stats(self) -> dict:
        """Counters since the start; ``backlog``: entries not done; ``unheard``: refused from afar."""
        backlog = sum([self._outbox.open_count(self.name, lane) for lane in LANES])
        connection, delivery = self.connection, self.delivery
        return {
            "connected": bool(connection.connected),
            "broker": connection.address,
            "sent": delivery.sent,
            "acked": delivery.acked,
            "resent": delivery.resent,
            "skipped": delivery.skipped,
            "refused": delivery.refused,
            "backlog": backlog,
            "reconnects": max(self._connections - 1, 0),
            "untold": self.speaker.untold,
            "unheard": self.speaker.refused + self.commands_lost,
            "last_error": self.last_error or delivery.last_error or connection.last_error
            or self.speaker.last_error,
        }

    def step(self, now_ms: int) -> int:
        """Hear, and send what may be sent, without waiting. Returns when to be called again."""
        if self.ending == CLOSED or not self._begun:
            return now_ms + IDLE_MS
        due_ms = self.connection.step(now_ms)
        self._hear(now_ms)
        self._left = self._budget
        self._look_again = False
        if self._up and self._subscribed:
            self._send(now_ms)
            due_ms = min(due_ms, self.connection.step(now_ms))
        if self.ending:
            due_ms = min(due_ms, self._end(now_ms))
        elif self._part_by_ms >= 0:
            due_ms = min(due_ms, self._part(now_ms))
        if self._births_due_ms > now_ms and not self._born:
            due_ms = min(due_ms, self._births_due_ms)
        barrier_ms = self.delivery.barrier_due_ms()
        if barrier_ms >= 0:
            due_ms = min(due_ms, max(barrier_ms, now_ms))
        if self._merge_due_ms > now_ms:
            due_ms = min(due_ms, self._merge_due_ms)
        if self._left <= 0:
            return now_ms  # there is more to do than one step may
        return min(due_ms, now_ms + LOOK_AGAIN_MS) if self._look_again else due_ms

    def begin_close(self, now_ms: int, within_ms: int):
        """Send what can be sent in three quarters of the time, then the goodbye, and disconnect.

        ``step`` carries it out; it is ``closed`` at the end, at the latest ``within_ms`` from now.
        """
        if not self._begun:
            self.ending = CLOSED
        if self.ending == RUNNING:
            self.ending = DRAINING
            self._drain_until_ms = now_ms + within_ms * 3 // 4
            self._end_ms = now_ms + within_ms

    # What the connection tells -------------------------------------------------------------

    def _before_connect(self):
        will = self.speaker.before_connect()
        if will is not None:
            self.connection.set_will(will[0], will[1], will[2], will[3])

    def _hear(self, now_ms: int):
        for event in self.connection.events():
            what = event[0]
            if what == "ack":
                self.delivery.acknowledge(event[1], now_ms)
            elif what == "heard" and self._claim is not None and event[1] == self._claim.identity.topic:
                if self._claim.heard(self.connection.address, event[2], now_ms):
                    self.connection.contested_until_ms = now_ms + CONTESTED_MS
            elif what == "heard":
                for action in self.speaker.heard(event[1], event[2], event[3]):
                    self._act(action, now_ms)
            elif what == "up":
                self._come_up()
            elif what == "subscribed":
                if not event[1]:
                    # Commands will not come, but what happens here is still told.
                    self.last_error = "%s: the broker refused a subscription" % self.connection.address
                self._subscribed = True
            elif what == "down":
                self._lose()

    def _come_up(self):
        self._lose()
        self._up = True
        self._connections += 1
        self.last_error = self.delivery.last_error = self.speaker.last_error = ""
        topics = self.speaker.subscriptions()
        if self._claim is not None:
            topics = topics + [(self._claim.identity.topic, 0)]
        if topics:
            self.connection.subscribe(topics)
        else:
            self._subscribed = True

    def _lose(self):
        self.delivery.lose()
        self._forget()

    def _act(self, action, now_ms: int):
        what = action[0]
        if what == "command":
            if len(self._commands) < COMMANDS_MAX:
                self._commands.append((action[1], action[2]))
            else:
                self.commands_lost += 1
        elif what in ("rebirth", "births"):
            self._born = False
        elif what == "host" and not action[1]:
            # The primary host is gone: say goodbye, and begin again, at the next broker where there is one.
            if self._born or self.connection.choices > 1:
                self._part_from("the primary host is offline", now_ms)

    def _done(self, batch):
        self._outbox.done(self.name, batch.lane, batch.first_id, batch.last_id)
        if batch is self._merged[batch.lane]:
            self._merged[batch.lane] = None

    # What is sent --------------------------------------------------------------------------

    def _send(self, now_ms: int):
        delivery = self.delivery
        if not delivery.flush(now_ms) or self._part_by_ms >= 0 or self.ending >= FAREWELL:
            return
        if not self._born:
            if now_ms < self._births_due_ms or not (self.speaker.known() and self.speaker.ready()):
                return
            self._births_due_ms = now_ms + BIRTHS_MS
            self._be_born()
            if not delivery.flush(now_ms):
                return
        while self._answers and delivery.flush(now_ms):
            self._answer(self._answers.pop(0))
        while True:
            if self.speaker.history:
                self._send_lanes(now_ms)
            else:
                for lane in LANES:
                    self._merge(lane, now_ms)
            # Behind a barrier there is room for more.
            if not (delivery.flush(now_ms) and self._barrier(now_ms)):
                return

    def _barrier(self, now_ms: int) -> bool:
        """Send a barrier where one is due; True when it was sent."""
        if self.speaker.acknowledged or self.delivery.barrier_due_ms() < 0:
            return False
        return self.delivery.barrier(self.speaker.barrier(), now_ms, self.ending != RUNNING)

    def _be_born(self):
        self.delivery.put(self.speaker.births(self._clock.utc_ms()), OWN)
        self.delivery.put(self._retained.values(), OWN)
        if self._claim is not None and not self._claimed:
            # Behind what stood there before: that came with the answer to the subscription.
            self._claimed = True
            topic, token = self.connection.question
            self.delivery.put([(topic, token, 1, True)], OWN)
        self._born = True
        last_id = self._outbox.last_id(SAMPLE)
        # What was live and has not gone is older than these births.
        if last_id > self._live_at:
            self._backlog.append([self._live_at, last_id])
        self._live_at = last_id
        self._born_after = {EVENT: self._outbox.last_id(EVENT), SAMPLE: last_id}

    def _answer(self, payload: bytes):
        messages = self.speaker.replies(payload)
        for message in messages:
            if message[3]:
                self._retain(message)
        self.delivery.put(messages, OWN)

    def _retain(self, message):
        if message[0] in self._retained or len(self._retained) < RETAINED_MAX:
            self._retained[message[0]] = message

    def _send_lanes(self, now_ms: int):
        """Events, live samples, backlog; each until the window, the budget or the entries are at an end."""
        at = 0
        while at >= 0 and self._may_send(False):
            old = self._events_at < self._born_after[EVENT]
            until = self._born_after[EVENT] if old else self._outbox.last_id(EVENT)
            if self._events_at >= until:
                break
            at = self._send_batch(EVENT, self._events_at, until, old, now_ms)
            self._events_at = max(self._events_at, at)
        at = 0
        while at >= 0 and self._may_send(False):
            until = self._outbox.last_id(SAMPLE)
            if self._live_at >= until:
                break
            at = self._send_batch(SAMPLE, self._live_at, until, False, now_ms)
            self._live_at = max(self._live_at, at)
        at = 0
        while at >= 0 and self._backlog and self._may_send(True):
            stretch = self._backlog[0]
            at = self._send_batch(SAMPLE, stretch[0], stretch[1], True, now_ms)
            stretch[0] = max(stretch[0], at)
            if stretch[0] >= stretch[1]:
                self._backlog.pop(0)

    def _may_send(self, backlog: bool) -> bool:
        return self._left > 0 and self.delivery.may_send(backlog)

    def _send_batch(self, lane: int, after_id: int, until_id: int, historical: bool, now_ms: int) -> int:
        """Send messages of the next entries; returns the id up to which the lane has now been sent.

        -1 when there are entries that can't be had now: the outbox may be mending itself.
        """
        speaker = self.speaker
        count = self.delivery.batch_size(speaker.backlog_batch) if historical else speaker.live_batch
        count = min(count, self._left)
        if lane == EVENT and speaker.acknowledged:
            count = min(count, self.connection.room())  # each is a message of its own
        found = self._outbox.fetch(self.name, lane, after_id, count, until_id)
        if not found:
            first_id = self._outbox.first_open(self.name, lane)
            if first_id == 0 or first_id > until_id:
                return until_id
            self._look_again = True
            return -1
        self._left -= len(found)
        self._put(lane, found, found[0][0], historical, now_ms)
        return found[-1][0]

    def _put(self, lane: int, found: list, first_id: int, historical: bool, now_ms: int):
        """Send what the speaker says of the entries found; the batch, None if it says nothing."""
        entries = []
        for number, record in found:
            item = self._decode(lane, number, record)
            if item is not None:
                entries.append((number, item))
        last_id = found[-1][0] if found else first_id
        messages = self.speaker.messages(lane, entries, historical) if entries else []
        if not messages:
            self._outbox.done(self.name, lane, first_id, last_id)
            return None
        batch = Batch(lane, first_id, last_id, len(messages), historical and lane == SAMPLE)
        self.delivery.put(messages, batch)
        self.delivery.flush(now_ms)
        return batch

    def _merge(self, lane: int, now_ms: int):
        """All open entries as one message of the newest values, while none is under way."""
        if self._merged[lane] is not None or not self._may_send(False):
            return
        if lane == SAMPLE and not self.speaker.urgent and now_ms < self._merge_due_ms:
            return
        first_id = self._outbox.first_open(self.name, lane)
        if first_id == 0:
            return
        after_id = max(self._outbox.last_id(lane) - MERGED_MAX, first_id - 1)
        found = self._outbox.fetch(self.name, lane, after_id, MERGED_MAX)
        self._left -= len(found)
        if lane == SAMPLE:
            self._merge_due_ms = now_ms + self.speaker.period_ms
        batch = self._put(lane, found, first_id, False, now_ms)
        self._merged[lane] = batch if batch is not None and batch.left else None

    # Ending --------------------------------------------------------------------------------

    def _say_goodbye(self):
        """Only those who have been born take leave."""
        if self._up and self._born:
            self.delivery.put(self.speaker.goodbye(self._clock.utc_ms()), OWN)

    def _part_from(self, why: str, now_ms: int):
        if self._part_by_ms < 0:
            self._part_by_ms = now_ms + PARTING_MS
            self._part_why = why
            self._say_goodbye()

    def _part(self, now_ms: int) -> int:
        """Go on to the next broker, or to the same again, once the goodbye has gone."""
        if self._up and now_ms < self._part_by_ms and not self.delivery.idle():
            return self._part_by_ms
        self.connection.drop(self._part_why, True)
        self._lose()
        return now_ms

    def _end(self, now_ms: int) -> int:
        if self.ending == DRAINING:
            if now_ms < self._drain_until_ms and not self._all_done():
                return min(self._drain_until_ms, now_ms + LOOK_AGAIN_MS)
            self.ending = FAREWELL
            self.delivery.withdraw()
            self._say_goodbye()
            if self._up:
                self.delivery.flush(now_ms)
                self.connection.step(now_ms)
        if self.ending == FAREWELL:
            if self._up and now_ms < self._end_ms and not self.delivery.idle():
                return self._end_ms
            self.ending = LEAVING
            self.connection.disconnect(now_ms)
        if not self.connection.closed and now_ms < self._end_ms:
            return min(self.connection.step(now_ms), self._end_ms)
        self.ending = CLOSED
        return now_ms

    def _all_done(self) -> bool:
        open_ids = [self._outbox.first_open(self.name, lane) for lane in LANES]
        return self.delivery.idle() and not any(open_ids)
