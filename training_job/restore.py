"""Restore a backup: `python -m training_job.restore --from <folder> [--force]`.

The whole backup is verified before anything is written, and the serving pointer comes last, so that
nothing half serves. A target that holds something else than (a part of) this backup is refused;
with `--force`, what has the same keys is replaced and the rest stays. A run that was cut short is
finished by running the same command again.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from training_job.backups.folder import BackupError, BackupFolder
from training_job.backups.registry import RegistryCopyError
from training_job.backups.restoring import NotReadyError, Restore
from training_job.backups.tables import NotWrittenError
from training_job.endpoints import Endpoints, UnknownEndpointError

DONE, INCOMPLETE, NOT_BEGUN = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit codes: 0 restored, 1 not all of it, 2 nothing was written."""
    parser = argparse.ArgumentParser(
        prog="python -m training_job.restore", description="Restore a backup of lake and tables."
    )
    parser.add_argument("--from", type=Path, required=True, dest="folder", help="the backup")
    parser.add_argument(
        "--force", action="store_true", help="replace what the target has under the same keys"
    )
    options = parser.parse_args(arguments)
    now = datetime.now(UTC)
    try:
        restore = Restore(Endpoints.load(), BackupFolder(options.folder))
        plan = restore.check(now, force=options.force)
    except (BackupError, NotReadyError, RegistryCopyError, UnknownEndpointError, OSError) as error:
        print(error, file=sys.stderr)
        return NOT_BEGUN
    except (BotoCoreError, ClientError) as error:
        print(f"The target cannot be looked at: {error}. Nothing was written.", file=sys.stderr)
        return NOT_BEGUN
    try:
        restore.write(plan, now)
    except (BackupError, RegistryCopyError, NotWrittenError) as error:
        print(error, file=sys.stderr)
        return INCOMPLETE
    except (BotoCoreError, ClientError, OSError) as error:
        print(
            f"Restoring did not finish: {error}. Run the same command again; it goes on.",
            file=sys.stderr,
        )
        return INCOMPLETE
    seconds = (datetime.now(UTC) - now).total_seconds()
    print(f"Restored in {seconds:.1f} s. Now let MLflow say what serves: make verify-registry")
    if plan.erased:
        print("Shards of the backup name erased photos again; take them out: make erase FINISH=1")
    return DONE


if __name__ == "__main__":
    sys.exit(main())
