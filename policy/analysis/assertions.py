"""Assertions as they are written, and what they mean in one table.

A name that leads nowhere is a finding, also where the assertion would hold without it: what was
meant is not what is written.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum

import msgspec

from policy import decoding
from policy.analysis.lookup import Lookup
from policy.analysis.meant import Meant, Reader
from policy.analysis.selections import Asked
from policy.analysis.whom import Whom
from policy.assertions import AssertionEntry, AssertionsFile, WhomEntry
from policy.assertions import Whom as WhomWritten
from policy.diagnostics import Code, Diagnostic, Location, visible
from policy.errors import PolicyInvalid
from policy.loader import Text
from policy.source import Place, scan
from policy.table import DecisionTable

__all__ = ["Assertion", "Rule", "Verb", "assertions_of"]


class Rule(StrEnum):
    """Which callers are looked at, and whether they may or must."""

    ONLY = "only"
    NEVER = "never"
    ALWAYS = "always"


class Verb(StrEnum):
    """What is asked of them."""

    CAN = "can"
    HOLD = "hold"
    CAN_BOTH = "can_both"


class Assertion(msgspec.Struct, frozen=True):
    """One assertion, with every name looked up.

    `asked` are the requests it speaks of, in one group, or in two with `can_both`; `held` are the
    permissions of `hold`, as bits. `together` says that callers may bring several values of the
    roles claim.
    """

    name: str
    title: str
    where: Location
    rule: Rule
    whom: Whom
    verb: Verb
    asked: tuple[tuple[Asked, ...], ...] = ()
    held: int = 0
    together: bool = False


def assertions_of(
    table: DecisionTable, texts: Iterable[Text], read: Reader
) -> tuple[Assertion, ...]:
    """The assertions of these files; every finding at once as `PolicyInvalid`."""
    lookup = Lookup(table)
    meant = Meant(table, read, lookup)
    findings: list[Diagnostic] = []
    first: dict[str, Location] = {}
    assertions = []
    for place, entries in _written(texts, findings):
        for name, entry in entries.items():
            where = place.where(name, key=True)
            if name in first:
                said = f"the assertion `{name}` is made twice"
                advice = f"the first one is at {first[name]}"
                findings.append(Diagnostic(where, Code.DUPLICATE_NAME, said, advice))
                continue
            first[name] = where
            assertions.append(_assertion(name, entry, place.below(name), meant, lookup, table))
    if found := [*findings, *lookup.findings]:
        raise PolicyInvalid(found)
    return tuple(assertions)


def _written(
    texts: Iterable[Text], findings: list[Diagnostic]
) -> list[tuple[Place, Mapping[str, AssertionEntry]]]:
    """The sound entries of each file, and where they stand."""
    written = []
    for text in texts:
        source, found = scan(text.content, text.file)
        findings += found
        if source is not None:
            reading = decoding.read(AssertionsFile, source)
            findings += reading.findings
            if reading.model is not None:
                written.append((source.place.below("assertions"), reading.model.assertions))
    return written


def _assertion(
    name: str,
    entry: AssertionEntry,
    place: Place,
    meant: Meant,
    lookup: Lookup,
    table: DecisionTable,
) -> Assertion:
    """The assertion, without what was looked for in vain."""
    rule = next(rule for rule in Rule if getattr(entry, rule) is not None)
    verb = next(verb for verb in Verb if getattr(entry, verb) is not None)
    whom = _whom(getattr(entry, rule), place.below(rule), lookup)
    asked: list[tuple[Asked, ...]] = []
    held: frozenset[str] | None = None
    match verb:
        case Verb.CAN:
            asked.append(meant.asked(entry.can or (), place.below("can")))
        case Verb.CAN_BOTH:
            for number, what in enumerate(entry.can_both or ()):
                asked.append(meant.asked(what, place.below("can_both", number)))
        case Verb.HOLD:
            held = lookup.known(Code.UNKNOWN_PERMISSION, entry.hold, place.below("hold"))
    return Assertion(
        name=name,
        title=visible(entry.title),
        where=place.where(key=True),
        rule=rule,
        whom=whom,
        verb=verb,
        asked=tuple(asked),
        held=table.permissions.mask_of(held or ()),
        together=_adds_up(entry, rule, verb, whom),
    )


def _adds_up(entry: AssertionEntry, rule: Rule, verb: Verb, whom: Whom) -> bool:
    """Whether a caller may bring several values of the roles claim.

    Where claims together could break an assertion that none of them breaks alone, and only then,
    that is worth knowing unasked. But whoever separates two duties, or speaks of a group's members,
    knows that a token with everything in it breaks that.
    """
    if rule is Rule.ALWAYS:
        return False
    if entry.claims is not None:
        return entry.claims == "together"
    return verb is Verb.CAN and (rule is Rule.ONLY or whom.known)


def _whom(written: WhomWritten, place: Place, lookup: Lookup) -> Whom:
    if not isinstance(written, WhomEntry):
        return Whom(strangers=written != "authenticated", known=written != "anonymous")

    def known(code: Code, section: str) -> frozenset[str]:
        names = getattr(written, section)
        return lookup.known(code, names, place.below(section)) or frozenset()

    return Whom(
        roles=known(Code.UNKNOWN_ROLE, "roles"),
        groups=known(Code.UNKNOWN_GROUP, "groups"),
        users=known(Code.UNKNOWN_USER, "users"),
        clients=known(Code.UNKNOWN_CLIENT, "clients"),
        claims=known(Code.UNKNOWN_CLAIM, "claims"),
    )
