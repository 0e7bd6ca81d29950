"""Dashboard and alert rules ask for metrics that processes export."""

import json
import re
from collections.abc import Iterable

import pytest
import yaml
from prometheus_client.metrics_core import Metric

from loader.hub.support.metrics import Metrics
from loader.telemetry.backlog import GAUGES
from loader.telemetry.worker_metrics import WorkerMetrics
from tests.monitoring import MONITORING, find_unknown_names, list_expressions

DOCUMENT = MONITORING.parents[1] / "docs/monitoring.md"
_SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",), "info": ("_info",)}


def list_samples(families: Iterable[Metric]) -> set[str]:
    return {family.name + suffix for family in families for suffix in _SUFFIXES[family.type]}


@pytest.fixture(scope="module")
def exported() -> set[str]:
    hub = Metrics()
    hub.export_caches([])
    return list_samples([*hub.collect(), *WorkerMetrics().registry.collect()]) | set(GAUGES)


def test_every_metric_that_is_asked_for_is_exported(exported: set[str]) -> None:
    expressions = list_expressions()
    assert len(expressions) > 30
    assert find_unknown_names(expressions, exported) == set()


def test_an_unknown_metric_is_found(exported: set[str]) -> None:
    expressions = ["sum(rate(tripdeck_worker_rows_total[5m])) / max(tripdeck_batches_pendng)"]
    assert find_unknown_names(expressions, exported) == {"tripdeck_batches_pendng"}


def test_every_metric_of_tripdeck_is_shown_or_alerted_on_unless_it_is_a_detail(exported: set[str]) -> None:
    asked = set(re.findall(r"tripdeck_\w+", " ".join(list_expressions())))
    details = {name for name in exported if name.endswith(("_sum", "_count")) or not name.startswith("tripdeck_")}
    assert exported - details - asked == {
        "tripdeck_batches_pending",
        "tripdeck_loads_uncompacted",
        "tripdeck_event_position",
        "tripdeck_sources_active",
        "tripdeck_source_objects_unread",
        "tripdeck_worker_source_objects_total",
        "tripdeck_hub_feed_position",
        "tripdeck_hub_feed_malformed_total",
        "tripdeck_hub_block_cache_columns",
    }


def test_every_metric_of_tripdeck_is_documented(exported: set[str]) -> None:
    documented = set(re.findall(r"`(tripdeck_\w+?)(?:{[\w,]+})?`", DOCUMENT.read_text(encoding="utf-8")))
    ours = {re.sub("_(bucket|sum|count)$", "", name) for name in exported if name.startswith("tripdeck_")}
    assert documented == ours


def test_a_dashboard_has_no_two_panels_in_one_place() -> None:
    panels = json.loads((MONITORING / "dashboard.json").read_text(encoding="utf-8"))["panels"]
    taken = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(taken) == len(set(taken))
    assert len({panel["id"] for panel in panels}) == len(panels)


def test_alerts_say_what_to_do() -> None:
    [group] = yaml.safe_load((MONITORING / "alerts.yaml").read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]:
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert set(rule["annotations"]) == {"summary", "action"}
    assert len({rule["alert"] for rule in group["rules"]}) == len(group["rules"])
