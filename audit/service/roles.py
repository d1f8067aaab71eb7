"""Which process does what."""

from audit.errors import ConfigurationError
from audit.service.paths import DataPaths
from audit.service.role import Role
from audit.settings import Settings


def create(name: str, settings: Settings, paths: DataPaths) -> Role:
    """The process of that name; only its own stages are imported.

    Raises:
        ConfigurationError: there is no such process.
    """
    if name == "receive":
        from audit.service.receive import ReceiveRole

        return ReceiveRole(settings, paths)
    if name == "project":
        from audit.service.project import ProjectRole

        return ProjectRole(settings, paths)
    if name == "web":
        from audit.service.web import WebRole

        return WebRole(settings, paths)
    if name == "push":
        from audit.service.push import PushRole

        return PushRole(settings, paths)
    raise ConfigurationError(f"there is no process {name}; use receive, project, web or push")
