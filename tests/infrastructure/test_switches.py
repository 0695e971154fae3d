"""What a deployment to AWS switches on: how it is asked for, and what comes of it."""

from dataclasses import asdict

import pytest
from aws_cdk import App

from infra_cdk.constructs.refusals import REFUSALS
from infra_cdk.preflight import UNRESERVED_CONCURRENCY
from infra_cdk.settings import API, FIREWALL, FUNCTIONS, SMALL_ACCOUNT_API, Settings
from infra_cdk.switches import SecuritySettings
from infra_cdk.targets import Target
from tests.infrastructure.conftest import Synthesised
from tests.infrastructure.template_reading import Template, only, resources

SWITCHES = list(asdict(SecuritySettings()))
NEW_ACCOUNT = 10  # executions at once
SECONDS_A_REQUEST = 0.25  # p95 that rates are chosen for


def settings(**context: str) -> Settings:
    return Settings.from_context(App(context=context).node)


def test_everything_is_off_unless_asked_for() -> None:
    assert settings().security == SecuritySettings()


@pytest.mark.parametrize("switch", SWITCHES)
def test_a_switch_is_turned_by_the_command_line(switch: str) -> None:
    on = asdict(settings(**{switch: "true"}).security)

    assert on == {name: name == switch for name in SWITCHES}


@pytest.mark.parametrize("switch", SWITCHES)
def test_a_switch_is_turned_by_the_environment_and_the_command_line_has_the_last_word(
    switch: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"DEPLOY_{switch.upper()}", "true")

    assert asdict(settings().security)[switch] is True
    assert asdict(settings(**{switch: "false"}).security)[switch] is False


def test_a_switch_that_is_neither_true_nor_false_is_refused_with_the_remedy() -> None:
    with pytest.raises(ValueError, match=r"waf is 'yes': use -c waf=true or -c waf=false"):
        settings(waf="yes")


def test_the_local_cloud_refuses_what_it_has_not() -> None:
    with pytest.raises(ValueError, match="no use for waf, kms: leave it out"):
        settings(target=Target.LOCAL, waf="true", kms="true")


def test_a_stack_in_production_is_protected_against_deletion(
    switched_on: Synthesised, synthesised: dict[Target, Synthesised]
) -> None:
    assert switched_on.stack.termination_protection
    assert not synthesised[Target.AWS].stack.termination_protection


def test_there_is_no_firewall_and_no_key_unless_asked_for(template: Template) -> None:
    kinds = {resource["Type"] for resource in template["Resources"].values()}

    assert not [kind for kind in kinds if kind.startswith(("AWS::WAFv2", "AWS::KMS"))]


def test_a_firewall_stands_before_the_stage(switched_on: Synthesised) -> None:
    association = only(switched_on.template, "WAFv2::WebACLAssociation")
    (acl,) = resources(switched_on.template, "WAFv2::WebACL")
    (api,) = resources(switched_on.template, "ApiGateway::RestApi")
    (stage,) = resources(switched_on.template, "ApiGateway::Stage")

    assert association["WebACLArn"] == {"Fn::GetAtt": [acl, "Arn"]}
    arn = association["ResourceArn"]["Fn::Join"][1]
    assert arn[-4:] == ["::/restapis/", {"Ref": api}, "/stages/", {"Ref": stage}]
    assert [refusal for refusal in REFUSALS if refusal.response_type == "WAF_FILTERED"]


def test_the_firewall_blocks_attackers_attacks_and_who_asks_too_often(
    switched_on: Synthesised,
) -> None:
    acl = only(switched_on.template, "WAFv2::WebACL")

    assert (acl["Scope"], acl["DefaultAction"]) == ("REGIONAL", {"Allow": {}})
    rate, *groups = sorted(acl["Rules"], key=lambda rule: int(rule["Priority"]))
    assert rate["Action"] == {"Block": {}}
    assert rate["Statement"]["RateBasedStatement"] == {
        "AggregateKeyType": "IP",
        "Limit": FIREWALL.requests_per_address,
        "EvaluationWindowSec": FIREWALL.window_seconds,
    }
    assert [group["Name"] for group in groups] == [
        "AWSManagedRulesAmazonIpReputationList",
        "AWSManagedRulesCommonRuleSet",
        "AWSManagedRulesKnownBadInputsRuleSet",
    ]
    assert all(group["OverrideAction"] == {"None": {}} for group in groups)


def test_the_firewall_lets_photos_through(switched_on: Synthesised) -> None:
    counted = {
        override["Name"]
        for rule in only(switched_on.template, "WAFv2::WebACL")["Rules"]
        for override in rule["Statement"]
        .get("ManagedRuleGroupStatement", {})
        .get("RuleActionOverrides", [])
        if override["ActionToUse"] == {"Count": {}}
    }

    # Bodies over 8 KB, and patterns that a photo's bytes may hold by chance.
    assert {"SizeRestrictions_BODY", "CrossSiteScripting_BODY"} <= counted
    assert all(name.endswith("_BODY") for name in counted)


def test_one_address_never_takes_all_that_the_api_answers() -> None:
    assert FIREWALL.requests_per_address / FIREWALL.window_seconds < API.rate_per_second / 2


def test_reserved_concurrency_leaves_most_accounts_most_of_their_room(
    template: Template,
) -> None:
    functions = resources(template, "Lambda::Function").values()

    reserved = {
        function["FunctionName"].removeprefix("AreYouACat-"): function[
            "ReservedConcurrentExecutions"
        ]
        for function in functions
        if "ReservedConcurrentExecutions" in function
    }
    assert reserved == {
        "predict": 20,
        "api": 10,
        "shift-traffic": 1,
        "promote": 1,
        "trigger-retraining": 1,
        "start-pending": 1,
    }
    assert sum(reserved.values()) == settings().all_reserved_concurrency
    assert settings().all_reserved_concurrency + UNRESERVED_CONCURRENCY <= 200


def test_a_small_account_reserves_nothing(switched_on: Synthesised) -> None:
    functions = resources(switched_on.template, "Lambda::Function").values()

    assert len(functions) == len(FUNCTIONS)
    assert not [f for f in functions if "ReservedConcurrentExecutions" in f]
    assert settings(small_account="true").all_reserved_concurrency == 0


def test_a_small_account_admits_what_ten_executions_can_answer(switched_on: Synthesised) -> None:
    general, *keyless = only(switched_on.template, "ApiGateway::Stage")["MethodSettings"]
    plan = only(switched_on.template, "ApiGateway::UsagePlan")["Throttle"]

    assert general["ThrottlingRateLimit"] == plan["RateLimit"] == SMALL_ACCOUNT_API.rate_per_second
    assert general["ThrottlingBurstLimit"] == plan["BurstLimit"]
    at_once = plan["BurstLimit"] + sum(entry["ThrottlingBurstLimit"] for entry in keyless)
    assert at_once < NEW_ACCOUNT
    assert plan["RateLimit"] * SECONDS_A_REQUEST < NEW_ACCOUNT
