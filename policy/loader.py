"""Files to one policy document, with every complaint at once.

`read` is the only place of this package that touches a disk; `load` works on what was read. A
file that is wrong does not hide what is wrong in the others: its sound entries are kept, and the
rules that span entries are checked on what there is.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from policy import decoding
from policy.checks import check
from policy.diagnostics import Diagnostic
from policy.document import PolicyDocument, ServiceDocument, Written
from policy.entries import CatalogueFile, OverridesFile, PolicyFile
from policy.errors import PolicyInvalid, PolicyUnreadable
from policy.services import ServiceSpec
from policy.source import MAX_BYTES, Source, scan
from policy.uncollected import uncollected

__all__ = ["ServiceSources", "Sources", "Text", "load", "read"]

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Text:
    """The content of a file, and what messages call it."""

    file: str
    content: str | bytes


@dataclass(frozen=True, slots=True)
class ServiceSources:
    """The texts that describe one service."""

    spec: ServiceSpec
    catalogue: Text
    overrides: Text | None = None


@dataclass(frozen=True, slots=True)
class Sources:
    """Everything a policy is made from."""

    services: tuple[ServiceSources, ...]
    policies: tuple[Text, ...]

    @property
    def digest(self) -> str:
        """Equal for equal sources: of folders only the names of the policy files count.

        Its first half is the same wherever the services and their catalogues are (`DecisionTable.rules`).
        """
        rules = list(self._rules())
        return _half(rules) + _half([*rules, b"policies", *self._policies()])

    def _rules(self) -> Iterable[bytes]:
        for service in self.services:
            spec = service.spec
            yield from (text.encode() for text in (spec.name, spec.prefix, spec.use_role.value))
            yield "\0".join(sorted(spec.switches)).encode()
            by_division = (spec.use_scopes, spec.home_division, spec.pin_header)
            yield from (str(setting).encode() for setting in by_division)
            yield _bytes(service.catalogue)
            yield b"" if service.overrides is None else _bytes(service.overrides)

    def _policies(self) -> Iterable[bytes]:
        for policy in self.policies:
            yield Path(policy.file).name.encode()
            yield _bytes(policy)


def read(services: Sequence[ServiceSpec], folder: Path) -> Sources:
    """Read the files of `services` and every `*.yaml` that lies directly in `folder`."""
    disk = _Disk()
    found = tuple(
        ServiceSources(
            spec,
            disk.text_of(spec.catalogue),
            None if spec.overrides is None else disk.text_of(spec.overrides),
        )
        for spec in services
    )
    policies = tuple(disk.text_of(path) for path in disk.policies_in(folder))
    if disk.problems:
        raise PolicyUnreadable(disk.problems)
    return Sources(found, policies)


@uncollected()
def load(sources: Sources) -> PolicyDocument:
    """The document that `sources` hold, or every finding there is as `PolicyInvalid`."""
    files = _Files()
    services = [files.service(service) for service in sources.services]
    policies = [files.entries_of(PolicyFile, text) for text in sources.policies]
    document = PolicyDocument(
        version=sources.digest,
        services=tuple(service for service in services if service is not None),
        policies=tuple(policy for policy in policies if policy is not None),
        has_all_catalogues=None not in services,
        has_all_policies=None not in policies,
    )
    if files.findings:
        raise PolicyInvalid([*files.findings, *check(document).findings])
    return document


class _Disk:
    """Reading, with the problems gathered instead of raised one by one."""

    def __init__(self) -> None:
        self.problems: list[tuple[str, str]] = []

    def text_of(self, path: Path) -> Text:
        try:
            with path.open("rb") as file:
                # One byte more than allowed is enough to know that it is too much.
                return Text(str(path), file.read(MAX_BYTES + 1))
        except OSError as error:
            self._note(path, error)
            return Text(str(path), b"")

    def policies_in(self, folder: Path) -> list[Path]:
        try:
            entries = sorted(folder.iterdir())
        except OSError as error:
            self._note(folder, error)
            return []
        # A mounted ConfigMap has hidden folders beside its files; editors leave hidden files.
        found = [
            path
            for path in entries
            if path.suffix in {".yaml", ".yml"}
            and not path.name.startswith(".")
            and not path.is_dir()
        ]
        if not found:
            self.problems.append((str(folder), "holds no policy file (`*.yaml`)"))
        return found

    def _note(self, path: Path, error: OSError) -> None:
        self.problems.append((str(path), (error.strerror or str(error)).lower()))


class _Files:
    """Texts to entries, with the findings gathered."""

    def __init__(self) -> None:
        self.findings: list[Diagnostic] = []

    def service(self, sources: ServiceSources) -> ServiceDocument | None:
        """The service without what is wrong in it; None if nothing of its catalogue is left."""
        overrides = None
        if sources.overrides is not None:
            overrides = self.entries_of(OverridesFile, sources.overrides)
        catalogue = self.entries_of(CatalogueFile, sources.catalogue)
        if catalogue is None or (overrides is None and sources.overrides is not None):
            return None
        return ServiceDocument(sources.spec, catalogue, overrides)

    def entries_of(self, model: type[M], text: Text) -> Written[M] | None:
        source, findings = scan(text.content, text.file)
        self.findings.extend(findings)
        return None if source is None else self._decoded(model, source)

    def _decoded(self, model: type[M], source: Source) -> Written[M] | None:
        reading = decoding.read(model, source)
        self.findings.extend(reading.findings)
        return None if reading.model is None else Written(reading.model, source)


def _half(parts: Iterable[bytes]) -> str:
    digest = hashlib.blake2b(digest_size=8)
    for part in parts:
        # With its length before it, no part can pass for two.
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


def _bytes(text: Text) -> bytes:
    return (
        text.content if isinstance(text.content, bytes) else text.content.encode(errors="replace")
    )
