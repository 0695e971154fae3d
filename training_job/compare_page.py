"""A comparison on one page: tables and pictures, in a folder that can be sent as it is."""

from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Final

from areyouacat.comparison_record import ComparisonRecord
from areyouacat.comparison_text import Table, figures, models, pairs, photos, reading, title
from training_job.compare_plots import draw_all

PAGE: Final = "index.html"

_STYLE: Final = """
body { font-family: system-ui, sans-serif; max-width: 75rem; margin: 2rem auto; padding: 0 1rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.9rem; }
th, td { padding: 0.25rem 0.75rem; border-bottom: 1px solid #ddd; text-align: left; }
td { white-space: nowrap; font-variant-numeric: tabular-nums; }
img { max-width: 100%; }
"""


def write_page(folder: Path, record: ComparisonRecord) -> Path:
    """Draws all pictures into a folder, and the page that shows them; the page's path."""
    pictures = draw_all(folder, record.comparison)
    page = folder / PAGE
    page.write_text("\n".join(_lines(record, pictures)) + "\n", encoding="utf-8")
    return page


def _lines(record: ComparisonRecord, pictures: dict[str, str]) -> Iterator[str]:
    comparison = record.comparison
    heading = escape(title(record))
    yield f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>{heading}</title>'
    yield f"<style>{_STYLE}</style>\n<h1>{heading}</h1>\n<p>{escape(photos(record))}</p>"
    yield from _table(figures(comparison))
    if comparison.pairs:
        yield "<h2>Who is right where</h2>"
        yield from _table(pairs(comparison))
    for name, meaning in pictures.items():
        yield f'<h2>{escape(meaning)}</h2>\n<img src="{escape(name)}" alt="{escape(meaning)}">'
    yield "<h2>The models</h2>"
    yield from _table(models(record))
    yield f"<h2>How to read this</h2>\n<p>{escape(reading(comparison))}</p>\n</html>"


def _table(table: Table) -> Iterator[str]:
    yield '<div class="wide"><table>'
    yield f"<tr>{''.join(f'<th>{escape(cell)}</th>' for cell in table.heading)}</tr>"
    for row in table.rows:
        yield f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>"
    yield "</table></div>"
