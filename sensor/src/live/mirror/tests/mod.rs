//! Made-up series, and which conditions the judge says.

mod conditions;
mod networks;
mod night;

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr},
};

use sensor_facts::{
    mirror::{Condition, Range, Standing, Survey},
    time::Time,
};

use super::{
    judge::{Judge, Kept, Sample},
    series::{Counted, SECOND},
};
use crate::config::Mirror;

/// When the series begin on the wall clock.
const BEGIN: i64 = 1_800_000_000_000_000_000;
/// The engine's clock then.
const ENGINE: u64 = 1_000_000 * SECOND;

/// An interface that is made up second by second.
struct Made {
    judge: Judge,
    limits: Mirror,
    second: u64,
    counted: Counted,
    present: bool,
    link: bool,
    survey: Survey,
    changes: Vec<(u64, Standing, Option<Time>)>,
}

impl Made {
    fn new() -> Self {
        Self::remember(None, 0)
    }

    /// One whose daemon starts at this second, with what was kept.
    fn remember(kept: Option<Kept>, second: u64) -> Self {
        Self {
            judge: kept.map_or_else(Judge::default, Judge::remember),
            limits: Mirror::default(),
            second,
            counted: Counted::default(),
            present: true,
            link: true,
            survey: Survey::default(),
            changes: Vec::new(),
        }
    }

    fn second(&mut self, packets: u64) {
        self.counted.packets += packets;
        self.counted.bytes += packets * 500;
        let now = ENGINE + self.second * SECOND;
        self.judge.survey(now, self.survey.clone());
        let sample = Sample {
            now,
            time: at(self.second),
            present: self.present,
            link: self.link,
            counted: self.counted,
        };
        for (standing, until) in self.judge.take(sample, &self.limits) {
            self.changes.push((self.second, standing, until));
        }
        self.second += 1;
    }

    fn seconds(&mut self, seconds: u64, packets: impl Fn(u64) -> u64) {
        for _ in 0..seconds {
            let packets = packets(self.second);
            self.second(packets);
        }
    }

    /// Busy for long enough that its past counts.
    fn busy(&mut self) {
        self.survey.active = 100;
        self.seconds(1_200, |_| 500);
        assert!(self.changes.is_empty(), "{:?}", self.changes);
    }

    /// Seconds that passed until a condition began, of those that began since `from`; and since when it is said to hold.
    fn began(&self, condition: Condition, from: u64) -> Option<(u64, Time)> {
        let found = self.changes.iter().find(|(second, standing, until)| {
            *second >= from && standing.condition == condition && until.is_none()
        });
        found.map(|(second, standing, _)| (second - from, standing.since))
    }

    fn ended(&self, condition: Condition) -> Option<Time> {
        let found = self
            .changes
            .iter()
            .find(|(_, standing, until)| standing.condition == condition && until.is_some());
        found.and_then(|(_, _, until)| *until)
    }

    fn standing(&self) -> Vec<Condition> {
        self.judge.standing().map(|one| one.condition).collect()
    }

    /// The first condition that holds, in words.
    fn said(&self) -> String {
        let first = self.judge.standing().next();
        first.map(ToString::to_string).unwrap()
    }

    /// Several addresses of each range talk now.
    fn talk(&mut self, ranges: &[Range], addresses: u8) {
        let now = ENGINE + self.second * SECOND;
        let talkers = |range: &Range| {
            let third = match range {
                Range::Vlan(id) => u8::try_from(*id).unwrap(),
                Range::Subnet(net) => match net.addr() {
                    IpAddr::V4(net) => net.octets()[2],
                    IpAddr::V6(_) => 0,
                },
            };
            let address = move |last| IpAddr::V4(Ipv4Addr::new(10, 1, third, last));
            (1..=addresses)
                .map(move |last| (address(last), now))
                .collect::<HashMap<_, _>>()
        };
        self.survey.ranges = ranges
            .iter()
            .map(|range| (*range, talkers(range)))
            .collect();
    }
}

fn at(second: u64) -> Time {
    Time(BEGIN + i64::try_from(second * SECOND).unwrap())
}

fn ranges(thirds: &[u16]) -> Vec<Range> {
    let vlan = |third: &u16| Range::Vlan(*third);
    let net = |third: &u16| Range::Subnet(format!("10.1.{third}.0/24").parse().unwrap());
    thirds
        .iter()
        .flat_map(|third| [vlan(third), net(third)])
        .collect()
}
