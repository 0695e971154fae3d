"""AWS WAF in front of the API: known attackers, known attacks, and who asks too often."""

from collections.abc import Sequence
from typing import Final

from aws_cdk import Stack
from aws_cdk import aws_wafv2 as wafv2
from constructs import Construct

from infra_cdk.settings import FIREWALL

# Bodies are photos: larger than the 8 KB that the first rule admits, and bytes in which the others
# see patterns by chance. What is JSON is held to its schema by API Gateway. They count, so that
# somebody can look; every rule on headers, paths and queries blocks.
_COUNTED: Final = {
    "AWSManagedRulesAmazonIpReputationList": (),
    "AWSManagedRulesCommonRuleSet": (
        "SizeRestrictions_BODY",
        "CrossSiteScripting_BODY",
        "GenericLFI_BODY",
        "GenericRFI_BODY",
        "EC2MetaDataSSRF_BODY",
    ),
    "AWSManagedRulesKnownBadInputsRuleSet": (
        "JavaDeserializationRCE_BODY",
        "Log4JRCE_BODY",
        "ReactJSRCE_BODY",
    ),
}


class Firewall(Construct):
    """A web ACL with a rule on the rate of each address and three of AWS's rule groups."""

    def __init__(self, scope: Construct, construct_id: str, *, stage_arn: str) -> None:
        """Stands before the stage of an API."""
        super().__init__(scope, construct_id)
        self._name = f"{Stack.of(self).stack_name}-api"
        acl = wafv2.CfnWebACL(
            self,
            "Acl",
            name=self._name,
            description="In front of the API",
            scope="REGIONAL",
            default_action=wafv2.CfnWebACL.DefaultActionProperty(allow={}),
            visibility_config=self._visible(self._name),
            rules=[
                self._rate(),
                *(
                    self._managed(priority, group, counted)
                    for priority, (group, counted) in enumerate(_COUNTED.items(), start=1)
                ),
            ],
        )
        wafv2.CfnWebACLAssociation(
            self, "BeforeTheStage", resource_arn=stage_arn, web_acl_arn=acl.attr_arn
        )

    def _rate(self) -> wafv2.CfnWebACL.RuleProperty:
        """One address that asks faster than one caller would."""
        return wafv2.CfnWebACL.RuleProperty(
            name="RateOfAnAddress",
            priority=0,
            action=wafv2.CfnWebACL.RuleActionProperty(block={}),
            statement=wafv2.CfnWebACL.StatementProperty(
                rate_based_statement=wafv2.CfnWebACL.RateBasedStatementProperty(
                    aggregate_key_type="IP",
                    limit=FIREWALL.requests_per_address,
                    evaluation_window_sec=FIREWALL.window_seconds,
                )
            ),
            visibility_config=self._visible("RateOfAnAddress"),
        )

    def _managed(
        self, priority: int, group: str, counted: Sequence[str]
    ) -> wafv2.CfnWebACL.RuleProperty:
        """A rule group that AWS keeps up to date."""
        count = wafv2.CfnWebACL.RuleActionProperty(count={})
        return wafv2.CfnWebACL.RuleProperty(
            name=group,
            priority=priority,
            override_action=wafv2.CfnWebACL.OverrideActionProperty(none={}),
            statement=wafv2.CfnWebACL.StatementProperty(
                managed_rule_group_statement=wafv2.CfnWebACL.ManagedRuleGroupStatementProperty(
                    vendor_name="AWS",
                    name=group,
                    rule_action_overrides=[
                        wafv2.CfnWebACL.RuleActionOverrideProperty(name=name, action_to_use=count)
                        for name in counted
                    ]
                    or None,
                )
            ),
            visibility_config=self._visible(group),
        )

    @staticmethod
    def _visible(metric: str) -> wafv2.CfnWebACL.VisibilityConfigProperty:
        return wafv2.CfnWebACL.VisibilityConfigProperty(
            cloud_watch_metrics_enabled=True, metric_name=metric, sampled_requests_enabled=True
        )
