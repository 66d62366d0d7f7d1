r"""The attack corpus (`tests/corpus/`) as frozen values.

A file is one theme: `about` it, `defaults` for its cases, and `cases` by name. The name is a
clause; a case says which threats it answers, the bytes that a client sends, and what both sides
must see:

    dot segments are refused:
      threats: [P-1]
      raw: "GET <shape> HTTP/1.1\r\nHost: h\r\n<caller>\r\n"     each character is one byte
      shapes: ["/..", "/a/../b"]       the case once for each; where each has an outcome of its own,
                                       a mapping to what `<sent>` stands for below
      caller: everything               whose credentials `<caller>` are: see CALLERS
      ends: false                      the client ends its side after the last byte
      replies: ["400 malformed-target"]    status and `X-Gateway-Refusal`; `HEAD 200` has no body;
                                       `200 * 3` stands for three of them
      closed: false                    whether the gateway closes after the last reply; where it
                                       does not, one more request has to be answered as usual
      sent: []                         what the upstream got, in order: "GET /path", or a mapping
                                       of `request`, `passes` (the client's fields among those
                                       sent), `body` and `chunked`
      begun: false                     an allowed request of which the upstream got only a part
      because: ["llhttp"]              how the reason in our log may begin; asked of the wire alone
      limits: {max_headers: 5}         other limits than the defaults
      upstream: "HTTP/1.1 200 OK…"     the upstream's reply, and with `hangs_up` its end after it
      kept: true                       whether that connection may serve another request
      body: "{}"                       the reply's body as the client gets it
      lines: ["x-a: b"]                the reply's own fields, beside the gateway's
      cut: false                       whether the client can tell that the body is not whole
      late: false                      a reply that comes in pieces has begun before its fault
                                       shows, and is cut off instead

In `raw` and `upstream`, `<3*ab>` is `ababab` and `<length>` the number of bytes after the head.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any

import yaml

__all__ = ["CORPUS", "Case", "Sent", "Shape", "expanded", "load_corpus", "read_plainly"]

CORPUS = Path(__file__).resolve().parents[1] / "corpus"


@dataclass(frozen=True)
class Sent:
    """One request as the upstream must get it."""

    request: str
    passes: tuple[str, ...] = ()
    body: bytes = b""
    chunked: bool = False
    caller: str = ""

    @property
    def method(self) -> str:
        return self.request.partition(" ")[0]


@dataclass(frozen=True)
class Shape:
    """One spelling of a case: the bytes, and what the upstream gets of them."""

    text: str
    raw: bytes
    sent: tuple[Sent, ...]

    def __repr__(self) -> str:
        return repr(self.text[:60])


@dataclass(frozen=True)
class Case:
    name: str
    theme: str
    threats: tuple[str, ...]
    raw: str
    shapes: Mapping[str, str | None]
    caller: str = "everything"
    ends: bool = False
    replies: tuple[str, ...] = ()
    closed: bool = False
    sent: tuple[str | Mapping[str, Any], ...] = ()
    begun: bool = False
    because: tuple[str, ...] = ()
    limits: Mapping[str, Any] = field(default_factory=dict)
    upstream: str | None = None
    hangs_up: bool = False
    kept: bool = True
    body: str | None = None
    lines: tuple[str, ...] | None = None
    cut: bool = False
    late: bool = False

    def __str__(self) -> str:
        return f"{self.theme}: {self.name}"

    def spelt(self, credentials: Mapping[str, bytes]) -> list[Shape]:
        """Every shape of the case, with the callers' `Authorization` lines."""
        found = []
        for text, sent in self.shapes.items():
            words = {"shape": text, "sent": sent or "", "caller": _line(credentials, self.caller)}
            raw = expanded(self.raw, words)
            requests = tuple(self._sent(item, words) for item in self.sent)
            found.append(Shape(text, raw, requests))
        return found

    def _sent(self, item: str | Mapping[str, Any], words: Mapping[str, str]) -> Sent:
        if isinstance(item, str):
            item = {"request": item}
        return Sent(
            request=expanded(item["request"], words).decode("latin-1"),
            passes=tuple(
                expanded(line, words).decode("latin-1") for line in item.get("passes", ())
            ),
            body=expanded(item.get("body", ""), words),
            chunked=item.get("chunked", False),
            caller=item.get("caller", self.caller),
        )


def _line(credentials: Mapping[str, bytes], caller: str) -> str:
    value = credentials[caller].decode("latin-1")
    return f"Authorization: {value}\r\n" if value else ""


_WORD = re.compile(r"<(shape|sent|caller)>")
_REPEATED = re.compile(r"<(\d+)\*(.*?)>", re.DOTALL)


def expanded(text: str, words: Mapping[str, str]) -> bytes:
    """The bytes that a case's text stands for."""
    text = _WORD.sub(lambda match: words[match[1]], text)
    text = _REPEATED.sub(lambda match: match[2] * int(match[1]), text)
    raw = text.encode("latin-1")
    if b"<length>" in raw:
        raw = raw.replace(b"<length>", b"%d" % len(raw.partition(b"\r\n\r\n")[2]))
    return raw


class _Loader(yaml.SafeLoader):
    """YAML in which a key may stand once."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(
                    None, None, f"`{key}` stands twice", node.start_mark
                )
        return super().construct_mapping(node, deep)


def read_plainly(text: str) -> Any:
    return yaml.load(text, _Loader)


@cache
def load_corpus() -> tuple[Case, ...]:
    """Every case of every theme. A key that nobody knows is a mistake in the file."""
    cases = []
    for path in sorted(CORPUS.glob("*.yaml")):
        theme = read_plainly(path.read_text("utf-8"))
        assert theme.keys() <= {"about", "defaults", "cases"}, path.name
        for name, written in theme["cases"].items():
            case = theme.get("defaults", {}) | written
            unknown = case.keys() - {each.name for each in fields(Case)}
            assert not unknown, f"{path.name}, {name}: {unknown}"
            cases.append(_case(name, path.name, case))
    return tuple(cases)


def _case(name: str, theme: str, written: dict[str, Any]) -> Case:
    shapes = written.pop("shapes", [""])
    if not isinstance(shapes, dict):
        assert len(set(shapes)) == len(shapes), f"{name}: a shape stands twice"
        shapes = dict.fromkeys(shapes)
    written["replies"] = [
        reply
        for text, _, count in (each.partition(" * ") for each in written.get("replies", ()))
        for reply in [text] * int(count or 1)
    ]
    for key in ("threats", "replies", "sent", "because", "lines"):
        if written.get(key) is not None:
            written[key] = tuple(written[key])
    return Case(name=name, theme=theme, shapes=shapes, **written)
