//! One device: what is known of it, and what an observation says of both ends of a conversation.

use std::net::{IpAddr, Ipv4Addr};

use sensor_facts::{
    observation::{Asked, DhcpFacts, FlowFacts, Observation, What, is_negative},
    time::Time,
};
use serde::{Deserialize, Serialize};
use smallvec::{SmallVec, smallvec};

use super::{
    Amounts, Delta, Fact, Feature, Items, Windows,
    answers::offered,
    items::key,
    shapes::{FIND, PULLS, acts, asks_all, is_lasting, is_redirect, kinds, many_files, works},
};

/// Facts kept of a device.
const FACTS_MAX: usize = 1_024;
/// C-STORE request (PS3.7 annex E.1).
const STORE: u16 = 0x0001;

/// Devices whose amounts are alike, for those that have no history of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[repr(u8)]
pub enum DeviceKind {
    /// It does none of what follows.
    Other,
    /// It sends images.
    ImageSource,
    /// It answers DICOM.
    ImageStore,
    /// It asks for studies.
    ImageReader,
    /// It sends or receives HL7.
    Messaging,
}

impl DeviceKind {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Other,
        Self::ImageSource,
        Self::ImageStore,
        Self::ImageReader,
        Self::Messaging,
    ];
}

/// A device.
#[expect(clippy::struct_excessive_bools, reason = "each is a thing it does")]
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Device {
    pub(super) first: Time,
    pub(super) frozen: Option<Time>,
    pub(super) items: Items,
    pub(super) windows: Windows,
    /// Hour that was lent to the pool last.
    lent: i64,
    sends_images: bool,
    answers_dicom: bool,
    reads_images: bool,
    messages: bool,
}

/// What an observation says of one end.
pub(super) struct End {
    pub(super) address: IpAddr,
    /// Facts of it and of the site, by their hashes.
    facts: SmallVec<[u64; 5]>,
    /// A fact that whoever asked it caused.
    of_stranger: Option<u64>,
    pub(super) site_facts: SmallVec<[u64; 2]>,
    amounts: Amounts,
    /// The fact of its peer, and the bytes exchanged with it.
    pub(super) peer_bytes: Option<(u64, u64)>,
    did: Did,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Did {
    Nothing,
    SendImages,
    AnswerDicom,
    ReadImages,
    Message,
}

impl End {
    fn new(address: IpAddr) -> Self {
        Self {
            address,
            facts: SmallVec::new(),
            of_stranger: None,
            site_facts: SmallVec::new(),
            amounts: Amounts::default(),
            peer_bytes: None,
            did: Did::Nothing,
        }
    }

    /// Takes a fact; its hash.
    fn learn(&mut self, fact: &Fact<'_>) -> u64 {
        let key = key(fact);
        self.facts.push(key);
        key
    }

    /// Takes a fact that is so at the site too.
    fn learn_at_site(&mut self, fact: &Fact<'_>) {
        let key = self.learn(fact);
        self.site_facts.push(key);
    }

    fn count(&mut self, feature: Feature, amount: u64) {
        self.amounts.counts.push((feature, amount));
    }
}

/// What an observation says of client and server; none where it says nothing that is learnt.
pub(super) fn ends(seen: &Observation, delta: Option<Delta>) -> Option<[End; 2]> {
    let (client, server) = (seen.client.ip(), seen.server.ip());
    let mut ends = [End::new(client), End::new(server)];
    let [from, to] = &mut ends;
    match &seen.what {
        What::ConnectionRefused => from.count(Feature::Failed, 1),
        What::Flow(facts) => {
            of_flow(seen, facts, delta.unwrap_or_default(), from, to);
        }
        What::Association {
            calling,
            implementation,
            ..
        } => {
            if let Some(title) = calling {
                from.learn_at_site(&Fact::Title(title));
            }
            if let Some(uid) = implementation {
                from.learn_at_site(&Fact::Implementation(uid));
            }
            to.did = Did::AnswerDicom;
        }
        What::AssociationRejected { .. } => from.count(Feature::Rejects, 1),
        What::Request {
            command,
            destination,
            ..
        } => match *command {
            FIND => {
                from.count(Feature::Queries, 1);
                from.did = Did::ReadImages;
            }
            STORE => from.did = Did::SendImages,
            command if PULLS.contains(&command) => {
                from.count(Feature::Pulls, 1);
                from.learn(&Fact::Pulls(server));
                from.did = Did::ReadImages;
                if let Some(title) = destination {
                    from.learn_at_site(&Fact::MovesTo(server, title));
                }
            }
            _ => {}
        },
        What::Hl7(message) => {
            let (sender, receiver) = if message.to_server {
                (&mut *from, &mut *to)
            } else {
                (&mut *to, &mut *from)
            };
            sender.did = Did::Message;
            receiver.did = Did::Message;
            if let Some(code) = &message.ack_code {
                // Who is told that a message was not accepted is who sent that.
                if is_negative(code) {
                    receiver.count(Feature::Naks, 1);
                }
            } else {
                let application = message.sending_application.as_deref().unwrap_or_default();
                let facility = message.sending_facility.as_deref().unwrap_or_default();
                sender.count(Feature::Messages, 1);
                sender.learn(&Fact::Sends(receiver.address, application, facility));
                sender
                    .site_facts
                    .push(key(&Fact::Application(application, facility)));
                for kind in message
                    .message_type
                    .as_deref()
                    .map(kinds)
                    .into_iter()
                    .flatten()
                {
                    sender.learn(&Fact::SendsKind(receiver.address, kind));
                }
            }
        }
        What::AssociationEnded(_) | What::ClinicalTls => {}
        What::Dhcp(dhcp) => return server_of(seen, dhcp),
        What::RouterAdvertisement(facts) => {
            let fact = Fact::Advertises(client, facts.frame_mac);
            from.site_facts.push(key(&fact));
            from.site_facts.push(key(&Fact::Routes(facts.frame_mac)));
        }
        // Who is asked for need not be there.
        What::Arp(_) | What::Neighbour(_) | What::Moved { .. } => return None,
    }
    if acts(seen).is_some()
        && let Fact::Works { hour, weekend } = works(seen.time)
    {
        from.learn(&Fact::Acts { hour, weekend });
    }
    Some(ends)
}

/// True if both ends took part, which no single made-up packet does.
pub(crate) fn proves(seen: &Observation) -> bool {
    matches!(&seen.what, What::Flow(facts) if facts.established(seen.protocol))
}

/// What a DHCP message says of its sender: a server answers what was asked.
fn server_of(seen: &Observation, dhcp: &DhcpFacts) -> Option<[End; 2]> {
    if !dhcp.reply || dhcp.asked != Asked::Yes {
        return None;
    }
    let server = seen.client.ip();
    let name = dhcp.server.map_or(server, IpAddr::V4);
    let mut ends = [
        End::new(server),
        End::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
    ];
    let fact = Fact::ServesDhcp(name, dhcp.frame_mac);
    ends[0].site_facts.push(key(&fact));
    Some(ends)
}

/// What a flow says of client and server.
fn of_flow(seen: &Observation, facts: &FlowFacts, delta: Delta, from: &mut End, to: &mut End) {
    let (client, server) = (from.address, to.address);
    from.count(Feature::BytesOut, delta.to_server);
    from.count(Feature::BytesIn, delta.to_client);
    to.count(Feature::BytesOut, delta.to_client);
    to.count(Feature::BytesIn, delta.to_server);
    // A half-open connection is nobody's peer: anyone can make its source address up.
    if facts.established(seen.protocol) {
        let bytes = delta.to_server + delta.to_client;
        from.peer_bytes = Some((from.learn(&Fact::Peer(server)), bytes));
        let client = key(&Fact::Peer(client));
        to.of_stranger = Some(client);
        to.peer_bytes = Some((client, bytes));
        if delta.outside {
            from.learn(&Fact::Outside);
        }
    }
    if asks_all(seen, facts) {
        from.learn(&Fact::EchoesAll);
    }
    if is_redirect(seen, facts) && seen.macs[0] != [0; 6] {
        from.site_facts.push(key(&Fact::Routes(seen.macs[0])));
    }
    if many_files(seen, facts) {
        from.learn_at_site(&Fact::ManyFiles(server));
    }
    if delta.first {
        from.count(Feature::Flows, 1);
        from.amounts.peer = Some((server, seen.server.port()));
    }
    if let Some((sender, fact)) = offered(seen, facts) {
        [from, to][usize::from(sender != client)].learn(&fact);
        return;
    }
    if let (true, Some(service)) = (facts.established(seen.protocol), seen.service()) {
        from.learn(&Fact::Uses(server, service));
        from.learn(&works(seen.time));
        if is_lasting(service) {
            from.learn(&Fact::Asks(service));
            if delta.outside && !facts.midstream {
                from.learn_at_site(&Fact::AsksOutside(service));
            }
        }
        if is_lasting(service) && !facts.midstream {
            to.learn(&Fact::Offers(service));
        }
    }
}

impl Device {
    pub(super) fn new(now: Time) -> Self {
        Self {
            first: now,
            frozen: None,
            items: Items::default(),
            windows: Windows::default(),
            lent: 0,
            sends_images: false,
            answers_dicom: false,
            reads_images: false,
            messages: false,
        }
    }

    /// When it was first seen.
    #[must_use]
    pub fn first(&self) -> Time {
        self.first
    }

    /// What it did.
    #[must_use]
    pub fn windows(&self) -> &Windows {
        &self.windows
    }

    /// What is known of it.
    #[must_use]
    pub fn items(&self) -> &Items {
        &self.items
    }

    /// To whom it is like.
    #[must_use]
    pub fn kind(&self) -> DeviceKind {
        if self.answers_dicom {
            DeviceKind::ImageStore
        } else if self.sends_images {
            DeviceKind::ImageSource
        } else if self.reads_images {
            DeviceKind::ImageReader
        } else if self.messages {
            DeviceKind::Messaging
        } else {
            DeviceKind::Other
        }
    }

    pub(super) fn is_trusted(&self, now: Time) -> bool {
        self.frozen.is_none_or(|until| now >= until)
    }

    /// Takes what an observation says of it; facts only while it is trusted.
    pub(super) fn take(&mut self, end: &End, new_peer: bool, now: Time) {
        self.windows.add(&end.amounts);
        if let (true, Some((_, bytes))) = (new_peer, end.peer_bytes) {
            self.windows.add(&Amounts {
                counts: smallvec![(Feature::NewPeerBytes, bytes)],
                peer: None,
            });
        }
        if !self.is_trusted(now) {
            self.windows.taint();
            return;
        }
        self.frozen = None;
        for fact in &end.facts {
            self.items.add(*fact, now, FACTS_MAX);
        }
        if let Some(fact) = end.of_stranger {
            self.items.add_of_stranger(fact, now, FACTS_MAX);
        }
        match end.did {
            Did::Nothing => {}
            Did::SendImages => self.sends_images = true,
            Did::AnswerDicom => self.answers_dicom = true,
            Did::ReadImages => self.reads_images = true,
            Did::Message => self.messages = true,
        }
    }

    /// Once an hour, what it did in the last one goes to the pool of its kind.
    pub(super) fn lend(&mut self, pool: &mut Windows, now: Time) {
        let hour = now.0.div_euclid(super::Length::Hour.nanos());
        if self.lent < hour {
            self.lent = hour;
            pool.borrow(&self.windows);
        }
    }

    pub(super) fn distrust(&mut self, since: Time, until: Time) {
        self.items.forget_since(since);
        self.windows.taint();
        self.frozen = self.frozen.max(Some(until));
    }

    /// Bytes that it takes.
    pub(super) fn memory(&self) -> usize {
        size_of::<Self>() + self.items.heap() + self.windows.heap()
    }
}
