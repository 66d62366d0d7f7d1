"""Where a service is: its nodes, which of them is asked, and how long and how much at once."""

import re
from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from gateway.settings.base import Section, at_least_one, finding, refuse
from gateway.settings.credential import Credential
from gateway.settings.upstream_tls import UpstreamTls
from gateway.settings.values import BasePath, Count, Seconds, Url, UrlField
from policy import Code

__all__ = ["HealthSettings", "UpstreamSettings"]

# RFC 3986 section 3.3 and 3.4: a path, perhaps with a query.
_HEALTH_PATH = re.compile(
    r"/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*(?:\?[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)?"
)


def _health_path(value: str) -> str:
    if not _HEALTH_PATH.fullmatch(value):
        raise PydanticCustomError(
            "path-malformed",
            "expected a path such as `/server/status`, escaped as it is sent",
        )
    return value


class HealthSettings(Section):
    """Asking each node how it is, whether or not anybody needs it."""

    path: Annotated[str, AfterValidator(_health_path)] = Field(
        description="what is asked for with GET; `base_path` is not put before it, 2xx and 3xx pass"
    )
    interval_seconds: Seconds = Field(
        default=5.0,
        description="pause between two checks of a node; nginx Plus's `interval` of 5 seconds",
    )
    timeout_seconds: Seconds = Field(
        default=2.0, description="for one check, from connecting to the reply's end, else it fails"
    )
    fail_after: Count = Field(
        default=2,
        description="failed checks in a row until a node is out; AWS load balancers' default",
    )
    pass_after: Count = Field(
        default=2, description="passed checks in a row until it is in again; HAProxy's `rise` of 2"
    )


class UpstreamSettings(Section):
    """Where a service is and how long to wait for it."""

    nodes: Annotated[tuple[UrlField, ...], Field(strict=False), at_least_one] = Field(
        description="the servers, each as `http://host:port` or `https://host:port`, all of one"
        " scheme; with every one of them out, all are tried as if none were"
    )
    choose: Literal["failover", "least-outstanding"] = Field(
        default="failover",
        description="which node is asked: with `failover` the first of the list that is in, as"
        " suits a primary and its backup; with `least-outstanding` the one that has the fewest"
        " requests of ours",
    )
    base_path: BasePath = Field(
        default="/", description="path under which the upstream serves the catalogue's operations"
    )
    credential: Credential | None = Field(
        default=None, description="what the gateway authenticates with; nothing if left out"
    )
    tls: UpstreamTls | None = Field(
        default=None,
        description="for nodes with `https`, whose certificates are verified in any case",
    )
    health: HealthSettings | None = Field(
        default=None,
        description="active checks; none if left out. The gateway is not ready while all nodes of"
        " a service fail theirs",
    )
    eject_after: Count = Field(
        default=3,
        description="requests in a row that fail at a node, connecting included, until it is out"
        " for a while; HAProxy's `fall` of 3",
    )
    eject_seconds: Seconds = Field(
        default=1.0,
        description="how long, the first time; then one request is let through, and where that"
        " fails too the time is doubled, as gRPC backs off from 1 second",
    )
    max_eject_seconds: Seconds = Field(
        default=30.0, description="the longest time out; Envoy's `base_ejection_time` of 30 seconds"
    )
    max_concurrent: Count = Field(
        default=1024,
        description="requests that one worker has under way at one node; further ones wait."
        " Envoy's `max_requests` of 1024; Tomcat and Jetty have 200 threads unless told otherwise",
    )
    max_waiting: int = Field(
        default=1024,
        ge=0,
        le=1_000_000,
        description="requests that wait for a place at a node, in one worker, in their order;"
        " further ones get 503 at once; Envoy's `max_pending_requests`",
    )
    wait_timeout_seconds: Seconds = Field(
        default=1.0,
        description="for a place to become free, else 503; whoever waits longer for that is better"
        " off asking again",
    )
    idle_connections: int = Field(
        default=1024,
        ge=0,
        le=65_536,
        description="connections to each node kept open for the next request, for 15 seconds at most;"
        " fewer than are busy at once cost a new connection for every request beyond them",
    )
    connect_timeout_seconds: Seconds = Field(
        default=3.0,
        description="for a connection to be made, TLS included, else the next node is tried, and"
        " with none left 502; a lost SYN is sent again after 1 second, and once more after 3",
    )
    first_byte_timeout_seconds: Seconds = Field(
        default=60.0,
        description="from the request's end to the reply's first byte, else 504; nginx's"
        " `proxy_read_timeout`",
    )
    idle_timeout_seconds: Seconds = Field(
        default=60.0, description="silence between two pieces of a reply, else it is cut off"
    )

    @field_validator("nodes")
    @classmethod
    def _are_distinct_and_of_one_kind(cls, nodes: tuple[Url, ...]) -> tuple[Url, ...]:
        refuse(_faults_of(nodes))
        return nodes

    @model_validator(mode="after")
    def _makes_sense_together(self) -> Self:
        faults = []
        if self.tls is not None and self.nodes[0].scheme == "http":
            message = "no node is asked by `https`, so this would be without effect"
            faults.append(finding("tls-unused", message, "tls"))
        if self.max_eject_seconds < self.eject_seconds:
            key = (
                "eject_seconds" if "eject_seconds" in self.model_fields_set else "max_eject_seconds"
            )
            message = "`eject_seconds` is longer than `max_eject_seconds`"
            faults.append(finding("ejection-times", message, key))
        refuse(faults)
        return self


def _faults_of(nodes: tuple[Url, ...]) -> Iterator[InitErrorDetails]:
    seen: set[tuple[str, int]] = set()
    for index, node in enumerate(nodes):
        place = node.host.lower(), node.port
        if place in seen:
            message = "the {key} `{name}` is used twice"
            yield finding(Code.DUPLICATE_NAME, message, index, key="node", name=str(node))
        elif node.scheme != nodes[0].scheme:
            # Whoever can keep the TLS node from answering could choose plain text for all.
            message = "`http` and `https` side by side: all nodes of a service use one scheme"
            yield finding("schemes-mixed", message, index)
        seen.add(place)
