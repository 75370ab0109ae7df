"""Numbers and figures of a finished group: ``python matrix/imbalance/report.py exp02_small``."""

from __future__ import annotations

import sys
from pathlib import Path

from layerscope.errors import LayerscopeError
from layerscope.plotting.matrix.imbalance_groups import report


def main(group: str) -> int:
    """Print the numbers of ``group``; the figures go into its folder."""
    base = Path("logs") / "imbalance" / group
    try:
        text = report(base, group)
    except LayerscopeError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{text}\nfigures: {base / 'figures'}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
