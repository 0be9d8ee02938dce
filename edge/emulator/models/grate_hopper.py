"""Grab, hopper and ram of the grate line: waste comes in batches and reaches the grate in strokes.

Combustibles keep the make-up and heating value of the design waste; moisture dilutes the dry matter:
Cf = (1 - W) combustible_dry. Hopper and chute are plug flow, because a filled shaft moves as a column: a grab
reaches the grate as it was dropped, one shaft later. Mixing would average away the wet grab that the controls
must stand.
"""

import math

from edge.emulator.models.grate_maths import positive, within

LAYERS = 64  # that the hopper can hold; the crane waits when there are so many
# What may change while it runs.
LIVE = ("batching", "batch_kg", "batch_kg_spread", "grab_level_kg", "crane_cycle_s", "moisture_mean",
        "combustible_dry_mean", "moisture_spread", "combustible_dry_spread", "batch_correlation")


class Hopper:
    """begin() fills it half; feed() for each step: fed_kg, of which fed_water_kg and fed_combustible_kg.

    The rest of fed_kg is ash. ``noise``: of grate_maths.
    """

    def __init__(self, noise):
        self.noise = noise

    def begin(self, line):
        """Parameters of the line; half full, totals zero."""
        self.retune(line)
        self.hopper_full_kg = line.hopper_full_kg
        self.stroke_kg = line.stroke_kg
        self.push_share = line.push_share
        self.feed_per_pct = line.feed_nominal_t_d / 86.4 / line.feeder_nominal_pct
        self.moisture_walk = self.combustible_walk = self.stroke_phase = 0.0
        self.hopper_kg = self.grabbed_kg = self.grabs = 0.0
        self.fed_kg = self.fed_water_kg = self.fed_combustible_kg = 0.0
        self.layer_kg = [0.0] * LAYERS
        self.layer_water = [0.0] * LAYERS
        self.layer_combustible = [0.0] * LAYERS
        self.layer_first = self.layer_count = 0
        while self.hopper_kg < 0.499 * self.hopper_full_kg and self.layer_count < LAYERS:
            self.grab(0.5 * self.hopper_full_kg - self.hopper_kg)
        self.grabbed_kg = self.grabs = 0.0

    def retune(self, line):
        """Take over what may change while it runs."""
        for name in LIVE:
            setattr(self, name, getattr(line, name))

    def grab(self, most_kg):
        """Drop a batch, of at most most_kg, on top of the hopper; its make-up follows the batch before."""
        kg = within(self.batch_kg * (1.0 + self.batch_kg_spread * self.noise.gauss()), 0.0, most_kg)
        keep = self.batch_correlation
        fresh = math.sqrt(1.0 - keep * keep)
        self.moisture_walk = keep * self.moisture_walk + fresh * self.noise.gauss()
        self.combustible_walk = keep * self.combustible_walk + fresh * self.noise.gauss()
        water = within(self.moisture_mean + self.moisture_spread * self.moisture_walk, 0.10, 0.75)
        dry = self.combustible_dry_mean + self.combustible_dry_spread * self.combustible_walk
        i = self.layer_first + self.layer_count
        if i >= LAYERS:
            i -= LAYERS
        self.layer_count += 1
        self.layer_kg[i] = kg
        self.layer_water[i] = water
        self.layer_combustible[i] = (1.0 - water) * within(dry, 0.25, 0.95)
        self.hopper_kg += kg
        self.grabbed_kg += kg
        self.grabs += 1.0
        self.crane_s = 0.0

    def feed(self, feeder_pct, grab_on, room, h):
        """h seconds of the ram at feeder_pct; ``room``: 0..1, how far the grate lets it."""
        kg = h * within(feeder_pct, 0.0, 100.0) * self.feed_per_pct * room
        if self.batching <= 0.0:
            self.fed_kg = kg
            self.fed_water_kg = kg * self.moisture_mean
            self.fed_combustible_kg = kg * (1.0 - self.moisture_mean) * self.combustible_dry_mean
            self.grabbed_kg += kg
            return
        self.crane_s += h
        free = self.hopper_full_kg - self.hopper_kg
        if (grab_on > 0.0 and self.crane_s >= self.crane_cycle_s and free > 0.0
                and self.hopper_kg < self.grab_level_kg and self.layer_count < LAYERS):
            self.grab(free)
        self.draw(self.stroke(kg))

    def stroke(self, kg):
        """What the ram pushes while its cycle advances by kg of mean feed: all in push_share of the cycle."""
        share = self.push_share
        old = self.stroke_phase
        new = old + kg / self.stroke_kg
        pushed = within(new, 0.0, share) - within(old, 0.0, share)
        if new >= 1.0:
            new -= 1.0
            pushed += within(new, 0.0, share)
        self.stroke_phase = new
        return pushed / share * self.stroke_kg

    def draw(self, wanted_kg):
        """Take up to wanted_kg from the bottom of the hopper."""
        self.fed_water_kg = self.fed_combustible_kg = 0.0
        left = wanted_kg
        while left > 0.0 and self.layer_count > 0:
            i = self.layer_first
            kg = self.layer_kg[i]
            water = self.layer_water[i]
            combustible = self.layer_combustible[i]
            if kg > left:
                self.layer_kg[i] = kg - left
                kg = left
            else:
                self.layer_first = i + 1
                if self.layer_first == LAYERS:
                    self.layer_first = 0
                self.layer_count -= 1
            self.fed_water_kg += kg * water
            self.fed_combustible_kg += kg * combustible
            left -= kg
        self.fed_kg = wanted_kg - left
        self.hopper_kg = positive(self.hopper_kg - self.fed_kg)
