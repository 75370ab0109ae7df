"""The one font of all figures: the part of DejaVu Sans, which comes with matplotlib, that figures use.

A PDF embeds the glyphs it uses. Cutting them out of DejaVu Sans takes 0.14 s, most of it spent on scripts
that never occur here, up to twice per file: more than everything else together. Out of a smaller font it
takes a tenth.
"""

from __future__ import annotations

import io
import logging
from functools import cache
from pathlib import Path

import matplotlib as mpl
from fontTools.subset import Options, Subsetter  # type: ignore[import-untyped]
from fontTools.ttLib import TTFont  # type: ignore[import-untyped]
from matplotlib.font_manager import fontManager

from layerscope.errors import StorageError
from layerscope.files import write_atomic

_log = logging.getLogger(__name__)

ORIGINAL = "DejaVu Sans"
FAMILY = "Layerscope Sans"
RECIPE = 1  # to be raised with every change of what the font holds
LAYOUT_TABLES = ("GSUB", "GPOS", "GDEF", "MATH", "FFTM")
# Latin, Greek and Cyrillic, punctuation and raised digits, arrows and mathematics, geometric shapes
CHARACTERS = (
    *range(0x20, 0x180),
    *range(0x370, 0x530),
    *range(0x2010, 0x2100),
    *range(0x2190, 0x2300),
    *range(0x25A0, 0x2600),
)
FAMILY_NAME, STYLE_NAME, FULL_NAME, POSTSCRIPT_NAME = 1, 2, 4, 6  # numbers in a font's table of names


@cache
def house_font() -> str:
    """The family to write with; made once per machine (0.3 s), in matplotlib's own cache folder."""
    path = Path(mpl.get_cachedir()) / f"layerscope-sans-{mpl.__version__}-{RECIPE}.ttf"
    try:
        if not path.is_file():
            write_atomic(path, _smaller(_original_path()))
        fontManager.addfont(path)
    except (StorageError, OSError, RuntimeError) as error:
        _log.info("figures are drawn with %s, more slowly: %s", ORIGINAL, error)
        return ORIGINAL
    return FAMILY


def _original_path() -> Path:
    return Path(mpl.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"


def _smaller(path: Path) -> bytes:
    """A font with the common characters only, without tables for the layout of other scripts."""
    font = TTFont(path, recalcTimestamp=False)
    for table in LAYOUT_TABLES:
        if table in font:
            del font[table]
    subsetter = Subsetter(Options(glyph_names=True, recommended_glyphs=True, legacy_kern=True, hinting=False))
    subsetter.populate(unicodes=CHARACTERS)
    subsetter.subset(font)
    _rename(font)
    content = io.BytesIO()
    font.save(content)
    return content.getvalue()


def _rename(font: TTFont) -> None:
    """Give the font its own name, as the licence asks of a changed one."""
    names = {
        FAMILY_NAME: FAMILY,
        STYLE_NAME: "Regular",
        FULL_NAME: FAMILY,
        POSTSCRIPT_NAME: FAMILY.replace(" ", ""),
    }
    for record in font["name"].names:
        if record.nameID in names:
            record.string = names[record.nameID]
