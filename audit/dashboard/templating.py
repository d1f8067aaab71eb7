"""The templates of pages."""

from datetime import tzinfo
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from audit.dashboard import display
from audit.dashboard.names import CATEGORY_NAMES, OUTCOME_NAMES, PIVOT_KINDS
from audit.dashboard.static_files import static_files
from audit.dashboard.visitors import TOKEN_FIELD
from audit.standards.fields import all_fields


@cache
def templates_in(zone: tzinfo) -> Environment:
    """The templates for times of a zone; every value is escaped, an unknown name an error."""
    environment = Environment(
        loader=PackageLoader("audit.dashboard"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        shown=display.shown,
        begun=display.begun,
        ended=display.ended,
        visible=display.visible,
        number=display.number,
        octets=display.octets,
        machine_time=display.machine_time,
        zoned=lambda ns: display.zoned(ns, zone),
    )
    environment.globals.update(
        static=static_files().address,
        token_field=TOKEN_FIELD,
        category_names=CATEGORY_NAMES,
        outcome_names=OUTCOME_NAMES,
        pivot_kinds=PIVOT_KINDS,
        query_fields=all_fields(),
        zone_name=str(zone),
    )
    return environment
