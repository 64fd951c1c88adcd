//! The sections of a replay's text, which are printed on request.

use std::fmt::Write;

use clap::ValueEnum;
use sensor_analysis::{incident::Story, replay::Replay};
use sensor_common::{counter::Counter, layer7::Protocol};
use sensor_facts::incident::Incident;
use sensor_sessions::inventory::HostReport;

use super::{ReplayArgs, summary};
use crate::{
    cli::{alerts, filters::meaningless, incidents, rows::rows, sessions::listed, table::count},
    control::api::Query,
    list::{Choice, Filter, FlowRow, Item, SessionRow, ae_titles, choose, hl7_senders},
};

/// Alerts that are explained.
const EXPLAINED: usize = 5;

/// A section.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Section {
    /// What became of each packet, and what the packets carried
    Packets,
    /// All alerts, the most urgent explained
    Alerts,
    /// Incidents: alerts that belong to one attack, the latest explained
    Incidents,
    /// DICOM associations
    Dicom,
    /// HL7 sessions
    Hl7,
    /// TLS connections
    Tls,
    /// Hosts of the site
    Devices,
    /// Hosts of the Internet
    Internet,
    /// Applications that sent HL7 messages
    Hl7Senders,
    /// AE titles
    AeTitles,
    /// Flows, those with the most bytes first
    Flows,
    /// All of these
    All,
}

use Section::{
    AeTitles, Alerts, All, Devices, Dicom, Flows, Hl7, Hl7Senders, Incidents, Internet, Packets,
    Tls,
};

const EACH: [Section; 11] = [
    Packets, Alerts, Incidents, Dicom, Hl7, Tls, Devices, Internet, Hl7Senders, AeTitles, Flows,
];

impl Section {
    fn word(self) -> String {
        let value = self.to_possible_value();
        value.map_or_else(String::new, |value| value.get_name().to_owned())
    }

    const fn protocol(self) -> Option<Protocol> {
        match self {
            Dicom => Some(Protocol::Dicom),
            Hl7 => Some(Protocol::Hl7),
            Tls => Some(Protocol::Tls),
            _ => None,
        }
    }

    /// The filters that mean something in it, or what is said of one that does not.
    fn check(self, filter: Filter, name: &str) -> Result<(), String> {
        fn of<T: Item>(filter: Filter, name: &str) -> Result<(), String> {
            if T::FILTERS.contains(&filter) {
                Ok(())
            } else {
                Err(meaningless::<T>(name))
            }
        }
        match self {
            Packets => Err(format!("the section packets has no {name}: it counts")),
            Alerts => of::<sensor_facts::alert::Alert>(filter, name),
            Incidents => of::<Incident>(filter, name),
            Dicom | Hl7 | Tls => of::<SessionRow>(filter, name),
            Devices | Internet => of::<HostReport>(filter, name),
            Hl7Senders => of::<crate::list::Hl7SenderRow>(filter, name),
            AeTitles => of::<crate::list::AeTitleRow>(filter, name),
            Flows => of::<FlowRow>(filter, name),
            All => EACH.iter().try_for_each(|one| one.check(filter, name)),
        }
    }
}

/// Says which filter means nothing in a section that is asked for, before anything is read.
pub(super) fn check(args: &ReplayArgs) -> anyhow::Result<()> {
    for (filter, name) in args.filter.set() {
        anyhow::ensure!(
            !args.sections.is_empty(),
            "--{name} chooses rows of sections: name some with --section"
        );
        for section in &args.sections {
            section.check(filter, name).map_err(|why| {
                anyhow::anyhow!(
                    "--{name} means nothing in the section {}: {why}",
                    section.word()
                )
            })?;
        }
    }
    Ok(())
}

/// Which sections there are, and how much is in each.
pub(super) fn contents(replay: &Replay) -> String {
    let pipeline = replay.pipeline();
    let (site, internet) = sides(pipeline.hosts());
    let senders = [&site, &internet].map(|hosts| hl7_senders(hosts).len());
    let titles = [&site, &internet].map(|hosts| ae_titles(hosts).len());
    let stats = pipeline.stats();
    let mut text = String::from("\nSections: --section NAME,... or all\n");
    for section in EACH {
        let number = match section {
            Packets => replay.counters().get(Counter::Packets),
            Alerts => replay
                .analysis()
                .map_or(0, |it| it.alerts().all().count() as u64),
            Incidents => replay
                .analysis()
                .map_or(0, |it| it.incidents().all().count() as u64),
            Dicom | Hl7 | Tls => section.protocol().map_or(0, |it| stats.sessions_of(it)),
            Devices => site.len() as u64,
            Internet => internet.len() as u64,
            Hl7Senders => senders.iter().sum::<usize>() as u64,
            AeTitles => titles.iter().sum::<usize>() as u64,
            Flows => replay.counters().get(Counter::FlowCreated),
            All => 0,
        };
        let help = section.to_possible_value();
        let help = help.and_then(|value| value.get_help().map(ToString::to_string));
        // Writing to a string can't fail.
        let _ = writeln!(
            text,
            "  {:<12} {:>9}  {}",
            section.word(),
            count(number),
            help.unwrap_or_default()
        );
    }
    text
}

/// The hosts of the site, and those of the Internet.
fn sides(hosts: Vec<HostReport>) -> (Vec<HostReport>, Vec<HostReport>) {
    let inside = |host: &HostReport| !sensor_facts::observation::is_public(host.address);
    hosts.into_iter().partition(inside)
}

/// The sections that are asked for.
pub(super) fn text(replay: &Replay, args: &ReplayArgs) -> anyhow::Result<String> {
    let pipeline = replay.pipeline();
    let hosts = pipeline.hosts();
    let query = Query {
        limit: args.limit,
        ..args.filter.query()
    };
    let choice = Choice::new(&query, &hosts, &[]).map_err(anyhow::Error::msg)?;
    let (site, internet) = sides(hosts);
    let mut text = String::new();
    let wanted =
        |section: &&Section| args.sections.contains(section) || args.sections.contains(&All);
    for section in EACH.iter().filter(wanted) {
        text.push('\n');
        let mut part = Part {
            text: &mut text,
            choice: &choice,
        };
        match section {
            Packets => summary::packets(&mut text, replay),
            Alerts => {
                let all = replay.analysis().map(summary::urgent).unwrap_or_default();
                let explained: Vec<_> = all.iter().filter(|it| choice.takes(*it)).collect();
                let explained: Vec<String> = explained
                    .into_iter()
                    .take(EXPLAINED)
                    .map(alerts::text)
                    .collect();
                part.list("Alerts", all)?;
                for one in explained {
                    let _ = writeln!(text, "\n{one}");
                }
            }
            Incidents => {
                let Some(analysis) = replay.analysis() else {
                    continue;
                };
                let all: Vec<Incident> = analysis.incidents().all().cloned().collect();
                let stories: Vec<Story> = all
                    .iter()
                    .filter(|it| choice.takes(*it))
                    .take(EXPLAINED)
                    .filter_map(|it| analysis.story(it.id))
                    .collect();
                part.list("Incidents", all)?;
                for one in stories {
                    let _ = writeln!(text, "\n{}", incidents::text(&one));
                }
            }
            Dicom | Hl7 | Tls => {
                let Some(protocol) = section.protocol() else {
                    continue;
                };
                let mut events: Vec<SessionRow> =
                    pipeline.sessions(protocol).map(SessionRow).collect();
                events.sort_by_key(|row| std::cmp::Reverse(row.0.timestamp));
                let title = events.iter().find_map(SessionRow::title);
                part.of(title.unwrap_or("Sessions"), events, |rows| {
                    listed(rows, protocol, &[]).map_or_else(String::new, |(_, rows)| rows)
                })?;
            }
            Devices => part.list("Hosts of the site", site.clone())?,
            Internet => part.list("Hosts of the Internet", internet.clone())?,
            Hl7Senders => {
                part.list(
                    "HL7 senders",
                    hl7_senders(&[&site[..], &internet[..]].concat()),
                )?;
            }
            AeTitles => {
                part.list("AE titles", ae_titles(&[&site[..], &internet[..]].concat()))?;
            }
            Flows => part.list("Flows, those with the most bytes first", greatest(replay))?,
            All => {}
        }
    }
    Ok(text)
}

/// Flows, those with the most bytes first.
fn greatest(replay: &Replay) -> Vec<FlowRow> {
    let pipeline = replay.pipeline();
    let mut greatest: Vec<_> = pipeline
        .live_flows()
        .chain(pipeline.recent_flows())
        .collect();
    greatest.sort_by_key(|seen| {
        let halves = seen.flow.directions;
        std::cmp::Reverse(halves.map(|half| half.bytes).iter().sum::<u64>())
    });
    let events = greatest.into_iter().map(|seen| pipeline.flow_event(seen));
    events.map(FlowRow).collect()
}

struct Part<'a> {
    text: &'a mut String,
    choice: &'a Choice,
}

impl Part<'_> {
    fn list<T: Item>(&mut self, title: &str, items: Vec<T>) -> anyhow::Result<()> {
        self.of(title, items, |items| rows(items, &[]))
    }

    fn of<T: Item>(
        &mut self,
        title: &str,
        items: Vec<T>,
        table: impl Fn(&[T]) -> String,
    ) -> anyhow::Result<()> {
        let page = choose(items, self.choice).map_err(anyhow::Error::msg)?;
        let shown = page.items.len();
        if shown == 0 {
            let _ = writeln!(self.text, "{title}: none");
            return Ok(());
        }
        let _ = write!(self.text, "{title}\n{}", table(&page.items));
        if page.total > shown {
            let _ = writeln!(
                self.text,
                "{shown} of {}; --limit shows more, --json gives all",
                page.total
            );
        }
        Ok(())
    }
}
