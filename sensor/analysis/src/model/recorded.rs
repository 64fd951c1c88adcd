//! A sample of the flows of late, for the gate and for training: bounded, kept over a restart.

use std::{
    collections::{HashSet, VecDeque},
    io,
    net::IpAddr,
    path::Path,
};

use sensor_facts::{files, time::Time};
use serde::{Deserialize, Serialize};

use super::Row;

/// Rows that are kept: 4 MB.
pub const RECORDED_MAX: usize = 16_384;
/// Rows of a second at most, and one of each client: so that a scan does not push all others out.
const A_SECOND: usize = 10;
const SECOND: i64 = 1_000_000_000;
const FILE: &str = "flows.bin";
const VERSION: u32 = 1;

/// The sample.
#[derive(Debug, Default)]
pub struct Recorded {
    rows: VecDeque<Row>,
    second: i64,
    clients: HashSet<IpAddr>,
    changed: bool,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    version: u32,
    rows: VecDeque<Row>,
}

impl Recorded {
    /// Reads what was kept; a file that can't be read is said and counts as empty.
    #[must_use]
    pub fn open(folder: &Path) -> Self {
        let path = folder.join(FILE);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Self::default(),
            Err(error) => {
                tracing::warn!(path = %path.display(), "recorded flows can't be read, it begins anew: {error}");
                return Self::default();
            }
        };
        match postcard::from_bytes::<Stored>(&bytes) {
            Ok(stored) if stored.version == VERSION => Self {
                rows: stored.rows,
                ..Self::default()
            },
            _ => {
                tracing::warn!(path = %path.display(), "recorded flows are damaged or of another version, it begins anew");
                Self::default()
            }
        }
    }

    /// Writes what is new to the disk.
    ///
    /// # Errors
    /// When the file can't be written; it is tried again with the next call.
    pub fn save(&mut self, folder: &Path) -> io::Result<()> {
        if self.changed {
            let rows = std::mem::take(&mut self.rows);
            let stored = Stored {
                version: VERSION,
                rows,
            };
            let bytes = postcard::to_stdvec(&stored);
            self.rows = stored.rows;
            files::write_bytes(&folder.join(FILE), &bytes.map_err(io::Error::other)?)?;
            self.changed = false;
        }
        Ok(())
    }

    /// False if enough flows of this second or of this client were taken.
    #[must_use]
    pub fn wants(&self, time: Time, client: IpAddr) -> bool {
        second(time) > self.second
            || self.clients.len() < A_SECOND && !self.clients.contains(&client)
    }

    /// Takes a row, if it is [wanted](Self::wants).
    pub fn take(&mut self, row: &Row) {
        if !self.wants(row.time, row.client.ip()) {
            return;
        }
        if second(row.time) > self.second {
            self.second = second(row.time);
            self.clients.clear();
        }
        self.clients.insert(row.client.ip());
        if self.rows.len() >= RECORDED_MAX {
            self.rows.pop_front();
        }
        self.rows.push_back(row.clone());
        self.changed = true;
    }

    /// The rows, the oldest first.
    #[must_use]
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &Row> {
        self.rows.iter()
    }
}

fn second(time: Time) -> i64 {
    time.0.div_euclid(SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::FEATURES;

    fn row(second: i64, client: u8) -> Row {
        Row {
            time: Time(second * SECOND),
            client: ([10, 0, 0, client], 40_000).into(),
            server: ([10, 0, 1, 1], 104).into(),
            protocol: 6,
            values: [f32::from(client); FEATURES],
        }
    }

    #[test]
    fn a_flood_takes_its_share_and_no_more() {
        let mut recorded = Recorded::default();
        for second in 0..3 {
            for client in 0..100 {
                recorded.take(&row(second, client));
                recorded.take(&row(second, client));
            }
        }
        assert_eq!(recorded.rows().len(), 3 * A_SECOND);
        for second in 3..20_000 {
            recorded.take(&row(second, 1));
        }
        assert_eq!(recorded.rows().len(), RECORDED_MAX);
        assert_eq!(recorded.rows().last(), Some(&row(19_999, 1)));
    }

    #[test]
    fn what_is_kept_is_read_again_and_damage_is_not() {
        let folder = std::env::temp_dir().join(format!("wardtap-recorded-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let mut recorded = Recorded::default();
        for second in 0..50 {
            recorded.take(&row(second, 7));
        }
        recorded.save(&folder).expect("a disk");
        let again = Recorded::open(&folder);
        assert!(again.rows().eq(recorded.rows()));
        std::fs::write(folder.join(FILE), b"\xff\xff\xff\xff").expect("a disk");
        assert_eq!(Recorded::open(&folder).rows().len(), 0);
        std::fs::remove_dir_all(&folder).expect("it is there");
    }
}
