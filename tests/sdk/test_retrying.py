"""
How long to wait, and how often.
"""

from __future__ import annotations

from clientela.sdk.retrying import BUDGET_MAX, RetryBudget, RetryPolicy


def test_waits_double_up_to_two_seconds():
    """
    R16: the longest wait is 50 ms times two to the n, at most two seconds.
    """
    policy = RetryPolicy(random=lambda: 1.0)

    assert [0.05, 0.1, 0.2, 0.4] == [policy.wait_s(tries, None) for tries in range(1, 5)]
    assert 2.0 == policy.wait_s(12, None)


def test_wait_is_random_over_its_whole_length():
    """
    R16: full jitter: a wait may be anything from nothing to the longest.
    """
    assert 0.0 == RetryPolicy(random=lambda: 0.0).wait_s(4, None)
    assert 0.2 == RetryPolicy(random=lambda: 0.5).wait_s(4, None)


def test_wait_is_never_shorter_than_asked():
    """
    R16: what RetryInfo asks for is waited before anything is added.
    """
    assert 3.0 == RetryPolicy(random=lambda: 0.0).wait_s(1, 3.0)


def test_calls_earn_retries():
    """
    R16: ten calls earn one retry; what is saved up is bounded.
    """
    budget = RetryBudget(share=0.125, first=0.0)
    assert not budget.spend()
    for _ in range(8):
        budget.earn()
    assert (True, False) == (budget.spend(), budget.spend())

    for _ in range(10_000):
        budget.earn()
    assert int(BUDGET_MAX) == sum(budget.spend() for _ in range(1_000))
