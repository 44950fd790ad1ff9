"""A service that has StatsD: an unmodified client from PyPI, for a few seconds.

usage: statsd_emitter.py HOST PORT
"""
import sys
import time

import statsd


def main() -> None:
    client = statsd.StatsClient(sys.argv[1], int(sys.argv[2]), prefix="shop")
    for _ in range(100):
        client.incr("orders", 3)
        client.timing("checkout", 120)
        client.gauge("queue", 40)
        client.gauge("queue", 2, delta=True)
        time.sleep(0.02)
    with client.pipeline() as pipe:  # several lines in a datagram
        pipe.incr("orders", 50, rate=1)
        pipe.set("users", "alice")  # not taken
        pipe.gauge("queue", 7)


if __name__ == "__main__":
    main()
