"""Repeatable chance for names, images and the order of the day; never for secrets."""

from random import Random


def seeded(*parts: object) -> Random:
    """The same stream of choices for the same parts, in every run and on every machine."""
    text = "/".join(str(part) for part in parts)
    return Random(text)  # noqa: S311 - play that must repeat, no secret depends on it
