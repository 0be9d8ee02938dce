"""When a node counts as silent."""

from edge.box.node_watch import SILENT_MS, NodeWatch


def test_a_node_is_silent_after_more_than_ten_seconds_and_until_it_speaks():
    watch = NodeWatch(0)
    told = [watch.look(now_ms, now_ms == 3000) for now_ms in range(1000, 14000, 1000)]
    assert told == [""] * 13 and not watch.silent
    assert watch.look(14000, False).startswith("nothing heard for 10 s") and watch.silent
    assert watch.look(15000, False) == "" and watch.silent
    assert watch.look(16000, True) == "speaks again after 12 s" and not watch.silent


def test_the_time_in_which_the_reporter_itself_stood_still_does_not_count():
    watch = NodeWatch(0)
    watch.look(1000, True)
    assert watch.look(1000 + 10 * SILENT_MS, False) == "" and not watch.silent
    assert watch.look(1001 + 10 * SILENT_MS, True) == "" and watch.silent_ms == 0
