"""Figures against their budgets: sentences for those that miss, nothing for those that hold."""


def at_most(what: str, found, limit) -> list:
    """One sentence where `found` is above `limit`, else none; what was not measured is not judged."""
    return [f"{what}: {found:g}, at most {limit:g}"] if found is not None and not found <= limit else []


def at_least(what: str, found, limit) -> list:
    """One sentence where `found` is below `limit`, else none; what was not measured is not judged."""
    return [f"{what}: {found:g}, at least {limit:g}"] if found is not None and not found >= limit else []


def told(misses: list) -> str:
    """The sentences, a line each, marked as missed."""
    return "\n".join(f"  missed: {each}" for each in misses)
