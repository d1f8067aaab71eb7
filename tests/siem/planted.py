"""Messages of every event with a unique value wherever something identifies a patient."""

from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import count

from audit.record.audit_message import (
    AuditMessage,
    CodedValue,
    ParticipantObject,
    ParticipantObjectDescription,
    ParticipantObjectDetail,
    SOPClass,
)
from tests.conformance.corpus import EXAMPLES
from tests.projector.messages import SOP_CLASS_UID

URL_QUERY = "https://pacs.example/studies?PatientName={}&PatientID={}&AccessionNumber={}"


@dataclass
class Seeds:
    """Gives values that occur nowhere else, and remembers them."""

    planted: list[str] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def word(self) -> str:
        self.planted.append(f"Zq{next(self._numbers):04}vx")
        return self.planted[-1]

    def uid(self) -> str:
        self.planted.append(f"2.25.7719{next(self._numbers):04}.31.4159")
        return self.planted[-1]

    def name(self) -> str:
        return f"{self.word()}^{self.word()}"

    def query(self) -> str:
        """A C-FIND identifier with a name, an id, an accession number and a UID in it."""
        tags = (
            (b"\x08\x00\x50\x00SH", self.word()),
            (b"\x10\x00\x10\x00PN", self.name() + "*"),
            (b"\x10\x00\x20\x00LO", self.word()),
            (b"\x20\x00\x0d\x00UI", self.uid()),
        )
        octets = b""
        for tag, text in tags:
            value = text.encode() + b" " * (len(text) % 2)
            octets += tag + len(value).to_bytes(2, "little") + value
        return b64encode(octets).decode()

    def description(self) -> ParticipantObjectDescription:
        return ParticipantObjectDescription(
            mpps=(self.uid(),),
            accessions=(self.word(), self.word()),
            sop_classes=(
                SOPClass(uid=self.uid(), number_of_instances="2", instances=(self.uid(),)),
            ),
            contains_study=(self.uid(),),
        )

    def subject(self, like: ParticipantObject, identifier: str) -> ParticipantObject:
        return replace(
            like,
            participant_object_id=identifier,
            participant_object_name=self.name(),
            participant_object_sensitivity=self.word(),
            participant_object_query=self.query() if like.participant_object_query else None,
            participant_object_details=(
                ParticipantObjectDetail("note", b64encode(self.word().encode()).decode()),
            ),
            participant_object_descriptions=(self.description(),),
        )

    def message(self, like: AuditMessage) -> AuditMessage:
        """The message with everything that identifies somebody replaced, and more of it."""
        objects = [self.subject(one, self._id(one)) for one in like.participant_objects]
        url = URL_QUERY.format(self.word(), self.word(), self.word())
        sop = ParticipantObject(
            participant_object_id=self.uid(),
            participant_object_id_type_code=SOP_CLASS_UID,
            participant_object_query=b64encode(url.encode()).decode(),
        )
        event = replace(
            like.event_identification,
            event_id=replace(like.event_identification.event_id, original_text=self.word()),
            event_outcome_description=f"no {self.word()} of {self.name()} in {self.uid()}",
        )
        return replace(
            like,
            event_identification=event,
            participant_objects=(*objects, sop, self._document()),
            setting=None,
        )

    def _id(self, like: ParticipantObject) -> str:
        if like.participant_object_id_type_code.csd_code in {"110180", "110181"}:
            return self.uid()
        if like.is_patient:
            return f"{self.word()}^^^Hospital&2.999.1&ISO"
        return f"{self.word()} {self.word()}"

    def _document(self) -> ParticipantObject:
        code = CodedValue("urn:uuid:a54d6aa5", "IHE XDS Metadata", "submission set")
        return ParticipantObject(
            participant_object_id=f"urn:uuid:{self.word()}", participant_object_id_type_code=code
        )


def planted_messages() -> Iterator[tuple[str, AuditMessage, list[str]]]:
    """Of each event and size: a name, the message, what is planted in it."""
    for event, sizes in EXAMPLES.items():
        for size, like in sizes.items():
            seeds = Seeds()
            message = seeds.message(like)
            yield f"{event} {size}", message, seeds.planted
