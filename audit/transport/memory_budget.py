"""Shares a fixed amount of memory among connections that receive large messages."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from audit.errors import ConfigurationError


@dataclass(slots=True)
class MemoryBudget:
    """Grants reservations first come, first served, never more than ``limit_octets`` together.

    A holder asks once for all that it needs, so that holders never wait for each other.
    """

    limit_octets: int
    reserved_octets: int = 0
    _held: dict[int, int] = field(default_factory=dict)
    _waiting: OrderedDict[int, tuple[int, Callable[[], None]]] = field(default_factory=OrderedDict)

    def reserve(self, holder: int, octets: int, granted: Callable[[], None]) -> bool:
        """True when granted at once; otherwise ``granted`` is called later, once.

        Raises:
            ConfigurationError: more is asked for than there is in all.
        """
        if octets > self.limit_octets:
            raise ConfigurationError(
                f"a message of {octets} octets can't fit into {self.limit_octets} for all"
            )
        if not self._waiting and self._fits(octets):
            self._grant(holder, octets)
            return True
        self._waiting[holder] = (octets, granted)
        return False

    def release(self, holder: int) -> None:
        """Gives back what the holder has or waits for, and serves those who wait."""
        self._waiting.pop(holder, None)
        self.reserved_octets -= self._held.pop(holder, 0)
        while self._waiting:
            waiting, (octets, granted) = next(iter(self._waiting.items()))
            if not self._fits(octets):
                return
            del self._waiting[waiting]
            self._grant(waiting, octets)
            granted()

    def _fits(self, octets: int) -> bool:
        return self.reserved_octets + octets <= self.limit_octets

    def _grant(self, holder: int, octets: int) -> None:
        self._held[holder] = octets
        self.reserved_octets += octets
