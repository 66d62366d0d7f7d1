"""Policies for tests, from literal YAML; no disk, no gateway.

Catalogues here speak of a small shop of customer records, so that a test can be read without the
domain at hand. `POLICY` and `CATALOGUE` are a sound pair; most tests change one line of them.
"""

from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

import policy
from policy import (
    ANONYMOUS,
    BodyFacts,
    Caller,
    Code,
    Decision,
    DecisionTable,
    Diagnostic,
    Inquiry,
    Kind,
    Means,
    NeedsBody,
    PolicyDocument,
    PolicyInvalid,
    ServiceSources,
    ServiceSpec,
    Sources,
    Text,
    UseRole,
    folded,
)

CATALOGUE = """\
catalogue: shop
permissions: {read: Read Records, write: Write Records, detail: Read Details, admin: Administer}
lists: {core: [id, Name]}
switches: {careful: updates need two permissions}
operations:
  find-records:
    request: GET /records
    requires: read
    also:
      - {when: {query_has: [details]}, requires: detail}
  read-record: {request: "GET /records/{id}", requires: read}
  change-record:
    request: PUT /records/{id}
    requires: write
    also:
      - {when: {body_has_keys_outside: core}, requires: detail}
      - {switch: careful, requires: admin}
  own-record:
    request: PUT /records/{id}/owner
    requires: write
    guards:
      - {body_value_equals_path: {id: id}}
  sweep: {request: POST /sweep, requires: {any: [write, admin]}}
  whoami: {request: GET /whoami, requires: authenticated}
  health: {request: GET /health, requires: public}
"""

POLICY = """\
roles:
  reader: {permissions: [read]}
  writer: {includes: [reader], permissions: [write]}
  chief: {permissions: [read, write, detail, admin]}
users:
  ann: {roles: [writer]}
  bob: {groups: [desk]}
groups:
  desk: {roles: [reader]}
claims:
  shop-admins: [chief]
"""


def spec(
    name: str = "shop",
    prefix: str = "/",
    use_role: UseRole = UseRole.ENFORCE,
    switches: tuple[str, ...] = (),
    *,
    use_scopes: bool = True,
    home_division: str | None = None,
    pin_header: str | None = None,
) -> ServiceSpec:
    return ServiceSpec(
        name=name,
        catalogue=Path(f"{name}.yaml"),
        prefix=prefix,
        use_role=use_role,
        switches=switches,
        use_scopes=use_scopes,
        home_division=home_division,
        pin_header=pin_header,
    )


def sources(
    catalogue: str | bytes = CATALOGUE,
    *policies: str | bytes,
    overrides: str | bytes | None = None,
    service: ServiceSpec | None = None,
) -> Sources:
    """One service over `catalogue`; the files are called shop.yaml, local.yaml, policy-1.yaml …"""
    changes = None if overrides is None else Text("local.yaml", _text(overrides))
    files = policies or (POLICY,)
    return Sources(
        services=(ServiceSources(service or spec(), Text("shop.yaml", _text(catalogue)), changes),),
        policies=tuple(
            Text(f"policy-{number}.yaml", _text(text)) for number, text in enumerate(files, 1)
        ),
    )


def document(
    catalogue: str = CATALOGUE,
    *policies: str,
    overrides: str | None = None,
    service: ServiceSpec | None = None,
) -> PolicyDocument:
    return policy.load(sources(catalogue, *policies, overrides=overrides, service=service))


def table(
    catalogue: str = CATALOGUE,
    *policies: str,
    overrides: str | None = None,
    service: ServiceSpec | None = None,
) -> DecisionTable:
    return policy.compile(document(catalogue, *policies, overrides=overrides, service=service))


def findings(
    catalogue: str | bytes = CATALOGUE,
    *policies: str | bytes,
    overrides: str | bytes | None = None,
    service: ServiceSpec | None = None,
) -> tuple[Diagnostic, ...]:
    """Everything that is said of these files, whether they can be used or not."""
    given = sources(catalogue, *policies, overrides=overrides, service=service)
    try:
        return policy.compile(policy.load(given)).findings
    except PolicyInvalid as invalid:
        return invalid.diagnostics


def codes(found: tuple[Diagnostic, ...]) -> list[Code]:
    return [finding.code for finding in found]


def only(found: tuple[Diagnostic, ...]) -> Diagnostic:
    """The one finding there is."""
    assert len(found) == 1, "\n".join(map(str, found))
    return found[0]


def user(
    name: str,
    *,
    roles: tuple[str, ...] = (),
    claims: tuple[str, ...] = (),
    scopes: tuple[str, ...] | None = None,
) -> Caller:
    if not name:
        return ANONYMOUS
    return Caller(
        subject=name,
        kind=Kind.USER,
        means=Means.BASIC,
        roles=frozenset(roles),
        claims=frozenset(claims),
        scopes=None if scopes is None else frozenset(scopes),
    )


def inquiry(
    table: DecisionTable,
    caller: Caller,
    request: str,
    *query: tuple[str, str],
    body: Mapping[str, object] | None = None,
) -> Inquiry:
    """`request` is `METHOD /path`, the path in its decoded form."""
    method, _, path = request.partition(" ")
    facts = None if body is None else BodyFacts({folded(key): body[key] for key in body})
    return Inquiry(
        caller=caller,
        held=table.held_by(caller),
        method=method,
        segments=tuple(path.split("/")[1:]) if path != "/" else (),
        query=query,
        body=facts,
    )


def ask(
    table: DecisionTable,
    caller: Caller,
    request: str,
    *query: tuple[str, str],
    body: Mapping[str, object] | None = None,
) -> Decision | NeedsBody:
    return policy.decide(table, inquiry(table, caller, request, *query, body=body))


def decided(
    table: DecisionTable,
    caller: Caller,
    request: str,
    *query: tuple[str, str],
    body: Mapping[str, object] | None = None,
) -> Decision:
    """The decision, where the body has been seen or does not matter."""
    answer = ask(table, caller, request, *query, body=body)
    assert isinstance(answer, Decision), answer
    return answer


def _text(text: str | bytes) -> str | bytes:
    return text if isinstance(text, bytes) else dedent(text)
