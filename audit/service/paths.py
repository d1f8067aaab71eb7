"""Where everything lies under the data folder."""

from dataclasses import dataclass
from pathlib import Path

from audit.errors import ConfigurationError

PRIVATE_FOLDER = 0o700
PRIVATE_FILE = 0o600


@dataclass(frozen=True, slots=True)
class DataPaths:
    """The parts of one data folder; ``journal`` holds only what ``verify`` covers."""

    root: Path

    @property
    def journal(self) -> Path:
        """The evidence journal."""
        return self.root / "journal"

    @property
    def signing_key(self) -> Path:
        """The Ed25519 key that signs the journal's heads."""
        return self.root / "keys" / "log-signing.key"

    @property
    def cosigned(self) -> Path:
        """Heads with the cosignatures of witnesses."""
        return self.root / "cosigned"

    @property
    def timestamps(self) -> Path:
        """Heads with the timestamps that were obtained for them."""
        return self.root / "timestamps"

    @property
    def cursor_key(self) -> Path:
        """The key that authenticates search cursors."""
        return self.root / "keys" / "cursor.key"

    @property
    def pseudonym_key(self) -> Path:
        """The key under which identifying values become pseudonyms."""
        return self.root / "keys" / "pseudonym.key"

    @property
    def exporter_key(self) -> Path:
        """The Ed25519 key that signs evidence bundles."""
        return self.root / "keys" / "exporter.key"

    @property
    def exports(self) -> Path:
        """Exports that were made in the background, until they expire."""
        return self.root / "exports"

    @property
    def enrolled(self) -> Path:
        """Certificates trusted directly, when no other folder is configured."""
        return self.root / "enrolled"

    @property
    def index(self) -> Path:
        """The embedded search index; can be deleted at any time."""
        return self.root / "index"

    @property
    def state(self) -> Path:
        """Accounts, sessions, tokens, saved searches."""
        return self.root / "state" / "state.db"

    @property
    def run(self) -> Path:
        """Sockets and status of running processes."""
        return self.root / "run"

    @property
    def append_socket(self) -> Path:
        """Where other processes of this machine append records."""
        return self.run / "append.sock"

    @property
    def position(self) -> Path:
        """How many journal entries are durable."""
        return self.run / "journal.position"

    @property
    def push(self) -> Path:
        """Places and dead letters of what is pushed to a SIEM."""
        return self.root / "push"

    def status(self, role: str) -> Path:
        """The status file that a process of that role keeps."""
        return self.run / f"status-{role}.json"

    def prepare(self) -> None:
        """Create the folders, readable by this user alone.

        Raises:
            ConfigurationError: a folder can't be made or written.
        """
        for folder in (
            self.root,
            self.journal,
            self.signing_key.parent,
            self.index,
            self.state.parent,
            self.run,
        ):
            try:
                folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
            except OSError as error:
                raise ConfigurationError(
                    f"{folder}: can't be made ({error.strerror}); choose another with --data"
                ) from error
