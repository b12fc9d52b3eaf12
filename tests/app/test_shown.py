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
            field = field.entered(screen, drawn, run=picture)
            assert field.at(drawn) == screen
            assert field.says_nothing(screen, drawn, run=picture)

    for drawn, value in on_its_way:
        screen = screen if value is None else value
        assert field.at(drawn) == screen
    assert field.last == screen


def test_what_is_on_its_way_may_be_on_the_screen_before_its_picture_is_complete():
    """Two undos: the run of the first was interrupted after it gave 10, so its picture has no number."""
    field = Shown.first("12", 5).given("10", 6).given("8", 6)

    assert field.says_nothing("10", 5, run=6)
    assert not field.says_nothing("9", 5, run=6)


def test_going_one_step_too_far_and_back_is_an_entry_though_no_picture_was_complete():
    field = Shown.first(12, 5).entered(13, 5, run=5).entered(14, 5, run=6)

    assert not field.says_nothing(13, 5, run=7)
    assert field.says_nothing(13, 5, run=5), "taken up late"
