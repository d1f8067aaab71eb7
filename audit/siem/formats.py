"""The formats that a SIEM can ask for, and what makes records into them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from audit.errors import SenderError
from audit.index.document import IndexedRecord
from audit.siem.cef import cef_line
from audit.siem.disclosure import Discloser
from audit.siem.ecs import ecs_line
from audit.siem.ocsf import NEWEST, ocsf_line
from audit.siem.shown import Shown, shown
from audit.siem.syslog import SyslogForm, enclosed, syslog_line
from audit.siem.values import Facts

ReadOriginal = Callable[[IndexedRecord], bytes]


class SiemFormat(StrEnum):
    """How records leave."""

    ECS = "ecs"
    """Elastic Common Schema 8.11, JSON."""
    OCSF = "ocsf"
    """Open Cybersecurity Schema Framework, 1.8.0 or an older version, JSON."""
    CEF = "cef"
    """Common Event Format, CEF:0."""
    SYSLOG = "syslog"
    """RFC 5424 with structured data."""

    @property
    def media_type(self) -> str:
        """What the lines are, for HTTP."""
        is_json = self in {SiemFormat.ECS, SiemFormat.OCSF}
        return "application/x-ndjson" if is_json else "text/plain; charset=utf-8"


class Unmappable(SenderError):
    """A record can't be made into a line: a fault of ours; its ``placeholder`` can."""


_LINES: dict[SiemFormat, Callable[[Shown], bytes]] = {
    SiemFormat.ECS: ecs_line,
    SiemFormat.CEF: cef_line,
}


_FAULTS = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
UNMAPPED = "siem-mapping-failed"


def no_original(_record: IndexedRecord) -> bytes:
    """Gives none."""
    return b""


@dataclass(frozen=True, slots=True)
class Formatter:
    """Makes records into lines and messages. Safe to use from several threads.

    Attributes:
        format: of the lines.
        discloser: hides what may not leave.
        form: of syslog messages.
        read_original: the octets of a record's message, asked for when they may leave.
        max_values: most values of a list in a line.
        ocsf_version: of OCSF, one that its mapping knows.
    """

    format: SiemFormat
    discloser: Discloser
    form: SyslogForm = field(default_factory=SyslogForm)
    read_original: ReadOriginal = no_original
    max_values: int = 100
    ocsf_version: str = NEWEST

    def line(self, record: IndexedRecord) -> bytes:
        """The record on one line, without its end.

        Raises:
            Unmappable: it can't be written in this format.
        """
        return self._line(self._shown(record, self.max_values))

    def placeholder(self, record: IndexedRecord) -> bytes:
        """A line that only says that there is such a record, which could not be mapped."""
        return self._line(self._unmapped(record))

    def placeholder_message(self, record: IndexedRecord) -> bytes:
        """The same as a syslog message, which is short."""
        what = self._unmapped(record)
        line = self._line(what)
        return line if self.format is SiemFormat.SYSLOG else enclosed(what, self.form, line)

    def _unmapped(self, record: IndexedRecord) -> Shown:
        facts: Facts = {
            "id": (record.id,),
            "sequence": (record.sequence,),
            "time": (record.time,),
            "received": (record.received,),
            "message": ("Record that could not be mapped",),
            "findings": (UNMAPPED,),
        }
        return Shown(facts)

    def message(
        self, record: IndexedRecord, max_values: int | None = None, *, original: bool = True
    ) -> bytes:
        """The record as a syslog message; other formats than syslog stand in its MSG.

        Args:
            record: what is sent.
            max_values: most values of a list, when a receiver takes no longer message.
            original: the message as received too, where that may leave.

        Raises:
            Unmappable: it can't be written in this format.
        """
        most = self.max_values if max_values is None else max_values
        what = self._shown(record, most, with_original=original)
        line = self._line(what)
        return line if self.format is SiemFormat.SYSLOG else enclosed(what, self.form, line)

    def _shown(
        self, record: IndexedRecord, max_values: int, *, with_original: bool = True
    ) -> Shown:
        may_leave = with_original and self.discloser.disclosure.original
        original = self.read_original(record) if may_leave else b""
        try:
            return shown(record, self.discloser, original, max_values)
        except _FAULTS as error:
            raise Unmappable(f"{record.id}: {type(error).__name__}: {error}") from error

    def _line(self, what: Shown) -> bytes:
        try:
            if self.format is SiemFormat.SYSLOG:
                return syslog_line(what, self.form)
            if self.format is SiemFormat.OCSF:
                return ocsf_line(what, self.ocsf_version)
            return _LINES[self.format](what)
        except _FAULTS as error:
            raise Unmappable(f"{what.first('id')}: {type(error).__name__}: {error}") from error
