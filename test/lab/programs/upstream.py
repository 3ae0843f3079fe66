"""A line that reorders and duplicates: `python3 upstream.py <percent reordered> <percent duplicated>`.

Makes the TUN device `upstream`, prints `ready`, and gives back each packet that is sent into it: most at once, some
after up to 20 ms, so that later ones overtake them, and some twice.
"""

import fcntl
import heapq
import os
import random
import select
import struct
import sys
import time

TUNSETIFF = 0x400454CA
IFF_TUN = 0x0001
IFF_NO_PI = 0x1000
HOLD_S = 0.020
LARGEST = 65_535

reordered, duplicated = (float(percent) / 100 for percent in sys.argv[1:3])
tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH", b"upstream", IFF_TUN | IFF_NO_PI))
print("ready", flush=True)

held = []
count = 0


def send(packet):
    try:
        os.write(tun, packet)
    except OSError:
        pass  # a device whose queue is full loses packets


while True:
    wait = max(0, held[0][0] - time.monotonic()) if held else None
    if select.select([tun], [], [], wait)[0]:
        packet = os.read(tun, LARGEST)
        for _ in range(2 if random.random() < duplicated else 1):
            if random.random() < reordered:
                count += 1
                heapq.heappush(held, (time.monotonic() + random.uniform(0, HOLD_S), count, packet))
            else:
                send(packet)
    while held and held[0][0] <= time.monotonic():
        send(heapq.heappop(held)[2])
