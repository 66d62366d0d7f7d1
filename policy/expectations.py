"""The shape of an expectation table: what requests should become of, caller by caller.

Tables lie beside the policy, in `tests/` below its folder, and change with it. An expectation says
why as well as what: a request that is denied for another reason than the author had in mind is
not as expected.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    Strict,
    StringConstraints,
    Tag,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from policy.entries import (
    AllOf,
    AnyOf,
    Entry,
    Maybe,
    Name,
    Names,
    RequiredItems,
    Requires,
    SentenceText,
    SomeNames,
    form_of_requires,
)

__all__ = ["CallerEntry", "Denial", "ExpectationEntry", "ExpectationsFile", "LackEntry", "SentBody"]

_REQUEST = re.compile(r"\S+ \S+")


def _two_words(request: str) -> str:
    """What the gateway makes of the two is asked later: it may well refuse them."""
    if not _REQUEST.fullmatch(request):
        advice = "write it as in a request line: `GET /profiles/1?x=y`"
        said = "a request is a method, one space and a target"
        raise PydanticCustomError("malformed-request", said, {"help": advice})
    return request


def _with_reasons(deny: object) -> object:
    """A list of callers is what comes to mind first, by analogy with `allow`."""
    if isinstance(deny, list):
        advice = "write `{caller: [permission, …]}`, or `{caller: reason}`"
        said = "`deny` says of every caller why"
        raise PydanticCustomError("wrong-type", said, {"help": advice})
    return deny


def _not_empty(lines: object) -> object:
    """Asked before the lines are read: those that are wrong make a list no shorter."""
    if lines == []:
        raise PydanticCustomError("empty-value", "`expect` must not be empty")
    return lines


def _form_of_body(body: object) -> str | None:
    match body:
        case str():
            return "<text>"
        case dict():
            return "<mapping>"
        case _:
            return None


def _form_of_denial(value: object) -> str | None:
    keys = {"permissions", "scopes", "divisions"}
    if isinstance(value, LackEntry) or (isinstance(value, dict) and keys & value.keys()):
        return "<lack>"
    return form_of_requires(value)


class LackEntry(Entry):
    """What a denied caller lacks, where it is not permissions alone."""

    permissions: Maybe[RequiredItems] = None
    """The permissions that are missing, or that are held elsewhere only."""
    scopes: Maybe[SomeNames] = None
    """The scopes of which one is missing."""
    divisions: Maybe[SomeNames] = None
    """The divisions in which the permissions would have to be held."""

    @model_validator(mode="after")
    def _lacks_something(self) -> Self:
        if not self.model_fields_set:
            raise PydanticCustomError("empty-value", "nothing is missing here")
        if self.divisions is not None and self.scopes is not None:
            said = "whoever lacks a scope is denied before divisions are looked at"
            raise PydanticCustomError("bad-value", said)
        return self


SentBody = str | Mapping[str, Any]
Denial = Requires | LackEntry

_Body = Annotated[
    Annotated[str, Tag("<text>")] | Annotated[Mapping[str, Any], Tag("<mapping>")],
    Discriminator(
        _form_of_body,
        custom_error_type="wrong-type",
        custom_error_message="a body is a mapping; any other body has to be written as text",
    ),
]
_Denial = Annotated[
    Annotated[Name, Tag("<name>")]
    | Annotated[RequiredItems, Tag("<list>")]
    | Annotated[AnyOf, Tag("<any>")]
    | Annotated[AllOf, Tag("<all>")]
    | Annotated[LackEntry, Tag("<lack>")],
    Discriminator(
        _form_of_denial,
        custom_error_type="wrong-type",
        custom_error_message=(
            "this must be the missing permissions as a list, `{any: […]}`, `{scopes: […]}`,"
            " `{permissions: […], divisions: […]}`, or a reason"
        ),
    ),
]


class CallerEntry(Entry):
    """Somebody who sends requests; whoever has no key but `roles: []` is known and has no role."""

    user: Maybe[Name] = None
    """A user of the policy, with everything that the policy gives that user."""
    subject: Maybe[Name] = None
    """A name that no policy file has to know, for rules that compare the caller's name."""
    client: Maybe[Name] = None
    """An OAuth client of the policy, with everything that the policy gives that client."""
    roles: Names = ()
    """Roles that the caller has, besides what the policy gives by the other keys."""
    divisions: Maybe[SomeNames] = None
    """The divisions in which `roles` count; all of them if left out."""
    scopes: Maybe[Names] = None
    """The scopes that the caller's token names; if left out, all that there are, and for a client
    those of the policy."""
    claims: Names = ()
    """Values of the token's roles claim."""

    @model_validator(mode="after")
    def _is_somebody(self) -> Self:
        if not self.model_fields_set:
            advice = "give `roles`, `claims`, `user` or `client`; `roles: []` is a caller without any role"
            said = "this describes nobody"
            raise PydanticCustomError("empty-value", said, {"help": advice})
        names = {"user", "client", "subject"} & self.model_fields_set
        if len(names) > 1:
            said = "a caller has one of `user`, `client` and `subject`"
            raise PydanticCustomError("bad-value", said)
        if self.client is not None and (self.roles or self.claims):
            said = "a client has what the policy gives it, and nothing besides"
            raise PydanticCustomError("bad-value", said)
        return self


class ExpectationEntry(Entry):
    """What is expected of one request. It is sent by every caller that is named here."""

    name: SentenceText = ""
    """What people call it."""
    request: Annotated[
        str,
        AfterValidator(_two_words),
        WithJsonSchema({"type": "string", "pattern": f"^{_REQUEST.pattern}$"}),
    ]
    """Method and target as a client sends them: `GET /profiles/1?extensions=Phone`."""
    headers: Mapping[
        Annotated[str, StringConstraints(pattern="^[A-Za-z0-9-]{1,128}$")], SentenceText
    ] = {}
    """Headers that say the request's division, by name."""
    body: Maybe[_Body] = None
    """The body, which is sent as JSON; as text, exactly that is sent."""
    route: Maybe[Name] = None
    """The operation that answers, by its name in the catalogue."""
    allow: Names = ()
    """The callers who are allowed: of `callers`, users of the policy, or `anonymous`."""
    deny: Annotated[Mapping[Name, _Denial], BeforeValidator(_with_reasons)] = {}
    """The callers who are denied, each with exactly the permissions that are missing (of an
    `{any: […]}` one is), with `{permissions: […], scopes: […], divisions: […]}` where it is not
    permissions alone, or with a reason: `no-route`, `not-authenticated`, `closed`, `guard-failed`,
    `undecidable`, `permission-missing`, `scope-missing` and `division-missing` whatever is missing,
    or the code with which the gateway refuses what it cannot read, such as `malformed-target`."""
    because: Maybe[Annotated[tuple[Name, ...], Strict(False)]] = None
    """What was true of the request, in the words of `explain`: the conditions that came true
    where callers are allowed, the guards that failed where it is denied by one. `[]` for none."""

    @model_validator(mode="after")
    def _expects_something(self) -> Self:
        if not self.allow and not self.deny and self.route is None:
            said, advice = "this expects nothing", "give `allow`, `deny` or `route`"
            raise PydanticCustomError("empty-value", said, {"help": advice})
        return self


class ExpectationsFile(Entry):
    """Expectations: who may send which request, and who may not and why."""

    callers: Mapping[Name, CallerEntry] = {}
    """The callers of this file by name. Users of the policy, and `anonymous`, need no entry."""
    expect: Annotated[
        tuple[ExpectationEntry, ...],
        Strict(False),
        BeforeValidator(_not_empty),
        Field(json_schema_extra={"minItems": 1}),
    ]
    """The expectations, one request each."""
