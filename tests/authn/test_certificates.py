"""A verified client certificate names exactly one caller, or nobody (threat J-14)."""

import pytest
from cryptography import x509

from gateway.authn.certificates import CertificateRules, NameFrom
from gateway.errors import CredentialsRefused
from policy import Caller, Kind, Means
from tests.support.certificates import AUTHORITY, FUTURE, PAST, Shown

DNS, URI, EMAIL = x509.DNSName, x509.UniformResourceIdentifier, x509.RFC822Name


def rules(name_from: NameFrom = "common-name", prefix: str = "") -> CertificateRules:
    return CertificateRules(name_from=name_from, subject_prefix=prefix)


def refusal(shown: Shown, name_from: NameFrom = "common-name", prefix: str = "") -> str:
    with pytest.raises(CredentialsRefused) as refused:
        rules(name_from, prefix).caller(shown.der)
    return refused.value.detail


def test_the_common_name_is_the_callers_name() -> None:
    assert rules().caller(AUTHORITY.issue("import-job").der) == Caller(
        subject="import-job",
        kind=Kind.SERVICE,
        means=Means.CERTIFICATE,
        expires_at=FUTURE.timestamp(),
    )


@pytest.mark.parametrize(
    ("name_from", "alternative", "name"),
    [
        ("dns", DNS("job.example.com"), "job.example.com"),
        ("uri", URI("spiffe://example.com/job"), "spiffe://example.com/job"),
        ("email", EMAIL("anna@example.com"), "anna@example.com"),
    ],
)
def test_an_alternative_name_of_the_kind_is_the_callers_name(
    name_from: NameFrom, alternative: x509.GeneralName, name: str
) -> None:
    shown = AUTHORITY.issue("somebody else", alternatives=[alternative])
    assert rules(name_from).caller(shown.der).subject == name


def test_names_of_other_kinds_are_of_no_interest() -> None:
    kinds = [DNS("a.example"), DNS("b.example"), URI("x:y"), EMAIL("a@b.example")]
    shown = AUTHORITY.issue("import-job", alternatives=kinds)
    assert rules().caller(shown.der).subject == "import-job"
    assert rules("uri").caller(shown.der).subject == "x:y"
    assert "2 names of the kind `dns`" in refusal(shown, "dns")


def test_the_prefix_stands_before_the_name() -> None:
    assert rules(prefix="cert:").caller(AUTHORITY.issue("job").der).subject == "cert:job"


def test_a_certificate_may_stand_for_a_person() -> None:
    persons = CertificateRules(name_from="common-name", kind=Kind.USER)
    assert persons.caller(AUTHORITY.issue("anna").der).kind is Kind.USER


@pytest.mark.parametrize("names", [(), ("import-job", "administrator"), ("job", "job")])
def test_with_no_common_name_or_several_nobody_guesses(names: tuple[str, ...]) -> None:
    shown = AUTHORITY.issue(*names)
    assert refusal(shown) == (
        f"the client's certificate has {len(names)} names of the kind `common-name`"
    )


@pytest.mark.parametrize("name_from", ["dns", "uri", "email"])
def test_a_common_name_is_no_substitute_for_an_alternative_name(name_from: NameFrom) -> None:
    assert f"0 names of the kind `{name_from}`" in refusal(AUTHORITY.issue("job"), name_from)


@pytest.mark.parametrize(
    "name",
    [
        "job\0.evil",
        "job\r\nx-gateway-caller: root",
        " job",
        "job ",
        "",
        "a\u0301nna",  # not NFC
        "job\u200b",  # zero width
        "\u202eboj",  # right to left
        "j" * 257,
        "*.example.com",
    ],
    ids=ascii,
)
def test_a_name_that_is_not_plain_is_refused_and_not_repaired(name: str) -> None:
    shown = AUTHORITY.issue(name)
    assert refusal(shown) == "the `common-name` of the client's certificate is not a plain name"


def test_the_prefix_counts_towards_the_length() -> None:
    assert rules().caller(AUTHORITY.issue("j" * 256).der).subject == "j" * 256
    assert "not a plain name" in refusal(AUTHORITY.issue("j" * 256), prefix="c")


def test_names_in_other_scripts_are_names() -> None:
    assert rules().caller(AUTHORITY.issue("Ünal Çelik").der).subject == "Ünal Çelik"


def test_what_is_no_certificate_is_refused() -> None:
    whole = AUTHORITY.issue("job").der
    for der in (b"", b"\x30\x00", whole[:-1], whole + b"\0"):
        with pytest.raises(CredentialsRefused, match="cannot be read"):
            rules().caller(der)


def test_the_end_of_the_certificate_is_the_end_of_the_caller() -> None:
    caller = rules().caller(AUTHORITY.issue("job", until=PAST).der)
    assert caller.expires_at == PAST.timestamp()


def test_for_a_connection_a_refusal_is_a_value() -> None:
    good = rules().read(AUTHORITY.issue("job").der)
    bad = rules().read(AUTHORITY.issue("a", "b").der)
    assert good.caller is not None
    assert (good.caller.subject, good.refused) == ("job", "")
    assert bad.caller is None
    assert "2 names" in bad.refused
