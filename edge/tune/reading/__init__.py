"""From a file as a logger writes it to columns of numbers, in steps that each say what they took for what.

    text        bytes to characters
    numbers     which mark is the decimal one, and cells to numbers
    table       characters to cells: separator, preamble, headings, a row of units
    units       what a heading says of its unit
    columns     which columns are time, output and process value, and their units made one
    moments     times of day and dates in their many spellings
    timeline    a column of times to seconds that ascend
    telemetry   recorded telemetry of a node instead of a table

``edge.tune.recording`` puts them together.
"""
