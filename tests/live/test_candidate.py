"""A candidate hears of what was read for the decision, and changes nothing of what goes upstream."""

import json
from pathlib import Path

from gateway.app import load_table
from gateway.candidate import Candidate
from gateway.settings import load_settings
from policy import Reason
from tests.support.site import UCS, permissions_of, running_site, ucs, write_policy
from tests.support.upstream import RecordingUpstream

CREATE, EXTENSION = "UCS.Customer.createProfile", "UCS.Customer.createProfileExtension"
PLAIN, EXTENDED = b'{"FirstName": "Ada"}', b'{"FirstName": "Ada", "Phone": []}'


async def test_it_is_asked_about_the_body_that_was_read_and_no_other_is_read_for_it(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    async with running_site(tmp_path, [ucs(upstream.url)]) as site:
        written = write_policy(tmp_path / "policy", permissions_of(UCS)) / "policy.yaml"
        policy = json.loads(written.read_text())
        policy["roles"][CREATE]["permissions"].append(EXTENSION)
        written.write_text(json.dumps(policy))
        live = site.gateway.live
        candidate = load_table(load_settings(tmp_path / "gateway.yaml", {}))
        live.trial = trial = Candidate(live.table, candidate)
        statuses = [
            (await site.ask("POST", "/profiles", roles=[CREATE], body=body)).status
            for body in (PLAIN, EXTENDED)
        ]
        metrics = site.gateway.snapshot().readings["gateway_candidate_requests_total"]
    assert statuses == [200, 403]
    tally = trial.tally()
    # Of the first the candidate needs no body, of the second the active policy has read it.
    assert (tally.compared, tally.undetermined) == (2, 0)
    ((change, count),) = tally.changes
    assert (change.route, change.active, change.candidate, count) == (
        "create-customer-profile", Reason.PERMISSION_MISSING, Reason.PERMITTED, 1,
    )  # fmt: skip
    assert (metrics["same",], metrics["newly-allowed",]) == (1.0, 1.0)
    assert len(upstream.requests) == 1
    assert upstream.requests[0].endswith(PLAIN)
