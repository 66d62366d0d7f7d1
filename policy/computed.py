"""Fields of frozen values that are computed from their other fields."""

__all__ = ["set_computed"]

_set = object.__setattr__


def set_computed(frozen: object, **fields: object) -> None:
    """Set these, while the value is being made (`__post_init__`) and nobody else has it."""
    for name, value in fields.items():
        _set(frozen, name, value)
