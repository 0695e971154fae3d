"""The JSON that the API speaks, as types: written by the functions, read by OpenAPI and clients."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Final

from areyouacat.predictions import Prediction
from areyouacat.settings import BACKBONE, LABELS, UNSURE

PREDICTION_ID_PATTERN: Final = r"^[0-9A-Za-z_-]{1,64}$"
UPLOAD_KEY_PATTERN: Final = (
    r"^uploads/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
)
IDEMPOTENCY_KEY_PATTERN: Final = r"^[!-~]{1,255}$"


class Schema:
    """Keywords of JSON Schema beside a type.

    They are read while the OpenAPI document is made. At run time they cost nothing, and nothing
    needs pydantic for them.
    """

    def __init__(self, description: str = "", **keywords: Any) -> None:
        """`keywords` as JSON Schema names them, such as `minimum=0`."""
        self._keywords = ({"description": description} if description else {}) | keywords

    def __get_pydantic_json_schema__(
        self, core_schema: Any, handler: Callable[[Any], dict[str, Any]]
    ) -> dict[str, Any]:
        """pydantic's hook: its own schema of the type, with our keywords added."""
        return handler(core_schema) | self._keywords


Label = Annotated[str, Schema("One of the two labels", enum=list(LABELS.all))]
Verdict = Annotated[str, Schema("What the model dares to say", enum=[*LABELS.all, UNSURE])]
Probability = Annotated[
    float,
    Schema(f"Calibrated probability of {LABELS.positive_words}", minimum=0, maximum=1),
]
PredictionId = Annotated[
    str, Schema("Names one prediction, for ever", pattern=PREDICTION_ID_PATTERN)
]
UploadKey = Annotated[
    str, Schema("As POST /uploads gave it; good for one prediction", pattern=UPLOAD_KEY_PATTERN)
]
Moment = Annotated[str, Schema("UTC", format="date-time")]
_GridRow = Annotated[
    list[Annotated[float, Schema()]], Schema(minItems=BACKBONE.grid, maxItems=BACKBONE.grid)
]


@dataclass(frozen=True, slots=True)
class ServedBy:
    """The model that answered."""

    name: Annotated[str, Schema("As it is registered")]
    version: Annotated[str, Schema("Registered version", examples=["3"])]
    role: Annotated[str, Schema("champion, or challenger in a canary or an A/B test")]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Where the photo speaks for the positive label (above zero), and where against it."""

    grid: Annotated[
        list[_GridRow],
        Schema(
            "Contributions in logits, row by row from the top, stretched over the whole photo",
            minItems=BACKBONE.grid,
            maxItems=BACKBONE.grid,
        ),
    ]


@dataclass(frozen=True, slots=True)
class PredictAnswer:
    """What the model says of one photo."""

    prediction_id: PredictionId
    label: Label
    verdict: Verdict
    probability: Probability
    model: ServedBy
    explanation: Explanation


@dataclass(frozen=True, slots=True)
class ErrorDetail:
    """What went wrong."""

    code: Annotated[str, Schema("For programs", examples=["unreadable_image"])]
    message: Annotated[str, Schema("For people: the problem and its remedy")]


@dataclass(frozen=True, slots=True)
class ErrorAnswer:
    """The only shape of an error."""

    error: ErrorDetail


def predict_answer(prediction: Prediction) -> PredictAnswer:
    """The answer that belongs to a stored prediction: the same now as when it was given."""
    return PredictAnswer(
        prediction_id=prediction.prediction_id,
        label=prediction.label,
        verdict=prediction.verdict,
        probability=prediction.probability,
        model=ServedBy(prediction.model_name, prediction.model_version, prediction.model_role),
        explanation=Explanation([list(row) for row in prediction.explanation]),
    )
