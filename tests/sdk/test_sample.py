"""The sample policy for Genesys Cloud as it is shipped: two clients have to be made, and it serves."""

from pathlib import Path

from gateway.standin.platform import seed
from gateway.standin.platform.app import RunningPlatform
from tests.sdk.rows import MINDFUL, VSM
from tests.sdk.verdicts import THROUGH, verdict_of, verdicts_of
from tests.support.cases import ROOT
from tests.support.cloud import Cloud, served
from tests.support.sdk import Sdk

SAMPLE = ROOT / "config" / "genesys-cloud" / "policy"
IN_SALES = {"division_id": [seed.SALES]}


async def test_both_integrations_run_on_the_sample_as_it_is(
    sdk: Sdk, tmp_path: Path, platform: RunningPlatform
) -> None:
    laid_out = Cloud(tmp_path, platform, policy=SAMPLE)
    assignments = tmp_path / "policy" / "assignments.yaml"
    # The one thing to fill in: the GUID of a division.
    assignments.write_text(assignments.read_text().replace("[sales]", f"[{seed.SALES}]"))
    vsm, mindful = laid_out.create_client("vsm"), laid_out.create_client("mindful")
    async with served(laid_out) as gateway:
        client = await gateway.log_in(sdk, vsm)
        assert await verdicts_of(client, VSM) == {row.method: row.verdict() for row in VSM}
        client = await gateway.log_in(sdk, mindful)
        for api, method in (
            ("RoutingApi", "get_routing_queues"),
            ("RoutingApi", "get_routing_wrapupcodes"),
        ):
            found = (await client.call(api, method, **IN_SALES)).parsed["entities"]
            assert {each["division"]["id"] for each in found} == {seed.SALES}
        refused = [row.method for row in MINDFUL if row.both]
        assert all([await verdict_of(client, method) != THROUGH for method in refused])
