//! The state of the live view, and what keys and news make of it. It draws nothing and asks nobody.

use std::{cmp::Reverse, collections::HashMap, net::IpAddr};

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use sensor_facts::{alert::Alert, rule::State};
use sensor_sessions::inventory::HostReport;

use super::{
    dialog::{Dialog, Step},
    link::{Ask, DaemonState, News, Verb},
    list::{Device, List},
    rates::{Meter, rate},
};
use crate::{
    cli::{alerts, table::whole},
    control::api::{RuleView, Status},
};

/// Rows that a page key moves by.
const PAGE: usize = 10;

/// What is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tab {
    Overview,
    Devices,
    Alerts,
    Rules,
    Model,
    Warnings,
}

impl Tab {
    pub(super) const ALL: [Self; 6] = [
        Self::Overview,
        Self::Devices,
        Self::Alerts,
        Self::Rules,
        Self::Model,
        Self::Warnings,
    ];

    fn step(self, by: usize) -> Self {
        Self::ALL[(self as usize + by) % Self::ALL.len()]
    }
}

/// Whether the daemon answers.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Link {
    /// It was asked for the first time.
    Asked,
    Up,
    /// It does not, and why.
    Gone(String),
}

/// An alert with all that is known of it.
#[derive(Debug)]
pub(super) struct Detail {
    id: u64,
    pub(super) text: String,
    /// Lines above the window.
    pub(super) scroll: usize,
}

/// What lies over the tab.
#[derive(Debug)]
pub(super) enum Overlay {
    Help,
    Alert(Detail),
    Dialog(Dialog),
}

/// See the module's description.
#[derive(Debug)]
pub(super) struct App {
    pub(super) tab: Tab,
    pub(super) link: Link,
    /// The last one that came.
    pub(super) status: Option<Status>,
    pub(super) meter: Meter,
    pub(super) devices: List<Device>,
    pub(super) alerts: List<Alert>,
    pub(super) rules: List<RuleView>,
    /// Lines above the window, in tabs of text.
    pub(super) scroll: usize,
    pub(super) overlay: Option<Overlay>,
    /// What came of the last thing that was done; an error if it failed.
    pub(super) message: Option<Result<String, String>>,
    /// The person has seen enough.
    pub(super) ended: bool,
    /// When devices were seen last, and their bytes.
    carried: Option<(i64, HashMap<IpAddr, u64>)>,
}

impl App {
    pub(super) fn new() -> Self {
        Self {
            tab: Tab::Overview,
            link: Link::Asked,
            status: None,
            meter: Meter::default(),
            devices: List::default(),
            alerts: List::default(),
            rules: List::default(),
            scroll: 0,
            overlay: None,
            message: None,
            ended: false,
            carried: None,
        }
    }

    /// Takes what the daemon says.
    pub(super) fn news(&mut self, news: News) {
        match news {
            News::State(seen) => {
                self.link = Link::Up;
                self.seen(*seen);
            }
            News::Gone(why) => self.link = Link::Gone(why),
            News::Done(done) => self.message = Some(done),
        }
    }

    fn seen(&mut self, seen: DaemonState) {
        let DaemonState {
            status,
            devices,
            alerts,
            rules,
        } = seen;
        self.meter.take(&status);
        if let Some(page) = alerts {
            self.alerts.take(page.items, page.total);
            self.renew_detail();
        }
        if let Some(page) = rules {
            self.rules.take(page.items, page.total);
        }
        if let Some(page) = devices {
            let devices = self.weigh(page.items, &status);
            self.devices.take(devices, page.total);
        }
        self.status = Some(status);
    }

    /// The suspected first, then the most active.
    fn weigh(&mut self, hosts: Vec<HostReport>, status: &Status) -> Vec<Device> {
        let carried = |host: &HostReport| host.bytes_in + host.bytes_out;
        let now = hosts.iter().map(|host| (host.address, carried(host)));
        let now = (status.time.0, now.collect());
        let before = self.carried.replace(now);
        let before = before.filter(|(time, _)| *time < status.time.0 && status.start.0 <= *time);
        let frozen = &status.detection.frozen_first;
        let alerts = self.alerts.rows.as_deref().unwrap_or_default();
        let suspected = |address: IpAddr| {
            frozen.iter().any(|one| one.address == address)
                || alerts.iter().any(|one| {
                    one.device == address && one.closed.is_none() && !one.role.is_victim()
                })
        };
        let devices = hosts.into_iter().map(|host| {
            let rate = before.as_ref().and_then(|(time, bytes)| {
                let seconds = super::rates::seconds(status.time.0 - time);
                let more = carried(&host).saturating_sub(*bytes.get(&host.address)?);
                Some(rate(more, seconds))
            });
            Device {
                rate,
                suspected: suspected(host.address),
                host,
            }
        });
        let mut devices: Vec<Device> = devices.collect();
        devices.sort_by_cached_key(|one| {
            let active = (whole(one.rate.unwrap_or(0.0)), carried(&one.host));
            (Reverse((one.suspected, active)), one.host.address)
        });
        devices
    }

    fn renew_detail(&mut self) {
        let rows = self.alerts.rows.as_deref().unwrap_or_default();
        if let Some(Overlay::Alert(detail)) = &mut self.overlay
            && let Some(alert) = rows.iter().find(|one| one.id == detail.id)
        {
            detail.text = alerts::text(alert);
        }
    }

    /// Takes a key; what is then to be asked of the daemon.
    pub(super) fn key(&mut self, key: KeyEvent) -> Option<Ask> {
        if key.kind == KeyEventKind::Release {
            return None;
        }
        self.message = None;
        if key.modifiers.contains(KeyModifiers::CONTROL) && key.code == KeyCode::Char('c') {
            self.ended = true;
            return None;
        }
        match self.overlay.take() {
            None => self.browse(key.code),
            // Any key closes the help.
            Some(Overlay::Help) => None,
            Some(Overlay::Alert(detail)) => {
                self.read(detail, key.code);
                None
            }
            Some(Overlay::Dialog(dialog)) => match dialog.key(key) {
                Step::On(dialog) => {
                    self.overlay = Some(Overlay::Dialog(dialog));
                    None
                }
                Step::Cancelled => {
                    self.message = Some(Ok("Nothing was changed".to_owned()));
                    None
                }
                Step::Confirmed(change) => {
                    let (verb, id) = (change.verb.label(), change.id);
                    self.message = Some(Ok(format!("Asking to {verb} rule {id} ...")));
                    Some(Ask::Change(change))
                }
            },
        }
    }

    fn browse(&mut self, key: KeyCode) -> Option<Ask> {
        match key {
            KeyCode::Char('q') => self.ended = true,
            KeyCode::Char('?' | 'h') => self.overlay = Some(Overlay::Help),
            KeyCode::Tab | KeyCode::Right => return Some(self.turn(self.tab.step(1))),
            KeyCode::BackTab | KeyCode::Left => {
                return Some(self.turn(self.tab.step(Tab::ALL.len() - 1)));
            }
            KeyCode::Char(digit @ '1'..='6') => {
                return Some(self.turn(Tab::ALL[digit as usize - '1' as usize]));
            }
            KeyCode::Enter if self.tab == Tab::Alerts => {
                let detail = self.alerts.chosen().map(|alert| Detail {
                    id: alert.id,
                    text: alerts::text(alert),
                    scroll: 0,
                });
                self.overlay = detail.map(Overlay::Alert);
            }
            KeyCode::Char('a') if self.tab == Tab::Rules => self.propose(Verb::Approve),
            KeyCode::Char('r') if self.tab == Tab::Rules => self.propose(Verb::Remove),
            other => self.walk(other),
        }
        None
    }

    fn turn(&mut self, tab: Tab) -> Ask {
        (self.tab, self.scroll) = (tab, 0);
        Ask::Watch(tab)
    }

    /// Begins a change of the chosen rule.
    fn propose(&mut self, verb: Verb) {
        let Some(RuleView { rule, .. }) = self.rules.chosen() else {
            return;
        };
        if verb == Verb::Approve && rule.state != State::Proposed {
            let state = rule.state.label();
            let why = format!(
                "Rule {} is {state}: only a proposed rule is approved",
                rule.id
            );
            self.message = Some(Err(why));
            return;
        }
        self.overlay = Some(Overlay::Dialog(Dialog::new(verb, rule)));
    }

    fn walk(&mut self, key: KeyCode) {
        match self.tab {
            Tab::Devices => self.devices.choose(moved(self.devices.at, key)),
            Tab::Alerts => self.alerts.choose(moved(self.alerts.at, key)),
            Tab::Rules => self.rules.choose(moved(self.rules.at, key)),
            Tab::Overview | Tab::Model | Tab::Warnings => self.scroll = moved(self.scroll, key),
        }
    }

    fn read(&mut self, mut detail: Detail, key: KeyCode) {
        if matches!(key, KeyCode::Esc | KeyCode::Enter | KeyCode::Char('q')) {
            return;
        }
        let last = detail.text.lines().count().saturating_sub(1);
        detail.scroll = moved(detail.scroll, key).min(last);
        self.overlay = Some(Overlay::Alert(detail));
    }
}

/// A place after a key that moves.
fn moved(at: usize, key: KeyCode) -> usize {
    match key {
        KeyCode::Up | KeyCode::Char('k') => at.saturating_sub(1),
        KeyCode::Down | KeyCode::Char('j') => at.saturating_add(1),
        KeyCode::PageUp => at.saturating_sub(PAGE),
        KeyCode::PageDown | KeyCode::Char(' ') => at.saturating_add(PAGE),
        KeyCode::Home | KeyCode::Char('g') => 0,
        KeyCode::End | KeyCode::Char('G') => usize::MAX,
        _ => at,
    }
}
