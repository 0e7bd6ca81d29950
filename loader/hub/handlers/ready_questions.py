"""Ready questions: their list, and the answer to one."""

from sqlalchemy import Connection

from loader.hub.api.base_handler import ApiHandler
from loader.hub.api.operations import Operation
from loader.hub.api.params import NoParams
from loader.hub.api.tables import TABLE_MEDIA
from loader.hub.api.trip_params import (
    QuestionParams,
)
from loader.hub.api.trip_responses import (
    QuestionsResponse,
    ResultResponse,
)
from loader.hub.handlers.question_handler import UNCHANGED, QuestionHandler, Result
from shared.questions.challenge import answer_question, list_questions


class ReadyQuestionsHandler(ApiHandler):
    """The list of ready questions: GET /questions."""

    @Operation("The ready questions, with their SQL", id="list_questions", response=QuestionsResponse)
    async def get(self, params: NoParams) -> None:
        """Respond with the ready questions."""
        self.respond({"questions": [question.to_json() for question in list_questions()]})


class ReadyQuestionHandler(QuestionHandler):
    """The answer to a ready question: GET /questions/{name}."""

    @Operation(
        "The answer to a ready question",
        id="answer_question",
        also=UNCHANGED,
        params=QuestionParams,
        response=ResultResponse,
        media=TABLE_MEDIA,
    )
    async def get(self, params: QuestionParams) -> None:
        """Respond with columns and rows."""
        parameters = {name: str(value) for name, value in (params.model_extra or {}).items()}

        def compute(connection: Connection) -> Result:
            table = answer_question(connection, params.name, **parameters)
            rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
            return Result(table.to_json(), table.columns, rows)

        await self.ask((params.name, sorted(parameters.items())), compute, form=params.format, reads_trips=True)
