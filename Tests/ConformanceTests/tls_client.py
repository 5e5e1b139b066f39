"""Speaks TLS with a NameServer, for tests: another program's TLS than the one under test.

usage: tls_client.py PORT [--prefix HEX] [--dribble] [--version 1.2|1.3] FRAME_HEX

Sends the prefix in the clear, shakes hands, sends the frame, and prints the answer's frame in hex, or "closed".
"""
import argparse
import socket
import ssl

arguments = argparse.ArgumentParser()
arguments.add_argument("port", type=int)
arguments.add_argument("--prefix", default="")
arguments.add_argument("--dribble", action="store_true")
arguments.add_argument("--version", default="1.3")
arguments.add_argument("frame")
options = arguments.parse_args()

context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
version = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}[options.version]
context.minimum_version = context.maximum_version = version

connection = socket.create_connection(("127.0.0.1", options.port), timeout=60)
connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
tls = context.wrap_bio(incoming, outgoing)


def flush():
    data = outgoing.read()
    for part in [data[i : i + 1] for i in range(len(data))] if options.dribble else [data]:
        connection.sendall(part)


def step(action):
    """Does it, and reads from the connection as often as it must wait."""
    while True:
        try:
            result = action()
            flush()
            return result
        except ssl.SSLWantReadError:
            flush()
            data = connection.recv(65536)
            if not data:
                raise ConnectionResetError("closed")
            incoming.write(data)


try:
    connection.sendall(bytes.fromhex(options.prefix))
    step(tls.do_handshake)
    step(lambda: tls.write(bytes.fromhex(options.frame)))
    answer = b""
    while len(answer) < 4 or len(answer) < 4 + int.from_bytes(answer[:4], "big"):
        answer += step(lambda: tls.read(65536))
    print(answer.hex())
except (ConnectionError, ssl.SSLError):
    print("closed")
