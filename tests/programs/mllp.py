"""HL7 over MLLP: a receiver that acknowledges, and a sender. Both with python-hl7.

mllp.py serve PORT [TRIGGER...]
                          answers AA to events that it knows and to ADT with these triggers, AE to others
mllp.py send HOST PORT    sends each line of its input, a JSON string, on one connection;
                          writes the acknowledgement's MSA-1 and MSA-2
"""

import asyncio
import json
import sys

import hl7
import hl7.client
import hl7.mllp

KNOWN = {("ADT", "A01"), ("ADT", "A08"), ("ORU", "R01")}


async def answer(reader, writer):
    try:
        while True:
            message = await reader.readmessage()
            event = tuple(str(part) for part in message.segment("MSH")[9][0][:2])
            code = "AA" if tuple(part.strip("[]'") for part in event) in KNOWN else "AE"
            writer.writemessage(message.create_ack(code))
            await writer.drain()
    except asyncio.IncompleteReadError:
        writer.close()


async def serve(port):
    server = await hl7.mllp.start_hl7_server(answer, port=port, encoding="utf-8")
    async with server:
        await server.serve_forever()


def send(host, port):
    with hl7.client.MLLPClient(host, port) as client:
        for line in sys.stdin:
            answer = client.send_message(json.loads(line)).decode()
            msa = hl7.parse(answer.strip("\x0b\x1c\r")).segment("MSA")
            print(msa[1], msa[2], flush=True)


if sys.argv[1] == "serve":
    KNOWN.update(("ADT", trigger) for trigger in sys.argv[3:])
    asyncio.run(serve(int(sys.argv[2])))
else:
    send(sys.argv[2], int(sys.argv[3]))
