"""Permission names and the bits that stand for them.

A table gives every permission of its catalogues one bit, in the order of the catalogues, so that
"does the caller hold all of these" is one operation on integers whatever the number of roles. A
demand keeps *all of* and *one of* apart to the very end: a refused caller must be able to tell
"you need these two" from "you need either".
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import reduce
from operator import or_
from typing import Self

import msgspec

from policy.decision import Missing

__all__ = ["NO_DEMAND", "Demand", "Permissions"]


class Demand(msgspec.Struct, frozen=True, gc=False, eq=False):
    """Every bit of `all_of`, and at least one bit of each group of `any_of`.

    A choice among one is no choice, and stands in `all_of`; `alone` are the bits that are there for
    nothing else. They weigh the same, and some clients are to be told of them as of a choice.
    """

    all_of: int = 0
    any_of: tuple[int, ...] = ()
    alone: int = 0

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Demand):
            return NotImplemented
        return self.all_of == other.all_of and self.any_of == other.any_of

    def __hash__(self) -> int:
        return hash((self.all_of, self.any_of))

    @classmethod
    def joined(cls, demands: Iterable[Self]) -> Self:
        """What meets all of `demands`; a group that is asked for twice is kept once."""
        demands = tuple(demands)
        if len(demands) == 1 and len(demands[0].any_of) <= 1:
            return demands[0]
        all_of, outright, groups = 0, 0, dict[int, None]()
        for demand in demands:
            all_of |= demand.all_of
            outright |= demand.all_of & ~demand.alone
            groups |= dict.fromkeys(demand.any_of)
        return cls(all_of, tuple(groups), all_of & ~outright)

    @property
    def bits(self) -> int:
        """Every bit that this demand speaks of."""
        bits = self.all_of
        for group in self.any_of:
            bits |= group
        return bits

    @property
    def clauses(self) -> Iterator[int]:
        """The demand as groups of bits, of each of which one has to be held."""
        rest = self.all_of
        while rest:
            lowest = rest & -rest
            yield lowest
            rest ^= lowest
        yield from self.any_of

    def met_by(self, held: int) -> bool:
        if held & self.all_of != self.all_of:
            return False
        # A loop, because this runs per request and a generator costs more than all the rest.
        for group in self.any_of:  # noqa: SIM110
            if not held & group:
                return False
        return True

    def unmet_by(self, held: int) -> Self:
        """What is missing. A group that the missing bits of `all_of` would meet is not named."""
        if not held and not self.any_of:
            return self
        all_of = self.all_of & ~held
        known = held | all_of
        return type(self)(all_of, tuple(group for group in self.any_of if not known & group))

    def implies(self, other: Self) -> bool:
        """Whether whoever meets this demand meets `other`, whatever else they hold."""
        surely = self.all_of
        for group in self.any_of:
            if group.bit_count() == 1:
                surely |= group
        return not other.all_of & ~surely and all(
            group & surely or any(not mine & ~group for mine in self.any_of)
            for group in other.any_of
        )

    def __bool__(self) -> bool:
        return bool(self.all_of or self.any_of)


NO_DEMAND = Demand()


class Permissions:
    """Every permission that the catalogues know: name, bit and display name; and every scope.

    Scopes are bits above those of all permissions, under names of their own: a scope may be called
    like a permission. `everything` are the bits of all permissions, `every_scope` those of scopes.
    """

    __slots__ = (
        "_bits", "_names", "_scope_bits", "_scopes", "_titles", "every_scope", "everything"
    )  # fmt: skip

    def __init__(self, titles: Mapping[str, str], scopes: Iterable[str] = ()) -> None:
        self._names = tuple(titles)
        self._titles = dict(titles)
        self._bits = {name: 1 << place for place, name in enumerate(self._names)}
        self._scopes = tuple(dict.fromkeys(scopes))
        above = len(self._names)
        self._scope_bits = {name: 1 << above + n for n, name in enumerate(self._scopes)}
        self.everything = (1 << above) - 1
        self.every_scope = (1 << above + len(self._scopes)) - 1 - self.everything

    def mask_of(self, names: Iterable[str]) -> int:
        """The bits of known names; an unknown name is a `KeyError`, never a bit."""
        bits = [self._bits[name] for name in names]
        # The bits of a large policy are long numbers: where one will do, none is made.
        return bits[0] if len(bits) == 1 else reduce(or_, bits, 0)

    @property
    def scopes(self) -> tuple[str, ...]:
        """Every scope, in the order of the catalogues."""
        return self._scopes

    def scope_mask_of(self, names: Iterable[str]) -> int:
        """The bits of those of `names` that are scopes; a token may name others as well."""
        mask = 0
        for name in names:
            mask |= self._scope_bits.get(name, 0)
        return mask

    def scopes_of(self, mask: int) -> tuple[str, ...]:
        """The scopes among the bits of `mask`, in the order of the catalogues."""
        return tuple(name for name, bit in self._scope_bits.items() if bit & mask)

    def names_of(self, mask: int) -> tuple[str, ...]:
        """The permissions among the bits of `mask`, in the order of the catalogues."""
        mask &= self.everything
        names = []
        while mask:
            lowest = mask & -mask
            names.append(self._names[lowest.bit_length() - 1])
            mask ^= lowest
        return tuple(names)

    def missing_of(self, unmet: Demand, divisions: tuple[str, ...] = ()) -> Missing:
        """What is missing, in names; a group of scopes is told as such."""
        all_of = self.names_of(unmet.all_of)
        if not self.every_scope:
            any_of = tuple(self.names_of(group) for group in unmet.any_of)
            return Missing(all_of, any_of, (), divisions)
        groups = [group for group in unmet.any_of if not group & self.every_scope]
        scopes = self.scopes_of(next((g for g in unmet.any_of if g & self.every_scope), 0))
        return Missing(all_of, tuple(map(self.names_of, groups)), scopes, divisions)

    def title_of(self, name: str) -> str:
        return self._titles[name]

    def __contains__(self, name: object) -> bool:
        return name in self._bits

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __repr__(self) -> str:
        return f"<Permissions: {len(self)}>"
