-- An incident as it was last told. A number is given once, unless the file that counts them was lost. The alerts of an
-- incident are in the column with JSON: `SELECT value ->> 'alert' FROM incident, json_each(incident ->> 'alerts')`.
CREATE TABLE incident (
    id INTEGER PRIMARY KEY,
    first_affected TEXT,
    severity TEXT NOT NULL,
    confidence REAL NOT NULL,
    title TEXT NOT NULL,
    opened INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    closed INTEGER,
    label TEXT,
    alerts INTEGER NOT NULL,
    suspects INTEGER NOT NULL,
    merged_into INTEGER,
    incident TEXT NOT NULL
);
CREATE INDEX incident_opened ON incident (opened);

CREATE VIEW incidents AS SELECT
    id, first_affected, severity, confidence, title,
    strftime('%Y-%m-%dT%H:%M:%SZ', opened / 1000000, 'unixepoch') AS opened,
    strftime('%Y-%m-%dT%H:%M:%SZ', updated / 1000000, 'unixepoch') AS updated,
    strftime('%Y-%m-%dT%H:%M:%SZ', closed / 1000000, 'unixepoch') AS closed,
    label, alerts, suspects, merged_into
FROM incident;
