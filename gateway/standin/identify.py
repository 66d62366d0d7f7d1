"""Finding customers: `GET /profiles` with conditions on attributes, `Name=value` or `ext.name=value`.

All conditions must hold, and those on one extension must hold for one and the same record. The
control parameters are recognised in any case; the manual does not say, and a stand-in that is
tolerant shows what a gateway missed. So is a repeated `extensions`: every value of it counts.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from gateway.standin.call import Call, Mode, Reply, Route
from gateway.standin.config import StandinConfig
from gateway.standin.errors import bad_request
from gateway.standin.keys import find_key
from gateway.standin.profiles import core_attribute, extensions_asked, profile_shown
from gateway.standin.schemas import find_schema
from gateway.standin.store import Store

__all__ = ["ROUTES", "search"]

CONTROLS = frozenset({"id_key", "include_profile", "extensions", "include_extensions"})

# A value as the query string would write it. json_each gives one row for a plain value and one
# for each element of an array.
HAS_VALUE = (
    "CASE found.type WHEN 'true' THEN 'true' WHEN 'false' THEN 'false' "
    "ELSE CAST(found.value AS TEXT) END = ?"
)
BY_ATTRIBUTE = (
    "SELECT DISTINCT profiles.customer_id AS who FROM profiles, "  # noqa: S608 - constants only
    f"json_each(profiles.attributes, ?) AS found WHERE {HAS_VALUE}"
)
BY_RECORD = (
    "SELECT DISTINCT records.record_id AS which, records.customer_id AS who FROM records, "  # noqa: S608 - constants only
    f"json_each(records.body, ?) AS found WHERE records.extension = ? AND {HAS_VALUE}"
)


def search(store: Store, config: StandinConfig, conditions: Iterable[tuple[str, str]]) -> list[str]:
    """The ids of the customers for whom every condition holds, in order."""
    attributes, extensions = sort_conditions(store, config, conditions)
    matches = [
        {row["who"] for row in store.rows(BY_ATTRIBUTE, f'$."{name}"', value)}
        for name, value in attributes
    ]
    for extension, wanted in extensions.items():
        records: list[set[tuple[int, str]]] = [
            {
                (row["which"], row["who"])
                for row in store.rows(BY_RECORD, f'$."{name}"', extension, value)
            }
            for name, value in wanted
        ]
        matches.append({who for _, who in set.intersection(*records)})
    return sorted(set.intersection(*matches)) if matches else []


def sort_conditions(
    store: Store, config: StandinConfig, conditions: Iterable[tuple[str, str]]
) -> tuple[list[tuple[str, str]], Mapping[str, list[tuple[str, str]]]]:
    attributes: list[tuple[str, str]] = []
    extensions: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for key, value in conditions:
        before, dot, after = key.partition(".")
        if dot:
            schema = find_schema(store, before)
            if schema is None or schema.attribute(after) is None:
                raise bad_request("a condition names an extension attribute that does not exist")
            extensions[schema.name].append((after, value))
        else:
            name = core_attribute(config, key)
            if name is None:
                raise bad_request("a condition names an attribute that does not exist")
            attributes.append((name, value))
    return attributes, extensions


def identify(call: Call) -> Reply:
    conditions = [pair for pair in call.query if pair[0].casefold() not in CONTROLS]
    if not conditions:
        raise bad_request("at least one attribute is needed to identify a customer by")
    check_key(call, {name.casefold() for name, _ in conditions})
    with_profile = one_of(call, "include_profile", ("no", "yes")) == "yes"
    only_if_unique = one_of(call, "include_extensions", ("always", "unique")) == "unique"
    extensions = extensions_asked(call)
    found = search(call.store, call.config, conditions)
    if only_if_unique and len(found) != 1:
        extensions = []
    return Reply(
        value=[
            profile_shown(call.store, who, attributes=with_profile, extensions=extensions)
            for who in found
        ]
    )


def check_key(call: Call, covered: set[str]) -> None:
    """A key that is asked for must exist and be covered from its first attribute on.

    Without `id_key`, UCS picks the key that the conditions cover best. Which one it picks changes
    the speed, not the answer, so here nothing is picked.
    """
    for name in call.asked("id_key"):
        key = find_key(call.store, name)
        if key is None:
            raise bad_request("`id_key` names an identification key that does not exist")
        if key.full_names[0].casefold() not in covered:
            raise bad_request(f"identification key `{key.name}` needs `{key.full_names[0]}`")


def one_of(call: Call, name: str, allowed: tuple[str, ...]) -> str:
    """A token; the first allowed one is the default, and the last one sent wins."""
    values = call.asked(name)
    if not values:
        return allowed[0]
    if values[-1] not in allowed:
        raise bad_request(f"`{name}` is one of {', '.join(f'`{each}`' for each in allowed)}")
    return values[-1]


ROUTES = (Route("GET", "/profiles", identify, Mode.PRODUCTION),)
