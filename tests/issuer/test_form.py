"""Forms, read so that no other reader can see another one."""

from urllib.parse import parse_qsl, quote, quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.issuer.form import FormUnreadable, read_form

TEXT = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=20)


@given(st.dictionaries(TEXT.filter(bool), TEXT, max_size=8))
def test_whatever_was_written_is_read(form: dict[str, str]) -> None:
    meant = {name: value for name, value in form.items() if value}
    assert read_form(urlencode(form).encode()) == meant
    assert read_form(urlencode(form, quote_via=quote).encode()) == meant
    assert read_form(urlencode(form, quote_via=quote_plus, safe="*-._~!'()").encode()) == meant


@given(st.binary(max_size=60))
def test_any_bytes_are_read_as_others_do_or_refused(body: bytes) -> None:
    try:
        found = read_form(body)
    except FormUnreadable:
        return
    # What can be read is ASCII, and says the same to the standard library.
    pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, strict_parsing=False)
    assert found == {name: value for name, value in pairs if value}


@pytest.mark.parametrize(
    "body",
    [b"a=%", b"a=%f", b"a=%zz", b"a=%u0041", b"a=\xc3\xa4", b"a=%ff", b"a=%c0%af", b"a=%00",
     b"a=%0d%0a", b"a=b c", b"a=\x00", b"a=1&a=1", b"a&a", b"a=&%61=1", b"a+b=1&a%20b=2"],
)  # fmt: skip
def test_nothing_is_repaired(body: bytes) -> None:
    with pytest.raises(FormUnreadable):
        read_form(body)


def test_so_many_parameters_and_no_more() -> None:
    assert len(read_form(b"&".join(b"x%d=1" % n for n in range(32)))) == 32
    with pytest.raises(FormUnreadable):
        read_form(b"&".join(b"x%d=1" % n for n in range(33)))


def test_what_is_refused_is_not_echoed() -> None:
    with pytest.raises(FormUnreadable) as refused:
        read_form(b"client_secret=hunter2&client_secret=hunter2")
    assert "hunter2" not in str(refused.value)
