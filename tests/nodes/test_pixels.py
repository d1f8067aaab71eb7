import pytest

from audit.nodes.chance import seeded
from audit.nodes.pixels import cross_section, echo_fan


@pytest.mark.parametrize("edge", [64, 128, 256])
def test_a_cross_section_has_twelve_bit_words_and_a_body_in_the_air(edge: int) -> None:
    octets = cross_section(seeded(1), edge, 0.5)
    words = memoryview(octets).cast("H")
    assert len(octets) == 2 * edge * edge
    assert max(words) < 4096
    assert words[0] < 200
    assert words[(edge // 2) * edge + edge // 2] > 900


def test_neighbouring_slices_differ() -> None:
    assert cross_section(seeded(1), 64, 0.2) != cross_section(seeded(1), 64, 0.9)


def test_an_echo_fan_is_dark_beside_the_fan() -> None:
    octets = echo_fan(seeded(1), 128)
    assert len(octets) == 128 * 128
    assert octets[0] == 0
    assert any(octets[64 * 128 : 65 * 128])
