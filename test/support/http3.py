"""HTTP/3 by aioquic: a server that says where a request came from, and a client whose packets go through a SOCKS5 proxy.

    http3.py server CERTIFICATE KEY                 prints its port
    http3.py client PROXY_PORT HOST PORT AUTHORITIES  prints the answer's body
"""

import asyncio
import socket
import sys
import time

import socks
from aioquic.asyncio import QuicConnectionProtocol, serve
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection

BODY = b"HTTP/3 says hello " * 20_000


class Server(QuicConnectionProtocol):
    http = None

    def quic_event_received(self, event):
        self.http = self.http or H3Connection(self._quic)
        for each in self.http.handle_event(event):
            if isinstance(each, HeadersReceived):
                self.http.send_headers(each.stream_id, [(b":status", b"200")])
                self.http.send_data(each.stream_id, BODY, end_stream=True)
                self.transmit()


async def run_server(certificate, key):
    configuration = QuicConfiguration(is_client=False, alpn_protocols=H3_ALPN)
    configuration.load_cert_chain(certificate, key)
    server = await serve("127.0.0.1", 0, configuration=configuration, create_protocol=Server)
    print(server._transport.get_extra_info("sockname")[1], flush=True)
    await asyncio.Future()


def run_client(proxy, host, port, authorities):
    configuration = QuicConfiguration(is_client=True, alpn_protocols=H3_ALPN, server_name=host)
    configuration.load_verify_locations(authorities)
    quic = QuicConnection(configuration=configuration)
    http = H3Connection(quic)
    udp = socks.socksocket(type=socket.SOCK_DGRAM)
    udp.set_proxy(socks.SOCKS5, "127.0.0.1", int(proxy))
    # The name goes to the proxy as it is; for QUIC the peer has one address, whatever it is called.
    peer = (host, int(port))
    quic.connect(peer, now=time.time())
    stream = quic.get_next_available_stream_id()
    headers = {":method": "GET", ":scheme": "https", ":authority": host, ":path": "/"}
    http.send_headers(stream, [(k.encode(), v.encode()) for k, v in headers.items()], end_stream=True)

    body, done, limit = b"", False, time.time() + 20
    while not done:
        for data, _ in quic.datagrams_to_send(now=time.time()):
            udp.sendto(data, peer)
        timer = quic.get_timer() or limit
        udp.settimeout(max(0.001, min(timer, limit) - time.time()))
        try:
            quic.receive_datagram(udp.recv(65_536), peer, now=time.time())
        except (TimeoutError, socks.ProxyError):
            if time.time() > limit:
                sys.exit("no answer within 20 s")
            quic.handle_timer(now=time.time())
        while event := quic.next_event():
            for each in http.handle_event(event):
                if isinstance(each, DataReceived):
                    body += each.data
                    done = each.stream_ended
    quic.close()
    for data, _ in quic.datagrams_to_send(now=time.time()):
        udp.sendto(data, peer)
    sys.stdout.write("same" if body == BODY else f"{len(body)} bytes: {body[:100]!r}")


if sys.argv[1] == "server":
    asyncio.run(run_server(*sys.argv[2:]))
else:
    run_client(*sys.argv[2:])
