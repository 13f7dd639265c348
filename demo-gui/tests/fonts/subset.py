#!/usr/bin/env python3
"""Writes chinese.otf: the characters of the window's texts and of its tests, out of Noto Sans CJK SC."""

import sys
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTCollection

HERE = Path(__file__).resolve().parent
FONT = Path(sys.argv[1] if len(sys.argv) > 1 else "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")

sources = [*HERE.parents[1].glob("src/**/*.rs"), *HERE.parent.glob("**/*.rs"), *HERE.parents[1].glob("core/src/**/*.md")]
wanted = {char for source in sources for char in source.read_text() if "\u3000" <= char <= "\u9fff" or "\uff00" <= char <= "\uffef"}
fonts = [font for font in TTCollection(FONT).fonts if font["name"].getDebugName(1) == "Noto Sans CJK SC"]
options = subset.Options(layout_features=[], name_IDs=[0, 1, 2, 13, 14], hinting=False, desubroutinize=True)
subsetter = subset.Subsetter(options)
subsetter.populate(unicodes=map(ord, wanted))
subsetter.subset(fonts[0])
fonts[0].save(HERE / "chinese.otf")
print(f"{len(wanted)} characters, {(HERE / 'chinese.otf').stat().st_size} bytes")
