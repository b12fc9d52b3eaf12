"""One function per picture: named numbers and words in, a picture out."""

from workbench.charts.bridge import bridge, steps
from workbench.charts.grid import grid
from workbench.charts.tornado import tornado

__all__ = ["bridge", "grid", "steps", "tornado"]
