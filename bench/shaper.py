"""A cable with a length: two TUN devices, and between them a rate, a delay, a finite queue and losses.

Usage: shaper.py DEVICE DEVICE ONE_WAY_MS BITS_PER_SECOND LOSS

Makes both devices, says `ready`, and forwards until it is ended; the devices vanish with it. Each way by itself:
a packet waits for those before it (at most QUEUE_MS of them, else it is dropped, as a router would), takes its
time at the given rate, then travels for the delay. Losses are independent, of a generator with a fixed seed, so
that every run meets the same ones as far as its packets are the same.
"""
import collections
import fcntl
import os
import random
import select
import struct
import sys
import time

TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000
# Larger than any MTU the devices are given.
PACKET = 65536
# As deep as the queue of an ordinary router: a tenth of a second, or one round trip where that is longer.
QUEUE_MS = 100
# As many packets are taken from one side before the other is looked at.
BATCH = 64


def device(name):
    """A TUN device, of which reads and writes are whole IP packets."""
    fd = os.open('/dev/net/tun', os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack('16sH22x', name.encode(), IFF_TUN | IFF_NO_PI))
    return fd


class Way:
    """One direction: packets in flight with the moments they arrive, in order."""

    def __init__(self, source, target, delay, rate, loss, seed):
        self.source, self.target, self.delay, self.rate, self.loss = source, target, delay, rate, loss
        self.chance = random.Random(seed).random
        self.flying = collections.deque()
        self.free = 0.0  # when the last packet accepted has left the queue
        self.deepest = max(QUEUE_MS / 1000, 2 * delay)

    def take(self, now):
        for _ in range(BATCH):
            try:
                packet = os.read(self.source, PACKET)
            except BlockingIOError:
                return
            except OSError:
                return  # the device is not up yet
            if self.loss > 0 and self.chance() < self.loss:
                continue
            begin = max(now, self.free)
            if begin - now > self.deepest:
                continue
            self.free = begin + len(packet) * 8 / self.rate
            self.flying.append((self.free + self.delay, packet))

    def give(self, now):
        while self.flying and self.flying[0][0] <= now:
            try:
                os.write(self.target, self.flying.popleft()[1])
            except OSError:
                pass  # the other device is not up: the packet is lost, as on a cable that leads nowhere


def main():
    names, (delay, rate, loss) = sys.argv[1:3], map(float, sys.argv[3:6])
    one, two = (device(name) for name in names)
    ways = [Way(one, two, delay / 1000, rate, loss, 1), Way(two, one, delay / 1000, rate, loss, 2)]
    print('ready', flush=True)
    while True:
        now = time.monotonic()
        next_out = min((way.flying[0][0] for way in ways if way.flying), default=now + 1)
        readable, _, _ = select.select([one, two], [], [], max(0.0, next_out - now))
        now = time.monotonic()
        for way in ways:
            way.give(now)
            if way.source in readable:
                way.take(now)


main()
