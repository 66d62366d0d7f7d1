"""One service as the data plane sees it, and the request that is sent to it.

The request is serialised from the canonical request that was decided on: its method, its
canonical target, the few header fields that may pass, and what the gateway itself says. The
client's bytes never reach the upstream, except those of the body.
"""

from functools import lru_cache
from urllib.parse import quote

from gateway.exchange import RequestHead, Section
from gateway.http.headers import FORWARDED
from gateway.http.rewrite import RewriteRules
from gateway.http.target import Target
from gateway.settings import ServiceSettings
from gateway.upstream.pool import Pool
from gateway.wire.outbox import Outbox
from gateway.wire.upstream import UpstreamLimits
from gateway.wire.watch import Watch
from policy import Caller

__all__ = ["Upstream"]

# How long an idle connection is kept: below the 60 s after which Jetty and the 20 s after which
# Tomcat close theirs, so that we rarely write into a connection that is just being closed.
_KEEP_SECONDS = 15.0


class Upstream:
    """The constant parts of every request to one service, and its pool of connections."""

    def __init__(self, settings: ServiceSettings, watch: Watch, outbox: Outbox) -> None:
        self.name = settings.name
        self.dialect = settings.errors
        self.prefix = settings.prefix
        self.reveal_missing = settings.reveal_missing
        upstream = settings.upstream
        node = upstream.nodes[0]
        self.pool = Pool(
            name=node.authority,
            host=node.host,
            port=node.port,
            watch=watch,
            outbox=outbox,
            limits=UpstreamLimits(
                first_byte_timeout_seconds=upstream.first_byte_timeout_seconds,
                idle_timeout_seconds=upstream.idle_timeout_seconds,
            ),
            max_idle=upstream.idle_connections,
            connect_timeout_seconds=upstream.connect_timeout_seconds,
            keep_seconds=_KEEP_SECONDS,
        )
        self.passable = FORWARDED | {name.lower().encode() for name in settings.forward_headers}
        self.rewrite = _rewrite_rules(settings)
        if self.rewrite is not None:
            self.passable -= {b"accept-encoding"}  # a compressed reply could not be rewritten
        self._prefix_length = len(settings.prefix.rstrip("/"))
        self._base_path = upstream.base_path.rstrip("/")
        self._caller_header = settings.caller_header.encode()
        self._constant_lines = _lines(
            host=node.authority,
            **({"authorization": upstream.credential.authorization.decode()}
               if upstream.credential else {}),
            **settings.set_headers,
        )  # fmt: skip

    def __repr__(self) -> str:
        return f"<Upstream {self.name} at {self.pool.name}>"

    def request_head(
        self,
        head: RequestHead,
        target: Target,
        caller: Caller,
        forwarding_lines: bytes,
        request_id: str,
        framing: bytes,
    ) -> bytes:
        """The whole head, from the request line to the empty line.

        `framing` is the line that delimits the body, with its CRLF, or empty.
        """
        section = head.section
        prelude = section.preludes.get(self.name)
        if prelude is None:
            prelude = self._prelude(section, caller, forwarding_lines)
            section.preludes[self.name] = prelude
        path = target.path[self._prefix_length :]
        line = f"{head.method} {self._base_path}{path or '/'}"
        if target.query_text:
            line = f"{line}?{target.query_text}"
        return b"%b HTTP/1.1\r\n%bx-request-id: %b\r\n%b\r\n" % (
            line.encode("ascii"),
            prelude,
            request_id.encode("ascii"),
            framing,
        )

    def _prelude(self, section: Section, caller: Caller, forwarding_lines: bytes) -> bytes:
        """The lines that stay the same as long as the header section and the caller do."""
        passing = section.headers.lines(self.passable)
        said = b"%b: %b\r\n" % (self._caller_header, _quoted(caller.subject))
        return self._constant_lines + passing + forwarding_lines + said


def _rewrite_rules(settings: ServiceSettings) -> RewriteRules | None:
    if settings.public_url is None:
        return None
    return RewriteRules.of(
        public_url=settings.public_url,
        prefix=settings.prefix,
        base_path=settings.upstream.base_path,
        origins=(*settings.upstream.nodes, *settings.rewrite_from),
    )


@lru_cache(maxsize=4096)
def _quoted(subject: str) -> bytes:
    return quote(subject, safe=_SUBJECT).encode("ascii")


# Visible ASCII without `%`, which marks the escapes themselves (threat H-10).
_SUBJECT = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) != "%")


def _lines(**fields: str) -> bytes:
    return "".join(f"{name}: {value}\r\n" for name, value in fields.items()).encode("ascii")
