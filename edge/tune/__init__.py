"""Tuning: a model from a recorded experiment, PID settings from the model, and how robust they are.

CPython only, with numpy, scipy and matplotlib (the extra ``tune``); nothing here is carried by a node.

    recording   reads a table of any logger (``reading`` has the steps) or recorded telemetry
    identify    FOPDT, SOPDT and integrating models by least squares, with standard errors
    cycle       settings from the cycle of ``cext.relay``
    rules       SIMC and AMIGO
    robustness  Ms, gain, phase and delay margin
    closed_loop the production controller ``cext.pid`` around a model
    proposal    what a rule says, made calmer until noise and the doubts of the record are borne
    advice      all of it for one record, as text and data by report; plot draws it
    command     ``furnace-edge tune``
"""
