"""One function per picture: named numbers and words in, a picture out."""

from workbench.charts.bridge import bridge, steps
from workbench.charts.calendar import calendar
from workbench.charts.course import course
from workbench.charts.fan import fan
from workbench.charts.frontier import frontier
from workbench.charts.gauges import gauges
from workbench.charts.grid import grid
from workbench.charts.lengths import lengths, ratios
from workbench.charts.tornado import tornado

__all__ = ["bridge", "calendar", "course", "fan", "frontier", "gauges", "grid", "lengths", "ratios", "steps", "tornado"]
