"""Any bytes as a target: refused, or brought to one spelling that says the same to everybody.

`python -m tests.fuzz.target` runs it under atheris.
"""

from gateway.errors import MalformedTarget, TargetTooLong
from gateway.http.target import TargetLimits, canonicalise
from tests.support.fuzzing import fuzz
from tests.support.strict_reading import lax_operations, operation_of

_LIMITS = TargetLimits()


def check(data: bytes) -> None:
    try:
        target = canonicalise(data, _LIMITS)
    except (MalformedTarget, TargetTooLong):
        return
    sent = str(target).encode("ascii")
    assert canonicalise(sent, _LIMITS) == target
    read = operation_of(sent)
    assert (read.segments, read.query) == (target.segments, target.query)
    assert all(seen == read for _, seen in lax_operations(sent))


if __name__ == "__main__":
    fuzz(check)
