"""Prometheus text of numbers that are counted elsewhere."""

from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric


def counter(name: str, meaning: str, value: float) -> Metric:
    """A counter without labels."""
    return CounterMetricFamily(name, meaning, value=value)


def gauge(name: str, meaning: str, value: float) -> Metric:
    """A gauge without labels."""
    return GaugeMetricFamily(name, meaning, value=value)


def labelled(family: Metric, label: str, values: Iterable[tuple[str, float]]) -> Metric:
    """The family of ``counter`` or ``gauge`` with one sample for each value of a label.

    Label values must be few and name no person.
    """
    kind = GaugeMetricFamily if family.type == "gauge" else CounterMetricFamily
    filled = kind(family.name, family.documentation, labels=(label,))
    for value, number in values:
        filled.add_metric((value,), number)
    return filled


class _Given:
    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = tuple(metrics)

    def collect(self) -> Iterator[Metric]:
        yield from self._metrics


def render(metrics: Iterable[Metric]) -> str:
    """The text format that Prometheus scrapes."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Given(metrics))
    return generate_latest(registry).decode()
