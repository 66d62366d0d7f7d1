"""Entity listings: `entities`, page by page, with the addresses of the pages around."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode

from gateway.standin.platform.call import Call
from gateway.standin.platform.errors import bad_request

__all__ = ["Page", "listing", "page_asked", "page_of"]

T = TypeVar("T")

LARGEST_PAGE = 500
LARGEST_NUMBER = 10_000


class Page:
    """Which part of a list is asked for. Genesys begins with page 1 and gives 25 by default."""

    def __init__(self, size: Any = 25, number: Any = 1) -> None:
        self.size = whole(size, "pageSize", LARGEST_PAGE)
        self.number = whole(number, "pageNumber", LARGEST_NUMBER)

    def __repr__(self) -> str:
        return f"<Page {self.number} of {self.size} each>"

    def of(self, values: Sequence[T]) -> Sequence[T]:
        return values[(self.number - 1) * self.size :][: self.size]

    def count(self, total: int) -> int:
        return -(-total // self.size)


def whole(value: Any, name: str, most: int) -> int:
    text = str(value)
    is_number = not isinstance(value, bool) and text.isascii() and text.isdigit()
    if not is_number or len(text) > len(str(most)) or not 1 <= int(text) <= most:
        raise bad_request(f"`{name}` must be between 1 and {most}.", name)
    return int(text)


def page_asked(call: Call) -> Page:
    """The page that the query names."""
    return Page(call.asked("pageSize") or 25, call.asked("pageNumber") or 1)


def page_of(body: Mapping[str, Any]) -> Page:
    """The page that a query in a body names: analytics has it under `paging`."""
    paging = body.get("paging")
    if paging is None:
        paging = body
    if not isinstance(paging, dict):
        raise bad_request("`paging` is not an object.", "paging")
    return Page(paging.get("pageSize") or 25, paging.get("pageNumber") or 1)


def listing(call: Call, entities: Sequence[Any], page: Page | None = None) -> dict[str, Any]:
    """One page of `entities`, as an entity listing of the platform has it."""
    page = page or page_asked(call)
    last = max(1, page.count(len(entities)))

    def uri(number: int) -> str:
        others = [pair for pair in call.query if pair[0] not in {"pageSize", "pageNumber"}]
        asked = urlencode([("pageSize", page.size), ("pageNumber", number), *others])
        return f"{call.path}?{asked}"

    found = {
        "entities": list(page.of(entities)),
        "pageSize": page.size,
        "pageNumber": page.number,
        "total": len(entities),
        "firstUri": uri(1),
        "selfUri": uri(page.number),
        "lastUri": uri(last),
        "pageCount": page.count(len(entities)),
    }
    if page.number < last:
        found["nextUri"] = uri(page.number + 1)
    if page.number > 1:
        found["previousUri"] = uri(page.number - 1)
    return found
