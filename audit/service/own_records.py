"""What the repository itself reports: an Audit Record Repository is a Secure Node (IHE ITI-19)."""

import os
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from audit.query.self_audit import NOTICE, WARNING, RepositoryIdentity, as_syslog
from audit.record.audit_message import AuditMessage
from audit.record.build import (
    Alert,
    AlertSubject,
    ApplicationActivity,
    Authentication,
    Node,
    Occurrence,
    Outcome,
    Person,
    Process,
    SourceType,
    application_activity,
    audit_source,
    security_alert,
    user_authentication,
)
from audit.settings import Settings

APP_NAME = "arr"


def identity_of(settings: Settings, role: str) -> RepositoryIdentity:
    """How the process of that role names itself in its own records."""
    return RepositoryIdentity(
        source_id=settings.source.audit_source_id,
        site=settings.source.enterprise_site_id,
        hostname=socket.gethostname() or "localhost",
        process_id=str(os.getpid()),
        app_name=APP_NAME,
        log_uri=f"urn:arr:audit-log:{role}",
    )


@dataclass(frozen=True, slots=True)
class OwnRecords:
    """Builds the repository's own records as SYSLOG-MSGs, ready to be journaled."""

    identity: RepositoryIdentity
    clock: Callable[[], int] = time.time_ns

    def application(self, activity: ApplicationActivity, name: str) -> bytes:
        """The process starts or stops (PS3.15 A.5.3.1)."""
        return self._syslog(
            application_activity(self._occurrence(), activity, self._process(name))
        )

    def alert(
        self, alert: Alert, what: str, *, subject: str, outcome: Outcome = Outcome.SUCCESS
    ) -> bytes:
        """Something that concerns the repository's security (PS3.15 A.5.3.11).

        Args:
            alert: which kind.
            what: the description, for people.
            subject: the node or part that it is about.
            outcome: the gravity of it.
        """
        message = security_alert(
            self._occurrence(outcome, what),
            alert,
            (self._process(APP_NAME),),
            (AlertSubject(id=subject, description=what),),
        )
        return self._syslog(message, outcome)

    def refused_node(self, peer_address: str, subject: str, reason: str) -> bytes:
        """A node could not be authenticated (PS3.15 A.5.3.11, types 110126).

        Args:
            peer_address: from where it came, without the port.
            subject: of its certificate where it showed one, else its address.
            reason: in words.
        """
        outcome = Outcome.MINOR_FAILURE
        message = security_alert(
            self._occurrence(outcome, f"Node refused: {reason}"),
            Alert.NODE_AUTHENTICATION,
            (self._process(APP_NAME),),
            (AlertSubject(id=peer_address, description=reason, name=subject),),
            (Node(node_id=subject or peer_address, address=peer_address, requestor=False),),
        )
        return self._syslog(message, outcome)

    def configuration(self, who: str, what: str, kind: Alert) -> bytes:
        """An operator changed accounts, tokens or trust (IHE ITI-20: security alert)."""
        message = security_alert(
            self._occurrence(),
            kind,
            (self._process(APP_NAME),),
            (AlertSubject(id=self.identity.hostname, description=what),),
            (Person(user_id=who, requestor=False),),
        )
        return self._syslog(message)

    def emergency(self, user: Person, reason: str, *, begins: bool) -> bytes:
        """Somebody breaks the glass, or has mended it (PS3.15 A.5.3.11, type 110127 or 110138).

        Args:
            user: who.
            reason: why, in their words.
            begins: whether it is broken now.
        """
        alert = Alert.EMERGENCY_OVERRIDE_STARTED if begins else Alert.EMERGENCY_OVERRIDE_STOPPED
        outcome = Outcome.MINOR_FAILURE if begins else Outcome.SUCCESS
        what = f"The glass is broken: {reason}" if begins else "The emergency sign-in is over"
        message = security_alert(
            self._occurrence(outcome, what),
            alert,
            (self._process(APP_NAME),),
            (AlertSubject(id=self.identity.hostname, description=what),),
            (user,),
        )
        return self._syslog(message, outcome)

    def authentication(
        self, activity: Authentication, user: Person, failure: str | None = None
    ) -> bytes:
        """Somebody signed in or out, or tried to (PS3.15 A.5.3.12)."""
        outcome = Outcome.SUCCESS if failure is None else Outcome.MINOR_FAILURE
        message = user_authentication(
            self._occurrence(outcome, failure), activity, user, self._process(APP_NAME)
        )
        return self._syslog(message, outcome)

    def _occurrence(
        self, outcome: Outcome = Outcome.SUCCESS, description: str | None = None
    ) -> Occurrence:
        source = audit_source(
            self.identity.source_id, self.identity.site or None, (SourceType.APPLICATION_SERVER,)
        )
        return Occurrence(
            when=self._now(),
            source=source,
            outcome=outcome,
            outcome_description=None if outcome is Outcome.SUCCESS else description,
        )

    def _process(self, name: str) -> Process:
        return Process(
            process_id=self.identity.process_id, name=name, address=self.identity.hostname
        )

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self.clock() / 1e9, UTC)

    def _syslog(self, message: AuditMessage, outcome: Outcome = Outcome.SUCCESS) -> bytes:
        severity = NOTICE if outcome is Outcome.SUCCESS else WARNING
        return as_syslog(message, self.identity, self._now(), severity)
