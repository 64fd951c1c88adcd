//! Who uses which host, and which of that is new: what decides whether a peer is everyone's, and how far an attack got.

use std::{net::IpAddr, num::NonZeroUsize};

use sensor_facts::{
    observation::{Observation, What, is_host},
    target::Service,
    time::Time,
};
use smallvec::SmallVec;

use crate::{
    baseline::{Baselines, Fact, Familiar},
    detect::counted::CountedLru,
};

/// Hosts whose users are kept, and AE titles and devices with titles.
const HOSTS: NonZeroUsize = NonZeroUsize::new(16_384).expect("it is not zero");
/// Users of a host that are kept: more than any threshold lets few be.
pub(super) const USERS_MAX: usize = 64;
/// New clients of a host that are kept, the last ones.
const NEWS_MAX: usize = 16;
/// AE titles of a device that are kept, the last ones.
const TITLES_MAX: usize = 4;

/// AE titles that toolkits use by default: they say nothing about who uses them.
const DEFAULT_TITLES: [&str; 9] = [
    "ANY-SCP",
    "ANY-SCU",
    "DCMTK",
    "ECHOSCU",
    "FINDSCU",
    "GETSCU",
    "MOVESCU",
    "PYNETDICOM",
    "STORESCU",
];

/// Devices, each once, up to a limit.
type Users = SmallVec<[IpAddr; 4]>;

/// A client that used a service of the host for the first time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct New {
    pub(super) client: IpAddr,
    pub(super) service: Service,
    pub(super) first: Time,
    pub(super) last: Time,
}

#[derive(Default)]
struct Host {
    users: Users,
    news: SmallVec<[New; 2]>,
}

/// See the module's description.
pub(super) struct Contacts {
    hosts: CountedLru<IpAddr, Host>,
    titles: CountedLru<String, Users>,
    callers: CountedLru<IpAddr, SmallVec<[String; 1]>>,
}

impl Default for Contacts {
    fn default() -> Self {
        Self {
            hosts: CountedLru::new(HOSTS),
            titles: CountedLru::new(HOSTS),
            callers: CountedLru::new(HOSTS),
        }
    }
}

fn note(users: &mut Users, user: IpAddr) {
    if users.len() < USERS_MAX && !users.contains(&user) {
        users.push(user);
    }
}

impl Contacts {
    /// Takes an observation, with the baselines as they were before it.
    pub(super) fn learn(&mut self, seen: &Observation, baselines: &Baselines) {
        match &seen.what {
            // Each end said something: a look whether a port is open is no contact.
            What::Flow(facts) if facts.to_server.payload > 0 && facts.to_client.payload > 0 => {
                let (client, server) = (seen.client.ip(), seen.server.ip());
                let Some(service) = seen.service().filter(|_| is_host(server)) else {
                    return;
                };
                let host = self.hosts.get_or_insert_mut(server, Host::default);
                note(&mut host.users, client);
                if !facts.midstream {
                    let start = Time(seen.time.0.saturating_sub_unsigned(facts.duration));
                    host.is_used(client, service, (start, seen.time), || {
                        let fact = Fact::Uses(server, service);
                        let known = baselines.familiar(client, &fact, seen.time);
                        // What a newcomer does is not usual because it has done nothing else so far.
                        let usual =
                            known == Familiar::Known && !baselines.is_newcomer(client, seen.time);
                        !usual && !baselines.site_learns(seen.time)
                    });
                }
            }
            What::Association {
                calling: Some(title),
                ..
            } if !DEFAULT_TITLES.contains(&title.as_str()) => {
                let client = seen.client.ip();
                note(
                    self.titles.get_or_insert_mut(title.clone(), Users::default),
                    client,
                );
                let own = self.callers.get_or_insert_mut(client, SmallVec::new);
                if !own.contains(title) {
                    if own.len() == TITLES_MAX {
                        own.remove(0);
                    }
                    own.push(title.clone());
                }
            }
            _ => {}
        }
    }

    /// True if more devices than `most` use a host, `but` not counted.
    pub(super) fn is_shared(&self, host: IpAddr, most: u32, but: &[IpAddr]) -> bool {
        let host = self.hosts.peek(&host);
        host.is_some_and(|host| are_many(&host.users, most, but))
    }

    /// Who used the host lately and did not do so before.
    pub(super) fn news(&self, host: IpAddr) -> &[New] {
        self.hosts.peek(&host).map_or(&[], |host| &host.news)
    }

    /// Titles by which a device calls itself, each with those who do so too.
    pub(super) fn titles(&self, device: IpAddr) -> impl Iterator<Item = (&str, &[IpAddr])> {
        let own = self.callers.peek(&device).into_iter().flatten();
        own.filter_map(|title| Some((title.as_str(), self.titles.peek(title)?.as_slice())))
    }

    /// What made room for others.
    pub(super) const fn evicted(&self) -> u64 {
        self.hosts.evicted() + self.titles.evicted() + self.callers.evicted()
    }
}

/// True if more than `most` are there beside `but`.
pub(super) fn are_many(users: &[IpAddr], most: u32, but: &[IpAddr]) -> bool {
    let others = users.iter().filter(|one| !but.contains(one)).count();
    users.len() == USERS_MAX || u32::try_from(others).is_ok_and(|others| others > most)
}

impl Host {
    /// A client uses a service. `is_new`: it did not do so before; while the site is learnt everything would be new, so
    /// nothing is.
    fn is_used(
        &mut self,
        client: IpAddr,
        service: Service,
        (first, last): (Time, Time),
        is_new: impl FnOnce() -> bool,
    ) {
        let same = |one: &&mut New| one.client == client && one.service == service;
        if let Some(known) = self.news.iter_mut().find(same) {
            known.last = known.last.max(last);
        } else if is_new() {
            if self.news.len() == NEWS_MAX {
                self.news.remove(0);
            }
            self.news.push(New {
                client,
                service,
                first,
                last,
            });
        }
    }
}
