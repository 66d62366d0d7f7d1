"""Bulk import: a control message that names a file on this host."""

import json
from pathlib import Path

import aiohttp
import pytest

from tests.standin.client import Json, Start, Ucs

ROWS = """FirstName,LastName,EmailAddress,Phone.PhoneNumber,Phone.PhoneType,Contract.ContractNumber,Contract.renews
Bo,Berg,bo@example.com,555-4000,1,C-3000,true
Cy, Dahl,cy@example.com,,,,
Di,Ek,di@example.com,555-4001,not a number,,
"""


def form(**control: Json) -> aiohttp.MultipartWriter:
    writer = aiohttp.MultipartWriter("form-data")
    part = writer.append(json.dumps(control), {"Content-Type": "application/json"})
    part.set_content_disposition("form-data", name="description")
    return writer


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "profiles.csv").write_text(ROWS)
    return tmp_path


@pytest.fixture
async def ucs(ucs_as: Start, folder: Path) -> Ucs:
    return await ucs_as(import_folder=folder)


async def imported(ucs: Ucs, **control: Json) -> Json:
    control = {"format": "CSV", "profiles": "profiles.csv"} | control
    reply = await ucs.post("/profiles/import", data=form(**control))
    assert reply.status == 200, await reply.text()
    return await reply.json()


async def find(ucs: Ucs, query: str) -> Json:
    return await (await ucs.get(f"/profiles?{query}&include_profile=yes")).json()


async def test_good_rows_become_customers_and_bad_ones_are_listed(ucs: Ucs) -> None:
    result = await imported(ucs)
    assert result["imported"] == 2
    assert [each["index"] for each in result["not_imported"]] == [2]
    assert "`Phone.PhoneType` is not a valid integer" in result["not_imported"][0]["error"]


async def test_columns_with_a_dot_are_extensions_with_their_types(ucs: Ucs) -> None:
    await imported(ucs)
    [bo] = await find(ucs, "LastName=Berg&extensions=Phone,Contract")
    assert bo["Phone"] == [{"PhoneNumber": "555-4000", "PhoneType": 1}]
    assert bo["Contract"] == {"ContractNumber": "C-3000", "renews": True}


async def test_blanks_belong_to_the_value_and_empty_columns_are_left_out(ucs: Ucs) -> None:
    await imported(ucs)
    [cy] = await find(ucs, "LastName=%20Dahl&extensions=Phone")
    assert cy["Phone"] == []


async def test_with_an_id_key_a_known_customer_is_skipped(ucs: Ucs) -> None:
    await imported(ucs)
    again = await imported(ucs, **{"id-key": "emailkey"})
    assert again["imported"] == 0
    assert "exists already" in again["not_imported"][0]["error"]


async def test_the_import_can_start_further_down_and_stop_after_errors(ucs: Ucs) -> None:
    assert (await imported(ucs, **{"start-from-index": "1"}))["imported"] == 1
    stopped = await imported(ucs, **{"id-key": "EmailKey", "max-errors": 0, "start-from-index": 1})
    assert len(stopped["not_imported"]) == 1


async def test_delimiter_and_encoding_are_the_callers(ucs: Ucs, folder: Path) -> None:
    (folder / "other.csv").write_bytes("FirstName;LastName\nZoë;Ödman\n".encode("latin-1"))
    result = await imported(ucs, profiles="other.csv", delimiter=";", encoding="ISO-8859-1")
    assert result == {"imported": 1, "not_imported": []}
    assert (await find(ucs, "LastName=Ödman"))[0]["FirstName"] == "Zoë"


async def test_a_log_is_written_beside_the_file_when_asked(ucs: Ucs, folder: Path) -> None:
    await imported(ucs, **{"create-log": True})
    assert (folder / "profiles.csv.log").read_text().startswith("2: ")


async def test_tenant_and_segment_columns_are_ignored(ucs: Ucs, folder: Path) -> None:
    (folder / "t.csv").write_text("TenantId,Segment,FirstName\n1,a,Bo\n")
    assert (await imported(ucs, profiles="t.csv"))["imported"] == 1


@pytest.mark.parametrize("path", ["../secret.csv", "/etc/passwd", "a/../../secret.csv"])
async def test_a_file_outside_the_folder_is_403(ucs: Ucs, folder: Path, path: str) -> None:
    (folder.parent / "secret.csv").write_text(ROWS)
    reply = await ucs.post("/profiles/import", data=form(format="CSV", profiles=path))
    assert reply.status == 403
    assert "outside the import folder" in (await reply.json())["error_message"]


async def test_a_link_out_of_the_folder_is_403(ucs: Ucs, folder: Path) -> None:
    (folder.parent / "secret.csv").write_text(ROWS)
    (folder / "link.csv").symlink_to(folder.parent / "secret.csv")
    reply = await ucs.post("/profiles/import", data=form(format="CSV", profiles="link.csv"))
    assert reply.status == 403


async def test_without_a_folder_nothing_is_imported(ucs_as: Start) -> None:
    ucs = await ucs_as()
    reply = await ucs.post("/profiles/import", data=form(format="CSV", profiles="profiles.csv"))
    assert reply.status == 403


@pytest.mark.parametrize(
    ("control", "says"),
    [
        ({"format": "XML"}, "`format`"),
        ({"profiles": ""}, "`profiles`"),
        ({"profiles": "absent.csv"}, "cannot be read"),
        ({"delimiter": ",,"}, "`delimiter`"),
        ({"encoding": "klingon"}, "`encoding`"),
        ({"encoding": "hex"}, "not in `hex`"),
        ({"id-key": "ShoeKey"}, "`id-key`"),
        ({"max-errors": "many"}, "`max-errors`"),
    ],
)
async def test_a_control_message_that_makes_no_sense_is_400(
    ucs: Ucs, control: Json, says: str
) -> None:
    body = {"format": "CSV", "profiles": "profiles.csv"} | control
    reply = await ucs.post("/profiles/import", data=form(**body))
    assert reply.status == 400
    assert says in (await reply.json())["error_message"]


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=", b"--\r\n"),
        ("multipart/form-data; boundary=\u00e9", b""),
        ("multipart/form-data; boundary=a", b"--a\r\nContent-Type: multipart/mixed\r\n\r\n" * 50),
        ("multipart/form-data; boundary=a", b"--a\r\nContent-Type: application/json\r\n\r\n[1]"),
    ],
)
async def test_a_form_that_cannot_be_read_is_400(ucs: Ucs, content_type: str, body: bytes) -> None:
    reply = await ucs.post("/profiles/import", data=body, headers={"Content-Type": content_type})
    assert reply.status == 400


async def test_anything_but_multipart_with_json_is_400(ucs: Ucs) -> None:
    reply = await ucs.post("/profiles/import", json={"format": "CSV", "profiles": "profiles.csv"})
    assert reply.status == 400
    writer = aiohttp.MultipartWriter("form-data")
    writer.append("hello", {"Content-Type": "text/plain"}).set_content_disposition(
        "form-data", name="description"
    )
    assert (await ucs.post("/profiles/import", data=writer)).status == 400


async def test_any_other_method_on_the_path_takes_import_for_a_customer(ucs: Ucs) -> None:
    reply = await ucs.get("/profiles/import")
    assert reply.status == 404
    assert (await reply.json())["error_message"] == "there is no such customer"
