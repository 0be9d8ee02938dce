"""What digital modules have on their terminals: contacts that close with a process value, and outputs that
switch an input of the model between 0 and 100 %.
"""

from edge.emulator.instruments.instrument import process_values


class Contacts:
    """``wiring``: list of (channel, process value, threshold); a contact is closed from its threshold on."""

    def __init__(self, wiring: list):
        self._wiring = wiring
        self.reads = [reads for _, reads, _ in wiring]
        self._process = None

    def connect(self, model):
        """The contacts of a process."""
        self._process = process_values(model, self.reads)

    def closed(self):
        """(channel, 0 or 1) of all that are wired."""
        if self._process is None:
            return
        for (channel, _, threshold), value in zip(self._wiring, self._process(), strict=True):
            yield channel, 1 if value >= threshold else 0


class Switching:
    """The terminals of a digital module; stands before Instrument among the bases.

    ``registers``: its family's map, with DO_VALUE and DI_VALUE. What it puts out is in ``percent``.
    """

    registers = None

    def wire(self, drives, contacts):
        """``drives``: output -> the model's input; ``contacts``: its inputs, or None."""
        self._contacts = contacts or Contacts([])
        self.reads = self._contacts.reads
        names = self.registers.outputs(self.TYPE)
        self.drives = [(drives[key], i) for i, key in enumerate(names) if key in drives]
        self.percent = [0.0] * len(names)

    def connect(self, model, rng):
        """Outputs start where the model has its inputs."""
        self._contacts.connect(model)
        for attribute, i in self.drives:
            self.coils.put(self.registers.DO_VALUE + i, 1 if getattr(model, attribute) >= 50.0 else 0)
        self.switch()

    def step(self, now_us: int):
        if not self.frozen:
            for channel, bit in self._contacts.closed():
                self.coils.put(self.registers.DI_VALUE + channel, bit)

    def switch(self):
        """Put out what the coils say."""
        for i in range(len(self.percent)):
            self.percent[i] = 100.0 * self.coils.get(self.registers.DO_VALUE + i)


def digital_wiring(keys, outputs: list, inputs: int) -> tuple:
    """Of a module's table in a plant file: output -> the model's input, contacts, outputs safe when on."""
    drives, safe, wiring = {}, set(), []
    for output in outputs:
        own = keys.table(output)
        if own is not None:
            drives[output] = own.model_input("drives")
            if own.switch("safe_on", False):
                safe.add(output)
            own.finish()
    for channel in range(inputs):
        own = keys.table(f"di{channel}")
        if own is not None:
            threshold = own.number("closed_from", -1.0e9, 1.0e9)
            wiring.append((channel, own.process_value("reads"), threshold))
            own.finish()
    return drives, Contacts(wiring), safe
