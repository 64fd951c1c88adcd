//! Which rows of a list are wanted.

use std::{collections::HashSet, net::IpAddr};

use ipnet::IpNet;
use sensor_facts::{observation::is_public, setting::Network};
use sensor_sessions::inventory::{HostReport, Role};

use super::{Item, Subject, filter::Sort, searched::contains};
use crate::control::api::{LIMIT_MAX, Page, Query};

/// A device that was named: by addresses, and by how it was written, in small letters.
#[derive(Clone, Debug)]
struct Named {
    nets: Vec<IpNet>,
    text: String,
}

/// What a [`Query`] asks for, with names and roles looked up.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    query: Query,
    device: Option<Named>,
    of_role: Option<HashSet<IpAddr>>,
    /// Networks of the site beside private ones, where hosts of the Internet are left out.
    inside: Option<Vec<Network>>,
}

/// True for an address of the Internet: it is neither private nor in one of the networks of the site.
pub(super) fn is_outside(address: IpAddr, inside: &[Network]) -> bool {
    is_public(address) && !inside.iter().any(|net| net.0.contains(&address))
}

/// An address or a subnet.
fn net(text: &str) -> Option<IpNet> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(address.to_canonical().into());
    }
    text.parse::<IpNet>().ok().map(|net| net.trunc())
}

/// True for a device that is called so: by a name that it gave itself, an AE title or an Ethernet address.
fn is_called(host: &HostReport, text: &str) -> bool {
    let names = host.names.iter().map(|one| one.name.as_str());
    let titles = host.ae_titles.iter().map(|one| one.title.as_str());
    let mac = host.macs.first().filter(|_| !host.mac_shared);
    names
        .chain(titles)
        .chain(mac.map(String::as_str))
        .any(|name| name.eq_ignore_ascii_case(text))
}

impl Choice {
    /// True where names or roles are to be looked up among the hosts.
    #[must_use]
    pub fn asks_for_hosts(query: &Query) -> bool {
        let by_name = |device: &String| net(device).is_none();
        query.role.is_some() || query.device.as_ref().is_some_and(by_name)
    }

    /// Looks up among `hosts` what `query` names; `inside` are networks of the site beside private ones.
    ///
    /// # Errors
    /// When nothing is called so, or a word is unknown; it says what to do.
    pub fn new(query: &Query, hosts: &[HostReport], inside: &[Network]) -> Result<Self, String> {
        let device = query.device.as_ref().map(|text| {
            let called = || hosts.iter().filter(|host| is_called(host, text));
            let nets: Vec<IpNet> = net(text).map_or_else(
                || called().map(|host| host.address.into()).collect(),
                |net| vec![net],
            );
            if nets.is_empty() {
                return Err(format!(
                    "no device is called {text:?}: --device takes an address, a subnet, a device's name or an AE title; `wardtap devices list` shows them"
                ));
            }
            let text = text.to_lowercase();
            Ok(Named { nets, text })
        });
        let of_role = query.role.as_ref().map(|word| {
            let role = Role::named(word).ok_or_else(|| format!("there is no role {word:?}"))?;
            let of = hosts.iter().filter(|host| host.role.role == role);
            Ok::<_, String>(of.map(|host| host.address).collect())
        });
        Ok(Self {
            device: device.transpose()?,
            of_role: of_role.transpose()?,
            inside: query.site_only.then(|| inside.to_vec()),
            query: query.clone(),
        })
    }

    /// The same with the hosts of the Internet.
    #[must_use]
    pub fn everywhere(&self) -> Self {
        Self {
            inside: None,
            ..self.clone()
        }
    }

    /// True if all rows are wanted, in the order in which they are.
    #[must_use]
    pub fn is_all(&self) -> bool {
        let Query {
            device,
            since,
            until,
            role,
            severity,
            detector,
            state,
            site_only,
            text,
            sort,
            limit: _,
            offset: _,
            protocol: _,
            pseudonymise: _,
        } = &self.query;
        let words = [device, role, detector, state, text, sort];
        words.iter().all(|word| word.is_none())
            && since.is_none()
            && until.is_none()
            && severity.is_none()
            && !site_only
    }

    /// True for a row that is wanted.
    pub fn takes<T: Item>(&self, item: &T) -> bool {
        let of = item.subject();
        self.concerns(&of)
            && self.is_within(&of)
            && self
                .query
                .severity
                .is_none_or(|least| of.severity.is_some_and(|it| it >= least))
            && self
                .query
                .detector
                .as_ref()
                .is_none_or(|wanted| of.detectors.contains(wanted))
            && self
                .query
                .state
                .as_ref()
                .is_none_or(|wanted| of.states.contains(&wanted.as_str()))
            && self
                .query
                .text
                .as_ref()
                .is_none_or(|text| contains(item, text))
    }

    fn concerns(&self, of: &Subject) -> bool {
        let device = self.device.as_ref().is_none_or(|device| {
            let within = |address: &IpAddr| device.nets.iter().any(|net| net.contains(address));
            let overlaps = |other: &IpNet| {
                device
                    .nets
                    .iter()
                    .any(|net| net.contains(other) || other.contains(net))
            };
            of.addresses.iter().any(within)
                || of.subnets.iter().any(overlaps)
                || of
                    .names
                    .iter()
                    .any(|name| name.to_lowercase() == device.text)
        });
        let role = self
            .of_role
            .as_ref()
            .is_none_or(|wanted| of.addresses.iter().any(|one| wanted.contains(one)))
            || of
                .role
                .is_some_and(|role| Some(role.word()) == self.query.role);
        let site = self.inside.as_ref().is_none_or(|inside| {
            let mut addresses = of.addresses.iter();
            !addresses.any(|one| is_outside(*one, inside))
        });
        device && role && site
    }

    /// A row that lasts is wanted if a part of it is within the time.
    fn is_within(&self, of: &Subject) -> bool {
        let (since, until) = (self.query.since, self.query.until);
        if since.is_none() && until.is_none() {
            return true;
        }
        of.time.is_some_and(|(first, last)| {
            since.is_none_or(|since| last >= since) && until.is_none_or(|until| first <= until)
        })
    }
}

/// The rows that are wanted, sorted, and of them the part that is asked for.
///
/// # Errors
/// When there is no such column to sort by; it lists those that there are.
pub fn choose<T: Item>(
    items: impl IntoIterator<Item = T>,
    choice: &Choice,
) -> Result<Page<T>, String> {
    let query = &choice.query;
    let wanted = items.into_iter().filter(|item| choice.takes(item));
    let items = sorted(wanted.collect(), query.sort.as_deref())?;
    let total = items.len();
    let limit = query.limit.min(LIMIT_MAX);
    Ok(Page {
        total,
        items: items.into_iter().skip(query.offset).take(limit).collect(),
    })
}

/// The rows in the order of a column, where one is named.
///
/// # Errors
/// When there is no such column; it lists those that there are.
pub fn sorted<T: Item>(mut items: Vec<T>, sort: Option<&str>) -> Result<Vec<T>, String> {
    if let Some(sort) = sort {
        let Sort { column, descending } = sort.parse()?;
        let found = T::COLUMNS.iter().find(|one| one.name == column);
        let value = found.ok_or_else(|| no_column::<T>(&column))?.value;
        items.sort_by_cached_key(value);
        if descending {
            items.reverse();
        }
    }
    Ok(items)
}

/// What is said of a column that a list does not have.
#[must_use]
pub fn no_column<T: Item>(name: &str) -> String {
    let names: Vec<&str> = T::COLUMNS.iter().map(|one| one.name).collect();
    format!(
        "there is no column {name:?}; the columns of {} are {}",
        T::WHAT,
        names.join(", ")
    )
}

#[cfg(test)]
mod tests;
