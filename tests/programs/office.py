"""What else goes over a hospital's network: names and web pages.

office.py serve      answers DNS at port 53 and HTTP at port 8080
office.py ask HOST   asks for a name, then for a page
"""

import http.server
import socket
import struct
import sys
import threading
import urllib.request

PAGE = b"<html><body>Rota of the week</body></html>\n" * 50


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", str(len(PAGE)))
        self.end_headers()
        self.wfile.write(PAGE)

    def log_message(self, *_):
        pass


def names():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("", 53))
        while True:
            query, client = server.recvfrom(512)
            # The question again, and one A record that points back to it (RFC 1035 section 4).
            head = query[:2] + struct.pack("!HHHHH", 0x8180, 1, 1, 0, 0)
            record = struct.pack("!HHHLH4B", 0xC00C, 1, 1, 60, 4, 10, 77, 1, 40)
            server.sendto(head + query[12:] + record, client)


def ask(host):
    name = b"".join(bytes([len(part)]) + part for part in (b"rota", b"hospital", b"")) + b""
    query = struct.pack("!HHHHHH", 7, 0x0100, 1, 0, 0, 0) + name + struct.pack("!HH", 1, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(5)
        client.sendto(query, (host, 53))
        answer, _ = client.recvfrom(512)
    address = socket.inet_ntoa(answer[-4:])
    with urllib.request.urlopen(f"http://{address}:8080/", timeout=5) as page:
        assert page.read() == PAGE


if sys.argv[1] == "serve":
    threading.Thread(target=names, daemon=True).start()
    http.server.ThreadingHTTPServer(("", 8080), Page).serve_forever()
else:
    ask(sys.argv[2])
