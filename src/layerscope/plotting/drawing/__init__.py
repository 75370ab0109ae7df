"""How every figure is drawn: sheets of panels, axes, series, style, files."""
