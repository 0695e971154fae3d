"""`make costs`: the tables of `docs/costs.md` anew, and on the screen."""

import sys
from typing import Final

from infra_cdk.costs.page import renewed, tables
from infra_cdk.settings import REPOSITORY_ROOT

PAGE: Final = REPOSITORY_ROOT / "docs" / "costs.md"


def main() -> int:
    """0 once the page is written, 1 if it lacks its marks."""
    try:
        PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    except ValueError as error:
        sys.stderr.write(f"Error: {PAGE}: {error}\n")
        return 1
    sys.stdout.write(tables())
    return 0


if __name__ == "__main__":
    sys.exit(main())
