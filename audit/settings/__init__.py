"""Settings: flag > ``ARR_…`` > TOML file > default. The only reader of environment and file.

Nested names join with two underscores in the environment (``ARR_SYSLOG__TLS_PORT``) and with a dot
in words (``syslog.tls_port``). docs/settings.md is generated from the descriptions below.
"""

from audit.settings.load import described, journal_keys, load, names, render_markdown
from audit.settings.settings import Settings

__all__ = ["Settings", "described", "journal_keys", "load", "names", "render_markdown"]
