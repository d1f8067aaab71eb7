"""What a SIEM gets, put together from the settings."""

from audit.api.siem import SiemFeedOptions
from audit.index.document import IndexedRecord
from audit.journal.reader import JournalReader
from audit.service.paths import DataPaths
from audit.service.web_options import own_key
from audit.settings import Settings
from audit.siem.disclosure import Disclosure
from audit.siem.formats import ReadOriginal
from audit.siem.syslog import SyslogForm


def disclosure_of(settings: Settings) -> Disclosure:
    """What may leave."""
    siem = settings.siem
    return Disclosure(patients=siem.patients, staff=siem.staff, original=siem.original)


def syslog_form(settings: Settings) -> SyslogForm:
    """How syslog messages are written."""
    return SyslogForm(enterprise_number=settings.siem.enterprise_number)


def original_of(reader: JournalReader) -> ReadOriginal:
    """Reads the octets of a record's message; none of what was lawfully removed."""

    def read(record: IndexedRecord) -> bytes:
        entry = reader.read(record.sequence)
        return b"" if entry.is_removed else entry.received.raw

    return read


def siem_feed_options(
    settings: Settings, paths: DataPaths, reader: JournalReader
) -> SiemFeedOptions:
    """How the feed is given."""
    siem = settings.siem
    return SiemFeedOptions(
        disclosure=disclosure_of(settings),
        pseudonym_key=own_key(paths.pseudonym_key),
        form=syslog_form(settings),
        read_original=original_of(reader),
        include_repeats=siem.repeats,
        max_values=siem.max_values,
        ocsf_version=siem.ocsf_version,
        max_limit=siem.max_limit,
        max_octets=siem.max_answer_octets,
        max_wait_s=siem.max_wait_s,
        poll_s=siem.poll_s,
        max_waiting=siem.max_waiting,
        max_waiting_per_caller=siem.max_waiting_per_caller,
    )
