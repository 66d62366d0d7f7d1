"""The files of one benchmark run: keys, settings, policy, nginx configurations."""

import json
import time
from collections.abc import Mapping
from pathlib import Path

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

__all__ = ["PROFILE", "Site"]

ROOT = Path(__file__).resolve().parent.parent
PROFILE = '{"customer_id":"0004Va58A92T0017","FirstName":"Anna","LastName":"Example","pad":"'
PROFILE += "x" * (328 - len(PROFILE)) + '"}'


class Site:
    """A folder with everything that the contestants need."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def token(self, subject: str = "olga") -> str:
        """Of the shipped policy's users: olga may do everything, mona nothing."""
        claims = {
            "iss": "https://login.bench/", "aud": "ucs-gateway", "sub": subject,
            "exp": int(time.time()) + 3600,
        }  # fmt: skip
        return jwt.encode(claims, self._key, algorithm="RS256")

    def gateway(
        self,
        port: int,
        admin_port: int,
        upstream_port: int,
        *,
        limits: Mapping[str, float] | None = None,
        upstream: Mapping[str, float] | None = None,
    ) -> Path:
        """Everything on: a JWT issuer, the shipped catalogues and policy, audit to a file.

        `limits` and `upstream` are settings beside the usual ones.
        """
        more_limits = json.dumps({"max_body_bytes": 2147483648, **(limits or {})})
        more_upstream = "".join(f", {name}: {value}" for name, value in (upstream or {}).items())
        pem = self.folder / "issuer.pem"
        pem.write_bytes(
            self._key.public_key().public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
        )
        config = self.folder / "gateway.yaml"
        config.write_text(f"""
listen: {{address: 127.0.0.1:{port}}}
admin: {{address: 127.0.0.1:{admin_port}}}
services:
  - name: ucs
    catalogue: {ROOT}/config/catalogues/ucs-customer-profiles.yaml
    upstream: {{nodes: [http://127.0.0.1:{upstream_port}]{more_upstream}}}
    errors: ucs
  - name: gms
    catalogue: {ROOT}/config/catalogues/gms-context-services.yaml
    prefix: /genesys/1/cs
    upstream: {{nodes: [http://127.0.0.1:{upstream_port}], base_path: /genesys/1/cs}}
    errors: gms
policy: {ROOT}/config/policy
identity:
  jwt:
    - {{issuer: https://login.bench/, audience: ucs-gateway, algorithms: [RS256], pem_file: {pem}}}
limits: {more_limits}
audit: {{file: {self.folder}/audit.jsonl}}
""")
        return config

    def nginx(self, port: int, upstream_port: int | None = None) -> list[str]:
        """An upstream that answers a small JSON, or a plain reverse proxy in front of one."""
        location = f"default_type application/json; return 200 '{PROFILE}';"
        pool = ""
        if upstream_port is not None:
            pool = (
                f"upstream pool {{ server 127.0.0.1:{upstream_port}; keepalive 128;"
                " keepalive_requests 100000000; }"
            )
            location = (
                "proxy_pass http://pool; proxy_http_version 1.1; proxy_set_header Connection '';"
            )
        config = self.folder / f"nginx-{port}.conf"
        config.write_text(f"""
daemon off; worker_processes 1; pid {self.folder}/nginx-{port}.pid;
error_log {self.folder}/nginx-{port}.log crit;
events {{ worker_connections 16384; }}
http {{
  access_log off; keepalive_requests 100000000;
  client_header_timeout 10s; client_body_timeout 30s;
  client_body_temp_path {self.folder}; proxy_temp_path {self.folder};
  fastcgi_temp_path {self.folder}; uwsgi_temp_path {self.folder}; scgi_temp_path {self.folder};
  {pool}
  server {{ listen 127.0.0.1:{port} backlog=4096; location / {{ {location} }} }}
}}
""")
        return ["nginx", "-c", str(config), "-p", str(self.folder)]
