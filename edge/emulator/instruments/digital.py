"""What digital modules have on their terminals: contacts that close with a process value, and what they
switch.
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
