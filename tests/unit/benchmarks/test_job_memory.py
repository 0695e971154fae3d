"""A job's memory is that of the program that is named, not of those beside it."""

import os
import subprocess
import sys
from typing import Final

from benchmarks.http_load import poll
from benchmarks.job_memory import JobMemory

HOLDS: Final = "import sys, time; held = b'x' * (int(sys.argv[2]) << 20); time.sleep(60)"


def test_the_most_that_a_process_with_the_programs_name_held() -> None:
    small = subprocess.Popen([sys.executable, "-c", HOLDS, "the.job", "40"])
    large = subprocess.Popen([sys.executable, "-c", HOLDS, "another", "200"])
    try:
        with JobMemory(os.getpid(), "the.job") as memory:
            poll("the job's memory", lambda: memory.megabytes > 40, 30)
    finally:
        for process in (small, large):
            process.kill()
            process.wait()

    assert 40 < memory.megabytes < 200


def test_no_such_process_has_no_memory() -> None:
    with JobMemory(os.getpid(), "nobody's program") as memory:
        pass

    assert memory.megabytes == 0
