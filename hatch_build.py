"""Builds the wheel: the modules that every message passes through are compiled by mypyc.

The sources are in the wheel as well, and mean the same. Without a C compiler and Python's headers
they stay interpreted. ``ATNA_COMPILED=yes`` makes that an error; with ``ATNA_COMPILED=no`` nothing
is compiled. An editable installation never is, for what is edited there must take effect.
"""

import contextlib
import os
import shutil
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_WISHES = ("auto", "yes", "no")
_ALIKE_EVERYWHERE = ("--config-file=", "--no-site-packages", "--ignore-missing-imports")
"""What is compiled depends neither on what is installed here nor on how types are checked."""


class CompiledModules(BuildHookInterface[Any]):
    """Adds the extension modules to the wheel; nothing is written beside the sources."""

    _folder: tempfile.TemporaryDirectory[str] | None = None

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile where that is wished for and can be done."""
        wish = os.environ.get("ATNA_COMPILED", "auto")
        if wish not in _WISHES:
            self.app.abort(f"ATNA_COMPILED is {wish!r}, not one of {', '.join(_WISHES)}")
        if version == "editable" or wish == "no":
            return
        if lacking := _lacking():
            if wish == "yes":
                self.app.abort(f"nothing can be compiled here, {lacking}")
            self.app.display_warning(f"nothing is compiled, which is slower: {lacking}")
            return
        self._folder = tempfile.TemporaryDirectory(prefix="arr-compiled-")
        with contextlib.chdir(self.root):
            built = _build(list(self.config["modules"]), Path(self._folder.name))
        build_data["force_include"].update(built)
        build_data["pure_python"] = False
        build_data["infer_tag"] = True

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Clean up once the wheel holds what was built."""
        del version, build_data, artifact_path
        if self._folder is not None:
            self._folder.cleanup()


def _lacking() -> str:
    """What is missing to compile anything; empty when nothing is."""
    compiler = str(sysconfig.get_config_var("CC") or "cc").split()[0]
    if shutil.which(compiler) is None:
        return f"for there is no C compiler {compiler}"
    headers = Path(sysconfig.get_paths()["include"])
    return "" if (headers / "Python.h").exists() else f"for {headers} holds no Python.h"


def _build(modules: list[str], folder: Path) -> dict[str, str]:
    """Extension modules by where they were built, and where in the wheel they belong."""
    from mypyc.build import mypycify
    from setuptools import Distribution
    from setuptools.command.build_ext import build_ext

    extensions = mypycify(
        [*modules, *_ALIKE_EVERYWHERE, f"--cache-dir={folder / 'types'}"],
        opt_level="2",
        debug_level="0",
        group_name="audit",
        target_dir=str(folder / "c"),
    )
    command = build_ext(Distribution({"name": "audit", "ext_modules": extensions}))
    command.build_lib = str(folder / "lib")
    command.build_temp = str(folder / "objects")
    command.parallel = os.cpu_count() or 1
    command.ensure_finalized()
    command.run()
    return {path: str(Path(path).relative_to(command.build_lib)) for path in command.get_outputs()}
