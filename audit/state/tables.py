"""What is stored. Times are UTC nanoseconds; secrets are stored as SHA-256 or argon2id only."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

VERSION = 1
NAME_CHARS = 128
DISPLAY_NAME_CHARS = 256
ADDRESS_CHARS = 64
SCOPES_CHARS = 1_024
HASH_CHARS = 256

metadata = MetaData()

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
    Column("scopes", String(SCOPES_CHARS), nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("password_changed_at", BigInteger, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("account", String(NAME_CHARS), ForeignKey("accounts.name"), nullable=False),
    Column("address", String(ADDRESS_CHARS), nullable=False),
    Column("created_at", BigInteger, nullable=False),
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
    Column("scopes", String(SCOPES_CHARS), nullable=False),
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

attempts = Table(
    "attempts",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    Column("blocked_until", BigInteger, nullable=False),
    Index("attempts_by_time", "last_at"),
)
