//! What Suricata says of the same capture.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
};

use anyhow::{Context, Result};
use jiff::Timestamp;
use serde_json::Value;

use super::judge::Deed;

/// Its alerts.
pub struct Peer {
    /// Its name and version.
    pub name: String,
    /// Alerts before the first attack.
    pub quiet: usize,
    alerts: Vec<(Timestamp, [String; 2], String)>,
}

impl Peer {
    /// Reads its `eve.json`; alerts before `since` are counted only.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn read(name: &str, eve: &Path, since: Timestamp) -> Result<Self> {
        let file = File::open(eve).with_context(|| eve.display().to_string())?;
        let mut alerts = Vec::new();
        for line in BufReader::new(file).lines() {
            let line = line?;
            // Reading all as JSON would take minutes.
            // And a wrong checksum is no answer: a virtual cable makes them where nobody fills them in.
            if !line.contains("\"event_type\":\"alert\"") || line.contains("invalid checksum") {
                continue;
            }
            let event: Value = serde_json::from_str(&line)?;
            let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            // Its times are as 2026-01-05T10:15:00.000000+0000.
            let time = word(&event["timestamp"]);
            let time =
                jiff::fmt::strtime::parse("%Y-%m-%dT%H:%M:%S%.f%z", &time)?.to_timestamp()?;
            let ends = [word(&event["src_ip"]), word(&event["dest_ip"])];
            alerts.push((time, ends, word(&event["alert"]["signature"])));
        }
        let before = alerts.len();
        alerts.retain(|(time, ..)| *time >= since);
        Ok(Self {
            name: name.to_owned(),
            quiet: before - alerts.len(),
            alerts,
        })
    }

    /// What it says of an attacker while the attack goes on: the signature that it names most, and how many alerts.
    #[must_use]
    pub fn says(&self, deed: &Deed) -> Option<String> {
        let (from, until) = deed.time;
        let about = self.alerts.iter().filter(|(time, ends, _)| {
            let one = |end: &String| deed.addresses.ip.contains(end);
            (from..=until).contains(time) && ends.iter().any(one)
        });
        let mut times = BTreeMap::<&str, usize>::new();
        for (.., signature) in about {
            *times.entry(signature).or_default() += 1;
        }
        let (most, _) = times.iter().max_by_key(|(_, count)| **count)?;
        Some(format!("{most} ({} alerts)", times.values().sum::<usize>()))
    }
}
