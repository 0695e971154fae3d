"""Back up the lake and the tables: `python -m training_job.backup [--to <folder>]`.

Takes the current version of every object, every item of both tables and, of a local cloud, MLflow's
database. The same folder again is brought up to date: what it has is not fetched again, and what
the lake has no more leaves it, so an erased photo leaves it too. Callers are served meanwhile.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from training_job.backups.folder import BackupError, BackupFolder
from training_job.backups.making import Backup
from training_job.backups.registry import RegistryCopyError
from training_job.endpoints import Endpoints, UnknownEndpointError

DONE, INCOMPLETE, NOT_BEGUN = 0, 1, 2
DEFAULT_FOLDER: Final = Path("backup")


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit codes: 0 the backup is whole, 1 it is as it was before, 2 nothing was begun."""
    parser = argparse.ArgumentParser(
        prog="python -m training_job.backup", description="Back up the lake and the tables."
    )
    parser.add_argument("--to", type=Path, default=DEFAULT_FOLDER, help="the backup's folder")
    parser.add_argument(
        "--even-if-smaller",
        action="store_true",
        help="go on where most of what the backup holds would leave it",
    )
    options = parser.parse_args(arguments)
    try:
        backup = Backup(Endpoints.load(), BackupFolder(options.to), options.even_if_smaller)
    except (BackupError, UnknownEndpointError, OSError) as error:
        print(error, file=sys.stderr)
        return NOT_BEGUN
    try:
        backup.run()
    except (BackupError, RegistryCopyError) as error:
        print(error, file=sys.stderr)
    except (BotoCoreError, ClientError, OSError) as error:
        print(
            f"The backup did not finish: {error}. Run the same command again; it goes on.",
            file=sys.stderr,
        )
    else:
        return DONE
    return INCOMPLETE


if __name__ == "__main__":
    sys.exit(main())
