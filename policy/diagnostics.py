"""What is wrong with a file, where, and what to do about it.

A diagnostic is read at night by somebody who did not write the rule: it names the place, says in
lower case what was found, and adds a line of help where there is any. The codes are public and
stable: they are documented, asserted in tests, and never reused for something else.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

import msgspec

__all__ = ["Code", "Diagnostic", "Location", "Severity", "in_order", "visible"]


class Location(msgspec.Struct, frozen=True, order=True, gc=False):
    """A place in a file; lines and columns are counted from 1, as editors do."""

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Severity(StrEnum):
    """Whether a finding keeps a policy from being used."""

    ERROR = "error"
    WARNING = "warning"


class Code(StrEnum):
    """What kind of finding it is. `meaning` is the sentence of the reference manual."""

    meaning: str

    def __new__(cls, value: str, meaning: str) -> Self:
        """Keep the sentence beside the code, so that neither can be forgotten."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        return member

    # The text of a file.
    YAML_SYNTAX = "yaml-syntax", "the file is not YAML"
    YAML_ENCODING = "yaml-encoding", "the file is not UTF-8 text"
    YAML_TOO_LARGE = "yaml-too-large", "the file is larger than any such file should be"
    YAML_TOO_DEEP = "yaml-too-deep", "values are nested deeper than any such file needs"
    YAML_EMPTY = "yaml-empty", "the file holds nothing; perhaps it was read half written"
    YAML_DOCUMENTS = "yaml-documents", "the file holds more than one YAML document"
    YAML_DIRECTIVE = "yaml-directive", "the file asks for another version or dialect of YAML"
    YAML_ALIAS = "yaml-alias", "anchors and aliases are not read: every value stands for itself"
    YAML_TAG = "yaml-tag", "tags are not read: a value's type is what it looks like"
    YAML_KEY = "yaml-key", "a key is not a plain word or a quoted text"
    YAML_MERGE_KEY = "yaml-merge-key", "merge keys (`<<`) are not read"
    DUPLICATE_KEY = "duplicate-key", "a mapping holds the same key twice"

    # The shape of a file.
    UNKNOWN_KEY = "unknown-key", "a key has no meaning here"
    MISSING_KEY = "missing-key", "a key that must be given is not"
    WRONG_TYPE = "wrong-type", "a value is of the wrong type"
    UNKNOWN_VALUE = "unknown-value", "a value is none of those that are allowed here"
    EMPTY_VALUE = "empty-value", "a list, mapping or text that must hold something is empty"
    BAD_VALUE = "bad-value", "a value breaks a rule that its message states"
    MALFORMED_NAME = "malformed-name", "a name is empty, too long, or holds invisible characters"
    MALFORMED_REQUEST = "malformed-request", "a `request` is not a method and a path"

    # Names that lead nowhere, or to two things.
    UNKNOWN_CATALOGUE = "unknown-catalogue", "an overrides file is meant for another catalogue"
    UNKNOWN_PERMISSION = "unknown-permission", "no catalogue knows this permission"
    UNKNOWN_ROLE = "unknown-role", "no policy file defines this role"
    UNKNOWN_GROUP = "unknown-group", "no policy file defines this group"
    UNKNOWN_USER = "unknown-user", "no policy file defines this user"
    UNKNOWN_CLIENT = "unknown-client", "no policy file defines this client"
    UNKNOWN_CLAIM = "unknown-claim", "no policy file maps this value of the roles claim"
    UNKNOWN_SERVICE = "unknown-service", "the settings have no service of this name"
    UNKNOWN_LIST = "unknown-list", "the catalogue has no list of this name"
    UNKNOWN_LIST_ENTRY = "unknown-list-entry", "the list does not hold what is to be removed"
    UNKNOWN_PARAMETER = "unknown-parameter", "no path template has a parameter of this name"
    UNKNOWN_OPERATION = "unknown-operation", "the catalogue has no operation of this name"
    UNKNOWN_SWITCH = "unknown-switch", "the catalogue declares no switch of this name"
    UNKNOWN_SCOPE = "unknown-scope", "no catalogue has a scope of this name"
    WILDCARD_PERMISSION = "wildcard-permission", "a role names permissions by a pattern"
    DUPLICATE_NAME = "duplicate-name", "two entries, perhaps of two files, bear the same name"
    RESERVED_NAME = "reserved-name", "a name means something else already"
    ROLE_CYCLE = "role-cycle", "roles include each other in a circle"

    # Rules that cannot be what their author meant.
    POINTLESS_RULE = "pointless-rule", "a rule can never apply, or applies always"
    NOTHING_MEANT = "nothing-meant", "an assertion speaks of requests that there are none of"
    ROUTE_DUPLICATE = "route-duplicate", "two operations answer to exactly the same requests"
    TOO_MANY_COMBINATIONS = (
        "too-many-combinations",
        "the conditions of an operation combine in too many ways to be looked through",
    )
    ROUTE_AMBIGUOUS = "route-ambiguous", "a request may match two operations, neither closer"

    # Expectations that could not fail, or could not hold.
    UNKNOWN_CALLER = "unknown-caller", "neither this file nor the policy knows this caller"
    UNKNOWN_CONDITION = "unknown-condition", "no operation has a condition or guard of these words"
    CALLER_UNUSED = "caller-unused", "a caller is described and nothing is expected of it"
    CONTRADICTION = "contradiction", "the same caller is expected to be allowed and denied"

    # Warnings: the policy can be used, and somebody should look.
    ROUTE_OVERLAP = "route-overlap", "an operation takes requests from another service's operation"
    ROLE_GRANTS_NOTHING = "role-grants-nothing", "a role is enabled and grants no permission"
    OPERATION_UNREACHABLE = "operation-unreachable", "no role holds what an operation needs"
    SWITCH_UNUSED = "switch-unused", "a switch is declared and changes nothing"
    PERMISSION_UNUSED = "permission-unused", "no operation asks for a permission"
    PERMISSION_NOT_GRANTED = "permission-not-granted", "operations need what no role grants"
    ROLE_DUPLICATE = "role-duplicate", "two roles grant exactly the same"
    ROLE_UNASSIGNED = "role-unassigned", "nobody has a role, and no role includes it"
    ROLE_BROADER_THAN_TITLE = "role-broader-than-title", "a role that says it reads can write"
    BROAD_PERMISSION = "broad-permission", "a single permission opens many operations that write"
    ASSIGNMENT_EMPTY = "assignment-empty", "a user, group, client or claim is given no role"
    PERMISSION_SHUT_OUT = "permission-shut-out", "a client's scopes shut out what its roles grant"
    SCOPE_OPENS_NOTHING = "scope-opens-nothing", "a client's scope opens nothing its roles permit"
    HOME_DIVISION_UNSET = "home-division-unset", "grants by division, and no division is the home"
    CLIENT_UNMATCHED = "client-unmatched", "a client is in the policy or in the clients file only"
    OPERATION_SHADOWED = "operation-shadowed", "no request can reach an operation"
    OPERATION_UNASSIGNED = "operation-unassigned", "a role may call an operation, and nobody has it"
    CONDITION_NEVER_FIRES = "condition-never-fires", "no request can meet a condition"
    RULE_REDUNDANT = "rule-redundant", "an `also` asks for what is needed anyway"
    GUARD_REDUNDANT = "guard-redundant", "a guard refuses only what another one refuses anyway"
    OVERRIDE_WEAKENS = "override-weakens", "an override allows what the catalogue refuses"
    ACCEPTED_NOTHING = "accepted-nothing", "a comment accepts a warning that is not there"
    LOOK_ALIKE_NAME = "look-alike-name", "two names differ and can hardly be told apart"
    MIXED_SCRIPT_NAME = "mixed-script-name", "a name mixes letters of several scripts"


def visible(text: str) -> str:
    """`text` with everything that cannot be seen written as an escape."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding."""

    where: Location
    code: Code
    message: str
    help: str | None = None
    severity: Severity = Severity.ERROR

    def __post_init__(self) -> None:
        # What authors wrote ends up on terminals: nothing in it may act there.
        object.__setattr__(self, "message", visible(self.message))
        if self.help is not None:
            object.__setattr__(self, "help", visible(self.help))

    def __str__(self) -> str:
        line = f"{self.where}: {self.code}: {self.message}"
        return line if self.help is None else f"{line}\n  help: {self.help}"


def in_order(findings: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """The findings by file, line and column, each said once."""
    unique = dict.fromkeys(findings)
    return tuple(sorted(unique, key=lambda found: (found.where, found.code, found.message)))
