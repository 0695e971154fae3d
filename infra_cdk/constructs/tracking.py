"""Where experiments and model versions are recorded: an MLflow server."""

from aws_cdk import Annotations, ArnFormat, Aws, Fn, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from areyouacat.lake import MLFLOW_PREFIX
from areyouacat.mlflow_server import is_managed
from infra_cdk.constructs.data_lake import RUN_ARTIFACTS, DataLake
from infra_cdk.mlflow_calls import CALLS
from infra_cdk.settings import TRACKING, TRAINING, Settings

_SERVER_OF_FIXED_SIZE = ":mlflow-tracking-server/"


class Tracking(Construct):
    """The MLflow server and who may ask it what.

    On AWS, unless a server is named: SageMaker's serverless app, with its artifacts in the lake.
    Else the server of that URL, or the one that SageMaker manages under that ARN.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, lake: DataLake, settings: Settings
    ) -> None:
        """Warns at synthesis if there is no server: registration would fail for want of it."""
        super().__init__(scope, construct_id)
        self._lake, self._settings = lake, settings
        self._has_app = settings.on.managed_mlflow and not settings.mlflow_tracking_uri
        self.experiment = TRAINING.mlflow_experiment
        self.uri = self._app().attr_arn if self._has_app else settings.mlflow_tracking_uri
        if not self.uri:
            Annotations.of(self).add_warning_v2(
                "are-you-a-cat:no-tracking-server",
                "no MLflow tracking server: pass -c mlflow_tracking_uri=<address> to deploy; "
                "without it models cannot be registered",
            )

    def allow(self, grantee: iam.IGrantable, caller: str, *, artifacts: bool = False) -> None:
        """What a caller of `mlflow_calls.CALLS` needs; nothing for a server that IAM does not keep.

        `artifacts`: it also stores files of a run. A managed server's clients write them to S3
        themselves.

        For a tracking server AWS's guide names the single calls, for an app
        `sagemaker:CallMlflowAppApi`, which is its whole API. AWS's own policies for apps name both,
        and so does this: the single ones add nothing to the other.
        """
        if self._has_app or is_managed(self.uri):
            calls = [f"sagemaker-mlflow:{call}" for call in CALLS[caller]]
            if self._has_app or _SERVER_OF_FIXED_SIZE not in self.uri:
                calls.append("sagemaker:CallMlflowAppApi")
            _allow(grantee, calls, self.uri)
        if not artifacts:
            return
        if self._has_app:
            self._lake.grant(grantee, write=[RUN_ARTIFACTS], write_in_parts=True)
        elif self._settings.mlflow_artifact_store:
            store = self._settings.mlflow_artifact_store.removeprefix("s3://").rstrip("/")
            objects = f"arn:{Aws.PARTITION}:s3:::{store}/*"
            _allow(grantee, ["s3:PutObject", "s3:AbortMultipartUpload"], objects)

    def _app(self) -> sagemaker.CfnMlflowApp:
        """The serverless app. It holds the registry, so it outlives the stack as the lake does.

        Its name carries a piece of the stack's id: one that was left behind is not in the way of
        the next.
        """
        stack = Stack.of(self)
        piece = Fn.select(0, Fn.split("-", Fn.select(2, Fn.split("/", Aws.STACK_ID))))
        role = self._artifacts_role()
        app = sagemaker.CfnMlflowApp(
            self,
            "App",
            name=f"{stack.stack_name}-{piece}",
            artifact_store_uri=f"s3://{self._lake.name}/{MLFLOW_PREFIX.rstrip('/')}",
            role_arn=role.role_arn,
            model_registration_mode="AutoModelRegistrationDisabled",
            weekly_maintenance_window_start=TRACKING.maintenance_window,
        )
        app.apply_removal_policy(self._settings.on.removal_policy)
        app.node.add_dependency(role.node.find_child("DefaultPolicy"))  # what it may do
        return app

    def _artifacts_role(self) -> iam.Role:
        """What the app itself needs of the lake: to show and to put artifacts.

        Source: "Set up IAM permissions for MLflow Apps", SageMaker developer guide, without what
        the SageMaker registry would need, which is not used. The guide has no conditions in the
        trust and does not say that SageMaker sends these keys for an app: where it does, they hold.
        """
        apps = Stack.of(self).format_arn(
            service="sagemaker",
            resource="mlflow-app",
            resource_name="*",
            arn_format=ArnFormat.SLASH_RESOURCE_NAME,
        )
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal(
                "sagemaker.amazonaws.com",
                conditions={
                    "StringEqualsIfExists": {"aws:SourceAccount": Aws.ACCOUNT_ID},
                    "ArnLikeIfExists": {"aws:SourceArn": apps},
                },
            ),
            description="What the MLflow app may do",
        )
        self._lake.grant(
            role,
            read=[RUN_ARTIFACTS],
            write=[RUN_ARTIFACTS],
            write_in_parts=True,
            list_prefixes=[RUN_ARTIFACTS],
        )
        return role


def _allow(grantee: iam.IGrantable, actions: list[str], resource: str) -> None:
    grantee.grant_principal.add_to_principal_policy(
        iam.PolicyStatement(actions=actions, resources=[resource])
    )
