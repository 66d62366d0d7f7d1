"""A policy as its authors wrote it: every file's entries, and where each of them stands.

No behaviour and nothing resolved: a document may still name roles that do not exist. What comes
of it is the compiler's business; the reference evaluator of the tests works on documents alone.
"""

from dataclasses import dataclass
from typing import Generic, TypeVar

from policy.entries import CatalogueFile, OverridesFile, PolicyFile
from policy.services import ServiceSpec
from policy.source import Place, Source

__all__ = ["PolicyDocument", "ServiceDocument", "Written"]

M_co = TypeVar("M_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Written(Generic[M_co]):
    """What a file says, and the file."""

    entries: M_co
    source: Source

    @property
    def place(self) -> Place:
        return self.source.place

    def keys(self, section: str) -> tuple[str, ...]:
        """The keys of a section, also of entries that were left out because they are wrong."""
        whole = self.source.value
        keys = whole.get(section) if isinstance(whole, dict) else None
        return tuple(keys) if isinstance(keys, dict) else ()


@dataclass(frozen=True, slots=True)
class ServiceDocument:
    """A service with its catalogue, and with the deployment's own changes of it."""

    spec: ServiceSpec
    catalogue: Written[CatalogueFile]
    overrides: Written[OverridesFile] | None = None


@dataclass(frozen=True, slots=True)
class PolicyDocument:
    """A whole policy. `version` is a digest of all that it was read from.

    `has_all_catalogues` and `has_all_policies` are false for a document of which some file could
    not be understood at all: it is never compiled, but what is there is checked all the same.
    """

    version: str
    services: tuple[ServiceDocument, ...]
    policies: tuple[Written[PolicyFile], ...]
    has_all_catalogues: bool = True
    has_all_policies: bool = True
