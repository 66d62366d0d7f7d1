"""One request, one line: what was asked, decided and done, without the secrets in it.

`record` is the line, `compose` makes it, and `redact` keeps names and targets harmless. On its way from a request
(`writer`) a line stands in memory that outlives the process (`journal`), until a thread has put it
into one of the `sinks` (`carrier`, `spool`). `intent` is what stands there before: that a request
is about to be forwarded. `recovery` is for whoever finds a worker dead.

**What is promised.** A request is carried out only after `AuditWriter.reserve()` has granted it a
line, and forwarded only after it was noted. Nobody gets the end of an answer before its line is in
the journal. Each line reaches the sink once: a full disk or a broken sink delays it and loses
nothing, and once `queue_bytes` are taken no further request is carried out. When the process is
killed, `recover_into` writes what it left, and for each request that was under way a line whose
ending is `worker-lost`: sent to the upstream or just about to be, with an unknown outcome. Several
processes may write to one file.

**In which order.** As `write()` was called, except for a line beyond 2 KiB when the queue is nearly
full, and for what is recovered, which comes when it is recovered.

**What is not.** When all processes that hold the journal die, it is gone: that is what a power cut,
and the kill of a whole container, can lose, up to `flush_seconds` worth and as much as the sink has
refused. A written line is with the operating system, not yet on the platter (there is no fsync): a
crash of the machine can lose what the kernel had not written back. Where a write cannot be looked
for afterwards (standard output, a pipe, a file that was rotated away in that very moment), the last
lines before a kill may come twice; `id` tells. A request that was refused or denied, and whose
client had no answer yet, is not noted: a kill leaves no trace of it, nor of one that is still being
read.
"""

from gateway.audit.compose import Composer, record_of
from gateway.audit.file_sink import FileSink
from gateway.audit.journal import Journal
from gateway.audit.record import Record, rfc3339
from gateway.audit.recovery import Recovered, recover_into
from gateway.audit.redact import CUT, safe_text, target_digest
from gateway.audit.search import LineBroken, LineMissing, record_with
from gateway.audit.sinks import NullSink, Sink, StdoutSink, sink_for
from gateway.audit.writer import AuditWriter

__all__ = [
    "AuditWriter", "Composer", "Record", "record_of", "rfc3339",
    "Journal", "Recovered", "recover_into",
    "LineBroken", "LineMissing", "record_with",
    "CUT", "safe_text", "target_digest",
    "FileSink", "NullSink", "Sink", "StdoutSink", "sink_for",
]  # fmt: skip
