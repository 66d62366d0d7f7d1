"""The front door of the package, and what lies behind it."""

import subprocess
import sys

import policy


def test_everything_that_is_promised_is_there() -> None:
    for name in policy.__all__:
        assert hasattr(policy, name)
    assert len(set(policy.__all__)) == len(policy.__all__)


def test_everything_of_the_package_that_is_there_is_promised() -> None:
    public = {
        name
        for name, value in vars(policy).items()
        if getattr(value, "__module__", "").startswith("policy.")
    }
    assert public <= set(policy.__all__)


def test_a_policy_is_used_without_the_gateway() -> None:
    """In a fresh interpreter, because this one has loaded everything."""
    script = "import sys, policy; print(*({'aiohttp', 'gateway', 'ssl'} & sys.modules.keys()))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []
