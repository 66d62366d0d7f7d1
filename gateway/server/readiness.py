"""What has to hold for a gateway to be of use: asked in each worker, put together for a probe."""

from collections.abc import Callable, Mapping

from gateway.logs import get as get_logger

__all__ = ["Answers", "Check", "asked", "together"]

Check = Callable[[], tuple[bool, str]]
"""Whether something is as it should be, and a few words about it for the operator."""

Answers = Mapping[str, tuple[bool, str]]
"""By the name of the check."""

_log = get_logger("gateway.readiness")


def asked(checks: Mapping[str, Check]) -> dict[str, tuple[bool, str]]:
    """The answer of every check; one that breaks has failed, and takes no other with it."""
    return {name: _asked(name, check) for name, check in checks.items()}


def _asked(name: str, check: Check) -> tuple[bool, str]:
    try:
        return check()
    except Exception:  # noqa: BLE001 - somebody else's fault, and theirs to be told
        _log.exception("readiness check failed", check=name)
        return False, "the check itself failed, see the log"


def together(workers: Mapping[int, Answers]) -> dict[str, tuple[bool, str]]:
    """Each check over all workers: it holds if it holds in one, since that one can serve."""
    said: dict[str, dict[int, tuple[bool, str]]] = {}
    for slot, answers in workers.items():
        for name, answer in answers.items():
            said.setdefault(name, {})[slot] = answer
    return {name: _summed(by_slot) for name, by_slot in said.items()}


def _summed(by_slot: Mapping[int, tuple[bool, str]]) -> tuple[bool, str]:
    holds = any(ok for ok, _ in by_slot.values())
    words = {detail for _, detail in by_slot.values()}
    if len(words) == 1:
        return holds, words.pop()
    return holds, "; ".join(f"worker {slot}: {detail}" for slot, (_, detail) in by_slot.items())
