//! From observations to the values of windows.

use std::{net::IpAddr, ops::Deref};

use sensor_common::packet::protocol;
use sensor_facts::{
    event::Hl7Message,
    observation::{FlowFacts, Observation, What, is_host, is_negative},
};

use super::{
    Behaviour,
    measure::Measure as M,
    news::Key,
    window::{Thing, Values},
};
use crate::{baseline::Delta, message_time};

/// A connection is short below this, nanoseconds.
const SHORT: u64 = 2_000_000_000;
/// Ports of remote access and of file sharing.
const ADMIN: [u16; 10] = [22, 23, 135, 139, 445, 3_389, 5_900, 5_985, 5_986, 2_049];
/// From this number on, a port is given to clients anew each time (the default of Linux).
const EPHEMERAL: u16 = 32_768;

/// An observation, and whether its client and its server are outside of the site.
struct Placed<'a> {
    seen: &'a Observation,
    outside: [bool; 2],
}

impl Deref for Placed<'_> {
    type Target = Observation;

    fn deref(&self) -> &Observation {
        self.seen
    }
}

impl Behaviour {
    /// Takes an observation; `delta` is what a flow adds to its last report. Hosts outside of the site have no windows.
    pub fn observe(
        &mut self,
        seen: &Observation,
        delta: Option<Delta>,
        is_outside: impl Fn(IpAddr) -> bool,
    ) {
        let (client, server) = (seen.client.ip(), seen.server.ip());
        let seen = &Placed {
            seen,
            outside: [is_outside(client), is_outside(server)],
        };
        match &seen.what {
            What::Flow(facts) => {
                if let Some(delta) = delta {
                    self.flow(seen, facts, delta);
                }
            }
            What::ConnectionRefused => {
                self.contact(seen, false);
                self.client(seen, |values| values.add(M::Refused, 1));
                self.server(seen, false, |values| values.add(M::ServedRefused, 1));
            }
            What::Association {
                calling,
                called,
                implementation,
            } => {
                self.titles(seen, [calling, called]);
                let new = implementation.as_ref().is_some_and(|name| {
                    let key = Key::of("implementation").host(client).text(name);
                    self.news.is_new(key, true)
                });
                self.client(seen, |values| {
                    values.add(M::Associations, 1);
                    values.add(M::NewImplementation, new.into());
                });
                self.server(seen, true, |values| values.add(M::ServedAssociations, 1));
            }
            What::AssociationRejected {
                calling, called, ..
            } => {
                self.titles(seen, [calling, called]);
                self.client(seen, |values| values.add(M::Rejected, 1));
            }
            What::Request {
                command,
                destination,
                ..
            } => self.request(seen, *command, destination.as_deref()),
            What::AssociationEnded(association) => self.client(seen, |values| {
                values.add(M::ImagesOut, association.requestor_data_bytes);
                values.add(M::ImagesIn, association.acceptor_data_bytes);
            }),
            What::ClinicalTls => self.client(seen, |values| values.add(M::ClinicalTls, 1)),
            What::Hl7(message) => {
                let (from, to) = if message.to_server {
                    (client, server)
                } else {
                    (server, client)
                };
                self.message(seen, message, from, to);
            }
            What::Arp(arp) => {
                let asked = Key::of("").host(server).hash();
                let (request, count) = (arp.request, arp.count);
                self.client(seen, |values| {
                    values.add(M::Arp, count.into());
                    if request {
                        values.once(Thing::Asked(asked), M::ArpAsked);
                    }
                });
            }
            What::Dhcp(_)
            | What::Neighbour(_)
            | What::RouterAdvertisement(_)
            | What::Moved { .. } => {}
        }
    }

    fn client(&mut self, seen: &Placed<'_>, add: impl FnOnce(&mut Values)) {
        self.at(seen.client.ip(), seen, add);
    }

    fn server(&mut self, seen: &Placed<'_>, taken: bool, add: impl FnOnce(&mut Values)) {
        let server = seen.server.ip();
        // Who is only asked need not be there.
        if taken || self.actors.peek(&server).is_some() {
            self.at(server, seen, add);
        }
    }

    fn at(&mut self, address: IpAddr, seen: &Placed<'_>, add: impl FnOnce(&mut Values)) {
        let outside = (address == seen.client.ip() && seen.outside[0])
            || (address == seen.server.ip() && seen.outside[1]);
        if is_host(address)
            && !outside
            && let Some(values) = self.values(address, seen)
        {
            add(values);
        }
    }

    /// A client turns to a server, which takes the connection or not; true if it never did before.
    fn contact(&mut self, seen: &Placed<'_>, taken: bool) -> bool {
        let (client, server, port) = (seen.client.ip(), seen.server.ip(), service(seen));
        let peer = Key::of("peer").host(client).host(server);
        let pair = Key::of("pair").host(client).host(server).number(port);
        let service = Key::of("service").host(server).number(port);
        let new_peer = self.news.is_new(peer, taken);
        let new_pair = self.news.is_new(pair, taken);
        let new_service = taken && !seen.outside[1] && self.news.is_new(service, true);
        let host = Key::of("").host(server).hash();
        let admin = ADMIN.contains(&port);
        self.client(seen, |values| {
            values.once(Thing::Server(host), M::Servers);
            values.once(Thing::Port(port), M::Ports);
            if new_peer {
                values.once(Thing::New(peer.hash()), M::NewPeers);
            }
            if new_pair {
                values.once(Thing::New(pair.hash()), M::NewPairs);
            }
            if new_service {
                values.once(Thing::New(service.hash()), M::NewService);
            }
            if admin {
                values.add(M::Admin, 1);
                if new_pair {
                    values.once(Thing::New(pair.hash() ^ 1), M::AdminNew);
                }
            }
        });
        let host = Key::of("").host(client).hash();
        self.server(seen, taken, |values| {
            values.once(Thing::Client(host), M::Clients);
            values.add(M::ServedNew, new_service.into());
            if new_peer && taken {
                values.once(Thing::New(peer.hash()), M::NewClients);
            }
        });
        new_peer
    }

    fn flow(&mut self, seen: &Placed<'_>, facts: &FlowFacts, delta: Delta) {
        let (client, server) = (seen.client.ip(), seen.server.ip());
        let outside = seen.outside[1];
        let taken = facts.established(seen.protocol);
        let (stranger, even) = if delta.first {
            (self.contact(seen, taken), self.even(seen, outside))
        } else {
            let peer = Key::of("peer").host(client).host(server);
            (self.news.is_new(peer, false), 0)
        };
        let met = Key::of("outside").host(server);
        let new_outside = outside && self.news.is_new(met, taken);
        let changed = self.mac_changed(client, seen.macs[0]);
        let is_udp = seen.protocol == protocol::UDP;
        let is_icmp = matches!(seen.protocol, protocol::ICMP | protocol::ICMP6);
        let first = u64::from(delta.first);
        let port = seen.server.port();
        self.client(seen, |values| {
            values.add(M::Flows, first);
            values.add(M::BytesOut, delta.to_server);
            values.add(M::BytesIn, delta.to_client);
            values.at_least(M::Regular, even);
            values.add(M::MacChanged, changed.into());
            if facts.over {
                values.add(M::Resets, facts.reset.into());
                values.add(M::Unanswered, u64::from(!facts.answered()));
                values.add(M::Short, u64::from(facts.duration < SHORT));
                values.add(M::Lasting, facts.duration / 1_000_000_000);
            }
            if stranger && !outside {
                values.add(M::NewBytes, delta.to_server + delta.to_client);
            }
            if outside {
                values.add(M::OutsideFlows, first);
                values.add(M::OutsideBytes, delta.to_server);
                let upload = delta.to_server.saturating_sub(delta.to_client);
                values.add(M::OutsideUpload, upload);
                values.add(M::OutsideNew, new_outside.into());
            }
            if is_udp && port == 53 {
                values.add(M::Lookups, facts.to_server.packets);
                values.add(M::LookupBytes, delta.to_server);
            }
            if is_icmp {
                values.add(M::Echo, delta.to_server + delta.to_client);
            }
        });
        self.server(seen, taken, |values| {
            values.add(M::Served, first);
            values.add(M::ServedIn, delta.to_server);
            values.add(M::ServedOut, delta.to_client);
            values.add(
                M::ServedUnanswered,
                u64::from(facts.over && !facts.answered()),
            );
        });
    }

    fn titles(&mut self, seen: &Placed<'_>, titles: [&Option<String>; 2]) {
        let client = seen.client.ip();
        for title in titles.into_iter().flatten() {
            let key = Key::of("title").host(client).text(title);
            let new = self.news.is_new(key, true);
            self.client(seen, |values| {
                values.once(Thing::Title(key.hash()), M::Titles);
                values.add(M::NewTitle, new.into());
            });
        }
    }

    fn request(&mut self, seen: &Placed<'_>, command: u16, destination: Option<&str>) {
        let (client, server) = (seen.client.ip(), seen.server.ip());
        let key = Key::of("command").host(client).host(server).number(command);
        let new_command = self.news.is_new(key, true);
        let new_destination = destination
            .is_some_and(|title| self.news.is_new(Key::of("destination").text(title), true));
        self.client(seen, |values| {
            // PS3.7 annex E.1.
            let measure = match command {
                0x0001 => M::Stores,
                0x0010 => M::Gets,
                0x0020 => M::Finds,
                0x0021 => M::Moves,
                0x0030 => M::Echoes,
                _ => M::OtherCommands,
            };
            values.add(measure, 1);
            values.add(M::NewCommand, new_command.into());
            values.add(M::NewDestination, new_destination.into());
        });
    }

    fn message(&mut self, seen: &Placed<'_>, message: &Hl7Message, from: IpAddr, to: IpAddr) {
        if let Some(code) = &message.ack_code {
            let no = u64::from(is_negative(code));
            self.at(from, seen, |values| {
                values.add(M::Acks, 1);
                values.add(M::NaksSent, no);
            });
            self.at(to, seen, |values| values.add(M::NaksReceived, no));
            return;
        }
        let text = |part: &Option<String>| part.clone().unwrap_or_default();
        let application = Key::of("application")
            .host(from)
            .text(&text(&message.sending_application))
            .text(&text(&message.sending_facility));
        let kind = Key::of("message")
            .host(from)
            .host(to)
            .text(&text(&message.message_type));
        let new_application = self.news.is_new(application, true);
        let new_kind = self.news.is_new(kind, true);
        let repeated = message.control_id.as_ref().is_some_and(|id| {
            let key = Key::of("control id").host(to).text(id);
            !self.news.is_new(key, true)
        });
        let written = message
            .message_time
            .as_deref()
            .and_then(message_time::seconds);
        let off = written.map_or(0, |written| {
            written.abs_diff(seen.time.0.div_euclid(1_000_000_000))
        });
        self.at(from, seen, |values| {
            values.add(M::Messages, 1);
            values.add(M::NewApplication, new_application.into());
            values.add(M::NewMessage, new_kind.into());
            values.add(M::RepeatedIds, repeated.into());
            values.at_least(M::ClockOff, off);
        });
    }
}

/// The port that a service is known by: of one that was given to a client, none.
fn service(seen: &Placed<'_>) -> u16 {
    Some(seen.server.port())
        .filter(|port| *port < EPHEMERAL)
        .unwrap_or(0)
}
