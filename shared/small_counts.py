"""Small counts: hiding what fewer than k trips make up, so that an answer singles nobody out.

    small = SmallCounts(settings.min_group_trips)          # 0 or 1: hides nothing
    flow_map = small.hide_flows(fetch_flows(connection, question))

Hidden are trip groups, flows, cells and the parts of a group below k trips, and single trips. Totals in the same answer must not
give them away: those of flows and locations count what is shown; of a group's weeks so many are hidden besides that the hidden
ones have k trips together, and are two at least; its hours are hidden all together.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar, cast

from shared.groups.detail_question import GroupDetail
from shared.groups.question import FlowLocation, FlowMap, TripGroup
from shared.platform.errors import TerminalError
from shared.questions.density import CellCount
from shared.questions.histograms import Histogram
from shared.questions.weekly import WeeklyAnswer

_Key = TypeVar("_Key", bound=Hashable)
_Answer = TypeVar("_Answer")


class TooFewTripsError(TerminalError):
    """Fewer trips than this instance tells about."""

    code = "too_few_trips"


@dataclass(frozen=True, slots=True)
class SmallCounts:
    """min_trips: counts below it are hidden."""

    min_trips: int

    @property
    def is_hiding(self) -> bool:
        """Whether anything is hidden at all."""
        return self.min_trips > 1

    def hide(self, answer: _Answer) -> _Answer:
        """Whatever a question answered, without what is small. Raises: TooFewTripsError."""
        found: object = answer
        if isinstance(found, FlowMap):
            found = self.hide_flows(found)
        elif isinstance(found, GroupDetail):
            found = self.hide_parts(found)
        elif isinstance(found, (WeeklyAnswer, Histogram)):
            self.check_total(found.trips)
        elif isinstance(found, list) and found and isinstance(found[0], TripGroup):
            found = self.hide_groups(found)
        return cast("_Answer", found)

    def check_total(self, trips: int) -> None:
        """Refuse an answer about fewer trips. Raises: TooFewTripsError."""
        if 0 < trips < self.min_trips:
            raise TooFewTripsError(f"Fewer than {self.min_trips} trips match; this instance doesn't tell such small counts.")

    def hide_groups(self, groups: Sequence[TripGroup]) -> list[TripGroup]:
        """The groups that are large enough; largest first, so a page that lost some is the last."""
        return [group for group in groups if group.trips >= self.min_trips]

    def hide_cells(self, cells: Sequence[CellCount]) -> list[CellCount]:
        """The cells that are large enough."""
        return [cell for cell in cells if cell.trips >= self.min_trips]

    def hide_flows(self, flow_map: FlowMap) -> FlowMap:
        """The flows that are large enough; all totals count those alone."""
        if not self.is_hiding:
            return flow_map
        flows = tuple(flow for flow in flow_map.flows if flow.trips >= self.min_trips)
        arriving: dict[str, int] = {}
        leaving: dict[str, int] = {}
        within: dict[str, int] = {}
        for flow in flows:
            if flow.origin == flow.destination:
                within[flow.origin] = flow.trips
            else:
                leaving[flow.origin] = leaving.get(flow.origin, 0) + flow.trips
                arriving[flow.destination] = arriving.get(flow.destination, 0) + flow.trips

        def recount(location: FlowLocation) -> FlowLocation:
            arrived, left, stayed = (found.get(location.id, 0) for found in (arriving, leaving, within))
            return replace(location, in_trips=arrived, out_trips=left, internal_trips=stayed)

        joined = {*arriving, *leaving, *within}
        shown = tuple(recount(each) for each in flow_map.locations if each.id in joined)
        trips = sum(flow.trips for flow in flows)
        return replace(flow_map, locations=shown, flows=flows, trips=trips, shown_trips=trips)

    def hide_parts(self, detail: GroupDetail) -> GroupDetail:
        """The group without its small weeks and hours, and without single trips. Raises: TooFewTripsError for a small group."""
        if not self.is_hiding:
            return detail
        self.check_total(detail.trips)
        hidden = self.select_hidden(dict(detail.weeks))
        # The group's time of day may be some of the hours: one hidden among them could be told from the others and the total.
        hours = () if self.select_hidden(dict(enumerate(detail.hours))) else detail.hours
        weeks = tuple((week, trips) for week, trips in detail.weeks if week not in hidden)
        return replace(detail, weeks=weeks, hours=hours, samples=())

    def select_hidden(self, counts: Mapping[_Key, int]) -> set[_Key]:
        """Keys of the counts to hide: the small ones, and the next larger until they can't be told from a total."""
        ascending = sorted((key for key, trips in counts.items() if trips), key=lambda key: counts[key])
        small = [key for key in ascending if counts[key] < self.min_trips]
        if not small:
            return set()
        hidden = small
        for key in ascending[len(small) :]:
            if len(hidden) > 1 and sum(counts[each] for each in hidden) >= self.min_trips:
                break
            hidden = [*hidden, key]
        return set(hidden)
