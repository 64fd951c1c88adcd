-- Times are microseconds since 1970 (UTC). A table's name is singular; the view with the plural shows the same for
-- people, with times as text. What events have beside the columns is in the column with JSON.

CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE device (
    address TEXT PRIMARY KEY,
    role TEXT NOT NULL,
    vendor TEXT,
    mac TEXT,
    name TEXT,
    first_seen INTEGER NOT NULL,
    last_seen INTEGER NOT NULL,
    bytes_in INTEGER NOT NULL,
    bytes_out INTEGER NOT NULL,
    cleartext_dicom INTEGER NOT NULL,
    cleartext_hl7 INTEGER NOT NULL,
    tls INTEGER NOT NULL,
    report TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE session (
    id INTEGER PRIMARY KEY,
    time INTEGER NOT NULL,
    kind TEXT NOT NULL,          -- dicom, hl7, tls
    type TEXT,                   -- opened, rejected, closed; message, session
    flow_id INTEGER,
    client TEXT,
    server TEXT,
    port INTEGER,
    sender TEXT,                 -- calling AE title, MSH-3, server name
    receiver TEXT,               -- called AE title, MSH-5
    outcome TEXT,                -- of an association or session; HL7 message type; TLS version
    event TEXT NOT NULL
);
CREATE INDEX session_time ON session (time);
CREATE INDEX session_client ON session (client, time);
CREATE INDEX session_server ON session (server, time);

CREATE TABLE finding (
    id INTEGER PRIMARY KEY,
    time INTEGER NOT NULL,
    detector TEXT NOT NULL,
    technique TEXT NOT NULL,
    confidence REAL NOT NULL,
    subject TEXT NOT NULL,
    evidence TEXT NOT NULL,
    finding TEXT NOT NULL
);
CREATE INDEX finding_time ON finding (time);

-- An alert as it was last told. A number is given once, unless the file that counts them was lost.
CREATE TABLE alert (
    id INTEGER NOT NULL,
    device TEXT NOT NULL,
    severity TEXT NOT NULL,
    confidence REAL NOT NULL,
    title TEXT NOT NULL,
    opened INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    closed INTEGER,
    label TEXT,
    kept_back INTEGER NOT NULL,
    alert TEXT NOT NULL,
    PRIMARY KEY (id, device)
) WITHOUT ROWID;
CREATE INDEX alert_opened ON alert (opened);

-- What was done and decided; the evidence is the audit trail.
CREATE TABLE audit (
    id INTEGER PRIMARY KEY,
    time INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    audit TEXT NOT NULL
);
CREATE INDEX audit_time ON audit (time);
CREATE INDEX audit_action ON audit (action, time);

CREATE TABLE rule (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    target TEXT NOT NULL,
    state TEXT NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    ended INTEGER,
    cause TEXT,                  -- expired, released, protected
    effect TEXT,                 -- effective, not_effective, unverified
    actor TEXT NOT NULL,
    reason TEXT NOT NULL,
    rule TEXT NOT NULL           -- as it was made
);
CREATE INDEX rule_created ON rule (created);

CREATE TABLE statistics (
    id INTEGER PRIMARY KEY,
    time INTEGER NOT NULL,
    counters TEXT NOT NULL
);
CREATE INDEX statistics_time ON statistics (time);

-- Port -1 and application '' stand for none.
CREATE TABLE contact (
    hour INTEGER NOT NULL,
    client TEXT NOT NULL,
    server TEXT NOT NULL,
    proto TEXT NOT NULL,
    port INTEGER NOT NULL,
    app TEXT NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    flows INTEGER NOT NULL,
    refused INTEGER NOT NULL,
    bytes_to_server INTEGER NOT NULL,
    bytes_to_client INTEGER NOT NULL,
    PRIMARY KEY (hour, client, server, proto, port, app)
) WITHOUT ROWID;

-- How far the flows that go on are counted in the contacts.
CREATE TABLE mark (
    flow_id INTEGER PRIMARY KEY,
    last INTEGER NOT NULL,
    bytes_to_server INTEGER NOT NULL,
    bytes_to_client INTEGER NOT NULL
);

-- Flows on their way to the history. Rows up to meta.moved are in a file already.
CREATE TABLE flow (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    time INTEGER NOT NULL,
    start_time INTEGER NOT NULL,
    end_time INTEGER NOT NULL,
    flow_id INTEGER NOT NULL,
    ended INTEGER NOT NULL,
    reason TEXT NOT NULL,
    state TEXT NOT NULL,
    src_ip TEXT NOT NULL,
    src_port INTEGER,
    dest_ip TEXT NOT NULL,
    dest_port INTEGER,
    proto TEXT NOT NULL,
    app_proto TEXT,
    icmp_type INTEGER,
    in_iface TEXT,
    vlan TEXT,
    src_mac TEXT,
    dest_mac TEXT,
    community_id TEXT,
    packets_to_server INTEGER NOT NULL,
    packets_to_client INTEGER NOT NULL,
    bytes_to_server INTEGER NOT NULL,
    bytes_to_client INTEGER NOT NULL,
    payload_to_server INTEGER NOT NULL,
    payload_to_client INTEGER NOT NULL,
    tcp_flags_to_server INTEGER NOT NULL,
    tcp_flags_to_client INTEGER NOT NULL,
    retransmissions INTEGER NOT NULL,
    gaps INTEGER NOT NULL,
    duplicates INTEGER NOT NULL,
    midstream INTEGER NOT NULL,
    reset INTEGER NOT NULL
);

-- The files of flows, one or more an hour. One that is not complete was being written.
CREATE TABLE history (
    path TEXT PRIMARY KEY,
    hour INTEGER NOT NULL,
    complete INTEGER NOT NULL,
    rows INTEGER NOT NULL DEFAULT 0,
    bytes INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX history_hour ON history (hour);

INSERT INTO meta (key, value) VALUES ('moved', 0);

CREATE VIEW devices AS SELECT
    address, role, vendor, mac, name,
    strftime('%Y-%m-%dT%H:%M:%SZ', first_seen / 1000000, 'unixepoch') AS first_seen,
    strftime('%Y-%m-%dT%H:%M:%SZ', last_seen / 1000000, 'unixepoch') AS last_seen,
    bytes_in, bytes_out, cleartext_dicom, cleartext_hl7, tls
FROM device;

CREATE VIEW sessions AS SELECT
    id, strftime('%Y-%m-%dT%H:%M:%SZ', time / 1000000, 'unixepoch') AS time,
    kind, type, flow_id, client, server, port, sender, receiver, outcome
FROM session;

CREATE VIEW findings AS SELECT
    id, strftime('%Y-%m-%dT%H:%M:%SZ', time / 1000000, 'unixepoch') AS time,
    detector, technique, confidence, subject, evidence
FROM finding;

CREATE VIEW alerts AS SELECT
    id, device, severity, confidence, title,
    strftime('%Y-%m-%dT%H:%M:%SZ', opened / 1000000, 'unixepoch') AS opened,
    strftime('%Y-%m-%dT%H:%M:%SZ', updated / 1000000, 'unixepoch') AS updated,
    strftime('%Y-%m-%dT%H:%M:%SZ', closed / 1000000, 'unixepoch') AS closed,
    label, kept_back
FROM alert;

CREATE VIEW labels AS SELECT
    strftime('%Y-%m-%dT%H:%M:%SZ', time / 1000000, 'unixepoch') AS time, actor,
    audit ->> 'alert' AS alert, audit ->> 'verdict' AS verdict, audit ->> 'reason' AS reason
FROM audit WHERE action = 'labelled';

CREATE VIEW decisions AS SELECT
    strftime('%Y-%m-%dT%H:%M:%SZ', time / 1000000, 'unixepoch') AS time, actor,
    audit ->> 'subject' AS subject, audit ->> 'finding' AS finding, audit ->> 'mode' AS mode,
    audit ->> 'verdict' AS verdict, audit ->> 'reason' AS reason, audit ->> 'rule' AS rule
FROM audit WHERE action = 'decided';

CREATE VIEW rules AS SELECT
    id, kind, target, state,
    strftime('%Y-%m-%dT%H:%M:%SZ', created / 1000000, 'unixepoch') AS created,
    strftime('%Y-%m-%dT%H:%M:%SZ', expires / 1000000, 'unixepoch') AS expires,
    strftime('%Y-%m-%dT%H:%M:%SZ', ended / 1000000, 'unixepoch') AS ended,
    cause, effect, actor, reason
FROM rule;

CREATE VIEW contacts AS SELECT
    strftime('%Y-%m-%dT%H:%M:%SZ', hour / 1000000, 'unixepoch') AS hour,
    client, server, proto, nullif(port, -1) AS port, nullif(app, '') AS app,
    strftime('%Y-%m-%dT%H:%M:%SZ', first / 1000000, 'unixepoch') AS first,
    strftime('%Y-%m-%dT%H:%M:%SZ', last / 1000000, 'unixepoch') AS last,
    flows, refused, bytes_to_server, bytes_to_client
FROM contact;

CREATE VIEW flows AS SELECT
    strftime('%Y-%m-%dT%H:%M:%SZ', time / 1000000, 'unixepoch') AS time,
    flow_id, ended, reason, state, src_ip, src_port, dest_ip, dest_port, proto, app_proto,
    bytes_to_server, bytes_to_client
FROM flow WHERE id > (SELECT value FROM meta WHERE key = 'moved');
