"""A catalogue from what an upstream says of itself, and from that again when it says otherwise.

    description = read_openapi(value, source)     or read_table(text, source)
    made = catalogue_text(description, previous)  the whole file, hand-written parts kept
    changes_between(old, new)                     what that means for callers

A description is somebody else's text, and is believed only as far as it can be understood: an
operation of which it is not clear what it asks for is closed, and a path that is no template is
left out, which denies it. Both are told.
"""

from policy.importing.changes import Change, Changes, Kind, changes_between, demand_in_words
from policy.importing.described import Described, Description, NotDescribed, shape_of
from policy.importing.openapi import read_openapi
from policy.importing.tables import UNPUBLISHED, read_table
from policy.importing.writing import Made, catalogue_text

__all__ = [
    "Change",
    "Changes",
    "Described",
    "Description",
    "Kind",
    "Made",
    "NotDescribed",
    "UNPUBLISHED",
    "catalogue_text",
    "changes_between",
    "demand_in_words",
    "read_openapi",
    "read_table",
    "shape_of",
]
