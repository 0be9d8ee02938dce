"""Any proposal on the model set of lags of one to five, dead times and integrators: true Ms <= 2, or none."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.tune.advice import advise
from edge.tune.experiment import Unidentifiable
from edge.tune.process import Process
from edge.tune.robustness import examine
from tests.tune.oracles import experiment, output_of

TIME_S = 2.0 * np.arange(600.0)
LAG_S = st.sampled_from([4.0, 12.0, 20.0, 40.0, 60.0])
PROCESSES = st.builds(
    lambda lags, delay_s, integrating: (
        tuple(lags) or ((30.0,) if not integrating else ()),
        delay_s,
        integrating,
    ),
    st.lists(LAG_S, max_size=5),
    st.sampled_from([0.0, 4.0, 20.0, 60.0]),
    st.booleans(),
)
EXPERIMENTS = st.sampled_from(
    [((100.0, 50.0),), ((100.0, 50.0), (450.0, 35.0), (850.0, 45.0)), ((800.0, 46.0),)]
)


def true_ms(process, steps, noise, **wishes):
    """Return the true Ms of what is proposed for an experiment on `process`, None where nothing is."""
    lags, delay_s, integrating = process
    gain = 0.02 if integrating else 2.0
    output = output_of(TIME_S, *steps)
    record = experiment(gain, lags, delay_s, TIME_S, output, noise=noise, integrating=integrating, fine=4)
    try:
        proposal = advise(record, **wishes).proposal.tuning
    except (Unidentifiable, ValueError) as refused:
        assert len(str(refused)) > 40
        return None
    margins = examine(Process(gain, lags, delay_s, integrating), proposal)
    return margins.ms if margins.stable else np.inf


@settings(max_examples=12)
@given(
    process=PROCESSES,
    steps=EXPERIMENTS,
    noise=st.sampled_from([0.02, 0.3, 1.5]),
    model=st.sampled_from(["auto", "auto", "fopdt", "sopdt", "integrating"]),
    rule=st.sampled_from(["simc", "simc", "amigo"]),
    controller=st.sampled_from([None, None, "pi", "pid"]),
)
def test_any_proposal_has_a_true_ms_of_at_most_two(process, steps, noise, model, rule, controller):
    ms = true_ms(process, steps, noise, model=model, rule=rule, controller=controller)
    assert ms is None or ms <= 2.0


@pytest.mark.parametrize(
    "process",
    [
        ((60.0,), 0.0, False), ((60.0,), 20.0, False), ((15.0,), 60.0, False), ((60.0, 12.0), 4.0, False),
        ((40.0,) * 3, 0.0, False), ((30.0,) * 5, 0.0, False), ((60.0, 20.0, 20.0, 20.0, 20.0), 40.0, False),
        ((), 16.0, True), ((10.0,), 16.0, True),
    ],
)  # fmt: skip
def test_sound_records_get_a_proposal_that_is_no_sleeper(process):
    """Refusing everything would be no way out, nor would settings that do nothing."""
    steps = ((100.0, 45.0), (500.0, 40.0)) if process[2] else ((100.0, 50.0), (450.0, 35.0), (850.0, 45.0))
    assert 1.3 < true_ms(process, steps, 0.02) <= 2.0 or process == ((60.0,), 0.0, False)
