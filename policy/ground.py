"""What of a caller's grants counts for one request: those in the division that it is about.

Only callers with grants by division, and services that are pinned to one, ever come here; all others
hold what they hold wherever the request goes.
"""

from collections.abc import Sequence

import msgspec

from policy.divisions import given_in, pinned_to
from policy.inquiry import Inquiry
from policy.permissions import Demand
from policy.route import Route
from policy.rules import Extra

__all__ = ["Ground", "ground_of"]


class Ground(msgspec.Struct, frozen=True):
    """What counts in `each` of `divisions`, or surely counts where only the body could tell.

    In each of them everything has to be met that is asked for, so that a request about two is
    allowed just if one about the first is, and one about the second. `everywhere` are the bits that
    would count in any division. Of the bits `realm` one has to count, whatever the operation
    demands, unless there are none.
    """

    each: tuple[int, ...]
    everywhere: int
    divisions: tuple[str, ...] = ()
    is_certain: bool = True
    realm: int = 0

    def bears(self, route: Route, fired: Sequence[Extra]) -> bool:
        """Whether what counts is enough for the operation, and for the conditions that are true."""
        for bits in self.each:
            if self.realm and not bits & self.realm:
                return False
            if not _is_met(bits, route, fired):
                return False
        return True

    def meets(self, demand: Demand) -> bool:
        """Whether what counts is enough for it."""
        return all(demand.met_by(bits) for bits in self.each)

    def unmet(self, demand: Demand) -> Demand:
        """What of `demand` is not met in one of the divisions."""
        return Demand.joined(demand.unmet_by(bits) for bits in self.each)

    def needed_for(self, route: Route, fired: Sequence[Extra]) -> tuple[str, ...]:
        """The divisions, where it mattered which: grants in all of them would not have been enough,
        or the service has to be told.
        """
        if self.realm or not _is_met(self.everywhere, route, fired):
            return self.divisions
        return ()


def _is_met(bits: int, route: Route, fired: Sequence[Extra]) -> bool:
    if not route.requirement.demand.met_by(bits):
        return False
    return not fired or all(extra.demand.met_by(bits) for extra in fired)


def ground_of(route: Route, inquiry: Inquiry) -> Ground | None:
    """What counts for `inquiry`, which is about `route`; None if nobody can say."""
    held = inquiry.held
    if route.pin_header is not None:
        confined = pinned_to(route.pin_header, route.realm, inquiry)
        if confined is None:
            return None
        (everywhere,) = held.within((), route.realm)
        each = held.within(confined, route.realm)
        return Ground(each, everywhere, confined, realm=route.realm)
    (everywhere,) = held.within((), route.aware)
    source = route.requirement.source
    given = () if source is None else given_in(source, inquiry)
    if given is None:
        return Ground((everywhere,), everywhere, is_certain=False)
    divisions = given or route.home
    return Ground(held.within(divisions, route.aware), everywhere, divisions)
