//! A client reads much of a file share and writes about as much back, as ransomware does (ATT&CK T1486): far more than is
//! usual of it, or many files one after the other, as it never did. Someone who is new reads many files (T1039).
//!
//! SMB is not parsed; the volumes of both directions and the number of messages say it. A file takes several messages to open,
//! read or write, and close (MS-SMB2 section 3.2.4), so many messages with little data each are many files.

use std::{net::IpAddr, num::NonZeroUsize};

use sensor_facts::observation::FlowFacts;

use crate::{
    baseline::Delta,
    detect::{counted::CountedLru, prelude::*},
};

pub(super) const ABOUT: About = About {
    id: "share_rewrite",
    techniques: &["T1486", "T1039"],
    finds: "much that is read of a file share and written back, far more than usual or many files as never before; many files that someone new reads",
    starts: Starts::AfterLearning,
    wrong_if: &[CONVERTED, FOLDER],
    thresholds: THRESHOLDS,
    features: &[Feature::BytesOut, Feature::BytesIn],
    new: |values| Box::new(ShareRewrite::new(values)),
};

thresholds! {
    /// This many bytes read of a file share, and as many written, in 5 minutes are much, if they are also far from the usual.
    share_bytes: bytes = 5_000_000, 100_000..=1_000_000_000_000;
    /// One direction may have at most this many times as much as the other.
    share_balance: count = 2, 1..=100;
    /// Connections with this many messages of the client are looked at for many files.
    share_busy: count = 100, 10..=1_000_000;
    /// In such connections, this many messages to a share in 5 minutes are many files.
    share_messages: count = 250, 10..=1_000_000_000;
    /// And this many bytes must be read and written, or read by someone new.
    share_files_bytes: bytes = 1_000_000, 10_000..=1_000_000_000_000;
    /// On average a message has no more than this many bytes; more are few large files.
    share_message_bytes: bytes = 30_000, 100..=10_000_000;
}

const CONVERTED: &str = "large files are converted or moved on the share";
const FOLDER: &str = "a folder with many files is copied, or a new workstation fetches a profile";

const SHARES: [u16; 2] = [139, 445];
/// Pairs that are watched.
const PAIRS: NonZeroUsize = NonZeroUsize::new(16_384).expect("it is not zero");

#[derive(Clone, Copy, Default)]
struct Moved {
    window: i64,
    written: u64,
    read: u64,
    /// Of connections with many messages.
    files: Files,
}

#[derive(Clone, Copy, Default)]
struct Files {
    messages: u64,
    written: u64,
    read: u64,
}

type Ends = (IpAddr, IpAddr);

pub(super) struct ShareRewrite {
    pairs: CountedLru<Ends, Moved>,
    reported: Reported<Ends>,
    copied: Reported<Ends>,
    own: Thresholds,
    /// Spreads above the median that are far from the usual.
    far: f64,
}

impl ShareRewrite {
    fn new(values: &Values) -> Self {
        Self {
            pairs: CountedLru::new(PAIRS),
            reported: Reported::new(values),
            copied: Reported::new(values),
            own: Thresholds::of(values),
            far: shared::Thresholds::of(values).far(),
        }
    }

    /// Adds a report of a flow; what the pair moved in this window.
    fn add(&mut self, ends: Ends, facts: &FlowFacts, delta: Delta, now: Time) -> Moved {
        let moved = self.pairs.get_or_insert_mut(ends, Default::default);
        let window = now.0.div_euclid(Length::FiveMinutes.nanos());
        if moved.window != window {
            *moved = Moved {
                window,
                ..Moved::default()
            };
        }
        moved.written += delta.to_server;
        moved.read += delta.to_client;
        let messages = u64::from(facts.to_server.push);
        if messages >= self.own.share_busy.into() {
            // The share of this report in the connection's messages.
            let all = facts.to_server.bytes + facts.to_client.bytes;
            moved.files.messages += messages * (delta.to_server + delta.to_client) / all.max(1);
            moved.files.written += delta.to_server;
            moved.files.read += delta.to_client;
        }
        *moved
    }

    fn balances(&self, written: u64, read: u64) -> bool {
        written.max(read) / u64::from(self.own.share_balance) <= written.min(read)
    }

    /// Many files, of which `bytes` are judged.
    fn are_many(&self, files: Files, bytes: u64) -> bool {
        files.messages >= self.own.share_messages.into()
            && bytes >= self.own.share_files_bytes
            && bytes <= files.messages.saturating_mul(self.own.share_message_bytes)
    }

    /// Far more is read and written than usual.
    fn unusual(&mut self, seen: &Observation, moved: Moved, site: &Site<'_>) -> Option<Draft> {
        let Moved { written, read, .. } = moved;
        if written.min(read) < self.own.share_bytes || !self.balances(written, read) {
            return None;
        }
        let (client, length) = (seen.client.ip(), Length::FiveMinutes);
        let far = |feature, value| {
            let usual = site.baselines.usual(client, length, feature)?;
            (usual.excess(value) >= self.far).then_some(usual)
        };
        let usual_out = far(Feature::BytesOut, written)?;
        let usual_in = far(Feature::BytesIn, read)?;
        let server = seen.server.ip();
        if !self.reported.first((client, server), seen.time) {
            return None;
        }
        Some(Draft {
            basis: Basis::Statistics,
            confidence: 0.55,
            evidence: format!(
                "{} MB read of the file share at {server} and {} MB written to it in {}, both far more than usual",
                read / 1_000_000,
                written / 1_000_000,
                length.label()
            ),
            features: vec![
                contribution(length, Feature::BytesOut, written, Some(usual_out)),
                contribution(length, Feature::BytesIn, read, Some(usual_in)),
            ],
            ..Draft::about_server(seen)
        })
    }

    /// Many files are read and as much is written, by who did not work on many files before.
    fn rewritten(&mut self, seen: &Observation, moved: Moved, site: &Site<'_>) -> Option<Draft> {
        let (client, server) = (seen.client.ip(), seen.server.ip());
        let files = moved.files;
        if !self.are_many(files, files.written.min(files.read))
            || !self.balances(files.written, files.read)
            || site.trusts(client, &Fact::ManyFiles(server))
            || !self.reported.first((client, server), seen.time)
        {
            return None;
        }
        Some(Draft {
            basis: Basis::Behaviour,
            confidence: 0.65,
            evidence: format!(
                "many files of the share at {server}: {} messages, {} kB read and {} kB written back within 5 minutes; it was not seen to work on so many before",
                files.messages,
                files.read / 1_000,
                files.written / 1_000
            ),
            wrong_if: FOLDER,
            ..Draft::about_server(seen)
        })
    }

    /// Many files are read by who is new at the share.
    fn read(&mut self, seen: &Observation, moved: Moved, site: &Site<'_>) -> Option<Draft> {
        let (client, server) = (seen.client.ip(), seen.server.ip());
        let (files, service) = (moved.files, seen.service()?);
        if !self.are_many(files, files.read)
            || site.trusts(client, &Fact::Uses(server, service))
            || !self.copied.first((client, server), seen.time)
        {
            return None;
        }
        let usual = site.knows_at_site(&Fact::ManyFiles(server));
        Some(Draft {
            technique: "T1039",
            basis: Basis::Novelty,
            confidence: if usual { 0.3 } else { 0.6 },
            evidence: format!(
                "many files of the share at {server}, which it was not seen to use before: {} messages and {} kB read within 5 minutes{}",
                files.messages,
                files.read / 1_000,
                if usual {
                    ", as others do"
                } else {
                    "; nobody was seen to read so many there before"
                }
            ),
            wrong_if: FOLDER,
            ..Draft::about_server(seen)
        })
    }
}

impl Detector for ShareRewrite {
    fn evicted(&self) -> u64 {
        self.pairs.evicted() + self.reported.evicted() + self.copied.evicted()
    }

    fn observe(&mut self, seen: &Observation, site: &Site<'_>) -> Option<Draft> {
        let delta = site.delta?;
        let What::Flow(facts) = &seen.what else {
            return None;
        };
        let service = seen.service()?;
        if service.transport != Transport::Tcp
            || !SHARES.contains(&service.port)
            || !facts.established(seen.protocol)
            || site.learns()
        {
            return None;
        }
        let client = seen.client.ip();
        let moved = self.add((client, seen.server.ip()), facts, delta, seen.time);
        let known = !site.baselines.learns(client, seen.time);
        let unusual = known.then(|| self.unusual(seen, moved, site)).flatten();
        unusual
            .or_else(|| self.rewritten(seen, moved, site))
            .or_else(|| self.read(seen, moved, site))
    }
}
