"""Roles: which column is the origin, the destination, the start time and so on, by name and by content."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from loader.formats.names import KINDS, NameMeaning, read_name
from loader.formats.plan import NO_COLUMN, LoadOptions
from loader.formats.profile import Profile
from shared.errors import FileFormatError, RequestError

MOSTLY = 0.5
ENDS = ("origin", "destination")
# A pickup_location may be an address; these can only be positions.
POINT_WORDS = frozenset(KINDS["point"].split()) - frozenset("location loc position pos geo".split())  # noqa: SIM905

TRIP_IDS = frozenset("tripid rideid rentalid journeyid bookingid triptoken tripnumber ridenumber id".split())  # noqa: SIM905

Found = dict[str, list[tuple[str, int, float]] | None]


@dataclass
class RoleFinder:
    """Find roles among named columns; profile gives what a column holds. given: roles that somebody has settled."""

    columns: tuple[str, ...]
    profile: Callable[[int], Profile]
    meanings: list[NameMeaning] = field(init=False)
    given: frozenset[str] = frozenset()
    roles: dict[str, int] = field(default_factory=dict)
    confidence: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.meanings = [read_name(name) for name in self.columns]

    def find(self, options: LoadOptions) -> None:
        """Find every role; those that options name come first."""
        for role, column in options.roles.items():
            if column != NO_COLUMN:
                self._set(role, resolve_column(self.columns, column, role), 1.0)
        self.given = frozenset(options.roles)
        if not self.has_ends():
            self._find_ends()
        for end, side in (("started", "origin"), ("ended", "destination")):
            if f"{end}_at" not in self.given:
                self._find_time(end, side)
        for role in ("region", "datasource"):
            if role not in self.given:
                self._find_name(role)
        if "trip_id" not in self.given:
            self._find_trip_id()

    def has_ends(self) -> bool:
        """Tell whether both ends are known."""
        return "route" in self.roles or all(self._has_end(end) for end in ENDS)

    def _has_end(self, end: str) -> bool:
        return end in self.roles or {f"{end}_longitude", f"{end}_latitude"} <= set(self.roles)

    def _set(self, role: str, column: int, confidence: float) -> None:
        if role in self.given:
            return
        self.roles[role], self.confidence[role] = column, round(confidence, 2)

    def _find_ends(self) -> None:
        """Prefer coordinates for both ends, then points for both, then a line, then whatever each end has."""
        numeric: Found = {end: self._find_pair(end) for end in ENDS}
        points: Found = {end: self._find_point(end) for end in ENDS}
        route = self._best(range(len(self.columns)), lambda column: self.profile(column).route, kinds=("point", None))
        known = [end for end in ENDS if self._has_end(end)]
        if not known and not all(numeric.values()) and not all(points.values()) and route is not None:
            self._set("route", route[0], route[1])
            return
        by_name = self._name_ends()
        for end in ENDS:
            if not numeric[end] and not points[end]:
                numeric[end], points[end] = by_name[0][end], by_name[1][end]
        first, second = (numeric, points) if all(numeric[end] for end in ENDS if end not in known) else (points, numeric)
        for end in ENDS:
            if end not in known:
                for role, column, confidence in first[end] or second[end] or []:
                    self._set(role, column, confidence)

    def _name_ends(self) -> tuple[Found, Found]:
        """Take columns at their word: named as coordinates or points, although nothing in the sample reads as such."""
        plain = [column for column, meaning in enumerate(self.meanings) if meaning.strangers == 0]

        def named(end: str, kind: str) -> list[int]:
            return [column for column in plain if (self.meanings[column].side, self.meanings[column].kind) == (end, kind)]

        numeric: Found = dict.fromkeys(ENDS)
        points: Found = dict.fromkeys(ENDS)
        for end in ENDS:
            longitudes, latitudes = named(end, "longitude"), named(end, "latitude")
            if longitudes and latitudes:
                numeric[end] = [(f"{end}_longitude", longitudes[0], 0.3), (f"{end}_latitude", latitudes[0], 0.3)]
            places = [column for column in named(end, "point") if POINT_WORDS & set(self.meanings[column].words)]
            if places:
                points[end] = [(end, places[0], 0.3)]
        return numeric, points

    def _find_pair(self, end: str) -> list[tuple[str, int, float]] | None:
        found = []
        for kind in ("longitude", "latitude"):
            best = self._find_axis(end, kind)
            if best is None:
                return None
            found.append((f"{end}_{kind}", *best))
        return found

    def _find_axis(self, end: str, kind: str) -> tuple[int, float] | None:
        def score(column: int) -> float:
            profile = self.profile(column)
            return profile.number if profile.filled else 0.6

        sided = [column for column in self._with(kind=kind) if self.meanings[column].side == end]
        best = self._best(sided, score, kinds=(kind,))
        if best is not None:
            return best
        # `lat, lon, end_lat, end_lon` and `lat, lon, lat, lon`: columns without a side come in order.
        bare = [column for column in self._with(kind=kind) if self.meanings[column].side is None]
        other = [column for column in self._with(kind=kind) if self.meanings[column].side not in (None, end)]
        if end == "origin" and bare and (other or len(bare) == 2):
            return bare[0], 0.7 * score(bare[0])
        if end == "destination" and len(bare) == 2 and not other:
            return bare[1], 0.7 * score(bare[1])
        return None

    def _find_point(self, end: str) -> list[tuple[str, int, float]] | None:
        def score(column: int) -> float:
            profile = self.profile(column)
            meaning = self.meanings[column]
            by_name = 0.6 if meaning.kind == "point" or (meaning.kind is None and meaning.strangers == 0) else 0.0
            return profile.point if profile.filled else by_name

        sided = [column for column in self._with(side=end) if self.meanings[column].kind in ("point", None, "time", "date")]
        best = self._best(sided, score, kinds=("point", None))
        return [(end, *best)] if best else None

    def _with(self, *, side: str | None = None, kind: str | None = None) -> list[int]:
        return [
            column
            for column, meaning in enumerate(self.meanings)
            if (side is None or meaning.side == side) and (kind is None or meaning.kind == kind)
        ]

    def _best(
        self, columns: Iterable[int], score: Callable[[int], float], *, kinds: tuple[str | None, ...]
    ) -> tuple[int, float] | None:
        """Choose the column whose content fits; among those the one whose name says it most plainly, then the first."""
        fitting = [(column, score(column)) for column in columns]
        fitting = [(column, share) for column, share in fitting if share > MOSTLY]
        if not fitting:
            return None

        def rank(item: tuple[int, float]) -> tuple[int, int, int]:
            meaning = self.meanings[item[0]]
            return (kinds.index(meaning.kind) if meaning.kind in kinds else len(kinds), meaning.strangers, item[0])

        column, share = min(fitting, key=rank)
        return column, share * (0.95 ** self.meanings[column].strangers)

    def _find_time(self, end: str, side: str) -> None:
        sides = (side, None) if end == "started" else (side,)
        used = set(self.roles.values())
        for wanted in sides:
            columns = [
                column
                for column, meaning in enumerate(self.meanings)
                if column not in used and meaning.side == wanted and self._may_be_time(meaning)
            ]
            best = self._best(columns, self._time_share, kinds=("time", "date", None))
            if best is None:
                continue
            self._set(f"{end}_at", *best)
            self._find_clock(end, wanted, best[0])
            return
        if end == "started":
            self._guess_start(used)

    def _may_be_time(self, meaning: NameMeaning) -> bool:
        return meaning.kind in ("time", "date") or (meaning.kind is None and meaning.side is not None and meaning.strangers <= 1)

    def _time_share(self, column: int) -> float:
        profile = self.profile(column)
        if not profile.filled:
            return 0.6 * (self.meanings[column].kind == "time")
        epoch = profile.epoch if self.meanings[column].kind == "time" else 0.0
        return max(profile.time, epoch)

    def _find_clock(self, end: str, side: str | None, date_column: int) -> None:
        """Find the clock beside a bare date: `StartDate, StartTime`."""
        if self.profile(date_column).bare_date <= MOSTLY:
            return
        columns = [column for column, meaning in enumerate(self.meanings) if meaning.side == side and meaning.kind == "time"]
        best = self._best(
            [column for column in columns if column != date_column], lambda column: self.profile(column).clock, kinds=("time",)
        )
        if best is not None:
            self._set(f"{end}_time", *best)

    def _guess_start(self, used: set[int]) -> None:
        """Take a column named as the start although nothing in it reads as a time, or any that does."""
        named = [
            column
            for column, meaning in enumerate(self.meanings)
            if column not in used and meaning.kind == "time" and meaning.side in ("origin", None)
        ]
        timed = [column for column in range(len(self.columns)) if column not in used and self.profile(column).time > MOSTLY]
        if timed:
            self._set("started_at", timed[0], 0.5)
        elif named:
            column = min(named, key=lambda column: (self.meanings[column].side is None, self.meanings[column].strangers, column))
            self._set("started_at", column, 0.3)

    def _find_name(self, role: str) -> None:
        found = [
            column
            for column, meaning in enumerate(self.meanings)
            if meaning.kind == role and meaning.side is None and meaning.strangers <= (1 if len(meaning.words) > 2 else 0)
        ]
        found = [column for column in found if column not in self.roles.values()]
        if found:
            self._set(role, found[0], 0.9)

    def _find_trip_id(self) -> None:
        """Find the publisher's own number of a trip: shown, and not stored."""
        names = ["".join(meaning.words) for meaning in self.meanings]
        free = [column for column, name in enumerate(names) if name in TRIP_IDS and column not in self.roles.values()]
        if free:
            self._set("trip_id", free[0], 0.9)


def resolve_column(columns: tuple[str, ...], wanted: str, role: str) -> int:
    """Find a column by its name (case and blanks aside) or its number from 1. Raises: RequestError."""
    if wanted in columns:
        return columns.index(wanted)
    folded = [name.strip().casefold() for name in columns]
    if wanted.strip().casefold() in folded:
        return folded.index(wanted.strip().casefold())
    if wanted.isdigit() and 1 <= int(wanted) <= len(columns):
        return int(wanted) - 1
    raise RequestError(f"There is no column {wanted!r} for {role}. Columns: {', '.join(columns)}.", parameter="roles")


def check_roles(finder: RoleFinder) -> None:
    """Raises: FileFormatError naming what was not found."""
    missing = []
    if not finder.has_ends():
        ends = [end for end in ENDS if not finder._has_end(end)]
        missing += ends
    if "started_at" not in finder.roles:
        missing.append("start time")
    if missing:
        shown = ", ".join(finder.columns[:30])
        raise FileFormatError(
            f"Found no column for {' and '.join(missing)}. Columns: {shown}. Name them, such as "
            "--map origin=COLUMN --map destination=COLUMN --map started_at=COLUMN.",
            code="missing_roles",
            parameter="roles",
            columns=finder.columns,
        )
