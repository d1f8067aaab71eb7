"""What is stored. Times are UTC nanoseconds; secrets are stored as SHA-256 or argon2id only."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    false,
)

VERSION = 3
NAME_CHARS = 128
TITLE_CHARS = 120
DISPLAY_NAME_CHARS = 256
ADDRESS_CHARS = 64
SCOPES_CHARS = 1_024
HASH_CHARS = 256
ISSUER_CHARS = 512
REASON_CHARS = 1_024

metadata = MetaData()


def _grants() -> tuple[Column[str], ...]:
    """What somebody may do; see ``audit.state.grants``."""
    return (
        Column("scopes", String(SCOPES_CHARS), nullable=False),
        Column("roles", String(SCOPES_CHARS), nullable=False, server_default=""),
        Column("sites", Text, nullable=False, server_default="[]"),
        Column("sources", Text, nullable=False, server_default="[]"),
    )


about = Table(
    "about",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("value", String(256), nullable=False),
)

accounts = Table(
    "accounts",
    metadata,
    Column("name", String(NAME_CHARS), primary_key=True),
    Column("display_name", String(DISPLAY_NAME_CHARS), nullable=False),
    Column("password_hash", String(HASH_CHARS), nullable=False),
    *_grants(),
    Column("enabled", Boolean, nullable=False),
    Column("emergency", Boolean, nullable=False, server_default="0"),
    Column("created_at", BigInteger, nullable=False),
    Column("password_changed_at", BigInteger, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("id", String(32), nullable=False, unique=True),
    Column("account", String(NAME_CHARS), nullable=False),
    Column("issuer", String(ISSUER_CHARS), nullable=False),
    Column("display_name", String(DISPLAY_NAME_CHARS), nullable=False),
    *_grants(),
    Column("emergency", Boolean, nullable=False),
    Column("reason", String(REASON_CHARS), nullable=False),
    Column("address", String(ADDRESS_CHARS), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("confirmed_at", BigInteger, nullable=False),
    Column("used_at", BigInteger, nullable=False),
    Column("ends_at", BigInteger, nullable=False),
    Index("sessions_by_account", "account", "created_at"),
    Index("sessions_by_end", "ends_at"),
)

tokens = Table(
    "tokens",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("id", String(32), nullable=False, unique=True),
    Column("name", String(NAME_CHARS), nullable=False),
    Column("owner", String(NAME_CHARS), nullable=False),
    *_grants(),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger, nullable=True),
    Index("tokens_by_owner", "owner", "created_at"),
    Index("tokens_by_expiry", "expires_at"),
)

saved_searches = Table(
    "saved_searches",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("owner", String(NAME_CHARS), nullable=False),
    Column("query", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Index("saved_searches_by_owner", "owner", "created_at"),
    Index("saved_searches_by_expiry", "expires_at"),
)

named_searches = Table(
    "named_searches",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("owner", String(NAME_CHARS), nullable=False),
    Column("title", String(TITLE_CHARS), nullable=False),
    Column("query", Text, nullable=False),
    Column("exact_names", Boolean, nullable=False, server_default=false()),
    Column("created_at", BigInteger, nullable=False),
    Index("named_searches_by_owner", "owner", "title", unique=True),
)

attempts = Table(
    "attempts",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    Column("blocked_until", BigInteger, nullable=False),
    Index("attempts_by_time", "last_at"),
)

sign_ins = Table(
    "sign_ins",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("state", String(NAME_CHARS), nullable=False),
    Column("nonce", String(NAME_CHARS), nullable=False),
    Column("verifier", String(NAME_CHARS), nullable=False),
    Column("path", Text, nullable=False),
    Column("confirms", String(NAME_CHARS), nullable=False),
    Column("reason", String(REASON_CHARS), nullable=False),
    Column("begun_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Index("sign_ins_by_expiry", "expires_at"),
)
