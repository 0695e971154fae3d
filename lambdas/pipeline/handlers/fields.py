"""Field types that several requests share."""

from typing import Annotated

from pydantic import Field

VersionNumber = Annotated[str, Field(pattern=r"^[1-9][0-9]*$", coerce_numbers_to_str=True)]
"""A model version as MLflow counts them; people write 3 as well as "3"."""
