"""Who may ask for messages again, and how often."""

from fix_sessions.resend_costs import ResendCosts


def test_what_is_asked_for_the_first_time_is_never_refused() -> None:
    costs = ResendCosts()
    chunks = [(begin, begin + 2_499) for begin in range(1, 500_000, 2_500)]
    assert all(costs.may_ask("A", *one, 1.0) for one in chunks)


def test_the_same_again_and_again_is_refused_until_a_pause() -> None:
    costs = ResendCosts()
    answered = sum(costs.may_ask("A", 1, 50_000, 1.0) for _ in range(100))
    assert answered == 2
    assert costs.may_ask("B", 1, 50_000, 1.0), "another session pays for itself"
    assert not costs.may_ask("A", 1, 50_000, 10.0)
    assert costs.may_ask("A", 1, 50_000, 60.0)


def test_one_request_for_each_message_behind_a_gap_is_borne_for_a_burst() -> None:
    costs = ResendCosts()
    assert all(costs.may_ask("A", 1_000, 1_000 + n, 1.0) for n in range(100))
    assert not all(costs.may_ask("A", 1_000, 1_000 + n, 1.0) for n in range(1_000))


def test_numbers_that_began_anew_are_answered() -> None:
    costs = ResendCosts()
    assert costs.may_ask("A", 1, 10**6, 1.0)
    assert costs.may_ask("A", 1, 10, 2.0)
