import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from lxml import etree

from audit.bench.chart import SearchRun, draw, read_run
from audit.cli import arr
from audit.errors import RequestError

SVG = "{http://www.w3.org/2000/svg}"


def run_file(path: Path, events: int, ms: float) -> Path:
    told = {"p50_ms": ms, "p99_ms": ms, "n": 1}
    figures = {"events": events, "queries": {"patient": told, "a<b": told}}
    path.write_text(json.dumps(figures), encoding="utf-8")
    return path


def test_a_bar_for_each_kind_and_run_with_its_figure(tmp_path: Path) -> None:
    files = [run_file(tmp_path / "l", 1_000_000, 20), run_file(tmp_path / "s", 1_000, 2.5)]
    out = tmp_path / "chart.svg"
    result = CliRunner().invoke(arr, ["bench", "chart", *map(str, files), "--out", str(out)])
    assert result.exit_code == 0, result.output
    root = etree.fromstring(out.read_bytes())
    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert texts.count("2.5") == texts.count("20.0") == 2
    assert texts.index("1,000") < texts.index("1,000,000")
    assert "a<b" in texts
    bars = [float(rect.get("width", 0)) for rect in root.iter(f"{SVG}rect")][3:]
    assert bars[0] < bars[1]


def test_times_beyond_the_scale_stay_inside() -> None:
    root = etree.fromstring(draw([SearchRun(1, {"fast": 0.0, "slow": 1e9})]).encode())
    width = float(root.get("viewBox", "").split()[2])
    assert all(
        float(rect.get("x", 0)) + float(rect.get("width", 0)) <= width
        for rect in root.iter(f"{SVG}rect")
    )


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"events": 1, "queries": 3}'])
def test_another_file_is_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "run.json"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(RequestError, match="is no output of arr bench search"):
        read_run(file)
