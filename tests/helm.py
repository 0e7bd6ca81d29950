"""The chart as Helm renders it."""

from pathlib import Path
from typing import Any

import yaml

CHART = Path(__file__).resolve().parent.parent / "infra/helm"
RELEASE, NAMESPACE = "tripdeck", "trips"


def render_chart(values: dict[str, Any] | None = None, chart: Path = CHART) -> list[dict[str, Any]]:
    """Every object of a release. Raises: helm_python.HelmError."""
    import helm_python

    with helm_python.Chart.load(str(chart)) as loaded:
        rendered = loaded.render(values or {}, name=RELEASE, namespace=NAMESPACE)
    texts = [text for path, text in sorted(rendered.items()) if path.endswith(".yaml")]
    return [found for text in texts for found in yaml.safe_load_all(text) if found]


def pick_object(objects: list[dict[str, Any]], kind: str, role: str) -> dict[str, Any]:
    """The object of a kind and a role."""
    [found] = [one for one in objects if one["kind"] == kind and one["metadata"]["name"] == f"{RELEASE}-{role}"]
    return found
