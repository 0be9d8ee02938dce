"""What a command from afar must look like: one flat JSON object, bounded, of known keys and types."""

import json

VERSION = 1

# Bounds of what is listened to.
PAYLOAD_MAX = 1024
NAME_MAX = 64
BY_MAX = 32
COUNTER_MAX = 9007199254740991  # what JSON readers with 64-bit floats keep exactly
NUMBER_MAX = 1.0e9
DEPTH_MAX = 8

KEYS = ("v", "nonce", "n", "by", "do", "name", "value")
# What is done -> what its value must be: a number, one of some words, or nothing.
NUMBER = None
NOTHING = ()
VALUES = {
    "set_point": NUMBER,
    "output": NUMBER,
    "value": NUMBER,
    "mode": ("auto", "manual"),
    "programme": ("start", "stop", "go_on"),
    "acknowledge": NOTHING,
    "reset": NOTHING,
}


class Command:
    """A payload that has the form of a command; ValueError with the reason for any other.

    ``echo`` takes nonce and counter as soon as they are known, for the answer to a refusal.
    """

    def __init__(self, payload: bytes, echo: dict):
        fields = _flat_object(payload)
        nonce = fields.get("nonce")
        if isinstance(nonce, str) and len(nonce) <= 16:
            echo["nonce"] = nonce = clean(nonce, 16)
        counter = fields.get("n")
        if type(counter) is int and 1 <= counter <= COUNTER_MAX:
            echo["n"] = counter
        if "write" in fields:
            name = clean(str(fields["write"]), NAME_MAX)
            raise ValueError("%s was written directly, without nonce and counter: send a command" % name)
        for key in fields:
            if key not in KEYS:
                raise ValueError("unknown key '%s'" % clean(str(key), 16))
        if type(fields.get("v")) is not int or fields["v"] != VERSION:
            raise ValueError("v must be %d" % VERSION)
        if echo["nonce"] is None:
            raise ValueError("nonce must be the text of the session")
        if echo["n"] is None:
            raise ValueError("n must be a whole number from 1 to %d" % COUNTER_MAX)
        self.nonce = nonce
        self.n = counter
        self.by = _text(fields, "by", BY_MAX)
        self.do = _text(fields, "do", NAME_MAX)
        self.name = _text(fields, "name", NAME_MAX)
        if self.do not in VALUES:
            raise ValueError("do must be one of: " + ", ".join(sorted(VALUES)))
        self.value = _value(fields.get("value"), VALUES[self.do])


def clean(text: str, longest: int) -> str:
    """A text from afar as it may stand in a log: bounded; what moves, hides or ends a line becomes '?'."""
    shown = []
    for letter in text[:longest]:
        code = ord(letter)
        plain = 32 <= code < 127 or 0xA0 < code < 0x2000 or 0x2100 <= code < 0xD800
        shown.append(letter if plain and code not in (0xAD, 0x61C, 0x180E) else "?")
    return "".join(shown)


def _flat_object(payload: bytes) -> dict:
    """The JSON object in a payload, one level deep; ValueError for anything else."""
    if len(payload) > PAYLOAD_MAX:
        raise ValueError("%d bytes, at most %d are read" % (len(payload), PAYLOAD_MAX))
    # Before it is parsed: a parser may go as deep as it is asked to.
    if payload.count(b"[") + payload.count(b"{") > DEPTH_MAX:
        raise ValueError("expected one flat object")
    try:
        fields = json.loads(bytes(payload).decode())
    except ValueError:
        fields = None
    if not isinstance(fields, dict):
        raise ValueError("not a JSON object in UTF-8")
    return fields


def _text(fields: dict, key: str, longest: int) -> str:
    text = fields.get(key)
    if not isinstance(text, str) or not 1 <= len(text) <= longest:
        raise ValueError("%s must be a text of 1 to %d characters" % (key, longest))
    return clean(text, longest)


def _value(value, expected):
    """The value of a command: a float, one of the expected words, or None."""
    if expected is NUMBER:
        if type(value) is int:
            # Compared as whole numbers: a long one is no float.
            if -1000000000 <= value <= 1000000000:
                return float(value)
        elif type(value) is float and -NUMBER_MAX <= value <= NUMBER_MAX:
            return value
        raise ValueError("value must be a number, at most %d in size" % NUMBER_MAX)
    if not expected:
        if value is not None:
            raise ValueError("this takes no value")
        return None
    if not isinstance(value, str) or value not in expected:
        raise ValueError("value must be one of: " + ", ".join(expected))
    return value
