"""Cases from the field whose "now" is what a test proves: (case, before, now, path::test)."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

BUS = "tests/node/bus/"
DEVICES = "tests/node/devices/"
FAULTS = "tests/node/test_faults_of_devices.py::"


def row(case: str, before: str, now: str, test: str) -> tuple:
    """(case, before, now) with the test that proves it; ValueError where there is no such test."""
    path, name = test.split("::")
    if f"def {name}(" not in (ROOT / path).read_text(encoding="utf-8"):
        raise ValueError(f"{path} has no test {name}")
    return case, before, f"{now}: `{test}`"


OUTPUTS = [
    ("any driver, any refusal, at any moment", "`refused()` kept what had counted as sent",
     "the device ends up with what was commanded", DEVICES + "test_refusals.py::test_after_any_refusal_at_any_moment_the_device_holds_what_was_commanded"),
    ("a write answered with 5 or 6", "all inputs bad, all outputs to safe",
     "nothing of inputs or other outputs", FAULTS + "test_a_refused_write_says_nothing_of_any_input_nor_of_any_other_output"),
    ("busy on one read in nine", "28 of 240 ticks lost", "none",
     FAULTS + "test_busy_on_one_read_in_nine_costs_no_ticks"),
    ("a unit that is deaf after each reply", "its blocks starve", "every block keeps its rate",
     BUS + "test_blocks.py::test_every_block_of_a_unit_that_is_deaf_after_each_reply_keeps_its_rate"),
    ("a latched trip, then a trip whose signal is bad, on one output", "state `safe`", "state `trip`",
     "tests/node/guard/test_condition.py::test_a_latched_trip_is_not_hidden_by_a_later_one_whose_signal_is_bad"),
    ("a cascade whose inner value is not finite", "the outer loop winds to its limit", "it holds",
     "tests/cext/test_pid_cascade.py::test_the_outer_loop_holds_while_the_inner_value_is_not_finite"),
    ("missed ticks", "the nominal period is passed: IAE 70.6 for 45.0", "controllers get the time that went by",
     "tests/node/control/test_loops.py::test_missed_ticks_pass_their_real_time_to_the_controllers"),
    ("any chain of blocks, blocked for any time", "integrals of masters wind up",
     "what follows does not depend on how long it was",
     "tests/node/control/test_windup.py::test_what_a_chain_does_after_a_blockage_does_not_depend_on_how_long_it_was"),
    ("a bus at 980 % of its time", "passed", "refused",
     "tests/box/test_check.py::test_a_line_that_can_not_even_be_read_is_refused"),
    ("a PID on a digital channel", "passed", "refused",
     "tests/box/config/test_plausible.py::test_a_pid_on_a_channel_that_switches_is_refused"),
    ("plant and scenario files", "problems without lines", "told with their lines",
     "tests/emulator/test_bench.py::test_a_wrong_plant_file_is_told_with_its_line"),
]

TUNING = [
    ("any proposal on lags of one to five, dead times, integrators", "true Ms 2.0 to 2.6 with the default PID",
     "true Ms at most 2", "tests/tune/test_safety.py::test_any_proposal_has_a_true_ms_of_at_most_two"),
    ("the relay route beyond one lag", "true Ms 2.3 to 4.4", "true Ms at most 2",
     "tests/tune/test_cycle.py::test_true_ms_is_at_most_two_on_lags_of_any_order"),
    ("any recording of a known process in any logger's dialect", "of ten published ones none was read",
     "right within 5 %, or refused",
     "tests/tune/test_dialects.py::test_the_model_is_right_within_5_percent_or_refused"),
]

GENERIC = [
    ("byte orders ABCD to GHEFCDAB, 64 bits", "two orders, 32 bits", "all, as pymodbus and struct have them",
     DEVICES + "test_register_codec.py::test_it_agrees_with_pymodbus_and_struct_and_comes_back"),
    ("groups of bits", "whole registers only", "numbers of their own",
     DEVICES + "test_described_device.py::test_groups_of_bits_are_numbers_of_their_own"),
    ("values that mean \"not available\"", "one value", "over the whole range of the type, each with its reason",
     DEVICES + "test_described_device.py::test_what_stands_for_no_value_is_bad_with_its_reason"),
    ("a pause after a reply", "none", "`pause_ms`",
     DEVICES + "test_described_node.py::test_a_device_with_a_pause_is_asked_nothing_for_so_long_after_its_replies"),
    ("registers per request, no merging", "fixed", "`max_registers`, `merge`",
     DEVICES + "test_described_device.py::test_no_request_asks_for_more_registers_than_the_device_gives"),
    ("a period for each signal", "one for the device", "`period_ms` of a register",
     DEVICES + "test_described_device.py::test_each_may_have_a_period_of_its_own"),
    ("functions 15 and 16 for single writes", "5 and 6 only", "`write_function`",
     DEVICES + "test_described_device.py::test_single_writes_go_by_the_function_that_the_device_knows"),
    ("units above 247", "refused", "up to 255", DEVICES + "test_described_device.py::test_it_may_have_any_unit_up_to_255"),
    ("8E2", "not known", "set, and waited for", DEVICES + "test_described_node.py::test_characters_of_twelve_bits_are_waited_for"),
]

CONSOLE = [
    ("`status` and `help` at the console", "neither", "what is wrong first, and what to type",
     "tests/node/test_console.py::test_status_says_what_is_wrong_first_and_what_to_type"),
    ("the live table at 80x24", "alarms cut off", "alarms first, whole",
     "tests/monitor/test_table.py::test_in_no_window_is_a_line_too_many_or_too_long_and_alarms_come_first"),
    ("KOI8-R, ISO-8859-1", "traceback", "other letters",
     "tests/monitor/test_table.py::test_a_locale_that_has_not_the_letters_shows_others_and_ends_in_no_traceback"),
    ("`check` without the adapter", "fails", "a warning of that line",
     "tests/box/test_check.py::test_a_port_that_is_not_there_is_a_warning_of_its_line_as_the_node_may_run_elsewhere"),
    ("a node that outlives its emulator", "takes the next pseudo-terminal of that number", "does not",
     "tests/box/test_serial_port.py::test_a_port_that_outlives_its_emulator_does_not_take_the_terminal_that_gets_its_number"),
    ("two nodes of one identity", "67 takeovers a minute", "both are told, and come back less often",
     "tests/box/test_two_of_one_name.py::test_both_are_told_and_come_back_less_often"),
    ("an emulated chip that loses a byte while it boots", "the test fails", "another reset, and no more",
     "hil_tests/test_microbit_main.py::test_a_request_while_the_chip_boots_costs_another_reset_and_no_more"),
    ("a figure past its budget", "printed", "\"missed\", exit code 1",
     "tests/benchmarks/test_budget.py::test_a_miss_is_said_and_ends_with_one"),
]

LINE = [
    ("whatever comes late, damaged, twice", "another register's value", "never a record of another, Modbus and DCON",
     BUS + "test_never_anothers.py::test_no_record_is_anothers_and_no_write_is_confirmed_that_was_not_done"),
    ("a second master on the line", "86 wrong records in 20 s", "none",
     BUS + "test_other_masters.py::test_a_second_master_that_asks_the_same_registers_all_the_time_makes_no_record_of_another"),
    ("the same, for people", "nothing is told", "event and active alarm",
     BUS + "test_schedule.py::test_another_master_is_an_event_and_an_active_alarm"),
    ("the age of a value", "from its reply", "from its request",
     BUS + "test_age_and_gaps.py::test_the_age_of_a_value_counts_from_its_request"),
    ("a full line after a replug", "back after ten periods", "after two",
     BUS + "test_age_and_gaps.py::test_every_unit_of_a_full_line_is_back_within_two_periods_after_a_replug"),
    ("`bus.line_load`", "63 % on a line that is over-full", "counts silences and time-outs",
     BUS + "test_age_and_gaps.py::test_the_load_of_the_line_counts_silences_and_time_outs"),
    ("how often a reply is looked for", "4.8 waits a transaction", "once, where replies take the same",
     BUS + "test_look.py::test_replies_that_take_the_same_are_found_at_the_first_look"),
]

BENCH = [
    ("a request 3.5 characters after junk", "deaf for 20 ms", "heard",
     "tests/emulator/test_serve_ends.py::test_it_hears_a_request_that_comes_a_silence_after_junk"),
    ("`--port`, and the adapter goes", "traceback", "the plant goes on, the port is opened again",
     "tests/emulator/test_serve_ends.py::test_a_port_that_goes_away_and_comes_back_keeps_the_plant_and_is_told"),
    ("`--record` of a line with an echo", "one packet", "two, with directions",
     "tests/emulator/test_record.py::test_an_echo_and_the_reply_behind_it_are_two_packets"),
    ("several benches in one test", "one", "a factory",
     "tests/emulator/test_furnace_bench.py::test_several_benches_in_one_test_know_nothing_of_each_other"),
    ("a plant without a furnace", "not possible", "values that are set and written",
     "tests/emulator/test_plant_of_values.py::test_a_plant_of_values_shows_what_is_set_and_takes_what_is_written"),
    ("a fault for one function or register", "whole units", "narrowed down",
     "tests/emulator/test_request_faults.py::test_a_fault_of_one_function_or_register_leaves_other_requests_alone"),
    ("the time line", "bytes", "function, address, count",
     "tests/emulator/test_timeline.py::test_requests_and_replies_are_decoded_and_a_reply_has_the_address_of_its_request"),
    ("Modbus TCP", "serial only", "the line behind a gateway",
     "tests/emulator/test_tcp.py::test_mbpoll_reads_and_writes_by_modbus_tcp"),
    ("functions 8, 17, 43", "refused", "answered",
     "tests/emulator/test_diagnostics.py::test_pymodbus_reads_identity_server_id_and_counters"),
    ("no termios", "ImportError", "a sentence", "tests/emulator/test_serve_ends.py::test_without_termios_it_says_so_in_a_sentence"),
]

AFAR = [
    ("a node stopped by SIGSTOP", "online for ever", "offline, dead, unavailable; born again when it speaks",
     "tests/box/test_node_silence.py::test_a_hung_node_is_offline_dead_and_unavailable_and_born_again_when_it_speaks"),
    ("a reporter that hangs", "the same", "declared offline by the broker",
     "tests/box/test_node_silence.py::test_a_hung_reporter_is_declared_offline_by_the_broker_in_all_languages"),
    ("values in Home Assistant when nothing comes", "stand", "expire",
     "tests/node/report/speakers/test_home_assistant.py::test_values_expire_where_they_are_told_regularly_and_the_newest_event_never_does"),
    ("an alarm at the edge of the noise", "0.3 events/s", "one, with a dead band",
     "tests/node/guard/test_condition.py::test_noise_within_the_dead_band_changes_nothing"),
    ("a PUBLISH of 256 MB", "4.4 GB of memory", "the connection ends before it is read",
     "tests/box/test_paho_connection.py::test_a_packet_too_long_ends_the_connection_before_it_is_read"),
    ("memory of the reporter", "no limit", "a limit, and it goes before the node",
     "tests/box/test_memory_limit.py::test_a_reporter_runs_under_the_limit_and_is_the_first_to_go"),
    ("counters of the reporting end", "80 MB a day", "as often as `reporter_ms` says",
     "tests/box/test_reporter.py::test_counters_go_out_as_often_as_the_node_file_says"),
    ("a broker that does not answer UNSUBSCRIBE", "reconnects every 10 s", "a topic of its own is published to",
     "tests/box/test_paho_connection.py::test_whether_the_broker_is_there_is_asked_by_publishing_on_a_topic_of_its_own"),
    ("a flood of rebirth requests", "310 births/s", "one a second",
     "tests/node/report/test_sender.py::test_a_flood_of_rebirth_requests_brings_one_birth_a_second_and_loses_nothing"),
    ("an unclean start", "a million ids skipped", "what died is among the ids told",
     "tests/box/test_outbox_cut.py::test_what_died_in_memory_is_among_the_ids_told"),
]
