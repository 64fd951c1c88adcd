"""Receivers that say what they did, for the differential test.

receivers.py pynetdicom PORT REPORT [ARCHIVE_PORT]   DICOM, with pynetdicom; C-MOVE to ARCHIVE goes to that port
receivers.py python-hl7 PORT REPORT                  HL7 over MLLP, with python-hl7: readmessage() and create_ack()
receivers.py hl7apy PORT REPORT                      HL7 over MLLP, with the server of hl7apy, one message a connection

REPORT takes a line for each thing done: the client's port, a tab, and JSON. {"did": "closed"} is a connection's last.
"""

import asyncio
import json
import logging
import sys
import threading
import time

LOCK = threading.Lock()


class Report:
    def __init__(self, path):
        self.file = open(path, "a", encoding="utf-8")

    def say(self, port, did, **what):
        line = f"{port}\t{json.dumps({'did': did, 'at': time.time(), **what})}\n"
        with LOCK:
            self.file.write(line)
            self.file.flush()


def pynetdicom(port, report, archive):
    import warnings

    from pydicom.dataset import Dataset
    from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
    from pynetdicom import AE, _config, evt
    from pynetdicom.sop_class import (
        CTImageStorage,
        MRImageStorage,
        StudyRootQueryRetrieveInformationModelFind,
        StudyRootQueryRetrieveInformationModelMove,
        Verification,
    )

    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    _config.LOG_HANDLER_LEVEL = "none"

    def say(event, did, **what):
        report.say(event.assoc.requestor.port, did, **what)

    def asked(event, command, **what):
        request = event.request
        name = getattr(request, "AffectedSOPClassUID", None)
        say(event, "command", command=command, id=request.MessageID, sop_class=str(name), **what)

    def requested(event):
        asked = event.assoc.requestor.primitive
        say(event, "requested", calling=asked.calling_ae_title, called=asked.called_ae_title)

    def echo(event):
        asked(event, "C-ECHO")
        return 0

    def store(event):
        data = event.request.DataSet
        asked(event, "C-STORE", bytes=len(data.getvalue()) if data else 0)
        return 0

    def find(event):
        asked(event, "C-FIND")
        found = Dataset()
        found.QueryRetrieveLevel = "STUDY"
        found.StudyInstanceUID = "2.25.1"
        yield 0xFF00, found
        yield 0x0000, None

    def move(event):
        asked(event, "C-MOVE", destination=str(event.request.MoveDestination))
        if event.request.MoveDestination != "ARCHIVE" or not archive:
            yield None, None
            return
        yield "127.0.0.1", archive
        yield 1
        image = Dataset()
        image.SOPClassUID = CTImageStorage
        image.SOPInstanceUID = "2.25.1.1"
        image.PatientName = "X"
        yield 0xFF00, image

    entity = AE("PYNETDICOM")
    syntaxes = [ImplicitVRLittleEndian, ExplicitVRLittleEndian]
    for name in (
        Verification,
        CTImageStorage,
        MRImageStorage,
        StudyRootQueryRetrieveInformationModelFind,
        StudyRootQueryRetrieveInformationModelMove,
    ):
        entity.add_supported_context(name, syntaxes)
    entity.requested_contexts = []
    entity.add_requested_context(CTImageStorage, ImplicitVRLittleEndian)
    entity.maximum_associations = 64
    entity.network_timeout = entity.acse_timeout = entity.dimse_timeout = 3
    handlers = [
        (evt.EVT_REQUESTED, requested),
        (evt.EVT_ACCEPTED, lambda event: say(event, "accepted")),
        (evt.EVT_REJECTED, lambda event: say(event, "rejected")),
        (evt.EVT_RELEASED, lambda event: say(event, "released")),
        (evt.EVT_ABORTED, lambda event: say(event, "aborted")),
        (evt.EVT_CONN_CLOSE, lambda event: say(event, "closed")),
        (evt.EVT_C_ECHO, echo),
        (evt.EVT_C_STORE, store),
        (evt.EVT_C_FIND, find),
        (evt.EVT_C_MOVE, move),
    ]
    entity.start_server(("127.0.0.1", port), evt_handlers=handlers)


# Messages of these types are refused, with a code each.
REFUSED = {"ADT^A99": "AE", "ORU^R99": "AR"}
FIELDS = {
    "sending_application": 3,
    "sending_facility": 4,
    "receiving_application": 5,
    "receiving_facility": 6,
    "message_type": 9,
    "control_id": 10,
    "version": 12,
}


def python_hl7(port, report):
    import hl7
    import hl7.mllp

    async def answer(reader, writer):
        client = writer.get_extra_info("peername")[1]
        try:
            while True:
                message = await reader.readmessage()
                header = message.segment("MSH")
                fields = {name: str(header[at]) if at < len(header) else "" for name, at in FIELDS.items()}
                acknowledgement = message.create_ack(REFUSED.get(fields["message_type"], "AA"))
                report.say(client, "message", fields=fields)
                writer.writemessage(acknowledgement)
                await writer.drain()
        except asyncio.IncompleteReadError as error:
            report.say(client, "end", left=len(error.partial))
        except Exception as error:
            report.say(client, "gave up", why=type(error).__name__)
        report.say(client, "closed")
        writer.close()

    async def serve():
        server = await hl7.mllp.start_hl7_server(answer, "127.0.0.1", port, encoding="utf-8", limit=1 << 22)
        async with server:
            await server.serve_forever()

    asyncio.run(serve())


def hl7apy(port, report):
    from hl7apy.mllp import AbstractHandler, MLLPRequestHandler, MLLPServer
    from hl7apy.parser import parse_segment

    class Handlers(dict):
        def __getitem__(self, kind):
            if kind == "ERR":
                raise KeyError(kind)
            return (Handler,)

    class Handler(AbstractHandler):
        def reply(self):
            try:
                return self.answer()
            except Exception as error:
                report.say(LOCAL.port, "gave up", why=type(error).__name__)
                raise

        def answer(self):
            line = self.incoming_message.split("\r")[0]
            names = ("FIELD", "COMPONENT", "REPETITION", "ESCAPE", "SUBCOMPONENT")
            characters = dict(zip(names, line[3:8]), SEGMENT="\r")
            header = parse_segment(line, version="2.5.1", encoding_chars=characters)
            fields = {}
            for name, at in FIELDS.items():
                parts = getattr(header, f"msh_{at}")
                fields[name] = characters["REPETITION"].join(part.to_er7(characters) for part in parts)
            report.say(LOCAL.port, "message", fields=fields)
            code = REFUSED.get(fields["message_type"], "AA")
            return (
                f"\x0bMSH|^~\\&|HL7APY|TEST|||20260101000000||ACK|1|P|2.5.1\r"
                f"MSA|{code}|{fields['control_id']}\r\x1c\r"
            )

    LOCAL = threading.local()

    class Request(MLLPRequestHandler):
        def handle(self):
            LOCAL.port = self.client_address[1]
            try:
                super().handle()
            except Exception as error:
                report.say(LOCAL.port, "gave up", why=type(error).__name__)

        def finish(self):
            try:
                super().finish()
            except OSError:
                pass
            report.say(self.client_address[1], "closed")

    class Server(MLLPServer):
        daemon_threads = True
        request_queue_size = 128

        def handle_error(self, request, client_address):
            pass

    server = Server("127.0.0.1", port, Handlers(), timeout=3, request_handler_class=Request)
    server.serve_forever(poll_interval=0.05)


kind, port, path, *rest = sys.argv[1:]
if kind == "pynetdicom":
    pynetdicom(int(port), Report(path), int(rest[0]) if rest else None)
elif kind == "python-hl7":
    python_hl7(int(port), Report(path))
elif kind == "hl7apy":
    hl7apy(int(port), Report(path))
else:
    sys.exit(__doc__)
