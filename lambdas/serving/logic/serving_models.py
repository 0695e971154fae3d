"""Which models answer: follows the serving pointer, and swaps models without a cold start."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from areyouacat.errors import CorruptModelError, NoModelError
from areyouacat.serving_pointer import CHAMPION, ServingPointer, Variant, choose_variant
from areyouacat.settings import SERVING
from lambdas.serving.logic.loaded_model import LoadedModel, ModelFiles, load_variant
from lambdas.shared.observability import logger
from lambdas.shared.serving_pointer_store import StoredPointer


class PointerSource(Protocol):
    """Where the serving pointer comes from; answers `known` itself while it is unchanged."""

    def read(self, known: StoredPointer | None = None) -> StoredPointer | None:
        """The stored pointer, or `None` while nothing serves."""


class ModelSource(Protocol):
    """Where model files come from."""

    def read(self, variant: Variant) -> ModelFiles:
        """A variant's files, not yet verified; `CorruptModelError` if they are not whole."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A variant that may answer, loaded."""

    variant: Variant
    model: LoadedModel


@dataclass(frozen=True, slots=True)
class Lineup:
    """The variants of one pointer, as far as they could be loaded; the champion always is."""

    pointer: ServingPointer
    models: Mapping[Variant, LoadedModel]

    def for_caller(self, caller: str) -> list[Candidate]:
        """Who answers this caller: its own variant first, then the champion."""
        order = dict.fromkeys((choose_variant(self.pointer, caller), self.pointer.champion))
        return [
            Candidate(variant, self.models[variant]) for variant in order if variant in self.models
        ]

    def refused_to(self, caller: str) -> Variant | None:
        """The caller's own variant, if it could not be loaded."""
        variant = choose_variant(self.pointer, caller)
        return None if variant in self.models else variant


class ServingModels:
    """The models of this process; asks for the pointer at most every `max_age_seconds`."""

    def __init__(
        self,
        pointers: PointerSource,
        models: ModelSource,
        *,
        max_age_seconds: float = SERVING.pointer_max_age_seconds,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`clock` gives seconds that never run backwards."""
        self._pointers = pointers
        self._models = models
        self._max_age_seconds = max_age_seconds
        self._clock = clock
        self._stored: StoredPointer | None = None
        self._lineup: Lineup | None = None
        self._checked_at = 0.0
        self._refusals = 0

    def lineup(self) -> Lineup:
        """Today's variants, loaded.

        What cannot be had now (S3 does not answer, a model is corrupt) leaves the models that
        serve where they are; it is logged, counted and tried again at the next revalidation.

        Raises:
            NoModelError: nothing was promoted yet, or nothing of it can be loaded.
        """
        now = self._clock()
        if self._lineup is not None and now - self._checked_at < self._max_age_seconds:
            return self._lineup
        try:
            self._revalidate()
        except Exception:
            if self._lineup is None:
                raise
            logger.exception("the serving pointer cannot be followed; serving on as before")
        self._checked_at = now
        if self._lineup is None:
            raise NoModelError("No model has been trained and promoted yet. Try again later.")
        return self._lineup

    def expire(self) -> None:
        """Has the next request ask for the pointer, however lately it was asked for.

        The clock may have stood still for days: it does while a process is a snapshot.
        """
        self._checked_at = -math.inf

    def take_refusals(self) -> int:
        """How many models were refused as corrupt since this was last asked."""
        taken, self._refusals = self._refusals, 0
        return taken

    def _revalidate(self) -> None:
        stored = self._pointers.read(self._stored)
        if stored is None:
            self._stored, self._lineup = None, None
        elif stored is not self._stored:
            lineup = self._load(stored.pointer)
            whole = lineup is not None and lineup.models.keys() == set(stored.pointer.variants)
            # Only a pointer that was followed whole may be answered with "unchanged" next time.
            self._stored = stored if whole else None
            self._lineup = lineup or self._lineup

    def _load(self, pointer: ServingPointer) -> Lineup | None:
        models = self._load_variants(pointer.variants)
        if pointer.champion in models:
            return Lineup(pointer, models)
        if self._lineup is None:
            # A fresh process has no old model in memory; the pointer says which one it was.
            return self._load_previous(pointer)
        return None

    def _load_previous(self, pointer: ServingPointer) -> Lineup:
        before = tuple(
            replace(variant, weight=1.0) for variant in pointer.previous if variant.role == CHAMPION
        )
        models = self._load_variants(before)
        if not models:
            raise NoModelError("The model cannot be loaded at the moment. Try again later.")
        return Lineup(replace(pointer, variants=before), models)

    def _load_variants(self, variants: tuple[Variant, ...]) -> dict[Variant, LoadedModel]:
        in_memory = (
            {_hashes(variant): model for variant, model in self._lineup.models.items()}
            if self._lineup
            else {}
        )
        loaded: dict[Variant, LoadedModel] = {}
        for variant in variants:
            try:
                loaded[variant] = in_memory.get(_hashes(variant)) or load_variant(
                    variant, self._models.read(variant)
                )
            except CorruptModelError as error:
                self._refusals += 1
                logger.error("model refused", model_version=variant.version, reason=str(error))
        return loaded


def _hashes(variant: Variant) -> tuple[str, str]:
    return variant.sha256, variant.model_json_sha256
