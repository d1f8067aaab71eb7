"""ExportMaker: an export in the form that is asked for."""

from collections.abc import Callable, Mapping

from audit.errors import RequestError
from audit.query.access import Principal, Scope
from audit.query.audited_trail import AuditedTrail
from audit.query.evidence.bundle import EvidenceExport
from audit.query.evidence.options import EvidenceOptions
from audit.query.export import NdjsonExport
from audit.query.exports.csv_form import CsvExport
from audit.query.exports.original import OriginalExport
from audit.query.exports.record_export import DEFAULT_ORDER, ExportOrder, Form, RecordExport
from audit.query.identities import Asked

_KINDS: Mapping[Form, type[RecordExport]] = {
    "ndjson": NdjsonExport,
    "csv": CsvExport,
    "original": OriginalExport,
    "evidence": EvidenceExport,
}
FORMS: tuple[Form, ...] = tuple(_KINDS)


def media_type_of(form: Form) -> str:
    """The media type of a form."""
    return _KINDS[form].media_type


def suffix_of(form: Form) -> str:
    """What file names of a form end with."""
    return _KINDS[form].suffix


def scopes_of(form: Form) -> tuple[Scope, ...]:
    """What one must hold to have an export of a form."""
    return _KINDS[form].scopes


class ExportMaker:
    """Makes exports of one trail. Safe to use from several threads.

    Args:
        trail: what is exported.
        evidence: how bundles are made, looked up anew for each; None where none can be.
    """

    def __init__(
        self, trail: AuditedTrail, evidence: Callable[[], EvidenceOptions] | None = None
    ) -> None:
        self.trail = trail
        self._evidence = evidence

    def make(
        self,
        principal: Principal,
        form: Form,
        query: Asked,
        order: ExportOrder = DEFAULT_ORDER,
    ) -> RecordExport:
        """An export whose beginning is journaled; whoever takes it must close it.

        Raises:
            RequestError: an evidence bundle is asked for without a reason, or where none can be
                made.
            Denied: the principal lacks a scope; the attempt is journaled.
            QuerySyntaxError: the query can't be read.
            JournalUnavailable: its beginning can't be journaled.
        """
        if form != "evidence":
            return _KINDS[form](self.trail, principal, query, order)
        if self._evidence is None:
            raise RequestError("no evidence bundles are made here")
        if not order.reason.strip():
            raise RequestError("an evidence bundle needs a reason")
        options = self._evidence()
        return EvidenceExport(self.trail, principal, query, order, options=options)
