"""The operator's retention policy: how long records of which category and kind are kept, and why.

A TOML file of ``[[rule]]`` tables; docs/operations.md describes them. A record that no rule fits
is kept for good. Periods count from receipt, which the sender's clock can't change.
"""

import calendar
import re
import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from typing_extensions import override

from audit.errors import ConfigurationError
from audit.projector.derivations import OTHER, derivations

ANY = "*"
_NS_PER_S = 1_000_000_000
_MONTHS_PER_YEAR = 12
_MAX_YEARS = 200
_PERIOD = re.compile(r"(\d{1,5}) ?(day|month|year)s?")


class Start(StrEnum):
    """From when a period counts."""

    RECEIPT = "receipt"
    END_OF_YEAR = "end of year"
    """The end of the calendar year (UTC) of receipt."""


@dataclass(frozen=True, slots=True)
class Period:
    """A length of time by the calendar."""

    amount: int
    unit: str

    def after(self, moment: datetime) -> datetime:
        """The moment so much later; the last day of a month stands for days it doesn't have."""
        if self.unit == "day":
            return moment + timedelta(days=self.amount)
        months = self.amount * (_MONTHS_PER_YEAR if self.unit == "year" else 1)
        year, month = divmod(moment.year * _MONTHS_PER_YEAR + moment.month - 1 + months, 12)
        day = min(moment.day, calendar.monthrange(year, month + 1)[1])
        return moment.replace(year=year, month=month + 1, day=day)

    @property
    def days(self) -> int:
        """About how many days; to compare periods."""
        return self.amount * {"day": 1, "month": 30, "year": 365}[self.unit]

    @override
    def __str__(self) -> str:
        return f"{self.amount} {self.unit}{'' if self.amount == 1 else 's'}"


def _period(text: object) -> Period:
    match = _PERIOD.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError("a period is written '10 years', '18 months' or '90 days'")
    period = Period(int(match[1]), match[2])
    if not 0 < period.days <= _MAX_YEARS * 365:
        raise ValueError(f"a period is above zero and at most {_MAX_YEARS} years")
    return period


PeriodText = Annotated[Period, BeforeValidator(_period)]


class Rule(BaseModel):
    """What one ``[[rule]]`` says.

    Attributes:
        category: of the records, or ``*`` for every one that has no rule of its own.
        kind: of the records; ``*`` for every one that has no rule of its own.
        minimum: before it is over not even an order removes a record without saying so.
        maximum: once it is over retention removes the record; None never does.
        starts: from when both count.
        legal_basis: which law or contract says so; stands in every statement of removal.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    category: str
    kind: str = ANY
    minimum: PeriodText | None = None
    maximum: PeriodText | None = None
    starts: Start = Start.RECEIPT
    legal_basis: str = Field(min_length=1, max_length=500)

    @property
    def name(self) -> str:
        """For people."""
        return self.category if self.kind == ANY else f"{self.category}/{self.kind}"

    @property
    def reason(self) -> str:
        """Why a record that is due is removed."""
        return f"{self.name}: {self.maximum} after {self.starts} ({self.legal_basis})"

    def due_at(self, received_at: int) -> int | None:
        """When a record received then is to be removed (UTC nanoseconds); None for never."""
        return self._end(received_at, self.maximum)

    def bound_until(self, received_at: int) -> int:
        """Until when it must be kept (UTC nanoseconds)."""
        end = self._end(received_at, self.minimum)
        return received_at if end is None else end

    def _end(self, received_at: int, period: Period | None) -> int | None:
        if period is None:
            return None
        start = datetime.fromtimestamp(received_at // _NS_PER_S, UTC)
        if self.starts is Start.END_OF_YEAR:
            start = datetime(start.year + 1, 1, 1, tzinfo=UTC)
        return int(period.after(start).timestamp()) * _NS_PER_S


class Policy(BaseModel):
    """All rules; the most specific one that fits a record decides."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rule: tuple[Rule, ...] = ()

    def rule_for(self, category: str, kind: str) -> Rule | None:
        """Category and kind, else the category, else the kind, else every record's rule."""
        wanted = ((category, kind), (category, ANY), (ANY, kind), (ANY, ANY))
        for one, other in wanted:
            for rule in self.rule:
                if (rule.category, rule.kind) == (one, other):
                    return rule
        return None

    def first_due(self, received_at: int) -> int | None:
        """The earliest that any record received then could be due; None for never."""
        dues = (rule.due_at(received_at) for rule in self.rule)
        return min((due for due in dues if due is not None), default=None)


def load_policy(path: Path) -> Policy:
    """The policy in a file.

    Raises:
        ConfigurationError: the file can't be read, or a rule doesn't fit; the text names it.
    """
    try:
        policy = Policy.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise ConfigurationError(
            f"{path}: there is no such file; write the rules of retention there, or name their "
            "file with --policy or journal.retention_policy"
        ) from error
    except OSError as error:
        raise ConfigurationError(f"{path}: can't be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: is not TOML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ConfigurationError(f"{path}: {where}: {first['msg']}") from error
    _require_sense(path, policy)
    return policy


def _require_sense(path: Path, policy: Policy) -> None:
    categories = {*derivations().category_of_event.values(), OTHER, ANY}
    seen: set[str] = set()
    for rule in policy.rule:
        if rule.category not in categories:
            raise ConfigurationError(
                f"{path}: there is no category {rule.category!r}; there are "
                f"{', '.join(sorted(categories))}"
            )
        if rule.name in seen:
            raise ConfigurationError(f"{path}: two rules for {rule.name}")
        seen.add(rule.name)
        if rule.minimum and rule.maximum and rule.maximum.days < rule.minimum.days:
            raise ConfigurationError(f"{path}: {rule.name}: the maximum is below the minimum")
