"""What dashboard and alerts ask Prometheus for, and what processes tell it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from prometheus_client.parser import text_string_to_metric_families

ROOT = Path(__file__).resolve().parent.parent
MONITORING = ROOT / "infra/monitoring"
_METRIC = re.compile(r"\b(?:tripdeck|process)_\w+")
_MATCHERS = re.compile(r"((?:tripdeck|process)_\w+)(?:{([^}]*)})?")
_LABEL = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)")


def list_expressions(monitoring: Path = MONITORING) -> list[str]:
    """Every PromQL expression of the dashboard and the alerts."""
    dashboard: dict[str, Any] = json.loads((monitoring / "dashboard.json").read_text(encoding="utf-8"))
    groups = yaml.safe_load((monitoring / "alerts.yaml").read_text(encoding="utf-8"))["groups"]
    asked = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())]
    return asked + [rule["expr"] for group in groups for rule in group["rules"]]


def find_unknown_names(expressions: list[str], known: set[str]) -> set[str]:
    """The metrics that are asked for and not known."""
    return {name for expression in expressions for name in _METRIC.findall(expression)} - known


def list_matched_labels(expressions: list[str]) -> Iterator[tuple[str, str]]:
    """Metric and label, for each label that an expression matches."""
    for expression in expressions:
        for name, matchers in _MATCHERS.findall(expression):
            yield from ((name, label) for label in _LABEL.findall(re.sub(r'"[^"]*"', '""', matchers)))


def read_samples(text: str) -> dict[str, float]:
    """Samples of Prometheus' text format, by name and labels as they stand there, sorted."""
    samples = (sample for family in text_string_to_metric_families(text) for sample in family.samples)
    return {sample.name + _show(sample.labels): sample.value for sample in samples}


def _show(labels: dict[str, str]) -> str:
    return "{" + ",".join(f'{name}="{value}"' for name, value in sorted(labels.items())) + "}" if labels else ""
