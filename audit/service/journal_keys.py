"""The keys for encryption at rest that this process works with, from the settings."""

from audit.settings import Settings


def use_journal_keys(settings: Settings) -> None:
    """Read the configured keys, if there are any, and use them from now on.

    Raises:
        ConfigurationError: the file can't be read, is open to others, or holds no keys.
    """
    if settings.journal.key_file is None:
        return
    from audit.journal.master_keys import load_master_keys, use

    use(load_master_keys(settings.journal.key_file))
