//! The store's reading side.

use std::{collections::BTreeMap, net::IpAddr, ops::Range, path::Path};

use rusqlite::{Connection, OptionalExtension, Params, Row, params};
use sensor_facts::{alert::Alert, contact::Contact, event::Event, incident::Incident, time::Time};
use sensor_sessions::inventory::HostReport;
use serde::de::DeserializeOwned;

use super::{
    StoreError, database,
    time::{hour, micros, micros_up, of_micros},
};

/// Reads the store; several may do so at once, beside the daemon that writes it. Its calls wait for the disk.
#[derive(Debug)]
pub struct Reader {
    connection: Connection,
}

/// A session's counters at a moment.
type Statistics = (Time, BTreeMap<String, u64>);

impl Reader {
    /// Opens the store of a state directory.
    ///
    /// # Errors
    /// When there is none, or it is of a newer version or can't be read.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let connection = database::open_to_read(folder)?;
        Ok(Self { connection })
    }

    /// The alert of that number as it was last told.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn alert(&self, id: u64) -> Result<Option<Alert>, StoreError> {
        let text: Option<String> = self
            .connection
            .prepare_cached("SELECT alert FROM alert WHERE id = ? ORDER BY opened DESC LIMIT 1")
            .and_then(|mut statement| {
                statement
                    .query_row([i64::try_from(id).unwrap_or(i64::MAX)], |row| row.get(0))
                    .optional()
            })
            .map_err(|source| self.failed(source))?;
        text.map(|text| parse("alert", &text)).transpose()
    }

    /// The incident of that number as it was last told.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn incident(&self, id: u64) -> Result<Option<Incident>, StoreError> {
        let id = i64::try_from(id).unwrap_or(i64::MAX);
        let all: Vec<Incident> = self.documents(
            "incident",
            "SELECT incident FROM incident WHERE id = ?",
            [id],
        )?;
        Ok(all.into_iter().next())
    }

    /// The incident that has an alert, as it was last told: of several the latest.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn incident_of(&self, alert: u64) -> Result<Option<Incident>, StoreError> {
        let all: Vec<Incident> = self.documents(
            "incident",
            "SELECT incident.incident FROM incident, json_each(incident.incident ->> 'alerts') AS one
             WHERE one.value ->> 'alert' = ? ORDER BY incident.id DESC LIMIT 1",
            [i64::try_from(alert).unwrap_or(i64::MAX)],
        )?;
        Ok(all.into_iter().next())
    }

    /// Alerts that were opened within a time, the oldest first.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn alerts(&self, within: Range<Time>) -> Result<Vec<Alert>, StoreError> {
        self.documents(
            "alert",
            "SELECT alert FROM alert WHERE opened >= ? AND opened < ? ORDER BY opened, id",
            params![micros_up(within.start), micros_up(within.end)],
        )
    }

    /// Who talked to whom within the hours that a time touches, by client, server, protocol, port and application.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn contacts(&self, within: Range<Time>) -> Result<Vec<Contact>, StoreError> {
        let hour = hour(micros(within.start));
        self.rows(
            "SELECT client, server, proto, port, app, min(first), max(last), sum(flows), sum(refused),
                 sum(bytes_to_server), sum(bytes_to_client)
             FROM contact WHERE hour >= ? AND hour < ?
             GROUP BY client, server, proto, port, app",
            params![hour, micros_up(within.end)],
            contact,
        )
    }

    /// Events of DICOM, HL7 and TLS within a time, the oldest first: all, or those of one device.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn sessions(
        &self,
        within: Range<Time>,
        device: Option<IpAddr>,
    ) -> Result<Vec<Event>, StoreError> {
        let (from, to) = (micros_up(within.start), micros_up(within.end));
        match device {
            None => self.documents(
                "session",
                "SELECT event FROM session WHERE time >= ? AND time < ? ORDER BY time, id",
                params![from, to],
            ),
            Some(device) => self.documents(
                "session",
                "SELECT event FROM session WHERE id IN (
                     SELECT id FROM session WHERE client = ?3 AND time >= ?1 AND time < ?2
                     UNION SELECT id FROM session WHERE server = ?3 AND time >= ?1 AND time < ?2)
                 ORDER BY time, id",
                params![from, to, device.to_string()],
            ),
        }
    }

    /// The daemon's counters within a time, the oldest first.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn statistics(&self, within: Range<Time>) -> Result<Vec<Statistics>, StoreError> {
        let rows = self.rows(
            "SELECT time, counters FROM statistics WHERE time >= ? AND time < ? ORDER BY time, id",
            params![micros_up(within.start), micros_up(within.end)],
            |row| Ok((of_micros(row.get(0)?), row.get::<_, String>(1)?)),
        )?;
        rows.into_iter()
            .map(|(time, text)| Ok((time, parse("statistics", &text)?)))
            .collect()
    }

    /// The hosts as they were last seen, in the order of their addresses.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn devices(&self) -> Result<Vec<HostReport>, StoreError> {
        let mut hosts: Vec<HostReport> =
            self.documents("device", "SELECT report FROM device", params![])?;
        hosts.sort_by_key(|host| host.address);
        Ok(hosts)
    }

    fn rows<T>(
        &self,
        query: &str,
        parameters: impl Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, StoreError> {
        self.connection
            .prepare_cached(query)
            .and_then(|mut statement| statement.query_map(parameters, read)?.collect())
            .map_err(|source| self.failed(source))
    }

    /// Rows of one column of JSON.
    fn documents<T: DeserializeOwned>(
        &self,
        table: &'static str,
        query: &str,
        parameters: impl Params,
    ) -> Result<Vec<T>, StoreError> {
        let rows: Vec<String> = self.rows(query, parameters, |row| row.get(0))?;
        rows.iter().map(|text| parse(table, text)).collect()
    }

    fn failed(&self, source: rusqlite::Error) -> StoreError {
        let path = self.connection.path().unwrap_or_default();
        StoreError::sqlite(path)(source)
    }
}

fn parse<T: DeserializeOwned>(table: &'static str, text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|source| StoreError::Row { table, source })
}

fn contact(row: &Row<'_>) -> rusqlite::Result<Contact> {
    let address = |index| -> rusqlite::Result<IpAddr> {
        let text: String = row.get(index)?;
        text.parse().map_err(|error| {
            let kind = rusqlite::types::Type::Text;
            rusqlite::Error::FromSqlConversionFailure(index, kind, Box::new(error))
        })
    };
    let count = |index| row.get::<_, i64>(index).map(i64::unsigned_abs);
    let app: String = row.get(4)?;
    Ok(Contact {
        client: address(0)?,
        server: address(1)?,
        proto: row.get::<_, String>(2)?.into(),
        port: u16::try_from(row.get::<_, i64>(3)?).ok(),
        app: (!app.is_empty()).then(|| app.into()),
        first: of_micros(row.get(5)?),
        last: of_micros(row.get(6)?),
        flows: count(7)?,
        refused: count(8)?,
        bytes_to_server: count(9)?,
        bytes_to_client: count(10)?,
    })
}
