#!/usr/bin/env python3
"""Writes the fuzz targets' seeds: one sound conversation each, from which the fuzzer goes on."""
import pathlib
import struct

HERE = pathlib.Path(__file__).parent / "seeds"


def script(*payloads):
    """Steps of `converse`: direction and fate, length in fours, payload (a multiple of four)."""
    steps = b""
    for side, payload in payloads:
        for start in range(0, len(payload), 1020):
            part = payload[start:start + 1020]
            steps += bytes([side | 0x36, len(part) // 4]) + part
    return steps


def item(kind, body):
    return struct.pack(">BBH", kind, 0, len(body)) + body


def pad(data, unit=4):
    return data + b" " * (-len(data) % unit)


def associate(kind, contexts):
    body = struct.pack(">HH", 1, 0) + b"ARCHIVE".ljust(16) + b"MODALITY1".ljust(16) + bytes(32)
    body += item(0x10, b"1.2.840.10008.3.1.1.1") + contexts
    body += item(0x50, item(0x51, struct.pack(">I", 16384)) + item(0x52, b"1.2.276.0.7230010.3.0.3.6.7")
                 + item(0x55, b"OFFIS_DCMTK_367") + item(0x58, b"\x02\x01\0\x04user\0\x04pass"))
    return struct.pack(">BBI", kind, 0, len(body)) + body


def element(number, value):
    return struct.pack("<HHI", 0, number, len(value)) + value


def command(control, field, *more):
    elements = element(2, b"1.2.840.10008.5.1.4.1.1.2\0") + element(0x100, struct.pack("<H", field)) + b"".join(more)
    elements = element(0, struct.pack("<I", len(elements))) + elements
    pdv = bytes([1, control]) + elements
    return struct.pack(">BBII", 4, 0, len(pdv) + 4, len(pdv)) + pdv


def data(control, body):
    pdv = bytes([1, control]) + body
    return struct.pack(">BBII", 4, 0, len(pdv) + 4, len(pdv)) + pdv


def write(target, name, content):
    (HERE / target).mkdir(parents=True, exist_ok=True)
    (HERE / target / name).write_bytes(content)


number = lambda value: struct.pack("<H", value)
proposed = item(0x20, b"\1\0\0\0" + item(0x30, b"1.2.840.10008.5.1.4.1.1.2") + item(0x40, b"1.2.840.10008.1.2"))
accepted = item(0x21, b"\1\0\0\0" + item(0x40, b"1.2.840.10008.1.2"))
store = command(3, 1, element(0x110, number(1)), element(0x700, number(0)), element(0x800, number(1)))
stored = command(3, 0x8001, element(0x120, number(1)), element(0x800, number(0x101)), element(0x900, number(0)))
requestor = associate(1, proposed) + store + data(2, b"\x10\0\x10\0PN\x08\0CANARY^A") + struct.pack(">BBII", 5, 0, 4, 0)
acceptor = associate(2, accepted) + stored + struct.pack(">BBII", 6, 0, 4, 0)
write("dicom", "store", script((0, pad(requestor)), (1, pad(acceptor))))
write("dicom", "reject", script((0, pad(associate(1, proposed))), (1, bytes.fromhex("03000000000400010107 0000".replace(" ", "")))))
write("dicom", "midstream", script((0, pad(store)), (1, pad(stored))))

adt = b"\x0bMSH|^~\\&|ADT1|HOSPITAL|LAB|HOSPITAL|20260101||ADT^A01^ADT_A01|1|P|2.5\rPID|1||X||CANARY^A\r\x1c\r"
ack = b"\x0bMSH|^~\\&|LAB|HOSPITAL|ADT1|HOSPITAL|20260101||ACK|2|P|2.5\rSFT|x\rMSA|AA|1|text\r\x1c\r"
batch = b"\x0bFHS|^~\\&|A|B|C|D|20260101\rBHS|^~\\&|A|B\r" + adt[1:-2] + b"BTS|1\rFTS|1\r\x1c\r"
write("hl7", "message", script((0, pad(adt)), (1, pad(ack)), (0, pad(adt + adt))))
write("hl7", "batch", script((0, pad(batch)), (1, pad(ack))))

hello = bytes.fromhex("16030100310100002d0303") + bytes(range(32)) + bytes.fromhex("000002130101000000")
write("hl7", "tls", script((0, pad(hello))))

ip4 = bytes.fromhex("450000280001400040060000") + bytes([10, 0, 0, 1, 10, 0, 0, 2])
tcp = bytes.fromhex("9c400068000000010000000050100400 00000000".replace(" ", ""))
ether = bytes.fromhex("020000000002020000000001")
plain = ether + b"\x08\x00" + ip4 + tcp
tagged = ether + b"\x88\xa8\x00\x05\x81\x00\x00\x06\x08\x00" + ip4 + tcp
ip6 = bytes.fromhex("600000000024 00 40".replace(" ", "")) + bytes(15) + b"\1" + bytes(15) + b"\2"
chain = ether + b"\x86\xdd" + ip6 + b"\x2c\0\1\4\0\0\0\0" + b"\x06\0\0\0\0\0\0\1" + tcp
outer = lambda protocol, inner: bytes.fromhex("4500") + struct.pack(">H", 20 + len(inner)) + bytes.fromhex("00014000 40".replace(" ", "")) + bytes([protocol]) + bytes([0, 0, 10, 9, 0, 1, 10, 9, 0, 2]) + inner
vxlan = ether + b"\x08\x00" + outer(17, struct.pack(">HHHH", 1, 4789, 16 + len(plain), 0) + b"\x08\0\0\0\0\0\x05\0" + plain)
erspan2 = ether + b"\x08\x00" + outer(47, b"\x10\0\x88\xbe\0\0\0\1" + bytes(8) + plain)
erspan3 = ether + b"\x08\x00" + outer(47, b"\x10\0\x22\xeb\0\0\0\1" + bytes(12) + plain)
frames = b"".join(bytes([0, len(frame)]) + frame for frame in (plain, tagged, chain, vxlan, erspan2, erspan3))
write("link_to_transport", "frames", frames)
