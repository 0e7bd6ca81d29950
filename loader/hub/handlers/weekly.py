"""Weekly averages and histograms."""

from sqlalchemy import Connection

from loader.hub.api.operations import Operation
from loader.hub.api.tables import TABLE_MEDIA
from loader.hub.api.trip_params import (
    HistogramParams,
    WeeklyParams,
)
from loader.hub.api.trip_responses import (
    HistogramResponse,
    WeeklyAverageResponse,
)
from loader.hub.handlers.question_handler import UNCHANGED, QuestionHandler, Result, in_shape
from shared.questions.histograms import fetch_histogram
from shared.questions.weekly import compare_weekly, fetch_weekly


class WeeklyAverageHandler(QuestionHandler):
    """Trips per week and their average: GET /weekly-average, and POST with a shape."""

    @Operation(
        "Trips per week and their average",
        id="get_weekly_average",
        also=UNCHANGED,
        params=WeeklyParams,
        response=WeeklyAverageResponse,
        media=TABLE_MEDIA,
    )
    async def get(self, params: WeeklyParams) -> None:
        """Respond with the weeks of the period."""
        params = await self.take_area(params)
        from shared.places.precision import describe_precision

        question = params.weekly_question()
        other = (params.compare_from, params.compare_to)

        def compute(connection: Connection) -> Result:
            if other == (None, None):
                document = {**self.small.hide(fetch_weekly(connection, question)).to_json(), "comparison": None}
            else:
                compared = compare_weekly(connection, question, from_on=other[0], to_on=other[1])
                self.small.hide(compared.answer)
                self.small.hide(compared.other)
                document = {**compared.answer.to_json(), "comparison": compared.to_json()}
            document["precision"] = question.area and describe_precision(
                connection, question.area.extent, region=params.region, datasource=params.datasource
            )
            return Result(document, ("week", "trips", "is_partial"), document["weeks"])

        await self.ask((question, other), compute, form=params.format)

    post = in_shape(get)


class HistogramHandler(QuestionHandler):
    """Trips per hour, weekday or duration: GET /histograms, and POST with a shape."""

    @Operation(
        "Trips per hour, weekday or duration",
        id="get_histogram",
        also=UNCHANGED,
        params=HistogramParams,
        response=HistogramResponse,
        media=TABLE_MEDIA,
    )
    async def get(self, params: HistogramParams) -> None:
        """Respond with the bins."""
        params = await self.take_area(params)
        question, by = params.weekly_question(), params.by

        def compute(connection: Connection) -> Result:
            document = self.small.hide(fetch_histogram(connection, question, by=by)).to_json()
            return Result(document, ("bin", "label", "trips"), document["bins"])

        await self.ask((question, by), compute, form=params.format)

    post = in_shape(get)
