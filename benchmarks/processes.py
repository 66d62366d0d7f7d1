"""Start programs pinned to a core, wait until they listen, and stop exactly those."""

import json
import os
import resource
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = [
    "GATEWAY_CORE", "OTHER_CORE", "allow_many_descriptors", "free_port", "missing_tools", "pinned",
    "result_of", "rss_mib",
]  # fmt: skip

_CORES = sorted(os.sched_getaffinity(0))
GATEWAY_CORE = {_CORES[0]}
OTHER_CORE = {_CORES[-1]}


def missing_tools(*names: str) -> list[str]:
    return [name for name in names if shutil.which(name) is None]


def allow_many_descriptors(needed: int) -> None:
    """Raise this process's limit, and so its children's, as far as the system lets it."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if most != resource.RLIM_INFINITY and most < needed:
        sys.exit(f"{needed} file descriptors are needed and {most} allowed: `ulimit -Hn`")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def pinned(
    command: Sequence[str], *, cores: set[int], port: int, log: Path, patience_seconds: float = 30
) -> Iterator[int]:
    """Run `command` on `cores` until the block ends; gives its process id once `port` listens."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            stdout=output,
            stderr=output,
            preexec_fn=lambda: os.sched_setaffinity(0, cores),  # noqa: PLW1509 - no threads here
        )
    try:
        _wait_for(port, process, log, patience_seconds)
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def result_of(arguments: Sequence[str], *, cores: set[int]) -> Any:
    """Run one of our programs on `cores` to its end; the JSON on its standard output."""
    done = subprocess.run(
        [sys.executable, *arguments],
        check=True,
        stdout=subprocess.PIPE,
        preexec_fn=lambda: os.sched_setaffinity(0, cores),
    )
    return json.loads(done.stdout)


def _wait_for(
    port: int, process: subprocess.Popen[bytes], log: Path, patience_seconds: float
) -> None:
    deadline = time.monotonic() + patience_seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            sys.exit(f"{process.args!r} ended at once:\n{log.read_text()}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    sys.exit(f"{process.args!r} does not listen on {port}:\n{log.read_text()}")


def rss_mib(pid: int) -> float:
    """Resident memory of one process, in MiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0
