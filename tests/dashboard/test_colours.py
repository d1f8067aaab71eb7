"""Contrast of every pair of colours that meets on a page, and the weight of the files."""

import re
from importlib.resources import files

import pytest

STATIC = files("audit.dashboard").joinpath("static")
STYLE = STATIC.joinpath("app.css").read_text()
SURFACES = ("page", "surface", "sunken")
TEXT_PAIRS = [
    *((ink, surface) for ink in ("ink", "soft", "accent", "accent-hover") for surface in SURFACES),
    *((ink, f"{ink}-wash") for ink in ("good", "warn", "bad")),
    *(("ink", wash) for wash in ("good-wash", "warn-wash", "bad-wash")),
    *((ink, "sunken") for ink in ("mark", "good")),
    ("mark", "surface"),
    ("bad", "surface"),
    ("accent-ink", "accent"),
    ("accent-ink", "accent-hover"),
]
PARTS = re.findall(r"--(c-[a-z-]+):", STYLE.split("@media", maxsplit=1)[0])
GRAPHIC_PAIRS = [
    *((part, "surface") for part in PARTS),
    *(("control-line", surface) for surface in SURFACES),
    *(("focus", surface) for surface in SURFACES),
    ("accent", "sunken"),
]


def tokens(scheme: str) -> dict[str, str]:
    light, dark = re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)[:2]
    found = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", light))
    if scheme == "dark":
        found |= dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", dark))
    return found


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str) -> float:
    high, low = sorted((luminance(first), luminance(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), TEXT_PAIRS)
def test_text_keeps_aa(scheme: str, ink: str, ground: str) -> None:
    colours = tokens(scheme)
    assert contrast(colours[ink], colours[ground]) >= 4.5


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), GRAPHIC_PAIRS)
def test_controls_and_charts_keep_three_to_one(scheme: str, ink: str, ground: str) -> None:
    colours = tokens(scheme)
    assert contrast(colours[ink], colours[ground]) >= 3


def test_dark_mode_redefines_every_colour() -> None:
    light, dark = re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)[:2]
    names = [set(re.findall(r"--([a-z-]+): #", part)) for part in (light, dark)]
    assert names[0] == names[1]
    assert len(PARTS) == 12


def test_script_is_small_and_writes_no_markup() -> None:
    script = STATIC.joinpath("app.js").read_text()
    assert len(script.encode()) < 10_000
    assert not re.search(r"innerHTML|outerHTML|document\.write|eval|Function\(|fetch", script)


def test_style_needs_nothing_from_elsewhere() -> None:
    assert "url(" not in STYLE
    assert "@import" not in STYLE
    assert len(STYLE.encode()) < 40_000
