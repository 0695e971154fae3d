"""A job's own Python: a thin environment over the image's, on the job's disk.

On AWS a job may install what it likes: its container is its alone. Here the image's environment is
shared by all jobs of the image, so that what one installs must go elsewhere, and go away with it.

    python/bin/python, pip              the image's interpreter and pip, which take this folder for
    python/pyvenv.cfg                   their environment
    python/lib/.../site-packages        what the job installs; found first
        _image.pth                      leads on to what the image has
"""

from pathlib import Path

_PIP = """#!/bin/sh
exec "$(dirname "$0")/python" -m pip "$@"
"""


def layered(environment: Path, place: Path) -> Path:
    """Make the environment of one job in `place`, a new folder, over a shared one.

    Returns its `bin`. Programs of the shared environment are not in it; put both on the PATH.
    """
    shared = environment.resolve()
    (packages,) = shared.glob("lib/python3*/site-packages")
    own = place / packages.relative_to(shared)
    own.mkdir(parents=True)
    # A .pth file's line is run if it imports; this one makes the .pth files there count as well.
    (own / "_image.pth").write_text(f"import site; site.addsitedir({str(packages)!r})\n")
    (place / "pyvenv.cfg").write_text((shared / "pyvenv.cfg").read_text())
    programs = place / "bin"
    programs.mkdir()
    for name in ("python", "python3"):
        (programs / name).symlink_to((shared / "bin" / "python").resolve())
    for name in ("pip", "pip3"):
        (programs / name).write_text(_PIP)
        (programs / name).chmod(0o755)
    return programs
