"""Takes a test's local cloud down when the test run ends, however it ends.

Waits for its standard input to close, which the kernel does for us even after `kill -9`.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path


def main() -> None:
    """Wait, then stop the instance of LOCAL_STATE_DIR and remove its folder."""
    sys.stdin.read()
    subprocess.run([sys.executable, "-m", "local_cloud.cli", "down"], check=False)
    shutil.rmtree(Path(os.environ["LOCAL_STATE_DIR"]), ignore_errors=True)


if __name__ == "__main__":
    main()
