"""The tree keeps its own rules."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 40


def tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", *patterns], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def test_no_file_is_too_long() -> None:
    long = {
        str(path.relative_to(ROOT)): count
        for path in tracked("audit/*.py")
        if path.parent.name != "standalone"  # one file for whoever has nothing else of ours
        and (count := len(path.read_text("utf-8").splitlines())) > MAX_FILE_LINES
    }
    assert long == {}


FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


def _lines(node: FunctionNode) -> int:
    """Lines of a function's own: without its docstring and the functions defined inside it."""
    count = (node.end_lineno or 0) - node.lineno + 1
    first = node.body[0]
    if ast.get_docstring(node) is not None:
        count -= (first.end_lineno or 0) - first.lineno + 1
    for inner in node.body:
        if isinstance(inner, FunctionNode):
            begin = min([inner.lineno, *(decorator.lineno for decorator in inner.decorator_list)])
            count -= (inner.end_lineno or 0) - begin + 1
    return count


def test_no_function_is_too_long() -> None:
    long = {}
    for path in tracked("audit/*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, FunctionNode) and _lines(node) > MAX_FUNCTION_LINES:
                long[f"{path.relative_to(ROOT)}:{node.name}"] = _lines(node)
    assert long == {}


def test_lock_files_hold_hashes_and_no_addresses() -> None:
    for name in ("requirements.lock", "requirements-dev.lock", "tests/install.lock"):
        text = (ROOT / name).read_text("utf-8")
        assert "://" not in text
        assert "--hash=sha256:" in text
        requirements = re.findall(r"^[A-Za-z0-9_.-]+==", text, re.MULTILINE)
        assert len(requirements) == len(re.findall(r"^[A-Za-z0-9]", text, re.MULTILINE))


def test_no_path_of_a_machine_is_written_down() -> None:
    bad = re.compile("|".join(("/wor" + "k/", "/roo" + "t/", "/hom" + "e/[a-z]")))
    found = [
        str(path.relative_to(ROOT))
        for path in tracked()
        if path.suffix in {".py", ".md", ".toml", ".sh", ".yml", ".json", ""}
        and bad.search(path.read_text("utf-8", errors="replace"))
    ]
    assert found == []


def test_schemas_say_where_they_come_from() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in tracked("schemas/*.toml", "schemas/*.xsd")
        if not {"source", "edition"} <= set(re.findall(r"\w+", path.read_text("utf-8").lower()))
    ]
    assert silent == []
