import asyncio
import threading
from collections.abc import Callable

import pytest

from audit.errors import StorageError
from audit.transport.arrival import Arrival, Refusal, RefusalKind
from audit.transport.intake import Intake
from tests.transport.receiving import until


def arrival(number: int, connection: int = 1) -> Arrival:
    return Arrival(b"%d" % number, 1, number, "udp", "192.0.2.1", connection=connection)


def intake(
    take: Callable[[Arrival], None] = lambda _: None,
    limit: int = 10**6,
    refusals: list[Refusal] | None = None,
) -> Intake:
    told = refusals if refusals is not None else []
    return Intake(take, told.append, limit, retry_s=0.001)


def test_settling_from_many_threads_keeps_the_law() -> None:
    async def main() -> None:
        one = intake()
        arrivals = [arrival(number) for number in range(2000)]
        for each in arrivals:
            one.offer(each)

        def settle(part: list[Arrival]) -> None:
            for each in part:
                one.settle(each, 1)

        threads = [threading.Thread(target=settle, args=(arrivals[n::4],)) for n in range(4)]
        for thread in threads:
            thread.start()
        await asyncio.wait_for(one.idle.wait(), 5)
        for thread in threads:
            thread.join()
        counters = one.counters
        assert (counters.received, counters.journaled, counters.in_flight) == (2000, 2000, 0)

    asyncio.run(main())


def test_settling_after_the_loop_is_closed_is_harmless() -> None:
    async def main() -> Intake:
        one = intake()
        one.offer(arrival(1))
        return one

    asyncio.run(main()).settle(arrival(1), 1)


def test_a_sink_without_room_is_tried_again_in_order() -> None:
    taken: list[Arrival] = []
    failures = [True] * 5

    def take(each: Arrival) -> None:
        if failures:
            failures.pop()
            raise StorageError("full")
        taken.append(each)

    async def main() -> None:
        one = intake(take)
        changes: list[bool] = []
        one.on_block_change = changes.append
        for number in range(3):
            one.offer(arrival(number))
        assert one.blocked
        await until(lambda: len(taken) == 3)
        assert taken == [arrival(number) for number in range(3)]
        assert changes == [True, False]
        assert one.counters.received == one.counters.in_flight == 3

    asyncio.run(main())


@pytest.mark.parametrize("error", [None, StorageError("disk")])
def test_a_settlement_without_sequence_is_a_failure(error: StorageError | None) -> None:
    refusals: list[Refusal] = []

    async def main() -> None:
        one = intake(refusals=refusals)
        one.offer(arrival(1))
        one.settle(arrival(1), None, error)
        await asyncio.wait_for(one.idle.wait(), 5)
        assert one.counters.refused == 1

    asyncio.run(main())
    assert refusals[0].kind is RefusalKind.JOURNAL


def test_a_connection_is_settled_when_its_last_message_is() -> None:
    async def main() -> None:
        one = intake()
        heard: list[tuple[str, bool]] = []
        one.when_settled(9, lambda durable: heard.append(("nothing sent", durable)))
        first, second, other = arrival(1), arrival(2), arrival(3, connection=2)
        for each in (first, second, other):
            one.offer(each)
        one.when_settled(1, lambda durable: heard.append(("both", durable)))
        one.when_settled(2, lambda durable: heard.append(("forgotten", durable)))
        one.settle(first, None, StorageError("disk"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert heard == [("nothing sent", True)]
        one.forget(2)
        one.settle(other, 5)
        one.settle(second, 6)
        await asyncio.wait_for(one.idle.wait(), 5)
        assert heard == [("nothing sent", True), ("both", False)]

    asyncio.run(main())


def test_giving_up_refuses_what_was_never_taken() -> None:
    refusals: list[Refusal] = []

    def take(_: Arrival) -> None:
        raise StorageError("full")

    async def main() -> None:
        one = intake(take, refusals=refusals)
        one.offer(arrival(1))
        one.give_up()
        assert one.counters.refused == 1
        assert one.counters.in_flight == 0

    asyncio.run(main())
    assert "stopped" in refusals[0].reason


def test_the_limit_blocks_and_half_of_it_unblocks() -> None:
    async def main() -> None:
        one = intake(limit=513 * 4)
        arrivals = [arrival(number) for number in range(5)]
        for each in arrivals[:4]:
            one.offer(each)
        states = [one.blocked]
        one.offer(arrivals[4])
        for settled in (1, 2, 3):
            one.settle(arrivals[settled], 1)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            states.append(one.blocked)
        assert states == [False, True, True, False]

    asyncio.run(main())
