"""The launcher is as fast as Temporal lets it be, and no faster."""

from activities.launch_pace import FASTEST, SLOWEST, Pace


class Server:
    """Takes so many starts a second; asked for more, each waits longer."""

    def __init__(self, bears: float) -> None:
        self.bears = bears

    def run(self, pace: Pace, pages: int) -> float:
        """Let it start pages; the rate at the end."""
        for _ in range(pages):
            started = pace.page
            seconds = max(started / self.bears, 0.01)
            load = min(pace.rate / self.bears, 10)
            latency = 0.01 if load <= 1 else 0.02 * load**4
            pace.learn(started=started, pushed_back=0, latency=latency, seconds=seconds)
        return pace.rate


def test_it_grows_until_the_server_falls_behind_and_stays_about_there() -> None:
    pace, server = Pace(50), Server(bears=300)
    rates = [server.run(pace, 1) for _ in range(60)]

    assert rates[:3] == sorted(rates[:3])
    assert min(rates[20:]) > 100
    assert max(rates[20:]) <= 1.5 * 300


def test_it_follows_a_server_that_is_slower_for_a_while() -> None:
    pace, server = Pace(50), Server(bears=400)
    quick = server.run(pace, 30)
    server.bears = 40
    slow = server.run(pace, 60)
    server.bears = 400

    assert slow < quick / 2
    assert server.run(pace, 100) > 2 * slow


def test_being_turned_away_halves_it_down_to_a_floor() -> None:
    pace = Pace(200)
    pace.learn(started=10, pushed_back=90, latency=0.01, seconds=1)
    assert pace.rate == 100
    for _ in range(20):
        pace.learn(started=0, pushed_back=10, latency=0, seconds=1)
    assert pace.rate == SLOWEST


def test_it_never_passes_its_ceiling() -> None:
    pace = Pace(50)
    assert Server(bears=100_000).run(pace, 100) == FASTEST


def test_an_empty_page_teaches_nothing() -> None:
    pace = Pace(50)
    pace.learn(started=0, pushed_back=0, latency=0, seconds=1)
    assert (pace.rate, pace.best) == (50, None)


def test_a_page_that_was_too_quick_is_followed_by_a_rest() -> None:
    pace = Pace(100)
    assert pace.rest(started=50, seconds=0.2) == 0.3
    assert pace.rest(started=50, seconds=0.9) == 0
