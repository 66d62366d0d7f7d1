"""One service as the data plane sees it: its nodes, and the request that is sent to one of them.

The request is serialised from the canonical request that was decided on: its method, its
canonical target, the few header fields that may pass, and what the gateway itself says. The
client's bytes never reach the upstream, except those of the body.
"""

from functools import lru_cache
from urllib.parse import quote

from gateway.clock import Clock
from gateway.exchange import RequestHead, Section
from gateway.http.headers import FORWARDED
from gateway.http.rewrite import RewriteRules
from gateway.http.target import Target
from gateway.outbound import an_endpoint
from gateway.settings import OAuthCredential, ServiceSettings, UpstreamSettings, UpstreamTls
from gateway.upstream.balance import STRATEGIES
from gateway.upstream.health import HealthChecks
from gateway.upstream.nodes import Ejection, Node
from gateway.upstream.places import Places
from gateway.upstream.pool import Pool
from gateway.upstream.token import UpstreamToken
from gateway.wire.outbox import Outbox
from gateway.wire.upstream import UpstreamLimits
from gateway.wire.watch import Watch
from policy import Caller

__all__ = ["Upstream"]

# How long an idle connection is kept: below the 60 s after which Jetty and the 20 s after which
# Tomcat close theirs, so that we rarely write into a connection that is just being closed.
_KEEP_SECONDS = 15.0


class Upstream:
    """The constant parts of every request to one service, and the places at its nodes.

    `retries` counts the requests that were sent on to another node, or once more. `token` is where
    the gateway's credential comes from if it changes; else it is among the constant lines.
    """

    def __init__(
        self, settings: ServiceSettings, watch: Watch, outbox: Outbox, clock: Clock
    ) -> None:
        self.name = settings.name
        self.dialect = settings.errors
        self.prefix = settings.prefix
        self.reveal_missing = settings.reveal_missing
        self.retries = 0
        upstream = settings.upstream
        pools = _pools(upstream, watch, outbox)
        self.nodes = tuple(_node(pool, settings.name, upstream, clock) for pool in pools)
        self.places = Places(
            self.nodes,
            STRATEGIES[upstream.choose],
            clock=clock,
            max_waiting=upstream.max_waiting,
            wait_timeout_seconds=upstream.wait_timeout_seconds,
        )
        self.passable = FORWARDED | {name.lower().encode() for name in settings.forward_headers}
        self.readable = self.passable
        self._pin_header = b""
        if settings.pin_header is not None:
            self._pin_header = settings.pin_header.encode()
            self.readable |= {self._pin_header.lower()}  # and never passes
        self.rewrite = _rewrite_rules(settings)
        if self.rewrite is not None:
            self.passable -= {b"accept-encoding"}  # a compressed reply could not be rewritten
        self._prefix_length = len(settings.prefix.rstrip("/"))
        self._base_path = upstream.base_path.rstrip("/")
        self._caller_header = settings.caller_header.encode()
        self.token: UpstreamToken | None = None
        own: dict[str, str] = {}
        if (credential := upstream.credential) is not None:
            if credential.oauth is not None:
                self.token = _token(credential.oauth, settings.name, clock)
            elif credential.authorization is not None:
                own = {"authorization": credential.authorization.decode()}
        self._constant_lines = _lines(**own, **settings.set_headers)
        self._checks = None
        if upstream.health is not None:
            self._checks = HealthChecks(
                self.nodes,
                upstream.health,
                constant_lines=self._constant_lines,
                changing_line=self._changing_line,
            )

    def __repr__(self) -> str:
        return f"<Upstream {self.name} at {', '.join(node.name for node in self.nodes)}>"

    def start(self) -> None:
        """Fetch a token, and begin to ask the nodes how they are, where the settings say so."""
        if self.token is not None:
            self.token.start()
        if self._checks is not None:
            self._checks.start()

    async def close(self) -> None:
        if self._checks is not None:
            await self._checks.close()
        if self.token is not None:
            await self.token.close()
        for node in self.nodes:
            node.pool.close()

    def check(self) -> tuple[bool, str]:
        """Whether a request has somewhere to go, and how each node is that is out.

        A node that is out because requests failed may be in again with the next one, which a
        gateway that says it is not ready would never get; only failed checks count.
        """
        out = [f"{node.name} {node.state()}" for node in self.nodes if not node.is_in]
        inside = len(self.nodes) - len(out)
        told = f"{inside} of {len(self.nodes)} nodes in"
        told = f"{told}: {', '.join(out)}" if out else told
        ready = any(node.is_healthy for node in self.nodes)
        if self.token is not None:
            has_token, of_token = self.token.check()
            return ready and has_token, f"{told}, {of_token}"
        return ready, told

    def request_head(
        self,
        head: RequestHead,
        target: Target,
        caller: Caller,
        forwarding_lines: bytes,
        request_id: str,
        framing: bytes,
        host_line: bytes,
        changing_line: bytes,
        divisions: tuple[str, ...] = (),
    ) -> bytes:
        """The whole head, from the request line to the empty line.

        `framing` is the line that delimits the body, with its CRLF, or empty; `host_line` is the
        chosen node's, `changing_line` what `token` said; `divisions` is where the request was
        decided on. That is what a pinned service is told, whatever the client's own header says
        (threats D0-2, H-12).
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
        if divisions and self._pin_header:
            pinned = b"%b: %b\r\n" % (self._pin_header, divisions[0].encode("ascii"))
            prelude = prelude + pinned
        return b"%b HTTP/1.1\r\n%b%b%bx-request-id: %b\r\n%b\r\n" % (
            line.encode("ascii"),
            host_line,
            changing_line,
            prelude,
            request_id.encode("ascii"),
            framing,
        )

    def _changing_line(self) -> bytes | None:
        return b"" if self.token is None else self.token.line() or None

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


def _pools(settings: UpstreamSettings, watch: Watch, outbox: Outbox) -> list[Pool]:
    """The connections to each node, in the order of the settings."""
    limits = UpstreamLimits(
        first_byte_timeout_seconds=settings.first_byte_timeout_seconds,
        idle_timeout_seconds=settings.idle_timeout_seconds,
    )
    tls = settings.tls or UpstreamTls()
    context = tls.context() if settings.nodes[0].scheme == "https" else None
    return [
        Pool(
            name=node.authority,
            host=node.host,
            port=node.port,
            watch=watch,
            outbox=outbox,
            limits=limits,
            max_idle=settings.idle_connections,
            connect_timeout_seconds=settings.connect_timeout_seconds,
            keep_seconds=_KEEP_SECONDS,
            tls=context,
            server_name=tls.server_name or node.host,
        )
        for node in settings.nodes
    ]


def _node(pool: Pool, service: str, settings: UpstreamSettings, clock: Clock) -> Node:
    return Node(
        pool,
        service=service,
        clock=clock,
        ejection=Ejection(
            after=settings.eject_after,
            seconds=settings.eject_seconds,
            max_seconds=settings.max_eject_seconds,
        ),
        max_concurrent=settings.max_concurrent,
    )


def _token(settings: OAuthCredential, service: str, clock: Clock) -> UpstreamToken:
    form = {"scope": " ".join(settings.scopes), "audience": settings.audience or ""}
    return UpstreamToken(
        an_endpoint(settings, settings.token_url),
        service=service,
        form={name: value for name, value in form.items() if value},
        renew_before_seconds=settings.renew_before_seconds,
        clock=clock,
    )


@lru_cache(maxsize=4096)
def _quoted(subject: str) -> bytes:
    return quote(subject, safe=_SUBJECT).encode("ascii")


# Visible ASCII without `%`, which marks the escapes themselves (threat H-10).
_SUBJECT = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) != "%")


def _lines(**fields: str) -> bytes:
    return "".join(f"{name}: {value}\r\n" for name, value in fields.items()).encode("ascii")
