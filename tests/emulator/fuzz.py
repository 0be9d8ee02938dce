"""Random and mutated bytes into the slaves of a line: no crash, no hang, no wrong answer, bounded memory."""

from random import Random

CHAR_US = 11e6 / 115200


def mutated(rng: Random, frame: bytes) -> bytes:
    """A frame with a few bits, bytes or pieces changed."""
    data = bytearray(frame)
    for _ in range(rng.randrange(1, 4)):
        place = rng.randrange(len(data)) if data else 0
        change = rng.randrange(5)
        if change == 0 and data:
            data[place] ^= 1 << rng.randrange(8)
        elif change == 1 and data:
            data[place] = rng.randrange(256)
        elif change == 2 and data:
            del data[place]
        elif change == 3:
            data.insert(place, rng.randrange(256))
        else:
            data[place:place] = rng.randbytes(rng.randrange(1, 9))
    return bytes(data)


def chunks(rng: Random, frames: list, resealed, total: int):
    """(pause in us before it, bytes): ``total`` bytes of noise, of frames, of mutated ones, of mutated ones
    whose check is right again (``resealed(frame) -> bytes``), cut anywhere.
    """
    sent = 0
    while sent < total:
        draw = rng.random()
        if draw < 0.25:
            data = rng.randbytes(rng.randrange(1, 300))
        elif draw < 0.45:
            data = rng.choice(frames)
        else:
            data = mutated(rng, rng.choice(frames))
            if draw < 0.8:
                data = resealed(data)
        while data:
            cut = len(data) if rng.random() < 0.7 else rng.randrange(1, len(data) + 1)
            piece, data = data[:cut], data[cut:]
            sent += len(piece)
            yield (2000 if rng.random() < 0.6 else rng.randrange(1800)), piece


def run(seed: int, slaves, frames: list, resealed, total: int, judge) -> int:
    """Feed ``total`` bytes; ``judge(reply)`` for every answer. Returns how many answers there were."""
    end_us = 1000000
    answers = 0
    for pause_us, data in chunks(Random(f"fuzz {seed}"), frames, resealed, total):
        end_us += pause_us + int(len(data) * CHAR_US + 1)
        for start_us, reply in slaves.received(data, end_us):
            assert start_us >= end_us - len(data) * CHAR_US
            judge(reply)
            answers += 1
    return answers
