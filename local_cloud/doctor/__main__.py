"""`python -m local_cloud.doctor [--json] [--python <program>]`: 0 if nothing is bad, else 1."""

import argparse
import json
import sys


def main() -> int:
    """Examine everything and say what was found."""
    parser = argparse.ArgumentParser(prog="make doctor", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON array, for programs")
    parser.add_argument("--python", default="python3", help="what makes the environments")
    chosen = parser.parse_args()
    if sys.version_info < (3, 11):  # before anything is imported that such a Python cannot read
        found = ".".join(map(str, sys.version_info[:3]))
        says = f"3.11 or newer is needed; {chosen.python} is {found}"
        remedy = "Install one and name it: make doctor PYTHON=python3.12"
        one = {"check": "Python", "level": "bad", "says": says, "remedy": remedy}
        print(
            json.dumps([one], indent=2) if chosen.json else f"bad   Python: {says}\n      {remedy}"
        )
        return 1
    from local_cloud.doctor import examination, finding  # noqa: PLC0415 - see above

    findings = examination.examine(chosen.python)
    print(finding.as_json(findings) if chosen.json else finding.as_text(findings))
    return 1 if finding.is_bad(findings) else 0


if __name__ == "__main__":
    sys.exit(main())
