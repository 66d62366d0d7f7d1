"""What a running gateway wrote is what a replay reads: another policy, the expected flips."""

import json
from pathlib import Path

from gateway.app import load_table
from gateway.learning import AuditLog, FlipKind, Flips, Usage
from gateway.settings import load_settings
from tests.support.site import UCS, permissions_of, running_site, ucs, write_policy
from tests.support.upstream import RecordingUpstream

READ = "UCS.Customer.readCustomerProfile"
CREATE, EXTENSION = "UCS.Customer.createProfile", "UCS.Customer.createProfileExtension"
PROFILE = "/profiles/0004Va58A92T0017"


async def test_a_policy_without_a_role_denies_what_it_allowed_and_no_more(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    async with running_site(tmp_path, [ucs(upstream.url)]) as site:
        for _ in range(3):
            await site.ask("GET", PROFILE, roles=[READ, "of no meaning here"])
        await site.ask("POST", "/profiles", roles=[CREATE], body=b'{"FirstName": "Ada"}')
        await site.ask("POST", "/profiles", roles=[CREATE], body=b'{"Phone": []}')
        await site.ask("POST", "/profiles", roles=[CREATE, EXTENSION], body=b'{"Phone": []}')
        await site.ask("GET", PROFILE, roles=None)
        await site.ask("GET", "/profiles/%2e%2e/x", roles=[READ])
    log = str(tmp_path / "audit.jsonl")
    settings = load_settings(tmp_path / "gateway.yaml", {})
    active = load_table(settings)

    usage = Usage(active)
    for line in AuditLog([log]):
        usage.add(line)
    assert active.names_of(usage.roles[EXTENSION].used) == ()
    assert active.names_of(usage.roles[EXTENSION].perhaps) == (EXTENSION,)
    assert [lack.permissions for lack in usage.lacks] == [(EXTENSION,)]

    policy = write_policy(tmp_path / "policy", permissions_of(UCS)) / "policy.yaml"
    written = json.loads(policy.read_text())
    written["roles"][READ]["permissions"] = []
    written["roles"][CREATE]["permissions"].append(EXTENSION)
    policy.write_text(json.dumps(written))
    flips = Flips(active, load_table(load_settings(tmp_path / "gateway.yaml", {})))
    for line in AuditLog([log]):
        flips.add(line)

    assert [(flip.kind, flip.count, flip.claims, flip.missing.all_of) for flip in flips.groups()] == [
        (FlipKind.ALLOWED, 1, (CREATE,), (EXTENSION,)),
        (FlipKind.DENIED, 3, (READ, "of no meaning here"), (READ,)),
    ]  # fmt: skip
    assert (flips.same, flips.undecided, flips.unknown) == (3, 1, {})
