"""The segment trie: from a method and the segments of a path to the one operation they mean.

Built once, walked per request, never changed. The walk takes a literal before a parameter and a
narrow parameter before a wide one, and comes back to try the next when it ends in nothing. What
it finds is the closest template, because the compiler has refused templates that cross (two that
cross and demand the same of their callers are let through; there the leftmost segment decides).

The cost depends on the number of segments, not on the number of routes. What a route *is* does
not matter here.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, TypeVar

from policy.template import Grammar, Parameter, Template

__all__ = ["Node", "Routes"]

R = TypeVar("R")


class Node(Generic[R]):
    __slots__ = ("below", "fits", "literals", "parameters", "route")

    def __init__(self) -> None:
        self.literals: dict[str, Node[R]] = {}
        self.parameters: tuple[tuple[Grammar, Node[R]], ...] = ()
        self.route: R | None = None
        # The usual node has one parameter at most; these are it, ready to use.
        self.fits: Callable[[str], object] | None = None
        self.below: Node[R] = self

    def child(self, segment: str | Parameter) -> "Node[R]":
        """The node below, made if there is none yet; a parameter's name does not count."""
        if isinstance(segment, str):
            literal = self.literals.get(segment)
            if literal is None:
                literal = self.literals[segment] = Node()
            return literal
        wanted = segment.grammar
        for grammar, node in self.parameters:
            if grammar is wanted or grammar == wanted:
                return node
        node = Node[R]()
        parameters = (*self.parameters, (wanted, node))
        if len(parameters) > 1:
            parameters = tuple(sorted(parameters, key=lambda pair: pair[0].order))
        self._take(parameters)
        return node

    def _take(self, parameters: "tuple[tuple[Grammar, Node[R]], ...]") -> None:
        self.parameters = parameters
        if parameters:
            self.fits, self.below = parameters[0][0].fits, parameters[0][1]

    def __getstate__(self) -> tuple[object, ...]:
        return self.literals, self.parameters, self.route

    def __setstate__(self, state: "tuple[dict[str, Node[R]], Any, R | None]") -> None:
        self.literals, parameters, self.route = state
        self.fits, self.below = None, self
        self._take(parameters)

    def walk(self, segments: tuple[str, ...], depth: int) -> "Iterator[R]":
        """Every route that accepts the rest of the segments, the closest first."""
        if depth == len(segments):
            if self.route is not None:
                yield self.route
            return
        segment = segments[depth]
        literal = self.literals.get(segment)
        if literal is not None:
            yield from literal.walk(segments, depth + 1)
        for grammar, node in self.parameters:
            if grammar.fits(segment):
                yield from node.walk(segments, depth + 1)


def _has_two_ways(root: Node[R]) -> bool:
    """Whether some node can be left in two ways by one segment."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if len(node.parameters) > 1:
            return True
        if any(grammar.fits(name) for grammar, _ in node.parameters for name in node.literals):
            return True
        waiting += node.literals.values()
        waiting += (below for _, below in node.parameters)
    return False


class Routes(Generic[R]):
    """Routes by method and path.

    HEAD asks for what GET would answer, so a HEAD request is walked among the HEAD *and* the GET
    templates; where both have the same template, the HEAD operation is meant. Where no operation is
    for HEAD, both methods have the same trie.
    """

    __slots__ = ("_count", "_forking", "_roots")

    def __init__(self, entries: Iterable[tuple[str, Template, R]]) -> None:
        listed = list(entries)
        self._count = len(listed)
        self._roots: dict[str, Node[R]] = {}
        for method, template, route in listed:
            self._add(method, template, route)
        if "HEAD" in self._roots:
            for method, template, route in listed:
                if method == "GET":
                    self._add("HEAD", template, route)
        elif "GET" in self._roots:
            self._roots["HEAD"] = self._roots["GET"]
        forking = {root for root in dict.fromkeys(self._roots.values()) if _has_two_ways(root)}
        self._forking = frozenset(method for method, root in self._roots.items() if root in forking)

    def _add(self, method: str, template: Template, route: R) -> None:
        node = self._roots.setdefault(method, Node())
        for segment in template.segments:
            node = node.child(segment)
        if node.route is None:
            node.route = route

    def find(self, method: str, segments: tuple[str, ...]) -> R | None:
        """The closest route, or None: nothing is known of such a request."""
        root = node = self._roots.get(method)
        if node is None or root is None:
            return None
        for segment in segments:
            below = node.literals.get(segment)
            if below is None:
                fits = node.fits
                if fits is None or fits(segment) is None:
                    break
                below = node.below
            node = below
        else:
            # Always the closest way on, and it led somewhere: the walk would have found it first.
            if node.route is not None:
                return node.route
        # Where there were two ways on, the plain loop cannot come back, and the walk can.
        return next(root.walk(segments, 0), None) if method in self._forking else None

    def matches(self, method: str, segments: tuple[str, ...]) -> Iterator[R]:
        """Every route that accepts the request, the closest first."""
        root = self._roots.get(method)
        return iter(()) if root is None else root.walk(segments, 0)

    def methods_of(self, segments: tuple[str, ...]) -> tuple[str, ...]:
        """The methods that mean something at this path."""
        return tuple(method for method in self._roots if self.find(method, segments) is not None)

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods that any path has an operation for."""
        return tuple(self._roots)

    def root_of(self, method: str) -> Node[R] | None:
        """Where the walk of a method's paths begins; for those who look at all of them."""
        return self._roots.get(method)

    def __len__(self) -> int:
        return self._count

    def __repr__(self) -> str:
        return f"<Routes: {self._count}>"
