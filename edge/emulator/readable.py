"""Answers of the console for people: at a terminal, in place of JSON."""

from edge.emulator.timeline import Entry


def readable(answer: dict) -> str:
    """An answer of edge.emulator.console.Console in lines of text."""
    if "error" in answer:
        return f"error: {answer['error']}"
    if "process" in answer:
        return _state(answer)
    if "timeline" in answer:
        return "\n".join(str(Entry.from_list(values)) for values in answer["timeline"])
    for key in ("help", "kinds"):
        if key in answer:
            return "\n".join(answer[key])
    if set(answer) == {"port"}:
        return f"port {answer['port']}; help lists the commands"
    if "register" in answer:
        return f"{answer['register']} = {answer['value']:g}"
    return "ok" if answer.get("ok") else "\n".join(f"{key}: {value}" for key, value in answer.items())


def _state(state: dict) -> str:
    lines = [f"{state['time_s']:.2f} s since the start"]
    port = state.get("port")
    if port is not None:
        lines.append(f"port      {port['path']}" + (f", gone: {port['lost']}" if port["lost"] else ""))
    line = state["line"]
    lines.append("line      " + ", ".join(f"{name} {count}" for name, count in line.items()))
    lines += _numbers("process", state["process"], "")
    lines += _numbers("outputs", state["outputs"], " %")
    for name, lease in state["leases"].items():
        if lease["armed"] or lease["expired"]:
            lines.append(f"watchdog  {name}: {'tripped' if lease['expired'] else 'armed'}")
    for fault in state["faults"]:
        unit = f"unit {fault['unit']}" if fault["unit"] else "all units"
        more = [f"{key}={value}" for key, value in fault.items() if key not in ("unit", "kind", "arg")]
        arg = [] if fault["arg"] is None else [str(fault["arg"])]
        lines.append(" ".join([f"fault     {unit}: {fault['kind']}", *arg, *more]))
    if not state["faults"]:
        lines.append("fault     none")
    return "\n".join(lines)


def _numbers(title: str, values: dict, unit: str) -> list:
    width = max((len(name) for name in values), default=0)
    return [f"{title:9} {name:{width}} {value:12.3f}{unit}" for name, value in values.items()]
