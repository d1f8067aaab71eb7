from audit.service.clock import ClockState, clock_state


def test_the_kernel_is_asked() -> None:
    state = clock_state()
    assert state.known
    assert state.max_error_s >= 0
    assert "synchronised" in str(state)


def test_an_unknown_state_says_so() -> None:
    assert "unknown" in str(ClockState(known=False, synchronised=False, max_error_s=0))
