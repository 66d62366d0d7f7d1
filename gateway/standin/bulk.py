"""Bulk import: a small control message that names a CSV file on this host, and that file's rows.

The rows never cross the network, which is why a gateway cannot see what is imported. Only files
inside the configured folder are read, whatever the message says. Columns are core attributes,
`{extension}.{attribute}`, or `customer_id`; a row that fails is reported and the rest goes on.
"""

import codecs
import csv
import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import HTTP
from pathlib import Path
from typing import Any

from gateway.standin.call import Call, Mode, Reply, Route, truth
from gateway.standin.errors import Refusal, bad_request, forbidden
from gateway.standin.identify import search
from gateway.standin.keys import find_key
from gateway.standin.profiles import save_profile, sort_body
from gateway.standin.schemas import find_schema
from gateway.standin.store import Store

__all__ = ["ROUTES"]

# In 9.1 both may stand in the file; this server has one tenant.
IGNORED_COLUMNS = frozenset({"tenantid", "segment"})


@dataclass(frozen=True, slots=True)
class Order:
    """The control message."""

    path: Path
    delimiter: str
    encoding: str
    first_row: int
    max_errors: int | None
    id_key: str | None
    create_log: bool


def import_profiles(call: Call) -> Reply:
    order = order_from(call, control_part(call))
    try:
        text = order.path.read_bytes().decode(order.encoding)
    except OSError as error:
        raise bad_request("`profiles` names a file that cannot be read") from error
    except (UnicodeError, LookupError) as error:
        raise bad_request(f"the file is not in `{order.encoding}`") from error
    imported = 0
    failures: list[dict[str, Any]] = []
    for number, row in rows_of(text, order):
        try:
            import_row(call, order, row)
            imported += 1
        except Refusal as refusal:
            failures.append({"index": number, "error": refusal.message})
            if order.max_errors is not None and len(failures) > order.max_errors:
                break
    if order.create_log:
        lines = [f"{each['index']}: {each['error']}\n" for each in failures]
        Path(f"{order.path}.log").write_text("".join(lines), encoding="utf-8")
    return Reply(value={"imported": imported, "not_imported": failures})


def control_part(call: Call) -> dict[str, Any]:
    """The JSON object in the first part of type `application/json` (UCS names it `description`)."""
    if not call.content_type.lower().startswith("multipart/form-data"):
        raise bad_request("an import is `multipart/form-data` with a JSON part `description`")
    head = f"Content-Type: {call.content_type}\r\n\r\n".encode("latin-1", "replace")
    message = BytesParser(_class=EmailMessage, policy=HTTP).parsebytes(head + call.body)
    for part in message.iter_parts() if message.is_multipart() else ():
        if part.get_content_type() == "application/json":
            content = part.get_payload(decode=True)
            body = content if isinstance(content, bytes) else b""
            return Call(store=call.store, config=call.config, now=call.now, body=body).json_object()
    raise bad_request("the form has no part of type `application/json`")


def order_from(call: Call, body: dict[str, Any]) -> Order:
    if body.get("format") != "CSV":
        raise bad_request("`format` must be `CSV`")
    delimiter, encoding = body.get("delimiter", ","), body.get("encoding", "UTF-8")
    if not isinstance(delimiter, str) or len(delimiter) != 1 or delimiter in '"\r\n':
        raise bad_request("`delimiter` is one character")
    try:
        codecs.lookup(encoding)
    except (LookupError, TypeError, ValueError) as error:
        raise bad_request("`encoding` is not known") from error
    id_key = body.get("id-key")
    if id_key is not None and (not isinstance(id_key, str) or find_key(call.store, id_key) is None):
        raise bad_request("`id-key` names an identification key that does not exist")
    return Order(
        path=path_inside(call.config.import_folder, body.get("profiles")),
        delimiter=delimiter,
        encoding=encoding,
        first_row=whole_number(body, "start-from-index") or 0,
        max_errors=whole_number(body, "max-errors"),
        id_key=id_key,
        create_log=truth(body.get("create-log", False), "create-log"),
    )


def whole_number(body: dict[str, Any], name: str) -> int | None:
    value = body.get(name)
    if value is None:
        return None
    text = str(value)
    if not (text.isascii() and text.isdigit() and len(text) < len("1000000000")):
        raise bad_request(f"`{name}` is a number")
    return int(text)


def path_inside(folder: Path | None, named: Any) -> Path:
    if not isinstance(named, str) or not named or "\0" in named:
        raise bad_request("`profiles` must name a file")
    if folder is None:
        raise forbidden("no import folder is configured, so nothing can be imported")
    path = (folder / named).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise forbidden("`profiles` names a file outside the import folder")
    return path


def rows_of(text: str, order: Order) -> Iterator[tuple[int, dict[str, str]]]:
    """Numbered rows, RFC 4180: the first record holds the names, blanks are part of a value."""
    records = csv.reader(io.StringIO(text, newline=""), delimiter=order.delimiter)
    names = next(records, [])
    if not names or len(set(names)) != len(names):
        raise bad_request("the file's first record must name each column once")
    try:
        for number, values in enumerate(records):
            if values and number >= order.first_row:
                yield number, dict(zip(names, values, strict=False))
    except csv.Error as error:
        raise bad_request("the file is not CSV") from error


def import_row(call: Call, order: Order, row: dict[str, str]) -> None:
    body: dict[str, Any] = {}
    records: dict[str, dict[str, Any]] = {}
    for column, value in row.items():
        if not value or column.casefold() in IGNORED_COLUMNS:
            continue
        extension, dot, attribute = column.partition(".")
        if dot:
            records.setdefault(extension, {})[attribute] = typed(
                call.store, extension, attribute, value
            )
        else:
            body[column] = value
    for extension, record in records.items():
        schema = find_schema(call.store, extension)
        body[extension] = [record] if schema is not None and schema.multi_valued else record
    profile = sort_body(call.store, call.config, body)
    if order.id_key is not None and exists_already(call, order.id_key, row):
        raise bad_request(f"a customer with this `{order.id_key}` exists already")
    save_profile(call.store, profile)


def exists_already(call: Call, id_key: str, row: dict[str, str]) -> bool:
    key = find_key(call.store, id_key)
    conditions = [(name, row.get(name, "")) for name in key.full_names] if key else []
    return bool(search(call.store, call.config, conditions))


def typed(store: Store, extension: str, attribute: str, text: str) -> Any:
    """A CSV value in the type that the schema wants; what does not fit is left to be refused."""
    schema = find_schema(store, extension)
    found = None if schema is None else schema.attribute(attribute)
    kind = "string" if found is None else found.type
    try:
        if kind in {"integer", "long"}:
            return int(text)
        if kind == "double" and math.isfinite(number := float(text)):
            return number
    except ValueError:
        return text
    return text.lower() == "true" if kind == "boolean" else text


ROUTES = (Route("POST", "/profiles/import", import_profiles, Mode.MAINTENANCE),)
