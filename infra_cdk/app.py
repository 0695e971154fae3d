"""The CDK app: `cdk synth -c target=aws|local`."""

import os
import sys
from pathlib import Path

from aws_cdk import App

from infra_cdk import github
from infra_cdk.bundling import BundlingError, CachingBundler
from infra_cdk.settings import REPOSITORY_ROOT, STACK_NAME, Settings
from infra_cdk.stack import AreYouACatStack


def main() -> None:
    """Synthesise the stack; a wrong setting ends with one sentence."""
    app = App()
    state = Path(os.environ.get("LOCAL_STATE_DIR", REPOSITORY_ROOT / ".local"))
    try:
        settings = Settings.from_context(app.node)
        # Several local clouds, such as the tests', need not each zip the same packages.
        cache = Path(os.environ.get("BUNDLE_CACHE") or state / "bundles")
        bundler = CachingBundler(settings.target, cache)
        AreYouACatStack(app, STACK_NAME, settings=settings, bundler=bundler)
        github.add_if_asked(app)
    except (BundlingError, ValueError) as error:
        sys.exit(str(error))
    app.synth()


if __name__ == "__main__":
    main()
