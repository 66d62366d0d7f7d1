"""Pages and filters, as all listings of the platform have them."""

from typing import Any

import pytest

from gateway.standin.platform import seed
from tests.standin.platform.conftest import Platform


def names(found: Any) -> list[str]:
    return [entity["name"] for entity in found["entities"]]


async def test_a_page_says_where_it_is_and_where_the_others_are(platform: Platform) -> None:
    found = await platform.found("GET", "/routing/queues?pageSize=2&pageNumber=2&divisionId=*")
    base = "/api/v2/routing/queues?pageSize=2&pageNumber={}&divisionId=%2A"
    assert names(found) == ["Sales Italy", "Support"]
    del found["entities"]
    assert found == {
        "pageSize": 2,
        "pageNumber": 2,
        "total": 5,
        "pageCount": 3,
        "firstUri": base.format(1),
        "selfUri": base.format(2),
        "lastUri": base.format(3),
        "nextUri": base.format(3),
        "previousUri": base.format(1),
    }


async def test_a_page_beyond_the_last_is_empty(platform: Platform) -> None:
    found = await platform.found("GET", "/routing/queues?pageNumber=7")
    assert (found["entities"], found["total"]) == ([], 5)
    assert "nextUri" not in found


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (f"divisionId={seed.SALES}", ["Sales Germany", "Sales Italy"]),
        (
            f"divisionId={seed.SALES}&divisionId={seed.CLAIMS}",
            ["Claims intake", "Sales Germany", "Sales Italy"],
        ),
        (
            f"divisionId={seed.SALES}%2C{seed.CLAIMS}",
            ["Claims intake", "Sales Germany", "Sales Italy"],
        ),
        ("divisionId=nowhere", []),
        (f"id={seed.SALES_QUEUE},{seed.SUPPORT_QUEUE}", ["Sales Germany", "Support"]),
        (f"id={seed.SALES_QUEUE}&divisionId={seed.HOME}", []),
        ("name=support", ["Support"]),
        ("name=support*", ["Support", "Support VIP"]),
        ("name=*vip", ["Support VIP"]),
        ("name=*a*&sortOrder=desc", ["Sales Italy", "Sales Germany", "Claims intake"]),
    ],
)
async def test_filters_are_all_of_them_to_hold(
    platform: Platform, query: str, expected: list[str]
) -> None:
    assert names(await platform.found("GET", f"/routing/queues?{query}")) == expected


@pytest.mark.parametrize("path", ["/routing/wrapupcodes", "/outbound/contactlists", "/users"])
async def test_whatever_is_in_a_division_can_be_listed_by_it(platform: Platform, path: str) -> None:
    found = await platform.found("GET", f"{path}?divisionId={seed.SALES}")
    assert {entity["division"]["id"] for entity in found["entities"]} == {seed.SALES}


@pytest.mark.parametrize("value", ["0", "-1", "501", "x", "1e2", "%C2%B2", "9" * 40])
async def test_a_page_that_cannot_be_is_refused(platform: Platform, value: str) -> None:
    wrong = await platform.refused("GET", f"/routing/queues?pageSize={value}")
    assert wrong == (400, "invalid.value", "pageSize")


async def test_every_platform_begins_the_same(platform_as: Any) -> None:
    first, second = await platform_as(), await platform_as()
    for path in ("/routing/queues", "/users", "/outbound/contactlists", "/authorization/divisions"):
        assert await first.found("GET", path) == await second.found("GET", path)
    made = [
        await each.found("POST", "/routing/queues", {"name": "New"}) for each in (first, second)
    ]
    assert made[0] == made[1]
