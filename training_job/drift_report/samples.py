"""The two samples, and which of their columns can be compared."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from areyouacat.drift_sample import COLUMNS, read_sample
from areyouacat.errors import AreYouACatError
from areyouacat.settings import DRIFT, DriftRules

Columns = Mapping[str, Sequence[float]]


class SampleError(AreYouACatError):
    """A sample is missing, is none, or says too little."""


@dataclass(frozen=True, slots=True)
class Samples:
    """Values by feature, NaN where unknown: the `compared` ones say enough on both sides.

    `left_out`: why another feature is not compared.
    """

    reference: Columns
    window: Columns
    compared: tuple[str, ...]
    left_out: Mapping[str, str]


def load_samples(reference: Path, window: Path, rules: DriftRules = DRIFT) -> Samples:
    """Read both samples. A feature needs as many photos on each side as the monitor asks for.

    Raises SampleError with the file, what is wrong with it and what to do.
    """
    known, seen = _read(reference, "training"), _read(window, "CollectWindow")
    left_out = {}
    for name in COLUMNS:
        for side, values, least in (
            ("reference", known[name], rules.min_baseline),
            ("window", seen[name], rules.min_window),
        ):
            count = sum(not math.isnan(value) for value in values)
            if count < least:
                left_out[name] = f"known of {count} photos of the {side}, {least} are the least"
                break
    compared = tuple(name for name in COLUMNS if name not in left_out)
    if not compared:
        raise SampleError(
            f"there is nothing to compare: of {len(known[COLUMNS[0]])} photos of the reference and "
            f"{len(seen[COLUMNS[0]])} of the window no feature is known often enough. Wait for "
            "more photos, or train with more"
        )
    return Samples(known, seen, compared, left_out)


def _read(path: Path, maker: str) -> Columns:
    try:
        return read_sample(path.read_bytes())
    except (OSError, ValueError) as error:
        raise SampleError(
            f"{path.name} cannot be read: {error}. It must be the sample that {maker} wrote"
        ) from error
