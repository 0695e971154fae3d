"""Ports and paths of an instance."""

import json
from pathlib import Path

import pytest

from local_cloud import sdk_defaults
from local_cloud.layout import Layout, Ports, StateError


@pytest.fixture(autouse=True)
def no_ports_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("GATEWAY_PORT", "MLFLOW_PORT", "UI_PORT"):
        monkeypatch.delenv(variable, raising=False)


def test_without_a_word_the_default_ports_are_used(tmp_path: Path) -> None:
    assert Layout(tmp_path).ports() == Ports()


def test_the_ports_of_the_last_start_are_remembered(tmp_path: Path) -> None:
    Layout(tmp_path).remember_ports(Ports(1, 2, 3))

    assert Layout(tmp_path).ports() == Ports(1, 2, 3)


def test_the_environment_wins_over_what_is_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Layout(tmp_path).remember_ports(Ports(1, 2, 3))
    monkeypatch.setenv("MLFLOW_PORT", "9000")

    assert Layout(tmp_path).ports() == Ports(1, 9000, 3)


@pytest.mark.parametrize("text", ["zero", "0", "70000", "-1"])
def test_what_is_no_port_is_refused_by_its_variables_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("UI_PORT", text)

    with pytest.raises(StateError, match="UI_PORT"):
        Layout(tmp_path).ports()


@pytest.mark.parametrize("text", ["", "[1]", '{"gateway": 4566, "another": 1}'])
def test_ports_that_were_half_written_are_told_with_the_remedy(tmp_path: Path, text: str) -> None:
    layout = Layout(tmp_path)
    layout.ports_file.write_text(text)

    with pytest.raises(StateError, match=rf"damaged\. Remove it: rm {layout.ports_file}"):
        layout.ports()


@pytest.mark.parametrize("text", ["", "[]", "{}", "7"])
def test_endpoints_that_are_damaged_are_told_with_the_remedy(tmp_path: Path, text: str) -> None:
    layout = Layout(tmp_path)
    layout.endpoints_file.write_text(text)

    with pytest.raises(StateError, match=r"damaged\. Write it anew: make up"):
        layout.endpoints()


def test_nothing_but_the_ports_is_left_where_they_are_remembered(tmp_path: Path) -> None:
    Layout(tmp_path).remember_ports(Ports(1, 2, 3))

    assert [file.name for file in tmp_path.iterdir()] == ["ports.json"]


def test_the_state_folder_follows_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCAL_STATE_DIR", str(tmp_path / "elsewhere"))

    assert Layout.from_environment().state == tmp_path / "elsewhere"


def test_clients_get_the_endpoint_its_certificate_and_the_roots_credentials(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    layout.credentials_file.write_text(
        json.dumps({"access_key_id": "A", "secret_access_key": "S", "account_id": "0" * 12})
    )

    environment = layout.client_environment()

    assert environment["AWS_ENDPOINT_URL"] == "https://localhost:4566"
    assert environment["AWS_CA_BUNDLE"] == environment["NODE_EXTRA_CA_CERTS"]
    assert (environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"]) == ("A", "S")
    assert environment["SAGEMAKER_USER_CONFIG_OVERRIDE"] == str(layout.sagemaker_sdk_file)


def test_the_sagemaker_sdk_is_told_a_bucket_and_not_to_call_home(tmp_path: Path) -> None:
    layout = Layout(tmp_path)

    sdk_defaults.write(layout.sagemaker_sdk_file)

    told = layout.sagemaker_sdk_file.read_text()
    assert "TelemetryOptOut: true\n" in told
    assert "DefaultS3Bucket: sagemaker-us-east-1-000000000000\n" in told
