"""What this function answers, beside what `areyouacat.contract` holds for every function."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from areyouacat.contract import (
    Label,
    Moment,
    PredictAnswer,
    PredictionId,
    Probability,
    Schema,
    UploadKey,
)
from areyouacat.serving_pointer import Strategy


@dataclass(frozen=True, slots=True)
class UploadAnswer:
    """How to upload one photo: a form for `url` with all `fields`, and the photo as `file`, last.

    Then its `upload_key` goes to POST /predict.
    """

    upload_key: UploadKey
    url: Annotated[str, Schema("Where the form goes, by POST", format="uri")]
    fields: Annotated[dict[str, str], Schema("The form's other fields")]
    max_bytes: Annotated[int, Schema("More are refused", minimum=1)]
    expires_at: Moment


@dataclass(frozen=True, slots=True)
class FeedbackAnswer:
    """The feedback as it stands now."""

    prediction_id: PredictionId
    label: Label


@dataclass(frozen=True, slots=True)
class GivenFeedback:
    """What a person said about a prediction."""

    label: Label
    at: Moment


@dataclass(frozen=True, slots=True)
class StoredPrediction(PredictAnswer):
    """A prediction as it was answered, and what was said about it."""

    predicted_at: Moment
    feedback: Annotated[GivenFeedback | None, Schema("The latest; null while there is none")]


@dataclass(frozen=True, slots=True)
class ErasedPrediction:
    """A prediction that is no more."""

    prediction_id: PredictionId
    photo_erased: Annotated[
        bool, Schema("False: the photo is part of the operator's own data set, and stays")
    ]


@dataclass(frozen=True, slots=True)
class VerdictBands:
    """Probabilities up to and from which the verdict is one of the labels."""

    negative_to: Probability
    positive_from: Probability


@dataclass(frozen=True, slots=True)
class ServingModel:
    """The champion: the model that answers, but for those asked of a challenger."""

    name: Annotated[str, Schema("As it is registered")]
    version: Annotated[str, Schema("Registered version", examples=["3"])]
    role: Annotated[str, Schema("Always champion", examples=["champion"])]
    mode: Annotated[str, Schema("bootstrap: few photos, the backbone answers alone; or trained")]
    dataset_version: Annotated[str, Schema("The data set it was trained on")]
    threshold: Annotated[
        float, Schema("Probability from which the label is positive", minimum=0, maximum=1)
    ]
    bands: VerdictBands


@dataclass(frozen=True, slots=True)
class ServingVariant:
    """A version that answers, and whom."""

    version: Annotated[str, Schema("Registered version", examples=["3"])]
    role: Annotated[str, Schema("champion, or challenger in a canary or an A/B test")]
    weight: Annotated[float, Schema("Its share of the callers", minimum=0, maximum=1)]


@dataclass(frozen=True, slots=True)
class RunningDeployment:
    """A challenger that has yet to earn its traffic."""

    strategy: Annotated[str, Schema(enum=[Strategy.CANARY.value, Strategy.AB_TEST.value])]
    began_at: Moment


@dataclass(frozen=True, slots=True)
class ModelAnswer:
    """The model that serves, by which limits it judges, and who shares its traffic."""

    model: ServingModel
    previous_version: Annotated[str | None, Schema("The champion before; null if there was none")]
    updated_at: Moment
    variants: Annotated[list[ServingVariant], Schema("The champion first; more in a deployment")]
    deployment: Annotated[RunningDeployment | None, Schema("null while nothing is being tried")]


@dataclass(frozen=True, slots=True)
class HealthAnswer:
    """The API is up; `status` says whether a model is behind it."""

    status: Annotated[str, Schema(enum=["ok", "no_model"])]
    model_version: Annotated[str | None, Schema("Registered version of the champion")]
