"""One request, one line: what was asked, decided and done, without the secrets in it.

`record` is the line, `redact` keeps names and targets harmless, `writer` takes records from the
requests and `spool` puts them into one of the `sinks`.

**What is promised.** A request is carried out only after `AuditWriter.reserve()` has granted it a
line. A line that was granted is written in the order of `write()`, exactly once, as long as the
process lives: a full disk or a broken sink delays it and loses nothing, and once `queue_lines`
are waiting no further request is carried out. `close()` writes everything that waits.

**What is not.** A line waits up to `flush_seconds`, and as long as the sink refuses it, in memory:
that is what `kill -9` and the out-of-memory killer can lose. A written line is with the operating
system, not yet on the platter (there is no fsync): a crash of the machine can lose what the kernel
had not written back. A line torn by such a crash stands alone; the next start begins a new one.
"""

from gateway.audit.compose import compose
from gateway.audit.record import Record, rfc3339
from gateway.audit.redact import safe_text, target_digest
from gateway.audit.sinks import FileSink, NullSink, Sink, StdoutSink, sink_for
from gateway.audit.writer import AuditWriter

__all__ = [
    "AuditWriter", "Record", "compose", "rfc3339",
    "safe_text", "target_digest",
    "FileSink", "NullSink", "Sink", "StdoutSink", "sink_for",
]  # fmt: skip
