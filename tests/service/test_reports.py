from audit.service.reports import report_options
from audit.service.web_options import page_options
from audit.settings import Settings


def test_every_bound_of_reports_is_a_setting() -> None:
    given = {
        "records": 500,
        "sources": 7,
        "documents": 9,
        "skew_s": 3.5,
        "silence_days": 2,
        "session_gap_s": 60,
        "longest_days": 100,
    }
    settings = Settings.model_validate({"reports": given})
    options = report_options(settings)
    assert {name: getattr(options, name) for name in given} == given
    assert page_options(settings).reports == options
