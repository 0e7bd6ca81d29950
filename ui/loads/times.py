"""A load over time: its stages, its rate, and what compaction does."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import altair as alt
import streamlit as st

from shared.compaction.segments import LEAST_TRIPS
from shared.domain.load_states import TERMINAL_STATES
from shared.load_times import Compaction, LoadRate, LoadTimes, Stage, StageName, fetch_compaction, fetch_load_times
from shared.loads import Load
from ui.services.resources import Resources
from ui.style.error_messages import explained
from ui.style.text import NOTHING, THIN_SPACE, format_count, format_duration, format_plural

_LABELS: Final[dict[StageName, str]] = {
    "upload": "Upload",
    "queue": "In the queue",
    "load": "Load",
    "compaction": "Until compacted",
}
_HELP: Final[dict[StageName, str]] = {
    "upload": "From the start of the upload until the load was requested.",
    "queue": "From the request until a worker began to read the file.",
    "load": "From the first read of the file until its last batch was stored.",
    "compaction": "From the end of the load until its trips were merged into a segment, waiting included. Questions see the "
    "trips from the end of the load on.",
}
_CHART_HEIGHT_PX: Final = 120
_NUMBERS: Final = f"replace(format(datum.value, datum.value < 1e5 ? ',' : '~s'), ',', '{THIN_SPACE}')"
_LOOK_S: Final = 5.0


def render_times(resources: Resources, load: Load) -> None:
    """Draw the stages of a load and its rate."""
    times = fetch_load_times(resources.engine, load["load_id"], now=datetime.now(UTC))
    with st.container(key="load_stages"):
        columns = st.columns(len(_LABELS))
    stages = {stage.name: stage for stage in times.stages}
    for column, (name, label) in zip(columns, _LABELS.items(), strict=True):
        column.metric(label, _describe_stage(load, name, stages.get(name)), help=_HELP[name])
    if times.rates:
        chart, words = make_rate_chart(times.rates), describe_rates(times)
        st.caption("Rows per second, by the time since the load began")
        st.altair_chart(chart, key=f"rates_{load['load_id']}", alt=words)


def render_compaction(resources: Resources) -> None:
    """Say what compaction does; again every few seconds while it has something to do."""
    found = fetch_compaction(resources.engine)
    has_work = found.is_running or found.trips >= LEAST_TRIPS

    @st.fragment(run_every=_LOOK_S if has_work else None)
    def say() -> None:
        with explained():
            st.caption(describe_compaction(fetch_compaction(resources.engine), now=datetime.now(UTC)))

    say()


def make_rate_chart(rates: Sequence[LoadRate]) -> alt.Chart:
    """Rows a second over the time since the load began, as steps."""
    rows = [
        {
            "from": rate.from_s,
            "to": rate.to_s,
            "value": rate.rows_per_s,
            "rate": format_count(round(rate.rows_per_s)),
            "time": f"{format_duration(rate.from_s)} to {format_duration(rate.to_s)}",
        }
        for rate in rates
    ]
    seconds = alt.Axis(title=None, grid=False, tickCount=8, labelExpr="format(datum.value, ',') + ' s'")
    numbers = alt.Axis(title=None, labelExpr=_NUMBERS, tickCount=3)
    chart: alt.Chart = (
        alt.Chart(alt.InlineData(values=rows))
        .mark_bar(orient="vertical", binSpacing=1)
        .encode(
            x=alt.X("from:Q", axis=seconds, scale=alt.Scale(nice=False)),
            x2="to:Q",
            y=alt.Y("value:Q", axis=numbers),
            tooltip=[alt.Tooltip("time:N"), alt.Tooltip("rate:N", title="rows per second")],
        )
        .properties(height=_CHART_HEIGHT_PX)
    )
    return chart


def describe_rates(times: LoadTimes) -> str:
    """The chart in words."""
    values = [round(rate.rows_per_s) for rate in times.rates]
    mean = format_count(round(sum(values) / len(values)))
    return (
        f"Rows per second of the load over {format_duration(times.rates[-1].to_s)}: {mean} on average, "
        f"{format_count(min(values))} at least and {format_count(max(values))} at most."
    )


def describe_compaction(found: Compaction, *, now: datetime) -> str:
    """Say what compaction does, and what it waits for."""
    work = f"{format_plural(found.loads, 'load')} with {format_plural(found.trips, 'trip')}"
    if found.is_running:
        lasts = f" for {format_duration((now - found.since).total_seconds())}" if found.since else ""
        pause = " It pauses while loads run, up to 20 million trips." if found.running_loads else ""
        return f"Compaction has been merging loads into a segment{lasts}; not compacted yet: {work}.{pause}"
    if found.trips >= LEAST_TRIPS:
        return (
            f"Compaction waits for {format_plural(found.running_loads, 'running load')}: {work}."
            if found.running_loads
            else (f"Compaction begins in a moment: {work}.")
        )
    if found.loads:
        least = format_count(LEAST_TRIPS)
        return f"Compaction begins at {least} trips; until then questions read them as they are: {work}."
    if found.segments:
        return f"Compaction has nothing to do: all trips are in {format_plural(found.segments, 'segment')}."
    return "Compaction has nothing to do."


def _describe_stage(load: Load, name: StageName, stage: Stage | None) -> str:
    if stage is None:
        waits = name == "compaction" and load["state"] == "succeeded" and load["rows_loaded"]
        return "waits" if waits else NOTHING
    if stage.ended_at is not None:
        return format_duration(max(0.0, (stage.ended_at - stage.began_at).total_seconds()))
    return NOTHING if load["state"] in TERMINAL_STATES else "under way"
