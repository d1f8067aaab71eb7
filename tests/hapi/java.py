"""HAPI FHIR from Maven Central, and the small program that asks it; compiled once into .cache.

Without Java or Maven the tests that need it are skipped with one line, or fail with ``CI=true``.
"""

import shutil
import subprocess
from hashlib import sha256
from pathlib import Path

from tests.needs import missing

_HERE = Path(__file__).resolve().parent
_CACHE = _HERE.parent.parent / ".cache"
_SOURCES = (_HERE / "pom.xml", _HERE / "FhirCheck.java")
_FETCHING_S = 900
_QUICK_START = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx1g")


def _tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        missing(f"HAPI FHIR ({name} is not installed)")
        raise AssertionError
    return found


def _run(command: list[str], within_s: int) -> str:
    done = subprocess.run(
        command, check=False, capture_output=True, encoding="utf-8", timeout=within_s, cwd=_HERE
    )
    if done.returncode:
        missing(f"HAPI FHIR ({Path(command[0]).name}: {(done.stdout + done.stderr)[-400:]})")
    return done.stdout


def class_path() -> str:
    """Where Java finds HAPI and the program; fetches and compiles what isn't there yet."""
    javac = _tool("javac")
    state = sha256(b"".join(one.read_bytes() for one in _SOURCES)).hexdigest()[:16]
    home = _CACHE / f"hapi-{state}"
    libraries = home / "libraries"
    if not (home / "complete").exists():
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True)
        fetch = ["-q", "-B", "dependency:build-classpath", f"-Dmdep.outputFile={libraries}"]
        local = f"-Dmaven.repo.local={_CACHE / 'maven'}"
        _run([_tool("mvn"), local, *fetch], _FETCHING_S)
        jars = libraries.read_text(encoding="utf-8").strip()
        _run([javac, "-cp", jars, "-d", str(home / "classes"), str(_SOURCES[1])], 120)
        (home / "complete").touch()
    return f"{home / 'classes'}:{libraries.read_text(encoding='utf-8').strip()}"


def ask_hapi(*words: str, within_s: int = 550) -> list[str]:
    """What the program says, line by line; one that fails fails the test."""
    command = [_tool("java"), *_QUICK_START, "-cp", class_path(), "FhirCheck", *words]
    done = subprocess.run(
        command, check=False, capture_output=True, encoding="utf-8", timeout=within_s
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.splitlines()


if __name__ == "__main__":
    class_path()
