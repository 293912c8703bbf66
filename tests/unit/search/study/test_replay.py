"""Whether a study has finished, from its method and its results alone."""

import pytest
from support.studies import OneRound, result, trials

from src.search.study.replay import has_finished

RESULTS = [result(number) for number in range(1, 6)]


@pytest.mark.parametrize("ended, finished", [(0, False), (2, False), (3, False), (4, False), (5, True)])
def test_a_study_has_finished_when_all_rounds_have_their_results(ended, finished):
    method = OneRound(trials(3), trials(2, "second"))
    assert has_finished(method.rounds(), RESULTS[:ended]) is finished
    assert method.seen == [RESULTS[:3], RESULTS[3:5]][: (ended >= 3) + (ended == 5)]


def test_a_method_that_ends_early_has_finished():
    method = OneRound(trials(3))
    assert has_finished(method.rounds(), RESULTS[:3])
