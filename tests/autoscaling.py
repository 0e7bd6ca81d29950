"""What KEDA and Kubernetes do with a ScaledObject of one trigger by an average value, as their documentation says, in less time.

Source: Kubernetes, Horizontal Pod Autoscaling: algorithm details, configurable scaling behavior. The metric comes from the hub.
"""

import math
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

# Of the controller: within it the number of pods stays.
TOLERANCE = 0.1


@dataclass
class Autoscaler:
    """Decides how many pods there are. speed: how many seconds of the ScaledObject pass in one."""

    scaled_object: dict[str, Any]
    speed: float
    _wanted: list[tuple[float, int]] = field(default_factory=list)
    _changes: list[tuple[float, int]] = field(default_factory=list)

    @property
    def interval_s(self) -> float:
        """Seconds between decisions."""
        return float(self.scaled_object["spec"]["pollingInterval"]) / self.speed

    @property
    def metric(self) -> str:
        """The metric's name at the hub."""
        return str(self.scaled_object["spec"]["triggers"][0]["metadata"]["valueLocation"])

    def decide(self, value: float, current: int, *, now: float) -> int:
        """The number of pods for a value of the metric; now: seconds from any instant on."""
        spec = self.scaled_object["spec"]
        target = float(spec["triggers"][0]["metadata"]["targetValue"])
        is_near = current > 0 and abs(value / (target * current) - 1) <= TOLERANCE
        wanted = current if is_near else math.ceil(value / target)
        wanted = min(max(wanted, spec["minReplicaCount"]), spec["maxReplicaCount"])
        self._wanted.append((now, wanted))
        decided = self._limit(current, self._stabilize(current, wanted, now), now)
        if decided != current:
            self._changes.append((now, decided - current))
        return decided

    def _behavior(self, direction: str) -> dict[str, Any]:
        advanced = self.scaled_object["spec"]["advanced"]["horizontalPodAutoscalerConfig"]
        behavior: dict[str, Any] = advanced["behavior"][direction]
        return behavior

    def _stabilize(self, current: int, wanted: int, now: float) -> int:
        lowest, highest = wanted, wanted
        for at, one in self._wanted:
            if now - at <= self._behavior("scaleUp")["stabilizationWindowSeconds"] / self.speed:
                lowest = min(lowest, one)
            if now - at <= self._behavior("scaleDown")["stabilizationWindowSeconds"] / self.speed:
                highest = max(highest, one)
        return min(max(current, lowest), highest)

    def _limit(self, current: int, wanted: int, now: float) -> int:
        if wanted == current:
            return current
        [policy] = self._behavior("scaleUp" if wanted > current else "scaleDown")["policies"]
        period_s = policy["periodSeconds"] / self.speed
        before = current - sum(change for at, change in self._changes if now - at <= period_s)
        if wanted > current:
            assert policy["type"] == "Pods"
            return max(current, min(wanted, before + int(policy["value"])))
        assert policy["type"] == "Percent"
        return min(current, max(wanted, int(before * (1 - policy["value"] / 100))))


def count_turns(sizes: list[int]) -> int:
    """How often a number of pods that rose fell again, or rose after it fell."""
    steps = [after - before for before, after in pairwise(sizes) if after != before]
    return sum((one > 0) != (other > 0) for one, other in pairwise(steps))
