"""A real Elasticsearch for the tests: from Maven Central, started on a free port, stopped after.

The artefact is Elastic's own integration-test distribution. Without Java or Maven the tests that
need it are skipped with one line, or fail where ``CI=true``.
"""

import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.needs import missing
from tests.waiting import until

VERSIONS = {21: "9.5.0", 17: "8.19.4"}
"""What is tested against, by the Java that it needs at least, newest first."""

HEAP = "512m"
_STARTING_S = 200.0
_STOPPING_S = 30.0
_CHECKOUT = Path(__file__).resolve().parent.parent
_UNPRIVILEGED = "nobody"


@dataclass
class ElasticsearchServer:
    """A running server.

    Attributes:
        url: where it listens, also after a new start.
        process: what was started last, a process group of its own.
        log: what it prints.
        snapshots: a folder that it may keep snapshots in.
        launch: starts it on the same data.
    """

    url: str
    process: "subprocess.Popen[bytes]"
    log: Path
    snapshots: Path
    launch: "Callable[[], subprocess.Popen[bytes]]"

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def start_again(self) -> None:
        """Start it on what it had, and wait until it answers."""
        self.process = self.launch()
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        """Until its cluster answers."""
        until(lambda: _is_ready(self), within_s=_STARTING_S, every_s=0.25)


def needed_java(version: str) -> int:
    """The oldest Java that a version of Elasticsearch runs on."""
    return 17 if version.startswith("8.") else 21


def chosen_version(asked: str | None, javas: Iterable[int]) -> str | None:
    """The version to test against: what is asked for, else the newest that a Java here runs."""
    newest = max(javas, default=0)
    versions = (asked,) if asked else VERSIONS.values()
    return next((one for one in versions if needed_java(one) <= newest), None)


def _version() -> str:
    asked = os.environ.get("ARR_TEST_ELASTICSEARCH")
    version = chosen_version(asked, (java for java, _ in _javas()))
    return version or missing(f"Elasticsearch {asked or ''} (no Java {min(VERSIONS)} or later)")


def _artefact(version: str) -> str:
    return f"org.elasticsearch.distribution.integ-test-zip:elasticsearch:{version}:zip"


def _zip_in(repository: Path, version: str) -> Path:
    group, name, _, _ = _artefact(version).split(":")
    return repository / Path(*group.split(".")) / name / version / f"{name}-{version}.zip"


def _fetched(version: str) -> Path:
    # Java takes the home folder from the user database, whatever HOME says; so Maven is told.
    repository = _CHECKOUT / ".cache" / "maven"
    archive = _zip_in(repository, version)
    for known in (archive, _zip_in(Path.home() / ".m2" / "repository", version)):
        if known.is_file():
            return known
    mvn = shutil.which("mvn")
    if mvn is None:
        missing(f"Elasticsearch {version} (Maven is not installed)")
    command = [str(mvn), "-q", "-B", "dependency:get", "-Dtransitive=false"]
    done = subprocess.run(
        [*command, f"-Dmaven.repo.local={repository}", f"-Dartifact={_artefact(version)}"],
        check=False,
        capture_output=True,
        timeout=600,
    )
    if done.returncode or not archive.is_file():
        missing(f"Elasticsearch {version} (Maven can't fetch it: {done.stdout[-300:]!r})")
    return archive


def _javas() -> Iterator[tuple[int, Path]]:
    """Version and folder of each JDK; the one that is named first."""
    named = os.environ.get("ES_JAVA_HOME") or os.environ.get("JAVA_HOME")
    java = shutil.which("java")
    homes = [Path(named)] if named else []
    homes += sorted(Path("/usr/lib/jvm").glob("*")) if Path("/usr/lib/jvm").is_dir() else []
    homes += [Path(java).resolve().parent.parent] if java else []
    for home in homes:
        version = _java_version(home)
        if version is not None:
            yield version, home


def _java_home(version: str) -> Path:
    """A JDK that the version runs on."""
    wanted = needed_java(version)
    for java, home in _javas():
        if java >= wanted:
            return home
    missing(f"Elasticsearch {version} (no Java {wanted} or later)")
    raise AssertionError


def _java_version(home: Path) -> int | None:
    release = home / "release"
    if not (home / "bin" / "java").exists() or not release.is_file():
        return None
    for line in release.read_text(encoding="utf-8").splitlines():
        if line.startswith("JAVA_VERSION="):
            return int(line.split('"')[1].split(".")[0])
    return None


def _is_traversable(folder: Path) -> bool:
    chain = (folder, *folder.parents)
    return all(path.stat().st_mode & stat.S_IXOTH for path in chain)


def _unpacked(archive: Path, version: str) -> Path:
    """The program, unpacked once into ``.cache`` of the checkout (or ``/var/tmp`` for others)."""
    cache = _CHECKOUT / ".cache"
    cache.mkdir(exist_ok=True)
    if os.geteuid() == 0 and not _is_traversable(cache):
        cache = Path(tempfile.gettempdir()) / "arr-test-cache"
        cache.mkdir(exist_ok=True, mode=0o755)
    home = cache / f"elasticsearch-{version}"
    if not (home / "complete").exists():
        shutil.rmtree(home, ignore_errors=True)
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(cache)
        for program in (home / "bin").iterdir():
            program.chmod(0o755)
        (home / "complete").touch()
    return home


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


def _configuration(port: int, transport_port: int, run: Path) -> str:
    return "\n".join(
        (
            "discovery.type: single-node",
            "network.host: 127.0.0.1",
            f"http.port: {port}",
            f"transport.port: {transport_port}",
            "xpack.security.enabled: false",
            "cluster.routing.allocation.disk.threshold_enabled: false",
            "action.destructive_requires_name: false",
            f"path.data: {run / 'data'}",
            f"path.logs: {run / 'logs'}",
            f"path.repo: {run / 'snapshots'}",
        )
    )


def _prepare(home: Path, run: Path, port: int) -> None:
    shutil.copytree(home / "config", run / "config")
    for name in ("data", "logs", "tmp", "snapshots"):
        (run / name).mkdir()
    text = _configuration(port, _free_port(), run)
    (run / "config" / "elasticsearch.yml").write_text(text, encoding="utf-8")
    if os.geteuid() == 0:
        owner = pwd.getpwnam(_UNPRIVILEGED)
        for path in (run, *run.rglob("*")):
            os.chown(path, owner.pw_uid, owner.pw_gid)


def _launch(home: Path, run: Path, java: Path) -> "subprocess.Popen[bytes]":
    environment = {
        "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
        "ES_JAVA_HOME": str(java),
        "ES_JAVA_OPTS": f"-Xms{HEAP} -Xmx{HEAP} -XX:TieredStopAtLevel=1",
        "ES_PATH_CONF": str(run / "config"),
        "ES_TMPDIR": str(run / "tmp"),
        "HOME": str(run),
    }
    root = os.geteuid() == 0
    owner = pwd.getpwnam(_UNPRIVILEGED) if root else None
    with (run / "output").open("wb") as output:
        return subprocess.Popen(
            [str(home / "bin" / "elasticsearch")],
            env=environment,
            cwd=run,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            user=owner.pw_uid if owner else None,
            group=owner.pw_gid if owner else None,
            extra_groups=[] if owner else None,
        )


def _is_ready(server: ElasticsearchServer) -> bool:
    if server.process.poll() is not None:
        tail = server.log.read_text(encoding="utf-8", errors="replace")[-2000:]
        raise AssertionError(f"Elasticsearch ended with {server.process.returncode}: {tail}")
    try:
        with urllib.request.urlopen(f"{server.url}/_cluster/health", timeout=2) as answer:  # noqa: S310 - http on loopback
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _stop(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(_STOPPING_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def running_elasticsearch() -> Iterator[ElasticsearchServer]:
    """A server of its own, ready; stopped and cleared away afterwards."""
    version = _version()
    java = _java_home(version)
    home = _unpacked(_fetched(version), version)
    run = Path(tempfile.mkdtemp(prefix="arr-es-"))
    port = _free_port()
    try:
        _prepare(home, run, port)

        def launch() -> "subprocess.Popen[bytes]":
            return _launch(home, run, java)

        server = ElasticsearchServer(
            f"http://127.0.0.1:{port}", launch(), run / "output", run / "snapshots", launch
        )
        try:
            server.wait_until_ready()
            yield server
        finally:
            _stop(server.process)
    finally:
        shutil.rmtree(run, ignore_errors=True)


if __name__ == "__main__":
    # Fetched before the tests, so that no test's time limit holds the download.
    wanted = _version()
    _java_home(wanted)
    _unpacked(_fetched(wanted), wanted)
