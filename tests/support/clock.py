"""A clock that moves only when a test says so."""


class FakeClock:
    """Starts on a date with no meaning; `advance` moves both times, `set_wall` only the date."""

    def __init__(self, wall: float = 1_800_000_000.0, monotonic: float = 1_000.0) -> None:
        self._wall = wall
        self._monotonic = monotonic

    def monotonic(self) -> float:
        return self._monotonic

    def wall(self) -> float:
        return self._wall

    def advance(self, seconds: float) -> None:
        if seconds < 0:
            raise ValueError("time does not run backwards; use set_wall to correct the date")
        self._wall += seconds
        self._monotonic += seconds

    def set_wall(self, wall: float) -> None:
        """The machine's date was corrected; no time has passed."""
        self._wall = wall

    def __repr__(self) -> str:
        return f"FakeClock(wall={self._wall}, monotonic={self._monotonic})"
