"""What a field shows in a browser that lags: against a browser that draws pictures in order, played at random."""

import random

import pytest

from workbench.shown import Shown


@pytest.mark.parametrize("seed", range(200))
def test_what_a_browser_shows_is_known_however_far_it_is_behind(seed):
    """The browser draws what it was given late and in order, and a person types now and then."""
    dice = random.Random(seed)
    field, on_its_way, screen, drawn = Shown.first(0, 1), [], 0, 1

    for picture in range(2, 60):
        if dice.random() < 0.5:
            given = dice.randrange(4)
            field = field.given(given, picture)
            on_its_way.append((picture, given))
        else:
            on_its_way.append((picture, None))
        for _ in range(dice.randrange(3)):
            if on_its_way:
                drawn, value = on_its_way.pop(0)
                screen = screen if value is None else value
        assert field.at(drawn) == screen
        if dice.random() < 0.3:
            screen = dice.randrange(4)
            field = field.entered(screen, drawn)
            assert field.at(drawn) == screen

    for drawn, value in on_its_way:
        screen = screen if value is None else value
        assert field.at(drawn) == screen
    assert field.last == screen
