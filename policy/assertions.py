"""The shape of `proofs/*.yaml`: what must hold of a whole policy, whatever it becomes.

An assertion says of some callers (`only`, `never`, `always`) what they can do (`can`), what they
hold (`hold`), or which two things they can do both of (`can_both`). It is read aloud as it stands:
only role `schema-admin` can `delete-extension-schema`.
"""

from collections.abc import Mapping
from typing import Annotated, Literal, Self, TypeVar

from pydantic import Discriminator, Field, Strict, Tag, model_validator
from pydantic_core import PydanticCustomError

from policy.entries import Entry, Maybe, Name, SentenceText, SomeNames, WhenEntry

__all__ = ["AssertionEntry", "AssertionsFile", "What", "WhatEntry", "Whom", "WhomEntry", "listed"]

T = TypeVar("T")


def _form(value: object) -> str | None:
    """Several things may be meant by a word, by a list, or by a mapping."""
    match value:
        case str():
            return "<name>"
        case list() | tuple():
            return "<list>"
        case dict() | Entry():
            return "<mapping>"
        case _:
            return None


def listed(value: T | tuple[T, ...]) -> tuple[T, ...]:
    """What was written as one or as a list of them, as a list."""
    return value if isinstance(value, tuple) else (value,)


_OneOrMore = Annotated[
    Annotated[Name, Tag("<name>")] | Annotated[SomeNames, Tag("<list>")],
    Discriminator(
        _form,
        custom_error_type="wrong-type",
        custom_error_message="this must be a name, or a list of names",
    ),
]
_Method = Literal["reads", "writes", "GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
_Methods = Annotated[
    Annotated[_Method, Tag("<name>")]
    | Annotated[tuple[_Method, ...], Strict(False), Field(min_length=1), Tag("<list>")],
    Discriminator(
        _form,
        custom_error_type="wrong-type",
        custom_error_message="this must be `reads`, `writes`, a method, or a list of these",
    ),
]


class WhomEntry(Entry):
    """Callers by what makes them so: whoever has one of these is meant."""

    roles: Maybe[_OneOrMore] = None
    """Whoever is given one of these roles. A role that includes one of them is another role."""
    groups: Maybe[_OneOrMore] = None
    """Whoever belongs to one of these groups."""
    users: Maybe[_OneOrMore] = None
    """These users of the policy."""
    clients: Maybe[_OneOrMore] = None
    """These OAuth clients of the policy."""
    claims: Maybe[_OneOrMore] = None
    """Whoever has one of these values in its token's roles claim."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise PydanticCustomError("empty-value", "nobody is named here")
        return self


class WhatEntry(Entry):
    """Requests by what they ask for; of several keys all must apply, of several names one."""

    operations: Maybe[_OneOrMore] = None
    """Operations, by their names in the catalogues."""
    methods: Maybe[_Methods] = None
    """`writes` (POST, PUT, PATCH and DELETE), `reads` (the others), or methods by name. HEAD counts
    as GET."""
    services: Maybe[_OneOrMore] = None
    """Everything of these services."""
    paths: Maybe[_OneOrMore] = None
    """Path templates as clients see them. `{name}` or `*` stands for any parameter, and `/**` at
    the end for everything below."""
    needs: Maybe[_OneOrMore] = None
    """Requests for which one of these permissions is needed, or would do."""
    when: Maybe[WhenEntry] = None
    """Only requests of which this is true, written as in a catalogue."""
    request: Maybe[SentenceText] = None
    """One request: `GET /profiles/1?extensions=Phone`. Stands alone, or with `body`."""
    body: Maybe[Mapping[str, object]] = None
    """The JSON body of that request; `(the caller)` as a value is the name of whoever sends it."""

    @model_validator(mode="after")
    def _is_of_one_kind(self) -> Self:
        given = self.model_fields_set
        if not given:
            raise PydanticCustomError("empty-value", "nothing is named here")
        if "body" in given and "request" not in given:
            advice = "name it with `request`, or say what is in bodies with `when`"
            raise PydanticCustomError("bad-value", "a body without its request", {"help": advice})
        if "request" in given and given - {"request", "body"}:
            said = "one request is named; what else is here cannot narrow it"
            raise PydanticCustomError("bad-value", said)
        return self


Whom = Literal["anyone", "authenticated", "anonymous"] | WhomEntry
What = str | tuple[str, ...] | WhatEntry

_Whom = Annotated[
    Annotated[Literal["anyone", "authenticated", "anonymous"], Tag("<name>")]
    | Annotated[WhomEntry, Tag("<mapping>")],
    Discriminator(
        _form,
        custom_error_type="wrong-type",
        custom_error_message=(
            "this must be `anyone`, `authenticated`, `anonymous`, or a mapping with `roles`,"
            " `groups`, `users`, `clients` or `claims`"
        ),
    ),
]
_What = Annotated[
    Annotated[Name, Tag("<name>")]
    | Annotated[SomeNames, Tag("<list>")]
    | Annotated[WhatEntry, Tag("<mapping>")],
    Discriminator(
        _form,
        custom_error_type="wrong-type",
        custom_error_message="this must be an operation, a list of them, or a mapping",
    ),
]


class AssertionEntry(Entry):
    """One assertion: `only`, `never` or `always`, with `can`, `hold` or `can_both`."""

    title: SentenceText
    """Why it must hold, for whoever reads that it does not."""
    only: Maybe[_Whom] = None
    """Nobody but these callers."""
    never: Maybe[_Whom] = None
    """None of these callers."""
    always: Maybe[_Whom] = None
    """Each of these callers."""
    can: Maybe[_What] = None
    """Is allowed to send such a request: any of them with `only` and `never`, every one of them
    with `always`."""
    hold: Maybe[_OneOrMore] = None
    """Holds all of these permissions at once, whatever they are good for."""
    can_both: Maybe[Annotated[tuple[_What, ...], Strict(False)]] = None
    """Is allowed to send a request of the first sort, and also one of the second."""
    claims: Maybe[Literal["together", "alone"]] = None
    """Whether callers may bring several values of the roles claim, users among them (`together`), or
    each value is looked at by itself, and users without any (`alone`). If left out: `together` where
    `can` stands with `only`, `never: anyone` or `never: authenticated`, and `alone` elsewhere."""

    @model_validator(mode="after")
    def _is_one_rule(self) -> Self:
        given = self.model_fields_set
        if len(given & {"only", "never", "always"}) != 1:
            said = "an assertion has one of `only`, `never` and `always`"
            raise PydanticCustomError("bad-value", said)
        if len(given & {"can", "hold", "can_both"}) != 1:
            said = "an assertion has one of `can`, `hold` and `can_both`"
            raise PydanticCustomError("bad-value", said)
        if self.can_both is not None and len(self.can_both) != 2:
            raise PydanticCustomError("bad-value", "`can_both` names two things")
        self._check_sense()
        return self

    def _check_sense(self) -> None:
        """What would hold of every policy, or could not be meant, is a slip."""
        if self.only == "anyone":
            said = "`only: anyone` holds whatever the policy says"
            raise PydanticCustomError("pointless-rule", said)
        if self.always is not None and self.can_both is not None:
            advice = "`always` with `can` and both of them says it already"
            said = "`can_both` says nothing with `always`"
            raise PydanticCustomError("pointless-rule", said, {"help": advice})
        if self.always is not None and self.claims is not None:
            said = "`claims` says nothing with `always`: what is added never takes away"
            raise PydanticCustomError("pointless-rule", said)


class AssertionsFile(Entry):
    """Assertions about the policy beside which they lie."""

    assertions: Annotated[Mapping[Name, AssertionEntry], Field(min_length=1)]
    """Every assertion by its name."""
