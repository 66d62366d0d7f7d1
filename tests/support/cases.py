"""The case files (`tests/cases/`) as frozen values, and the policy under which they are run.

A case is one request and what it needs: nothing about callers, because those follow from it. Who
holds exactly the needed permissions is allowed, who lacks one of them is denied and told which.
The same cases are run through the evaluator, through the naive reference, and through the whole
gateway, so this module knows none of the three: it reads, and it writes the policy in which every
permission is a role and a claim of its own name.

    service: ucs                          # whose catalogue, and relative to whose prefix
    operation: create-customer-profile    # what the requests are routed to; a case may say another
    row: Create Customer Profile          # the row of the public RBAC table, if there is one
    switches: [strict-by-unique]          # stricter readings that are on
    overrides: {overrides: …}             # what would stand in an overrides file
    subject: anna                         # the caller's name, where it matters
    cases:
      - name: with an extension beside the attributes
        request: POST /profiles           # the raw target
        body: {FirstName: Anna, Phone: []}    # left out where nothing may depend on it
        needs: [A, B]                     # all of them; or {any: [A, B]}
      - name: refuses another customer in the body
        request: …
        needs: [A]                        # what is asked for before the guard speaks
        refused: guard-failed             # whoever asks; also `no-route`, `undecidable`
        before_policy: 400                # the gateway does not even ask policy
        layouts: [apart]                  # where it holds, if not everywhere
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

import yaml

from policy import BodyFacts, Reason, ServiceSpec, folded

__all__ = [
    "CASES",
    "CATALOGUES",
    "CONFIG",
    "LAYOUTS",
    "NEVER_READ",
    "ROOT",
    "Case",
    "Needs",
    "Setup",
    "load_cases",
    "permissions_of",
    "specs_for",
    "write_policy",
]

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / "config"
CASES = ROOT / "tests" / "cases"

# Where clients see the services: UCS at the root as in most installations, or both behind one
# name, as Genesys' migration guide has it. Every case must hold in both.
LAYOUTS: Mapping[str, Mapping[str, str]] = {
    "apart": {"ucs": "/", "gms": "/genesys/1/cs"},
    "together": {"ucs": "/genesys/1/cs", "gms": "/genesys/1/cs"},
}

CATALOGUES: Mapping[str, Path] = {
    "ucs": CONFIG / "catalogues" / "ucs-customer-profiles.yaml",
    "gms": CONFIG / "catalogues" / "gms-context-services.yaml",
}


class _NeverRead:
    """The body of a case whose outcome does not depend on one; "no body" is not an empty one."""

    def __repr__(self) -> str:
        return "NEVER_READ"


NEVER_READ = _NeverRead()


@dataclass(frozen=True, slots=True)
class Needs:
    """What a case needs: every permission of `all_of`, and one of `any_of` if there are any."""

    all_of: tuple[str, ...] = ()
    any_of: tuple[str, ...] = ()

    @property
    def sufficient(self) -> tuple[frozenset[str], ...]:
        """The smallest sets of permissions that will do."""
        if not self.any_of:
            return (frozenset(self.all_of),)
        return tuple(frozenset({*self.all_of, one}) for one in self.any_of)

    def __bool__(self) -> bool:
        return bool(self.all_of or self.any_of)


@dataclass(frozen=True, slots=True)
class Setup:
    """What a case file changes about the shipped catalogue; most change nothing."""

    service: str
    switches: tuple[str, ...] = ()
    overrides: str | None = None  # the text of an overrides file


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One request and what it needs, or the reason for which nobody may send it."""

    file: str
    name: str
    setup: Setup
    operation: str | None
    method: str
    target: str  # raw, relative to the service's prefix
    body: Any  # a JSON value, or NEVER_READ
    needs: Needs
    refused: Reason | None
    before_policy: int | None  # the status of a gateway that refuses it before asking policy
    subject: str
    layouts: tuple[str, ...]

    def raw_target(self, layout: str) -> str:
        """The target as a client sends it."""
        prefix = LAYOUTS[layout][self.setup.service]
        return self.target if prefix == "/" else prefix + self.target

    def segments(self, layout: str) -> tuple[str, ...]:
        """The path as policy is asked about it: decoded, without the one trailing slash."""
        path = self.raw_target(layout).partition("?")[0].removesuffix("/")
        return tuple(unquote(segment) for segment in path.split("/")[1:])

    @property
    def query(self) -> tuple[tuple[str, str], ...]:
        return tuple(parse_qsl(self.target.partition("?")[2], keep_blank_values=True))

    @property
    def facts(self) -> BodyFacts:
        """What a strict reader tells policy of the body."""
        if not isinstance(self.body, dict):
            raise TypeError(f"{self}: policy wants to see the body, and the case has none")
        return BodyFacts({folded(key): value for key, value in self.body.items()})

    def __str__(self) -> str:
        return f"{self.file}: {self.name}"


def load_cases(folder: Path = CASES) -> tuple[Case, ...]:
    """Every case of ucs/, gms/ and switches/, in the order of files and lines."""
    files = [file for part in ("ucs", "gms", "switches") for file in (folder / part).glob("*.yaml")]
    return tuple(case for file in sorted(files) for case in _read(file, folder))


def _read(file: Path, folder: Path) -> Iterable[Case]:
    document = yaml.safe_load(file.read_text("utf-8"))
    overrides = document.get("overrides")
    setup = Setup(
        document["service"],
        tuple(document.get("switches", ())),
        None if overrides is None else json.dumps(overrides),
    )
    for entry in document["cases"]:
        unknown = entry.keys() - _KEYS
        if unknown:
            raise AssertionError(f"{file}: {entry['name']}: unknown {sorted(unknown)}")
        method, _, target = entry["request"].partition(" ")
        refused = entry.get("refused")
        yield Case(
            file=file.relative_to(folder).with_suffix("").as_posix(),
            name=entry["name"],
            setup=setup,
            operation=entry.get("operation", document.get("operation")),
            method=method,
            target=target,
            body=entry.get("body", NEVER_READ),
            needs=_needs(entry.get("needs", ())),
            refused=None if refused is None else Reason(refused),
            before_policy=entry.get("before_policy"),
            subject=document.get("subject", "somebody"),
            layouts=tuple(entry.get("layouts", LAYOUTS)),
        )


_KEYS = {"name", "operation", "request", "body", "needs", "refused", "before_policy", "layouts"}


def _needs(written: Sequence[str] | Mapping[str, Sequence[str]]) -> Needs:
    if isinstance(written, Mapping):
        return Needs(any_of=tuple(written["any"]))
    return Needs(all_of=tuple(written))


def permissions_of(service: str) -> tuple[str, ...]:
    """Every permission of a shipped catalogue."""
    return tuple(yaml.safe_load(CATALOGUES[service].read_text("utf-8"))["permissions"])


def specs_for(setup: Setup, layout: str, folder: Path) -> tuple[ServiceSpec, ...]:
    """Both shipped services as `setup` changes them; an overrides file is put into `folder`."""
    return tuple(
        ServiceSpec(
            name=name,
            prefix=prefix,
            catalogue=CATALOGUES[name],
            overrides=_written(setup, folder) if name == setup.service else None,
            switches=setup.switches if name == setup.service else (),
        )
        for name, prefix in LAYOUTS[layout].items()
    )


def _written(setup: Setup, folder: Path) -> Path | None:
    if setup.overrides is None:
        return None
    file = folder / "overrides.yaml"
    file.write_text(setup.overrides, "utf-8")
    return file


def write_policy(folder: Path, permissions: Iterable[str] | None = None) -> Path:
    """A policy in which every permission is a role of the same name, held by a claim of that name.

    So a caller whose claims are `{"UCS.Customer.createProfile"}`, or a token whose roles claim is
    that list, holds exactly that. Returns `folder`, which is made if need be.
    """
    if permissions is None:
        permissions = [name for service in CATALOGUES for name in permissions_of(service)]
    names = tuple(dict.fromkeys(permissions))
    folder.mkdir(parents=True, exist_ok=True)
    document = {
        "roles": {name: {"permissions": [name]} for name in names},
        "claims": {name: [name] for name in names},
    }
    (folder / "one-role-per-permission.yaml").write_text(json.dumps(document, indent=1), "utf-8")
    return folder
