"""`make deploy`: what it refuses, in which order it goes, and that it can be run again."""

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import boto3
import pytest
import requests
from moto import mock_aws

from infra_cdk import deploy
from infra_cdk.first_hour import FirstHourError, ask, first_model, has_champion
from infra_cdk.preflight import Finding, Level
from tests.unit.infra_cdk.test_endpoints import OUTPUTS

REGION: Final = "eu-west-1"
CDK = """#!/bin/sh
echo "$@" >> "$CDK_CALLS"
for argument in "$@"; do
  case "$argument" in --outputs-file=*) cp "$CDK_OUTPUTS" "${argument#--outputs-file=}";; esac
done
exit "${CDK_EXIT:-0}"
"""


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """An account with the stack's key, and a `cdk` that notes what it is asked."""
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "MLFLOW_TRACKING_URI", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_REGION", REGION)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("LOCAL_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("CDK_CALLS", str(tmp_path / "calls"))
    monkeypatch.setenv("CDK_OUTPUTS", str(tmp_path / "outputs"))
    program = tmp_path / "bin" / "cdk"
    program.parent.mkdir()
    program.write_text(CDK)
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setattr(deploy, "check", lambda *_: iter([Finding(Level.FINE, "room")]))
    with mock_aws():
        key = boto3.client("apigateway").create_api_key(name="first", enabled=True)["id"]
        outputs = {"AreYouACat": {**OUTPUTS, "ApiKeyId": key}}
        (tmp_path / "outputs").write_text(json.dumps(outputs))
        boto3.client("s3").create_bucket(
            Bucket=OUTPUTS["LakeBucket"], CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        yield


def calls(tmp_path: Path) -> list[str]:
    file = tmp_path / "calls"
    return file.read_text().splitlines() if file.exists() else []


def test_the_account_is_asked_first_then_bootstrapped_then_deployed(tmp_path: Path) -> None:
    code = deploy.main(["--no-starter", "waf=true"])

    assert code == 0
    bootstrap, deployment = calls(tmp_path)
    assert bootstrap.startswith(f"bootstrap aws://123456789012/{REGION} --context=target=aws")
    assert deployment.startswith("deploy AreYouACat ")
    assert "--context=waf=true" in deployment
    written = json.loads((tmp_path / "state" / "endpoints.json").read_text())
    assert written["lake_bucket"] == OUTPUTS["LakeBucket"]
    assert written["aws_endpoint_url"] is None


def test_nobody_is_there_to_approve_rights_when_a_program_deploys(tmp_path: Path) -> None:
    deploy.main(["--no-starter"])

    assert "--require-approval=never" in calls(tmp_path)[1]


def test_an_account_that_is_not_ready_is_not_touched(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    problem = Finding(Level.PROBLEM, "no room", "ask for room")
    monkeypatch.setattr(deploy, "check", lambda *_: iter([problem]))

    code = deploy.main([])

    assert code == 1
    assert calls(tmp_path) == []
    told = capsys.readouterr()
    assert "NO  no room" in told.out
    assert "ask for room" in told.out
    assert "not ready" in told.err


def test_checking_changes_nothing(tmp_path: Path) -> None:
    assert deploy.main(["--check-only"]) == 0
    assert calls(tmp_path) == []


def test_an_account_that_the_cdk_knows_is_not_bootstrapped_again(tmp_path: Path) -> None:
    boto3.client("cloudformation").create_stack(
        StackName="CDKToolkit",
        TemplateBody=json.dumps({"Resources": {"Q": {"Type": "AWS::SQS::Queue"}}}),
    )

    deploy.main(["--no-starter"])

    assert [call.split()[0] for call in calls(tmp_path)] == ["deploy"]


def test_a_named_tracking_server_is_passed_on_and_no_app_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[Any] = []

    def remember(*arguments: Any) -> Iterator[Finding]:
        asked.append(arguments[-1])
        return iter([])

    monkeypatch.setattr(deploy, "check", remember)

    deploy.main(["--no-starter", "mlflow_tracking_uri=https://mlflow.example.com"])

    assert asked[0].managed_mlflow is False
    assert "--context=mlflow_tracking_uri=https://mlflow.example.com" in calls(tmp_path)[1]


def test_a_new_account_has_no_room_for_what_is_reserved_and_a_setting_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[Any] = []

    def remember(*arguments: Any) -> Iterator[Finding]:
        asked.append(arguments[-1])
        return iter([])

    monkeypatch.setattr(deploy, "check", remember)

    deploy.main(["--check-only"])
    deploy.main(["--check-only", "small_account=true"])

    assert asked[0].concurrency > 0
    assert asked[1].concurrency == 0


def test_a_wrong_setting_is_refused_before_anything_is_asked(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert deploy.main(["waf=perhaps"]) == 1

    assert "use -c waf=true or -c waf=false" in capsys.readouterr().err
    assert calls(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("AWS_ENDPOINT_URL", "https://localhost:4566", "local cloud's settings"),
        ("CDK_EXIT", "1", "cdk bootstrap failed"),
    ],
)
def test_what_cannot_go_on_ends_with_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    value: str,
    words: str,
) -> None:
    monkeypatch.setenv(name, value)

    assert deploy.main([]) == 1
    assert words in capsys.readouterr().err


def test_a_region_must_be_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))

    assert deploy.main([]) == 1
    assert "AWS_REGION=eu-west-1 make deploy" in capsys.readouterr().err


@pytest.mark.parametrize("setting", ["waf", "=true", "waf="])
def test_a_setting_is_a_name_and_a_value(
    setting: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert deploy.main([setting]) == 1
    assert "write name=value" in capsys.readouterr().err
    assert calls(tmp_path) == []


def test_a_model_that_serves_already_is_not_trained_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    boto3.client("s3").put_object(Bucket=OUTPUTS["LakeBucket"], Key="serving/live.json", Body=b"{}")
    monkeypatch.setattr(deploy, "first_model", lambda *_: pytest.fail("it was trained"))

    assert has_champion(boto3.client("s3"), OUTPUTS["LakeBucket"])
    assert deploy.main([]) == 0


def test_the_first_model_comes_of_starter_photos_in_three_steps(tmp_path: Path) -> None:
    steps: list[str] = []

    def run(arguments: list[str]) -> int:
        steps.append(arguments[0])
        return 0

    first_model(tmp_path, lambda _: None, run)

    assert steps == ["local_cloud.starter", "training_job.seed", "training_job.follow"]


def test_a_step_that_fails_ends_the_first_hour_and_says_how_to_go_on(tmp_path: Path) -> None:
    with pytest.raises(FirstHourError, match=r"Seeding failed.*run make deploy again"):
        first_model(tmp_path, lambda _: None, lambda step: int(step[0] == "training_job.seed"))


class Answer:
    def __init__(self, body: Any, status: int = 200) -> None:
        self._body, self._status = body, status

    def raise_for_status(self) -> None:
        if self._status != 200:
            raise requests.HTTPError(str(self._status))

    def json(self) -> Any:
        return self._body


def photo_of(folder: Path, label: str) -> None:
    (folder / label).mkdir(parents=True)
    (folder / label / "photo.jpg").write_bytes(label.encode())


def test_each_label_is_asked_about_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    photo_of(tmp_path, "cat")
    photo_of(tmp_path, "not_cat")
    model = {"version": "1"}
    monkeypatch.setattr(
        requests,
        "post",
        lambda _, **sent: Answer(
            {"label": sent["data"].decode(), "probability": 0.5, "model": model}
        ),
    )
    said: list[str] = []

    ask({"api_url": "https://api/", "api_key": "key"}, tmp_path, said.append)

    assert [line.split(":")[0] for line in said] == [
        "A photo labelled cat",
        "A photo labelled not_cat",
    ]


@pytest.mark.parametrize("answer", [Answer({}, 503), Answer({}), Answer([])])
def test_an_api_that_answers_otherwise_fails_the_deployment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answer: Answer
) -> None:
    photo_of(tmp_path, "cat")
    monkeypatch.setattr(requests, "post", lambda _, **__: answer)

    with pytest.raises(FirstHourError, match="does not answer as it should"):
        ask({"api_url": "https://api/", "api_key": "key"}, tmp_path, lambda _: None)
