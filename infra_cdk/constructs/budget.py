"""A monthly budget that tells its owner before the bill does."""

from typing import Final

from aws_cdk import aws_budgets as budgets
from constructs import Construct

from infra_cdk.settings import APPLICATION_TAG, STACK_NAME
from infra_cdk.switches import BudgetLimit

_TOLD_AT_PERCENT: Final = (80.0, 100.0)


class MonthlyBudget(Construct):
    """What carries the stack's tag, summed by month. It tells and stops nothing.

    AWS sums by a tag only once that is a cost allocation tag of the account (billing console).
    """

    def __init__(self, scope: Construct, construct_id: str, *, limit: BudgetLimit) -> None:
        """Mails at each share of the limit that is spent, and when the forecast is above it."""
        super().__init__(scope, construct_id)
        told = [
            budgets.CfnBudget.SubscriberProperty(address=limit.email, subscription_type="EMAIL")
        ]
        budgets.CfnBudget(
            self,
            "Budget",
            budget=budgets.CfnBudget.BudgetDataProperty(
                budget_type="COST",
                time_unit="MONTHLY",
                budget_limit=budgets.CfnBudget.SpendProperty(amount=limit.usd, unit="USD"),
                cost_filters={"TagKeyValue": [f"user:{APPLICATION_TAG}${STACK_NAME}"]},
            ),
            notifications_with_subscribers=[
                budgets.CfnBudget.NotificationWithSubscribersProperty(
                    notification=budgets.CfnBudget.NotificationProperty(
                        comparison_operator="GREATER_THAN",
                        notification_type=kind,
                        threshold=percent,
                        threshold_type="PERCENTAGE",
                    ),
                    subscribers=told,
                )
                for kind, percent in (
                    *(("ACTUAL", percent) for percent in _TOLD_AT_PERCENT),
                    ("FORECASTED", 100.0),
                )
            ],
        )
