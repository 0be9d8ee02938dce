"""The one door for what somebody asks of a running node. Today only the local console uses it."""


class Commands:
    """Words to actions on a node: reset, stop, set LOOP VALUE, help. Every answer is one line."""

    def __init__(self, node):
        self.node = node

    def execute(self, text: str) -> str:
        """Do one command; the answer says what was done or why not."""
        words = text.split()
        if not words:
            return ""
        if words[0] == "stop" and len(words) == 1:
            self.node.stop("stopped by command")
            return "stopping: outputs go to their safe values"
        if words[0] == "reset" and len(words) == 1:
            return self._reset()
        if words[0] == "set" and len(words) == 3:
            return self._set(words[1], words[2])
        return "not understood: %s; known are: reset, set LOOP VALUE, stop" % text.strip()

    def _reset(self) -> str:
        staying = self.node.guard.reset(self.node.clock.now_ms())
        if staying:
            return "not reset, the cause is still there: " + ", ".join(staying)
        self.node.event("command", "reset", "accepted")
        return "reset"

    def _set(self, name: str, number: str) -> str:
        for loop in self.node.loops:
            if loop.name == name:
                try:
                    loop.change_set_point(float(number))
                except ValueError as error:
                    return "refused: %s" % error
                self.node.event("command", "set " + name, number)
                return "set-point of %s is %s" % (name, loop.set_point)
        return "refused: no loop is named " + name


class Console:
    """Lines from a stream of bytes into commands.

    ``read()`` gives the bytes that are there (b"" at the end of the stream), ``write(text)`` takes
    the answers, ``pollable`` is what select can wait on. ``attached``: the end of the stream
    stops the node, so that it never outlives whoever started it.
    """

    MAX_LINE = 200

    def __init__(self, commands: Commands, ready, read, write, pollable, attached: bool):
        self._commands = commands
        self._ready = ready
        self._read = read
        self._write = write
        self._pollable = pollable
        self._attached = attached
        self._line = b""
        self._open = True

    def pollables(self) -> list:
        return [self._pollable] if self._open else []

    def step(self):
        if not self._open or not self._ready():
            return
        data = self._read()
        if not data:
            self._open = False
            if self._attached:
                self._commands.node.stop("whoever started the node is gone")
            return
        self._line += data
        while b"\n" in self._line:
            line, self._line = self._line.split(b"\n", 1)
            try:
                answer = self._commands.execute(line.decode())
            except UnicodeError:
                answer = "not understood: a command is plain text"
            if answer:
                self._write(answer)
        if len(self._line) > self.MAX_LINE:
            self._line = b""
            self._write("not understood: a line is at most %d characters" % self.MAX_LINE)
