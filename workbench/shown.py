"""What a field shows in a browser that may lag behind: told from its pictures, never from the time that has passed.

    server   picture 7 shows 12   picture 8 shows 15          picture 9 …
    browser  ……………………………………………………… draws 7, sends 12 ……… draws 8, sends 15

Every run of the page ends with the number of its picture, and a browser sends back the number of the last one it has
drawn. So what it sends can be told from what it was given: a field that says just what it had been given says nothing.
A picture may be lost on its way, when the next run of the page begins before it is complete: a value is given again
with every picture until the browser has drawn one that it came with.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

KEPT = 1_000  # values a browser may be behind
LATELY = 100  # entries that may be taken up late


@dataclass(frozen=True)
class Shown:
    """The values of one field, each with the picture it was given with; the first is what the browser had before.

    `entered_lately` is what people entered, each with the run of the page they saw begin last: the server may take
    up two messages of a browser in the wrong order, and the older one says again what was entered before.

    Examples
    --------
    >>> field = Shown.first("12", 7).given("15", 8)
    >>> field.says_nothing("12", 7, run=7), field.says_nothing("12", 8, run=8), field.last
    (True, False, '15')
    >>> field = field.entered("20", 7, run=7).entered("21", 7, run=8)
    >>> field.at(7), field.at(8), field.says_nothing("20", 7, run=7), field.says_nothing("20", 7, run=9)
    ('21', '15', True, False)
    """

    values: tuple[tuple[int, Any], ...]
    entered_lately: tuple[tuple[int, Any], ...] = ()

    @classmethod
    def first(cls, value: Any, picture: int) -> Shown:
        """Return a field that is new in this picture."""
        return cls(((picture, value),))

    @property
    def last(self) -> Any:
        """Return what the browser shows once it has drawn all it was given."""
        return self.values[-1][1]

    def at(self, picture: int) -> Any:
        """Return what a browser shows that has drawn this picture and no later one."""
        return next((value for given, value in reversed(self.values) if given <= picture), self.values[0][1])

    def says_nothing(self, value: Any, picture: int, *, run: int) -> bool:
        """Return whether a browser that has drawn this picture says with a value what is known already.

        What is on its way may be on the screen before its picture is complete.
        """
        on_its_way = any(given > picture and one == value for given, one in self.values)
        return bool(self.at(picture) == value) or on_its_way or (run, value) in self.entered_lately

    def given(self, value: Any, picture: int) -> Shown:
        """Return the field with a value that the browser is given with a picture."""
        return replace(self, values=(*self.values, (picture, value))[-KEPT:])

    def entered(self, value: Any, picture: int, *, run: int) -> Shown:
        """Return the field as a person changed it who saw this picture; what is on its way will still be drawn."""
        on_its_way = (one for one in self.values if one[0] > picture)
        return Shown(((picture, value), *on_its_way), (*self.entered_lately, (run, value))[-LATELY:])

    def is_on_its_way(self, drawn: int) -> bool:
        """Return whether the last value came with a later picture than the browser has drawn."""
        return self.values[-1][0] > drawn
