"""Whatever is sent, to whichever operation, the answer is a proper one and never a 500."""

import pytest
from yarl import URL

from gateway.standin.app import GMS_ROUTES, UCS_ROUTES
from gateway.standin.call import Route
from gateway.standin.seed import ANNA
from tests.standin.client import Ucs

BODIES = (
    b"",
    b"{}",
    b"null",
    b"[]",
    b"7",
    b'"text"',
    b"\xff\xfe",
    b"\xef\xbb\xbf{}",
    b"[" * 100_000,
    b'{"name": {}, "type": [], "attributes": {}, "unique": 7, "source": []}',
    b'{"name": "N", "type": "multi-valued", "attributes": [7, null], "unique": [[]]}',
    b'{"mode": {}, "manner": {}, "enabled": [], "from": 7, "to": null, "expires_in": 1e3}',
    b'{"from": {"state_id": {}}, "to": {"extensions": []}}',
    b'{"Phone": [[]], "Contract": {"ContractNumber": {}}}',
    b'{"PhoneNumber": ["555-1918"], "description": {}}',
    b'{"customer_id": {}, "contact_key": []}',
    b'{"FirstName": "\\ud800", "x\\u0000": 1}',
    b'{"keep_uniq_from_src": [], "force_merge": {}}',
    b'{"PhoneNumber": 1' + b"0" * 5000 + b"}",
)
NAMES = {
    "customer_id": (ANNA, "%00", "%FF", "x" * 500),
    "source_id": ("0004Va58A92T0018", "%ED%A0%80"),
    "extension": ("Phone", "contract", "%22%5D"),
    "name": ("Phone", "NameKey", "%27"),
    "service_id": ("1", "0", "%C2%B2", "9" * 400),
    "stage_id": ("1", "4294967296"),
    "interaction_id": ("00001a57JGQ00BW8", "%00"),
    "contact_key": ("5550100", "%F0%9F%93%9E"),
}
QUERIES = (
    "",
    "?LastName=%FF&include_profile=yes&extensions=,%00,",
    "?Phone.=1&.x=2&.=3&=4",
    '?Phone.PhoneNumber"]=1',
    "?active_states=%00&started_from=%FF&service_types=,,",
    "?id_key=&cv-attribute=&extensions=Phone&LastName=Rossi",
)


def targets(path: str) -> list[str]:
    found = [path]
    for name, values in NAMES.items():
        mark = "{" + name + "}"
        found = [
            each.replace(mark, value)
            for each in found
            for value in (values if mark in each else values[:1])
        ]
    return found


@pytest.mark.parametrize(
    ("root", "route"),
    [("", route) for route in UCS_ROUTES] + [("/genesys/1/cs", route) for route in GMS_ROUTES],
    ids=lambda each: f"{each.method} {each.path}" if hasattr(each, "path") else "",
)
async def test_nonsense_is_refused_properly(ucs: Ucs, root: str, route: Route) -> None:
    for target in targets(root + route.path):
        for query in QUERIES:
            reply = await ucs.request(route.method, URL(target + query, encoded=True))
            assert reply.status < 500, (target, query)
        for body in BODIES:
            reply = await ucs.request(route.method, URL(target, encoded=True), data=body)
            assert reply.status < 500, (target, body[:80])
