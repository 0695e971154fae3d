"""Usage times price: lines of a bill, for a million predictions, a training and a quiet month."""

import math
from collections.abc import Mapping
from typing import Final

from areyouacat.costs import WRITE_UNITS
from areyouacat.metrics import ALL as METRICS
from areyouacat.prices import PRICES, PriceList
from areyouacat.settings import BATCH as BATCH_RULES
from areyouacat.settings import SERVING
from infra_cdk.costs.usage import BATCH, MONTH_DAYS, PREDICTION, STANDING, TRAINING, Size
from infra_cdk.settings import FUNCTIONS, LOG_RETENTION_DAYS, REPORT, SCHEDULE
from infra_cdk.settings import TRAINING as JOB
from infra_cdk.targets import TARGETS, Target

Bill = Mapping[str, float]
"""US dollars by what they are for."""

_MILLION: Final = 1_000_000
_GB: Final = 1e9
_MB_PER_GB: Final = 1024
_HOUR: Final = 3600
_DAY: Final = 24
_READ_UNIT_BYTES: Final = 4096
_EVENTUALLY_CONSISTENT: Final = 0.5
_FEATURE_BYTES: Final = 2 * 1280  # a vector of float16


def million_predictions(prices: PriceList = PRICES) -> Bill:
    """Of 1,000,000 predictions of as many photos, with all that becomes of them."""
    one, months_kept = PREDICTION, SERVING.prediction_ttl_days / MONTH_DAYS
    photo_months = SERVING.photo_ttl_days / MONTH_DAYS
    read_units = one.monitor_reads * one.item_bytes / _READ_UNIT_BYTES * _EVENTUALLY_CONSISTENT
    logs_gb = _MILLION * one.log_bytes / _GB
    return {
        "API Gateway": _MILLION * prices.usd("api_request"),
        "predict function": _MILLION
        * (prices.usd("lambda_request") + _function("predict", one.handler_ms / 1000, prices)),
        "photo written": _MILLION * prices.usd("s3_put"),
        f"photo kept {SERVING.photo_ttl_days} days, with its tag": _MILLION
        * photo_months
        * (one.photo_bytes / _GB * prices.usd("s3_gb_month") + prices.usd("s3_tag_month")),
        "item and its index written": _MILLION * WRITE_UNITS * prices.usd("dynamodb_write_unit"),
        f"item kept {SERVING.prediction_ttl_days} days, restorable": _MILLION
        * months_kept
        * one.item_bytes
        / _GB
        * (2 * prices.usd("dynamodb_gb_month") + prices.usd("dynamodb_recovery_gb_month")),
        "monitor's looks": _MILLION
        * (
            read_units * prices.usd("dynamodb_read_unit")
            + _function("collect-window", one.monitor_reads * one.monitor_ms / 1000, prices)
        ),
        f"logs, kept {LOG_RETENTION_DAYS} days": logs_gb
        * (prices.usd("logs_gb") + LOG_RETENTION_DAYS / MONTH_DAYS * prices.usd("logs_gb_month")),
        "traces": _MILLION * one.traced_share * prices.usd("xray_trace"),
        "answers sent": _MILLION * one.answer_bytes / _GB * prices.usd("transfer_gb"),
    }


def training(size: Size, prices: PriceList = PRICES) -> Bill:
    """Of one training with its canary; its files are billed in a quiet month."""
    seconds = size.execution_seconds
    on = TARGETS[Target.AWS]
    looks = math.ceil(on.canary_bake_seconds / on.canary_check_seconds)
    transitions = TRAINING.fixed_transitions + looks * TRAINING.look_transitions
    return {
        f"job on {JOB.instance_type}": _instance(
            JOB.instance_type, seconds + TRAINING.instance_start_seconds, prices
        ),
        "snapshot, evaluation, registration": _function("snapshot-dataset", seconds, prices)
        + _function("evaluate-candidate", seconds, prices)
        + _function("register-model", TRAINING.register_seconds, prices),
        "workflows' transitions": transitions * prices.usd("state_transition"),
        "photos read, files written": size.new_photos_a_training * prices.usd("s3_get")
        + 100 * prices.usd("s3_put"),
    }


def batch(photos: int, prices: PriceList = PRICES) -> Bill:
    """Of scoring so many photos that lie in S3, once; nothing of it is billed at rest but rows."""
    chunks = math.ceil(photos / BATCH_RULES.photos_per_chunk)
    seconds = photos * BATCH.photo_ms / 1000 + chunks * BATCH.chunk_seconds
    return {
        "functions that score": _function("score-chunk", seconds, prices)
        + chunks * prices.usd("lambda_request"),
        "listing and summary": _function("plan-batch", listing_seconds(photos), prices)
        + _function("summarize-batch", chunks / BATCH.counted_a_second, prices),
        "photos read": photos * prices.usd("s3_get"),
        # Of each chunk: its plan, its rows, what the map notes; and the lists.
        "files written, keys listed": (3 * chunks + photos / 1000) * prices.usd("s3_put"),
        "transitions": chunks * BATCH.chunk_transitions * prices.usd("state_transition"),
        "rows kept a month": photos * BATCH.row_bytes / _GB * prices.usd("s3_gb_month"),
    }


def listing_seconds(photos: int, *, manifest: bool = False) -> float:
    """How long PlanBatch lists the keys of a prefix, or reads a manifest: one after another."""
    return photos / (BATCH.manifest_lines_a_second if manifest else BATCH.listed_a_second)


def batch_hours(photos: int, functions: int, *, manifest: bool = False) -> float:
    """How long a batch takes with so many functions at once, from its start to its summary."""
    chunks = math.ceil(photos / BATCH_RULES.photos_per_chunk)
    chunk_seconds = BATCH.chunk_seconds + BATCH_RULES.photos_per_chunk * BATCH.photo_ms / 1000
    starting = BATCH.cold_start_seconds + 10 * functions / BATCH.started_in_ten_seconds
    scoring = starting + math.ceil(chunks / functions) * chunk_seconds
    planning = listing_seconds(photos, manifest=manifest)
    return (planning + scoring + chunks / BATCH.counted_a_second) / _HOUR


def month_at_rest(size: Size, prices: PriceList = PRICES) -> Bill:
    """A month in which nobody asks and nothing is trained."""
    runs = MONTH_DAYS * _DAY / SCHEDULE.monitor_hours
    metrics = len(METRICS) + STANDING.dimensioned_metrics
    stored_gb = size.labelled_photos * (PREDICTION.photo_bytes + _FEATURE_BYTES) / _GB
    snapshot_gb = (FUNCTIONS["predict"].memory_mb + FUNCTIONS["api"].memory_mb) / _MB_PER_GB
    return {
        "custom metrics": metrics * prices.usd("metric_month"),
        "alarms": STANDING.alarms * prices.usd("alarm_month"),
        "dashboard": prices.usd("dashboard_month"),
        "functions ready to start (SnapStart)": snapshot_gb
        * MONTH_DAYS
        * _DAY
        * _HOUR
        * prices.usd("snapstart_cache_gb_second"),
        "monitor, hourly": runs * TRAINING.monitor_transitions * prices.usd("state_transition"),
        "drift report, daily": MONTH_DAYS
        * _instance(
            REPORT.instance_type,
            TRAINING.report_seconds + TRAINING.instance_start_seconds,
            prices,
        ),
        "labelled photos and their features": stored_gb * prices.usd("s3_gb_month"),
        "images": TRAINING.image_gb * prices.usd("ecr_gb_month"),
    }


def month(size: Size, prices: PriceList = PRICES) -> Bill:
    """A whole month of a user of that size, its first."""
    kept_gb = size.trainings_a_month * TRAINING.kept_mb / 1000
    return {
        "predictions": size.predictions_a_month
        / _MILLION
        * sum(million_predictions(prices).values()),
        "trainings": size.trainings_a_month * sum(training(size, prices).values()),
        "models kept, of each month's trainings": kept_gb * prices.usd("s3_gb_month"),
        "at rest": sum(month_at_rest(size, prices).values()),
    }


def options(prices: PriceList = PRICES) -> Bill:
    """What is off by default, in a month or for a million requests, and what comes now and then."""
    predict_gb = FUNCTIONS["predict"].memory_mb / _MB_PER_GB
    return {
        "firewall, a month": prices.usd("waf_acl_month") + 4 * prices.usd("waf_rule_month"),
        "firewall, 1,000,000 requests": _MILLION * prices.usd("waf_request"),
        "a key of your own, a month": prices.usd("kms_key_month"),
        "10,000 cold starts of predict, restored": 10_000
        * predict_gb
        * prices.usd("snapstart_restore_gb"),
        "a new training image": TRAINING.build_minutes * prices.usd("build_minute"),
    }


def _function(name: str, seconds: float, prices: PriceList) -> float:
    memory_gb = FUNCTIONS[name].memory_mb / _MB_PER_GB
    return seconds * memory_gb * prices.usd("lambda_gb_second")


def _instance(instance_type: str, seconds: float, prices: PriceList) -> float:
    name = instance_type.replace(".", "_") + "_hour"
    return seconds / _HOUR * prices.usd(name)
