"""AWS's list prices as of one day: `prices.json`, and the day that is."""

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final, Self

_FILE: Final = Path(__file__).with_name("prices.json")


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for one unit, and the page of AWS that says so."""

    usd: float
    unit: str
    page: str


@dataclass(frozen=True, slots=True)
class PriceList:
    """All prices of one day and region."""

    dated: date
    region: str
    remark: str
    prices: dict[str, Price]

    def usd(self, name: str) -> float:
        """US dollars for one unit of what `name` names.

        Raises:
            KeyError: the list has no such price.
        """
        return self.prices[name].usd

    @classmethod
    def load(cls, file: Path = _FILE) -> Self:
        """Read a price file.

        Raises:
            OSError, ValueError, KeyError, TypeError: it is not there, or is none.
        """
        read = json.loads(file.read_text(encoding="utf-8"))
        return cls(
            dated=date.fromisoformat(read["dated"]),
            region=read["region"],
            remark=read["remark"],
            prices={name: Price(**price) for name, price in read["prices"].items()},
        )


PRICES: Final = PriceList.load()
