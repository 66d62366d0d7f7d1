"""Swagger 2 and OpenAPI 3 descriptions, as far as they say who may call what.

Genesys Cloud serves its own at `/api/v2/docs/swagger` of every region. Permissions stand under
`x-inin-requires-permissions` as `{type: ANY | ALL, permissions: […]}`, scopes in `security`. There
any one scope of the list is enough, which is Genesys' reading and not that of RFC 6749.
Everything else in the document, schemas above all, is not looked at.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from policy.importing.described import Description, Gathering, NotDescribed, Token

__all__ = ["read_openapi"]

_METHODS = ("get", "head", "post", "put", "patch", "delete", "options", "trace")
_OAUTH_TYPES = frozenset({"oauth2", "openIdConnect"})


def read_openapi(document: object, source: str) -> Description:
    """The operations of a parsed description; `source` is where it is from.

    Raises NotDescribed for what is no description of Swagger 2 or OpenAPI 3.
    """
    if not isinstance(document, dict) or not ("swagger" in document or "openapi" in document):
        raise NotDescribed("this is no Swagger or OpenAPI description: it has no such key")
    paths = document.get("paths")
    if not isinstance(paths, dict):
        raise NotDescribed("the description has no `paths`")
    return _Reading(document).read(paths, source)


class _Reading:
    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self._gathering = Gathering()
        self._schemes = _mapping(document.get("securityDefinitions")) or _mapping(
            _mapping(document.get("components")).get("securitySchemes")
        )

    def read(self, paths: Mapping[Any, Any], source: str) -> Description:
        for path, item in paths.items():
            if str(path).startswith("x-"):
                continue
            if not isinstance(item, dict) or "$ref" in item:
                self._gathering.note(f"{path}: this is described elsewhere; left out")
                continue
            for method in _METHODS:
                if method in item:
                    self._operation(method.upper(), str(path), item[method])
        for name in self._declared():
            self._gathering.scopes[name] = None
        info = _mapping(self._document.get("info"))
        title = " ".join(filter(None, (_text(info.get("title")), _text(info.get("version")))))
        return self._gathering.described(title, source)

    def _operation(self, method: str, path: str, operation: object) -> None:
        called = f"{method} {path}"
        if not isinstance(operation, dict):
            self._gathering.note(f"{called}: this is no description of an operation; left out")
            return
        token, scopes = self._security(called, operation)
        mode, permissions = self._permissions(operation)
        self._gathering.add(
            method,
            path,
            name=_text(operation.get("operationId")),
            title=_text(operation.get("summary")),
            mode=mode,
            permissions=permissions,
            scopes=scopes,
            token=token,
        )

    def _permissions(self, operation: Mapping[str, Any]) -> tuple[str, list[str]]:
        """The mode and the permissions; a mode that is none closes the operation."""
        said = operation.get("x-inin-requires-permissions")
        if said is None:
            return "NONE", []
        names = said.get("permissions") if isinstance(said, dict) else None
        mode = said.get("type") if isinstance(said, dict) else None
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            return "(nothing)", []
        if not names:
            return "NONE", []
        return mode if isinstance(mode, str) and mode != "NONE" else "(nothing)", names

    def _security(self, called: str, operation: Mapping[str, Any]) -> tuple[Token, list[str]]:
        """Which token is needed, and which scopes; any one of several ways is enough."""
        said = operation.get("security", self._document.get("security"))
        if said is None or said == []:
            return Token.NONE, []
        if not isinstance(said, list) or not all(isinstance(way, dict) for way in said):
            self._gathering.note(f"{called}: its `security` is no list; the operation is closed")
            return Token.OTHER, []
        if not any(said):
            return Token.NONE, []
        listed = [
            scopes for way in said for scheme, scopes in way.items() if self._is_oauth(scheme)
        ]
        if not listed:
            return Token.OTHER, []
        if not all(_is_texts(scopes) for scopes in listed):
            self._gathering.note(f"{called}: its scopes are no list; the operation is closed")
            return Token.OTHER, []
        # A way that asks for no scope opens it without any.
        return Token.OAUTH, [] if [] in listed else [name for some in listed for name in some]

    def _is_oauth(self, scheme: object) -> bool:
        found = _mapping(self._schemes.get(scheme))
        is_bearer = found.get("type") == "http" and _text(found.get("scheme")).lower() == "bearer"
        return is_bearer or found.get("type") in _OAUTH_TYPES

    def _declared(self) -> Iterator[str]:
        """Scopes that the description lists, whether or not an operation asks for them."""
        for scheme in self._schemes.values():
            if _mapping(scheme).get("type") != "oauth2":
                continue
            flows = [scheme, *_mapping(scheme.get("flows")).values()]
            for flow in flows:
                for name in _mapping(_mapping(flow).get("scopes")):
                    if isinstance(name, str) and name.isprintable() and name.strip() == name:
                        yield from [name] if name else []


def _mapping(value: object) -> Mapping[Any, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)
