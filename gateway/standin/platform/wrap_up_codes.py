"""Wrap-up codes: how an agent says what a conversation was about. And skills, which are as plain."""

from gateway.standin.platform.collection import Collection

__all__ = ["ROUTES", "SKILLS", "WRAP_UP_CODES"]

WRAP_UP_CODES = Collection(
    kind="wrap-up code",
    path="/routing/wrapupcodes",
    parameter="codeId",
    fields={"description": str},
)

SKILLS = Collection(
    kind="skill",
    path="/routing/skills",
    parameter="skillId",
    divided=False,
    defaults={"state": "active", "version": "1"},
)

ROUTES = (
    *WRAP_UP_CODES.routes("list", "create", "get", "change", "delete"),
    *SKILLS.routes("list", "get"),
)
