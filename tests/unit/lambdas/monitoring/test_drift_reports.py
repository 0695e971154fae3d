from datetime import timedelta

from areyouacat.lake import drift_report_prefix
from areyouacat.serving_pointer import Variant
from lambdas.monitoring.dal.drift_reports import DriftReports
from tests.unit.lambdas.monitoring.moto_cloud import Cloud
from tests.unit.lambdas.pipeline.factories import NOON

CHAMPION = Variant("champion", "are-you-a-cat", "3", 1.0, "k", "s", "models/3/model.json", "h")


def test_only_later_reports_are_listed(cloud: Cloud) -> None:
    reports = DriftReports(cloud.s3, "lake")
    for hours in (0, 1, 2):
        for name in ("window.csv", "report.json"):
            reports.write(f"{drift_report_prefix(NOON + timedelta(hours=hours))}{name}", b"")

    found = set(reports.keys_since(NOON))

    assert {key.split("/")[2] for key in found} == {"2026-11-20T13-00-00Z", "2026-11-20T14-00-00Z"}
    assert len(found) == 4


def test_a_reference_stands_beside_its_model_or_is_none(cloud: Cloud) -> None:
    reports = DriftReports(cloud.s3, "lake")

    assert reports.reference_of(CHAMPION) is None

    cloud.s3.put_object(Bucket="lake", Key="models/3/reference.csv", Body=b"")

    assert reports.reference_of(CHAMPION) == "s3://lake/models/3/reference.csv"


def test_a_sample_is_stored_as_csv(cloud: Cloud) -> None:
    uri = DriftReports(cloud.s3, "lake").write("reports/drift/a/window.csv", b"brightness\n")

    assert uri == "s3://lake/reports/drift/a/window.csv"
    stored = cloud.s3.get_object(Bucket="lake", Key="reports/drift/a/window.csv")
    assert (stored["ContentType"], stored["Body"].read()) == ("text/csv", b"brightness\n")
