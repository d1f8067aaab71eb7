"""All settings as one tree."""

from pathlib import Path

from pydantic import Field

from audit.settings.access import AccessSettings
from audit.settings.exports import ExportSettings
from audit.settings.fhir import FhirSettings
from audit.settings.index import IndexSettings
from audit.settings.intake import SyslogSettings, TrustSettings
from audit.settings.journal import JournalSettings
from audit.settings.operation import OpsSettings, SourceSettings
from audit.settings.reports import ReportSettings
from audit.settings.search import IdentitySettings, SearchSettings
from audit.settings.section import Section
from audit.settings.siem import SiemSettings
from audit.settings.validation import ValidationSettings
from audit.settings.web import WebSettings


class Settings(Section):
    """All settings of one repository."""

    data: Path = Field(Path("arr-data"), description="folder that holds everything kept")
    syslog: SyslogSettings = SyslogSettings()
    trust: TrustSettings = TrustSettings()
    journal: JournalSettings = JournalSettings()
    validation: ValidationSettings = ValidationSettings()
    index: IndexSettings = IndexSettings()
    search: SearchSettings = SearchSettings()
    identities: IdentitySettings = IdentitySettings()
    web: WebSettings = WebSettings()
    access: AccessSettings = AccessSettings()
    fhir: FhirSettings = FhirSettings()
    exports: ExportSettings = ExportSettings()
    reports: ReportSettings = ReportSettings()
    siem: SiemSettings = SiemSettings()
    ops: OpsSettings = OpsSettings()
    source: SourceSettings = SourceSettings()
