"""Who is asking: from the bytes of one `Authorization` header to a `policy.Caller`.

    credentials   the header's two words
    chain         asks the verifiers in order, remembers their answers for a while
    bearer        a JWT of a trusted issuer        basic   a user name with its password
      token         what it says, unproved           users     the users file
      claims        what it says, once proved        passwords Argon2id, bounded
      keys, jwks    the issuer's public keys
    introspection a token that only its own server can read
    certificates  who a connection's certificate names, where a request brings no credentials

Everything fails closed: what is malformed, unknown or contradictory is `CredentialsRefused`, what
cannot be told just now is `IdentityUnavailable`, and neither ever becomes an anonymous caller.
Which roles a caller has is the policy's word, not ours.
"""

from gateway.authn.build import build_authenticator, realm_of
from gateway.authn.certificates import CertificateRules
from gateway.authn.chain import Authenticator
from gateway.authn.passwords import hash_password
from gateway.authn.signing import sign_token

__all__ = [
    "Authenticator",
    "CertificateRules",
    "build_authenticator",
    "hash_password",
    "realm_of",
    "sign_token",
]
