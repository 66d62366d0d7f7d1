"""`ucs-gateway token`: a short-lived token from a development key.

For trying the gateway out before there is an issuer. It prints the token and nothing else, so
that it fits into `curl -H "Authorization: Bearer $(ucs-gateway token …)"`.
"""

from pathlib import Path

import click
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from gateway.authn.signing import PrivateKey, sign_token

__all__ = ["command"]

_LONGEST_SECONDS = 86_400


@click.command("token")
@click.option(
    "--key",
    "key_file",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Private key in PEM, without a passphrase.",
)
@click.option("--subject", required=True, help="Who the token speaks for (`sub`).")
@click.option("--role", "roles", multiple=True, help="A value of `roles`; may be repeated.")
@click.option("--issuer", required=True, help="`iss`, as in the gateway's settings.")
@click.option("--audience", required=True, help="`aud`, as in the gateway's settings.")
@click.option(
    "--expires-seconds",
    type=click.IntRange(1, _LONGEST_SECONDS),
    default=3600,
    show_default=True,
    help="For how long the token is good.",
)
@click.option("--algorithm", help="`alg`; by default what fits the key.")
def command(
    *,
    key_file: Path,
    subject: str,
    roles: tuple[str, ...],
    issuer: str,
    audience: str,
    expires_seconds: int,
    algorithm: str | None,
) -> None:
    """Sign a token with a development key and print it."""
    try:
        token = sign_token(
            _private_key(key_file),
            subject=subject,
            roles=roles,
            issuer=issuer,
            audience=audience,
            seconds=expires_seconds,
            algorithm=algorithm,
        )
    except ValueError as misfit:
        raise click.ClickException(str(misfit)) from None
    click.echo(token)


def _private_key(path: Path) -> PrivateKey:
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm):
        raise click.ClickException(
            f"`{path}` is not a private key in PEM without a passphrase;"
            " make one with `openssl genpkey -algorithm ed25519`"
        ) from None
    if not isinstance(key, PrivateKey):
        raise click.ClickException(f"the key in `{path}` is neither RSA, EC nor Ed25519")
    return key
