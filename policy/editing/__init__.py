"""Policy files changed in place: the steps of administrators, as edits of the text they wrote.

    files = PolicyFiles(sources, titles)       the texts, and which of them defines what
    step = grant(files, "reader", ["Read"])    what is to change; EditRefused if it cannot
    files.edited(step)                         the new text of each file
    effect_of(old, new)                        what that opens and closes, and for whom

Comments, order and layout of whatever is not concerned stay to the letter. Nothing here reads or
writes a file.
"""

from policy.editing.changes import Add, Change, Drop, Put, Rename, Respell, Take
from policy.editing.clients import authorize, unauthorize
from policy.editing.effects import Effect, Reach, effect_of, of_kind, reach_of
from policy.editing.errors import EditRefused
from policy.editing.files import PolicyFiles, Step, suggestion
from policy.editing.holders import assign, remove, remove_all
from policy.editing.portraits import (
    HolderPortrait,
    RolePortrait,
    portrait_of_holder,
    portrait_of_role,
)
from policy.editing.rewriting import edited
from policy.editing.roles import (
    create_role,
    delete_role,
    exclude_roles,
    grant,
    include_roles,
    rename_role,
    revoke,
    switch_role,
)

__all__ = [
    # A text and its changes.
    "Add",
    "Change",
    "Drop",
    "EditRefused",
    "Put",
    "Rename",
    "Respell",
    "Take",
    "edited",
    # The steps.
    "PolicyFiles",
    "Step",
    "assign",
    "authorize",
    "create_role",
    "delete_role",
    "exclude_roles",
    "grant",
    "include_roles",
    "remove",
    "remove_all",
    "rename_role",
    "revoke",
    "switch_role",
    "unauthorize",
    # What they mean, and what there is.
    "Effect",
    "HolderPortrait",
    "Reach",
    "RolePortrait",
    "effect_of",
    "of_kind",
    "portrait_of_holder",
    "portrait_of_role",
    "reach_of",
    "suggestion",
]
