//! What the demo says.

use std::path::Path;

use tests::sensor::Sensor;

use super::PREFIX;

/// The hospital as a drawing.
pub(super) const TOPOLOGY: &str = r"
A small hospital, in network namespaces of this machine (wardtap-demo-*):

    modality       pacs          engine         ehr        workstation
   10.77.1.20   10.77.1.10    10.77.1.30    10.77.1.40    10.77.1.50
       │             │             │             │             │
  ═════╧═════════════╧══════╤══════╧═════════════╧═════════════╧═════  switch
                            │ mirror port: a copy of every frame
                         sensor
                     wardtap on mirror0
";

/// What is going on.
pub(super) const WORK: &str = "\
At work: the interface engine admits a patient (HL7 over MLLP to the EHR; one message is refused), the modality
stores images (DICOM, in clear text and over TLS), the workstation looks for them and has them sent, once
with a wrong AE title; beside it ping, DNS and a web page. DCMTK and python-hl7 are the programs.";

/// What the daemon is asked, and what the answer means.
pub(super) const QUESTIONS: [(&[&str], &str); 5] = [
    (
        &["devices", "list"],
        "Every host that spoke, known by what it did: AE titles (DICOM), applications (HL7), services it offered. \
         \"In clear text\"\nnames protocols that anyone at the network could read.",
    ),
    (
        &["sessions", "list", "--limit", "16"],
        "DICOM associations: who asked whom (calling → called AE title), how it ended, what was done. HL7 sessions: message \
         types and\nacknowledgements; a negative one was refused by the receiver. TLS connections: nothing inside is seen; \
         \"likely\" is a guess by the port.",
    ),
    (
        &["flows", "list", "--limit", "16"],
        "Conversations, the latest first. \"out\" is from the side that opened it.",
    ),
    (
        &["model", "list"],
        "The anomaly model scores each flow once it is over. \"Strange\" means that at most one in a thousand flows of its training\nhospitals was as unusual.          A strange flow raises no alert, since a busy hospital has thousands a day. It becomes a hint\nwhen a device has more of them in 5 minutes than is          usual for it, and a hint becomes part of an alert when a detector agrees.",
    ),
    (
        &["status"],
        "What became of every frame, and whether anything was lost between kernel and daemon.",
    ),
];

/// What to try when the demo is over.
pub(super) fn next(folder: &Path) -> String {
    format!(
        "
What to try next:

  1. Read the report of the attack: {0}/incident.html in a browser, or as PDF for others (docs/reports.md).
  2. Look at a capture of your own, without root:   target/debug/wardtap replay FILE.pcapng
  3. Run the demo again with --keep, and watch it live:   target/debug/wardtap top
  4. Ask whether this machine can listen on a mirror port:   target/debug/wardtap doctor --interface eth1
  5. Plan a trial in your network: docs/first-week.md, and docs/clinical-safety.md before you block anything.
",
        folder.display()
    )
}

/// What can be tried while it runs.
pub(super) fn look_around(sensor: &Sensor) -> String {
    format!(
        "
The hospital stays until Ctrl-C. Try, in another terminal:

  export WARDTAP_SOCKET={socket}
  target/debug/wardtap sessions list --protocol dicom
  ip netns exec {PREFIX}-workstation echoscu --call PACS 10.77.1.10 11112
  ip netns exec {PREFIX}-sensor python3 -c 'import urllib.request as u; print(u.urlopen(\"http://127.0.0.1:9641/metrics\").read().decode())'
  tail -f {events}
",
        socket = sensor.socket().display(),
        events = sensor.events_path().display(),
    )
}
