"""The sender's order, window, barrier and ending, with parts in memory; runs on MicroPython as well."""

from edge.node.report.delivery import BARRIER_BYTES, BARRIER_MS
from edge.node.report.records import EVENT, SAMPLE, decode
from edge.node.report.sender import BIRTHS_MS, CLOSED, PARTING_MS, Sender
from tests.node.report.fakes_report import FakeClock, FakeConnection, FakeOutbox, FakeSpeaker, event, sample


class Bench:
    def __init__(self, speaker=None, window=8, budget=64, damaged=()):
        self.clock = FakeClock()
        self.outbox = FakeOutbox()
        self.connection = FakeConnection(window)
        self.speaker = speaker or FakeSpeaker()
        self.outbox.attach([self.speaker.name])
        self.damaged = damaged
        self.sender = Sender(
            self.speaker, self.connection, self.outbox, self.decode, self.clock, budget
        )
        self.sender.begin()
        self.seq = 0

    def decode(self, lane, number, record):
        return None if (lane, number) in self.damaged else decode(record)

    def samples(self, count):
        for _ in range(count):
            self.seq += 1
            self.outbox.append(sample(self.seq), 0)

    def events(self, count):
        for _ in range(count):
            self.seq += 1
            self.outbox.append(event(self.seq), 0)

    def step(self, ms=0):
        self.clock.ms += ms
        return self.sender.step(self.clock.ms)

    def up(self):
        self.connection.come_up()
        self.step()
        self.step()

    def settle(self, ms=0):
        """Acknowledge and step until nothing moves any more."""
        for _ in range(1000):
            before = len(self.connection.sent)
            self.connection.ack()
            self.step(ms)
            if len(self.connection.sent) == before and not self.connection.flight:
                return
        raise AssertionError("never at rest")

    def ids(self, topic):
        found = []
        for payload in self.connection.payloads(topic):
            found += [int(number) for number in payload.split(b",")]
        return found

    def open(self, lane=SAMPLE):
        return self.outbox.open_count(self.speaker.name, lane)


def test_will_subscription_births_then_data():
    bench = Bench()
    bench.samples(1)
    bench.up()
    assert bench.connection.will == ("state", b"offline", 1, True)
    assert bench.connection.subscribed == [[("in", 1)]]
    assert [topic for _, topic, _ in bench.connection.sent] == ["birth", "old_samples"]
    bench.samples(1)
    bench.step()
    assert bench.ids("samples") == [2]
    assert bench.open() == 2
    bench.settle()
    assert bench.open() == 0
    assert (bench.sender.delivery.sent, bench.sender.delivery.acked) == (3, 3)


def test_nothing_is_sent_before_the_speaker_knows_all_values_and_is_ready():
    bench = Bench()
    bench.speaker.is_known = False
    bench.samples(1)
    bench.up()
    assert bench.connection.sent == []
    bench.speaker.is_known = True
    bench.speaker.is_ready = False
    bench.step()
    assert bench.connection.sent == []
    bench.speaker.is_ready = True
    bench.settle()
    assert bench.open() == 0


def test_does_not_connect_before_it_has_begun():
    bench = Bench()
    sender = Sender(bench.speaker, bench.connection, bench.outbox, bench.decode, bench.clock)
    bench.connection.come_up()
    sender.step(0)
    assert bench.connection.sent == []
    assert sender.pollable() is None
    sender.begin_close(0, 1000)
    assert sender.closed


def test_events_then_live_then_backlog():
    bench = Bench(window=40)
    bench.samples(20)
    bench.events(2)
    bench.connection.come_up()
    bench.step()
    bench.settle()
    bench.connection.stuck = True
    bench.samples(3)
    bench.events(1)
    bench.step()
    bench.connection.stuck = False
    bench.connection.sent = []
    bench.step()
    assert [topic for _, topic, _ in bench.connection.sent] == ["event", "samples", "samples"]
    assert bench.ids("samples") == [21, 22, 23]


def test_old_events_are_historical_and_new_ones_are_not():
    bench = Bench(window=40)
    bench.events(3)
    bench.up()
    bench.events(2)
    bench.settle()
    assert bench.ids("old_event") == [1, 2, 3]
    assert bench.ids("event") == [4, 5]
    assert bench.open(EVENT) == 0


def test_live_goes_on_while_the_backlog_fills_its_share():
    bench = Bench(window=8)
    bench.samples(1000)
    bench.up()
    for _ in range(20):  # the share widens as answers come
        bench.connection.ack(1)
        bench.step(1)
    assert len(bench.connection.flight) == 6  # three quarters of the window
    bench.samples(1)
    bench.step()
    assert bench.ids("samples") == [1001]


def test_backlog_holds_back_where_answers_queue_up():
    bench = Bench(window=40)
    bench.samples(4000)
    bench.up()
    for _ in range(60):
        bench.connection.ack(1)
        bench.step(1)
    wide = len(bench.connection.flight)
    assert wide > 20
    flights = []
    sizes = []
    for _ in range(200):
        bench.connection.ack(1)
        bench.step(400)  # each answer now takes thousands of milliseconds
        flights.append(len(bench.connection.flight))
        sizes.append(len(bench.connection.sent[-1][2].split(b",")))
    assert min(flights) == 1
    assert min(sizes) == 1  # a batch became smaller, too
    assert max(flights[100:]) <= 5  # since none takes less than 400 ms, a second or two may queue up
    for _ in range(100):
        bench.connection.ack(1)
        bench.step(1)
    assert len(bench.connection.flight) > 20


def test_a_batch_does_not_grow_where_one_twice_as_large_would_make_live_data_wait():
    bench = Bench(FakeSpeaker(backlog_batch=64), window=8)
    bench.samples(1000)
    bench.up()
    bench.step(20)
    bench.connection.ack()  # of the births
    bench.step()
    sizes = []
    for _ in range(20):
        sizes.append(len(bench.connection.sent[-1][2].split(b",")))
        bench.step(20 + 10 * sizes[-1])  # a line that takes ten milliseconds for each
        bench.connection.ack()
        bench.step()
    # Sixteen take 180 ms. Thirty-two would take 340: more than twice the quickest answer and 250.
    assert sizes == [2, 4, 8] + [16] * 17


def test_a_backlog_goes_on_quickly_over_a_line_whose_answers_all_take_longer_from_now_on():
    bench = Bench(FakeSpeaker(backlog_batch=8), window=8)
    bench.samples(4000)
    bench.up()
    for _ in range(3):
        bench.connection.ack()
        bench.step(20)
    for _ in range(30):
        bench.connection.ack()
        bench.step(400)  # whatever is under way, as behind another modem
    assert len(bench.connection.flight) == 6  # three quarters of the window
    assert len(bench.connection.sent[-1][2].split(b",")) == 8


def test_each_connection_finds_out_anew_how_much_of_the_backlog_goes_at_once():
    bench = Bench(FakeSpeaker(backlog_batch=50), window=8)
    bench.samples(400)
    for _ in range(2):
        bench.up()
        bench.connection.ack()
        for _ in range(8):
            bench.step(1)
            bench.connection.ack(1)
        sizes = [len(payload.split(b",")) for payload in bench.connection.payloads("old_samples")]
        assert sizes[:7] == [1, 1, 3, 6, 12, 25, 50]
        bench.connection.go_down()
        bench.connection.flight = []
        bench.step()


def test_out_of_order_acknowledgements_and_a_lost_connection():
    bench = Bench(window=8)
    bench.samples(90)
    bench.up()
    for _ in range(9):  # the batches grow, then the share
        bench.connection.ack()
        bench.step(1)
    sent = bench.ids("old_samples")
    under_way = sent[-4 * len(bench.connection.flight) :]
    assert len(under_way) >= 8
    second = bench.connection.flight.pop(1)
    bench.connection._events.append(("ack", second))
    before = bench.open()
    bench.step()
    assert bench.open() == before - 4
    assert bench.outbox.first_open("json", SAMPLE) == under_way[0]
    lost = len(bench.connection.flight)
    bench.connection.go_down()
    bench.step()
    assert bench.sender.delivery.resent == lost
    bench.up()
    bench.settle()
    again = bench.ids("old_samples")
    assert again[:8] == under_way[:4] + under_way[8:12]
    assert sorted(set(sent + again)) == list(range(1, 91))
    assert bench.open() == 0
    assert bench.sender.delivery.sent == bench.sender.delivery.acked


def test_what_came_in_while_away_is_historical_and_everything_arrives():
    bench = Bench()
    bench.up()
    bench.samples(3)
    bench.settle()
    bench.connection.go_down()
    bench.samples(5)
    bench.step()
    bench.up()
    bench.samples(2)
    bench.settle()
    assert bench.ids("old_samples") == [4, 5, 6, 7, 8]
    assert bench.ids("samples") == [9, 10]
    assert bench.sender.stats["reconnects"] == 1


def test_an_entry_in_several_messages_is_done_with_the_last_acknowledgement():
    bench = Bench(FakeSpeaker(live_batch=1))
    bench.speaker.split = 3
    bench.up()
    bench.connection.ack()
    bench.samples(1)
    bench.step()
    assert len(bench.connection.flight) == 3
    bench.connection.ack(2)
    bench.step()
    assert bench.open() == 1
    bench.connection.ack(1)
    bench.step()
    assert bench.open() == 0


def test_what_does_not_fit_now_is_sent_whole_and_in_order():
    bench = Bench(FakeSpeaker(live_batch=1), window=4)
    bench.speaker.split = 6
    bench.up()
    bench.connection.ack()
    bench.samples(2)
    bench.settle()
    assert bench.ids("samples") == [1] * 6 + [2] * 6
    assert bench.open() == 0


def test_entries_of_which_the_speaker_says_nothing_are_done():
    bench = Bench()
    bench.speaker.silent = True
    bench.up()
    bench.samples(5)
    bench.settle()
    assert bench.open() == 0


def test_a_damaged_record_does_not_stop_the_others():
    bench = Bench(damaged=((SAMPLE, 2), (SAMPLE, 3), (SAMPLE, 4)))
    bench.up()
    bench.samples(5)
    bench.settle()
    assert bench.ids("samples") == [1, 5]
    assert bench.open() == 0


def test_a_message_that_can_never_be_sent_does_not_stop_the_others():
    bench = Bench()
    bench.connection.too_large = 2
    bench.up()
    bench.samples(12)  # ids from 10 on make too large a payload
    bench.settle()
    assert bench.open() == 0
    assert bench.sender.delivery.refused > 0
    assert "bytes" in bench.sender.stats["last_error"]


def test_one_step_is_bounded():
    bench = Bench(FakeSpeaker(live_batch=8), window=40, budget=16)
    bench.up()
    bench.connection.ack()
    bench.samples(100)
    before = len(bench.connection.sent)
    due = bench.step()
    assert len(bench.ids("samples")) == 16
    assert due <= bench.clock.ms  # there is more to do at once
    assert len(bench.connection.sent) == before + 2


def test_what_the_outbox_cannot_read_now_is_sent_when_it_can():
    bench = Bench()
    bench.samples(10)
    bench.up()
    bench.connection.ack()
    fetch = bench.outbox.fetch
    bench.outbox.fetch = lambda *arguments: []
    bench.samples(1)
    due = bench.step()
    assert due <= bench.clock.ms + 250
    bench.settle(250)
    assert bench.open() > 0
    bench.outbox.fetch = fetch
    bench.settle(250)
    assert bench.open() == 0


# QoS 0 with a barrier ----------------------------------------------------------------------


def quiet(**more):
    return FakeSpeaker(name="sparkplug", acknowledged=False, **more)


def test_a_barrier_follows_within_a_second_and_confirms_what_was_before_it():
    bench = Bench(quiet())
    bench.up()
    bench.samples(1)
    due = bench.step()
    assert bench.connection.payloads("barrier") == []
    assert due - bench.clock.ms <= BARRIER_MS
    bench.step(BARRIER_MS)
    assert len(bench.connection.payloads("barrier")) == 1
    bench.samples(1)
    bench.step()
    bench.connection.ack()
    bench.step()
    assert bench.open() == 1  # the second sample came after the barrier
    bench.step(BARRIER_MS)
    bench.connection.ack()
    bench.step()
    assert bench.open() == 0
    assert (bench.sender.delivery.sent, bench.sender.delivery.acked) == (2, 2)


def test_a_lost_connection_replays_what_no_barrier_confirmed():
    bench = Bench(quiet())
    bench.up()
    bench.samples(3)
    bench.step()
    bench.step(BARRIER_MS)
    bench.samples(2)
    bench.step()
    bench.connection.go_down()
    bench.connection.flight = []
    bench.step()
    bench.connection.come_up()
    bench.step()
    bench.settle(BARRIER_MS)
    assert bench.ids("old_samples") == [1, 2, 3, 4, 5]
    assert bench.open() == 0
    assert bench.sender.delivery.sent == bench.sender.delivery.acked


def test_what_no_barrier_has_confirmed_stays_within_the_window():
    bench = Bench(quiet(live_batch=1), window=8)
    bench.up()
    bench.samples(100)
    for _ in range(10):
        bench.step()
    assert len(bench.ids("samples")) <= 8
    bench.settle()
    assert bench.ids("samples") == list(range(1, 101))
    assert bench.open() == 0


def test_not_much_is_sent_before_a_barrier_whose_answer_shows_that_the_line_still_carries():
    speaker = quiet(live_batch=1)
    speaker.padding = 1500
    bench = Bench(speaker, window=8)
    bench.up()
    bench.events(20)
    bench.samples(20)
    most = since = 0
    bench.step()
    for _, topic, payload in bench.connection.sent:
        since = 0 if topic == "barrier" else since + len(payload)
        most = max(most, since)
    assert len(bench.ids("event")) == 8  # the window, in one step
    assert BARRIER_BYTES <= most <= BARRIER_BYTES + 1600
    bench.settle(BARRIER_MS)
    assert bench.ids("event") == bench.ids("samples")[:20] == list(range(1, 21))
    assert bench.open() == bench.open(EVENT) == 0


def test_a_rebirth_makes_older_data_historical_and_repeats_none():
    bench = Bench(quiet())
    bench.up()
    bench.samples(2)
    bench.step()
    bench.connection.stuck = True
    bench.samples(3)
    bench.step()
    bench.connection.hear("in", b"rebirth")
    bench.connection.stuck = False
    bench.step(BIRTHS_MS)
    bench.samples(1)
    bench.settle(BARRIER_MS)
    topics = [topic for _, topic, _ in bench.connection.sent if topic != "barrier"]
    assert topics.count("birth") == 2
    assert sorted(bench.ids("samples") + bench.ids("old_samples")) == [1, 2, 3, 4, 5, 6]
    assert bench.ids("samples")[-1] == 6
    assert bench.open() == 0


def test_a_flood_of_rebirth_requests_brings_one_birth_a_second_and_loses_nothing():
    bench = Bench(quiet(), window=64)
    bench.up()
    for _ in range(1000):
        bench.samples(1)
        bench.connection.hear("in", b"rebirth")
        bench.step(10)
        bench.connection.ack()
    assert 10 <= bench.speaker.born <= 11
    assert bench.open() < 1000
    bench.settle(BARRIER_MS)
    assert bench.open() == 0
    for _ in range(2):
        bench.connection.hear("in", b"rebirth")
        due_ms = bench.step(10)
    assert due_ms == bench.clock.ms + BIRTHS_MS - 10


def test_the_primary_host_goes_and_comes_back():
    bench = Bench(quiet())
    bench.up()
    bench.connection.hear("in", b"offline")
    bench.step()
    bench.connection.ack()
    bench.step()
    assert bench.connection.payloads("state") == [b"offline"]
    assert bench.connection.dropped == "the primary host is offline"
    bench.connection.dropped = ""
    bench.samples(2)
    bench.up()
    bench.connection.hear("in", b"offline")
    bench.step()
    assert bench.connection.sent == []
    assert bench.connection.dropped == ""  # with one broker it waits there
    bench.connection.hear("in", b"online")
    bench.step()
    bench.settle(BARRIER_MS)
    assert bench.ids("old_samples") == [1, 2]


def test_a_silent_node_is_told_by_births_anew_or_by_a_goodbye_and_births_only_when_it_speaks_again():
    bench = Bench()
    bench.up()
    for silent in (True, False):
        born = bench.speaker.born
        bench.sender.node_silent(silent, bench.clock.ms)
        bench.settle(1000)
        assert bench.speaker.born == born + 1 and bench.speaker.node_silent is silent
    bench = Bench(quiet())
    bench.up()
    bench.sender.node_silent(True, bench.clock.ms)
    bench.step()
    bench.connection.ack()
    bench.step()
    assert bench.connection.payloads("state") == [b"offline"]
    assert bench.connection.dropped == "the node is silent"
    bench.up()
    bench.events(1)
    bench.connection.hear("in", b"rebirth")
    bench.settle(BARRIER_MS)
    assert bench.connection.sent == []
    bench.sender.node_silent(False, bench.clock.ms)
    bench.settle(BARRIER_MS)
    assert bench.connection.payloads()[0] == b"2" and bench.ids("old_event") == [1]


def test_a_goodbye_that_nobody_acknowledges_is_given_up():
    bench = Bench(quiet())
    bench.up()
    bench.connection.hear("in", b"offline")
    bench.step()
    bench.step(PARTING_MS)
    assert bench.connection.dropped


# Without history ---------------------------------------------------------------------------


def test_all_open_entries_become_one_message_that_is_done_when_acknowledged():
    bench = Bench(FakeSpeaker(name="home_assistant", history=False))
    bench.up()
    bench.connection.ack()
    bench.samples(200)
    bench.step()
    assert len(bench.connection.payloads("samples")) == 1
    assert bench.ids("samples")[-1] == 200
    bench.samples(3)
    bench.step()
    assert len(bench.connection.payloads("samples")) == 1  # one at a time
    bench.connection.ack()
    bench.step()
    assert bench.ids("samples")[-1] == 203
    bench.settle()
    assert bench.open() == 0


def test_no_faster_than_the_speakers_period_unless_it_is_urgent():
    bench = Bench(FakeSpeaker(name="home_assistant", history=False))
    bench.speaker.period_ms = 5000
    bench.up()
    bench.samples(1)
    bench.settle()
    bench.samples(1)
    due = bench.step(1000)
    assert bench.ids("samples") == [1]
    assert due <= 5000
    bench.speaker.urgent = True
    bench.step()
    assert bench.ids("samples") == [1, 2]
    bench.speaker.urgent = False
    bench.settle()
    bench.samples(1)
    bench.step(5000)
    assert bench.ids("samples") == [1, 2, 3]


# Live messages, commands -------------------------------------------------------------------


def test_live_messages_are_sent_at_once_or_never_and_retained_ones_on_every_connection():
    bench = Bench()
    assert not bench.sender.live("telemetry", b"1", False, 1)
    assert not bench.sender.live("session", b"old", True, 1)
    bench.up()
    assert bench.connection.payloads("session") == [b"old"]
    assert bench.sender.live("telemetry", b"2", False, 1)
    assert bench.sender.live("session", b"new", True, 1)
    bench.connection.go_down()
    bench.step()
    assert bench.sender.delivery.skipped == 4
    bench.up()
    assert bench.connection.payloads("session") == [b"new"]
    bench.settle()
    assert bench.sender.delivery.sent == bench.sender.delivery.acked


def test_commands_are_handed_on_and_answered():
    bench = Bench()
    bench.up()
    bench.connection.hear("in", b"do", True)
    bench.step()
    assert bench.sender.commands() == [(b"do", True)]
    assert bench.sender.commands() == []
    bench.sender.reply(b"done")
    bench.sender.reply(b"session")
    bench.settle()
    assert bench.connection.payloads("answer") == [b"done", b"session"]
    bench.connection.go_down()
    bench.step()
    bench.up()
    assert bench.connection.payloads("answer") == [b"session"]  # it was retained


def test_a_refused_subscription_is_told_and_stops_nothing():
    bench = Bench()
    bench.connection.subscribe = lambda topics: bench.connection._events.append(("subscribed", False))
    bench.samples(1)
    bench.up()
    bench.settle()
    assert bench.open() == 0
    assert "subscription" in bench.sender.stats["last_error"]


# Ending ------------------------------------------------------------------------------------


def test_ending_sends_what_is_open_then_says_goodbye_and_disconnects():
    bench = Bench()
    bench.up()
    bench.samples(30)
    bench.sender.begin_close(bench.clock.ms, 2000)
    for _ in range(50):
        bench.connection.ack()
        bench.step(1)
    assert bench.open() == 0
    assert bench.connection.sent[-1][1:] == ("state", b"offline")
    assert bench.connection.left
    assert bench.sender.ending == CLOSED


def test_ending_without_answers_is_in_time_and_loses_nothing():
    bench = Bench()
    bench.up()
    bench.samples(30)
    bench.step()
    bench.sender.begin_close(bench.clock.ms, 2000)
    while bench.sender.ending != CLOSED:
        due = bench.step()
        bench.clock.ms = max(due, bench.clock.ms + 1)
        assert bench.clock.ms <= 2001
    assert bench.open() == 30
    assert bench.connection.left


def test_ending_without_a_connection_waits_for_one_only_while_something_is_open():
    bench = Bench()
    bench.sender.begin_close(0, 2000)
    bench.step()
    bench.step()
    assert bench.sender.closed
    bench = Bench()
    bench.samples(1)
    bench.sender.begin_close(0, 2000)
    bench.step(1000)
    assert not bench.sender.closed
    bench.up()
    bench.settle(1)
    assert bench.open() == 0
    assert bench.sender.closed


def test_the_last_barrier_does_not_wait():
    bench = Bench(quiet())
    bench.up()
    bench.samples(1)
    bench.sender.begin_close(bench.clock.ms, 2000)
    for _ in range(10):
        bench.connection.ack()
        bench.step(1)
    assert bench.open() == 0
    assert bench.sender.closed
