//! What was seen and what was not processed, by reason.
//!
//! One enum names every per-CPU counter of the kernel programs and of the portable engine. The first
//! counters partition the packets: each packet adds to exactly one *disposition*, so
//! `Packets` = sum of [`Counter::DISPOSITIONS`], always.

use crate::unread::Unread;

macro_rules! counters {
    ($($(#[doc = $doc:literal])+ $name:ident = $label:literal,)+) => {
        /// A per-CPU counter; its value is the index in the counter array.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u32)]
        pub enum Counter {
            $($(#[doc = $doc])+ $name,)+
        }

        labels! { Counter: $($name = $label, [$($doc)+];)+ }
    };
}

counters! {
    /// Packets that reached the program.
    Packets = "packets",
    /// Bytes of those packets, from the Ethernet header on.
    Bytes = "bytes",

    // Dispositions: each packet adds to exactly one of these.
    /// Packets that a flow entry took in.
    InFlow = "in_flow",
    /// Copies of a packet that the mirror delivered twice; counted in their flow, left out of its features.
    Duplicate = "duplicate",
    /// ARP packets.
    Arp = "arp",
    /// Frames that carry neither IP nor ARP, in no encapsulation that is read.
    NotIp = "not_ip",
    /// Frames that end inside the link-layer header.
    LinkTruncated = "link_truncated",
    /// Frames with more tags than the parser reads.
    VlanDepth = "vlan_depth",
    /// Packets that end inside the IP header or an IPv6 extension header.
    IpTruncated = "ip_truncated",
    /// IP headers with a wrong version, header length or total length.
    IpMalformed = "ip_malformed",
    /// Packets with more IPv6 extension headers than the parser reads.
    Ipv6ExtensionDepth = "ipv6_extension_depth",
    /// Packets with more tunnels, one inside the other, than the parser unwraps.
    TunnelDepth = "tunnel_depth",
    /// Tunnel headers that are cut, or whose version or protocol the parser does not know.
    TunnelMalformed = "tunnel_malformed",
    /// Packets that end inside the transport header, or whose TCP data offset is wrong.
    TransportMalformed = "transport_malformed",
    /// Packets for which no flow entry could be made, the flow table being full.
    FlowTableFull = "flow_table_full",
    /// Packets with a wrong checksum in a direction that has shown right ones: the receiver drops them, and they change nothing.
    BadChecksum = "bad_checksum",
    /// Packets that a containment rule dropped; what they carried is counted, no flow takes them in.
    Contained = "contained",

    // What the packets carried.
    /// IPv4 packets, the innermost header counting.
    Ipv4 = "ipv4",
    /// IPv6 packets, the innermost header counting.
    Ipv6 = "ipv6",
    /// TCP segments.
    Tcp = "tcp",
    /// UDP datagrams.
    Udp = "udp",
    /// ICMP and ICMPv6 messages.
    Icmp = "icmp",
    /// IP packets of another protocol.
    OtherTransport = "other_transport",
    /// Fragments other than the first that could not be joined to those before; they carry no ports and count in a flow without ports.
    Fragment = "fragment",
    /// Fragments other than the first that came in their turn; they count in the flow of their packet.
    FragmentJoined = "fragment_joined",
    /// Packets whose capture is shorter than their IP header says; what is there is processed.
    Snapped = "snapped",
    /// Frames with at least one VLAN tag.
    Vlan = "vlan",
    /// Packets unwrapped from GRE.
    TunnelGre = "tunnel_gre",
    /// Packets unwrapped from ERSPAN type I, II or III.
    TunnelErspan = "tunnel_erspan",
    /// Packets unwrapped from VXLAN.
    TunnelVxlan = "tunnel_vxlan",
    /// Packets unwrapped from GENEVE.
    TunnelGeneve = "tunnel_geneve",
    /// Packets unwrapped from IP in IP, and from Ethernet or MPLS in IP.
    TunnelIp = "tunnel_ip",
    /// Packets unwrapped from GTP-U.
    TunnelGtp = "tunnel_gtp",
    /// Packets unwrapped from CAPWAP.
    TunnelCapwap = "tunnel_capwap",
    /// Packets unwrapped from Teredo.
    TunnelTeredo = "tunnel_teredo",
    /// Packets unwrapped from the encapsulated remote mirror of HP.
    TunnelHpErm = "tunnel_hp_erm",
    /// Packets unwrapped from TZSP.
    TunnelTzsp = "tunnel_tzsp",
    /// Packets unwrapped from MPLS.
    TunnelMpls = "tunnel_mpls",
    /// Packets unwrapped from `PPPoE`.
    TunnelPppoe = "tunnel_pppoe",
    /// Packets unwrapped from PBB, MAC in MAC.
    TunnelPbb = "tunnel_pbb",
    /// Packets unwrapped from L2TP.
    TunnelL2tp = "tunnel_l2tp",
    /// Packets unwrapped from AYIYA.
    TunnelAyiya = "tunnel_ayiya",
    /// Packets of a tunnel's UDP port, IP protocol or GRE protocol whose contents are not read; they count in the flow of the tunnel.
    TunnelUnread = "tunnel_unread",

    // Flows.
    /// Flow entries made.
    FlowCreated = "flow_created",
    /// Flows moved to the table of established flows, from which flood can't evict them.
    FlowEstablished = "flow_established",
    /// Flows that could not be moved there because that table was full or under pressure.
    EstablishRefused = "establish_refused",
    /// Flows ended in the packet path because a new one took their key.
    FlowReplaced = "flow_replaced",

    // What receivers of TCP discard, and what the sensor missed of it.
    /// TCP segments with SYN and FIN or RST, or without ACK, SYN and RST; the receiver drops them.
    TcpBadFlags = "tcp_bad_flags",
    /// TCP segments outside of the receiver's window; it drops them.
    TcpOutOfWindow = "tcp_out_of_window",
    /// TCP resets that are not at the sequence number expected next (RFC 5961); the receiver drops them.
    TcpResetIgnored = "tcp_reset_ignored",
    /// SYNs within a TCP connection (RFC 5961); the receiver drops them.
    TcpSynIgnored = "tcp_syn_ignored",
    /// TCP segments with urgent data: the receiver takes a byte out of what it reads (RFC 6093), the sensor reads it; the session is marked.
    TcpUrgent = "tcp_urgent",
    /// TCP segments of a protocol that is read which came before those they follow, and were kept until these came.
    TcpHeld = "tcp_held",
    /// TCP segments of that kind for which there was no place; what they hold is not read.
    TcpHeldFull = "tcp_held_full",
    /// Directions of a TCP connection whose kept segments were lost: another took the place, or another interface has them.
    TcpHeldLost = "tcp_held_lost",
    /// Stretches of a TCP stream of a protocol that is read which never came, or could not be kept; the session is marked.
    TcpGapLost = "tcp_gap_lost",
    /// TCP segments that came after they were given up.
    TcpLate = "tcp_late",
    /// Places at which the other side acknowledged what the sensor had not seen; the stream is read on there.
    TcpJump = "tcp_jump",

    // Layer 7.
    /// TCP segments that began beyond the byte expected next (loss or reordering before the sensor).
    TcpGap = "tcp_gap",
    /// Segments of a DICOM, HL7 or TLS connection at which the sensor lost its place in the protocol.
    L7Desync = "l7_desync",
    /// Packets with more protocol elements than one packet's budget; the rest of it was skipped.
    L7Budget = "l7_budget",
    /// Bytes of DICOM, HL7 or TLS connections that the readers left out, by whatever reason.
    L7SkippedBytes = "l7_skipped_bytes",
    /// Connections whose reader lost its place since the sensor never saw bytes that it needed.
    L7Loss = "l7_loss",
    /// Connections whose protocol began after other bytes: a PROXY header, HTTP CONNECT, clear text, or a late capture.
    L7Before = "l7_before",
    /// PROXY headers and HTTP heads that a protocol was looked for behind.
    L7Prelude = "l7_prelude",
    /// DICOM PDUs of a type or a length that no standard knows.
    DicomPduUnread = "dicom_pdu_unread",
    /// DICOM association PDUs whose length or beginning is impossible.
    DicomAssociateUnread = "dicom_associate_unread",
    /// DICOM association items that are longer than what they are in.
    DicomItemUnread = "dicom_item_unread",
    /// DICOM presentation data values that do not fit in their PDU.
    DicomValueUnread = "dicom_value_unread",
    /// DICOM command elements that do not fit in their command set or whose form is not known.
    DicomElementUnread = "dicom_element_unread",
    /// DICOM command elements whose value is longer than what may leave the kernel.
    DicomElementLong = "dicom_element_long",
    /// DICOM command sets that ended before their last fragment.
    DicomCommandCut = "dicom_command_cut",
    /// DICOM data sets that ended before their last fragment.
    DicomDataSetCut = "dicom_data_set_cut",
    /// DICOM command elements outside group 0000; they stay in the kernel.
    DicomForeignGroup = "dicom_foreign_group",
    /// Stretches of text between MLLP blocks, which MLLP says to ignore.
    Hl7Outside = "hl7_outside",
    /// MLLP blocks that do not begin as a message or a batch does.
    Hl7BlockUnread = "hl7_block_unread",
    /// Empty MLLP blocks.
    Hl7BlockEmpty = "hl7_block_empty",
    /// HL7 messages whose end is missing or not certain: the next one began inside, or other text followed.
    Hl7MessageCut = "hl7_message_cut",
    /// HL7 header segments whose fields are longer than what may leave the kernel.
    Hl7HeaderLong = "hl7_header_long",
    /// TLS records or handshake messages that are none, or come at the wrong place.
    TlsRecordUnread = "tls_record_unread",
    /// TLS hello messages that are longer than what is copied.
    TlsHelloLong = "tls_hello_long",

    // What hosts say of themselves.
    /// ARP, DHCP, multicast DNS and IPv6 neighbour discovery messages that are cut or break their standard, also those whose
    /// checksum or hop limit makes a receiver discard them.
    NoticeMalformed = "notice_malformed",
    /// Such messages with more parts than one message's budget; DHCP and multicast DNS were told as far as they were read.
    NoticeBudget = "notice_budget",
    /// Notices of hosts that were not offered because there were too many in that second.
    NoticeWithheld = "notice_withheld",

    // Ring buffer: attempts = received + lost.
    /// Flow events offered to the ring buffer.
    FlowEvents = "flow_events",
    /// Flow events that the ring buffer did not take.
    FlowEventsLost = "flow_events_lost",
    /// Layer-7 events offered to the ring buffer.
    ChunkEvents = "chunk_events",
    /// Layer-7 events that the ring buffer did not take.
    ChunkEventsLost = "chunk_events_lost",
}

impl Counter {
    /// How many counters there are.
    pub const COUNT: usize = Self::ALL.len();

    /// The counters that partition [`Counter::Packets`].
    pub const DISPOSITIONS: &'static [Self] = &[
        Self::InFlow,
        Self::Duplicate,
        Self::Arp,
        Self::NotIp,
        Self::LinkTruncated,
        Self::VlanDepth,
        Self::IpTruncated,
        Self::IpMalformed,
        Self::Ipv6ExtensionDepth,
        Self::TunnelDepth,
        Self::TunnelMalformed,
        Self::TransportMalformed,
        Self::FlowTableFull,
        Self::BadChecksum,
        Self::Contained,
    ];

    /// What packets carried, tunnels left out.
    pub const LAYERS: &'static [Self] = Self::section(Self::Ipv4, Self::TunnelGre);

    /// What receivers of TCP discard, and what the sensor missed of it.
    pub const TCP: &'static [Self] = Self::section(Self::TcpBadFlags, Self::TcpGap);

    /// What the layer-7 readers and the readers of notices lacked or left out.
    pub const LAYER7: &'static [Self] = Self::section(Self::TcpGap, Self::FlowEvents);

    /// A section of the list above: from its first counter to the one before the next section's first, so that a counter
    /// that is added to a section is in its metric and in its table of `docs/metrics.md`.
    const fn section(first: Self, next: Self) -> &'static [Self] {
        let (before, _) = Self::ALL.split_at(next as usize);
        before.split_at(first as usize).1
    }

    /// True for a disposition under which a packet was not understood.
    #[must_use]
    pub const fn is_unprocessed(self) -> bool {
        matches!(
            self,
            Self::LinkTruncated
                | Self::VlanDepth
                | Self::IpTruncated
                | Self::IpMalformed
                | Self::Ipv6ExtensionDepth
                | Self::TunnelDepth
                | Self::TunnelMalformed
                | Self::TransportMalformed
                | Self::FlowTableFull
        )
    }
}

/// The values of all counters of one CPU, or their sum over CPUs; and what was not read, by kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Counters {
    values: [u64; Counter::COUNT],
    /// Packets that were not read, by kind.
    pub unread: Unread,
}

impl Default for Counters {
    fn default() -> Self {
        Self::ZERO
    }
}

impl Counters {
    /// All zero.
    pub const ZERO: Self = Self {
        values: [0; Counter::COUNT],
        unread: Unread::NONE,
    };

    /// Adds `n` to a counter.
    #[inline(always)]
    pub fn add(&mut self, counter: Counter, n: u64) {
        if let Some(value) = self.values.get_mut(counter as usize) {
            *value = value.wrapping_add(n);
        }
    }

    /// Adds one to a counter.
    #[inline(always)]
    pub fn count(&mut self, counter: Counter) {
        self.add(counter, 1);
    }

    /// The value of a counter.
    #[must_use]
    pub fn get(&self, counter: Counter) -> u64 {
        self.values.get(counter as usize).copied().unwrap_or(0)
    }

    /// Adds every counter of `other`.
    pub fn merge(&mut self, other: &Self) {
        for (sum, value) in self.values.iter_mut().zip(other.values.iter()) {
            *sum = sum.wrapping_add(*value);
        }
        self.unread.merge(&other.unread);
    }

    /// What was added since `before`.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        let mut difference = *self;
        for (value, before) in difference.values.iter_mut().zip(before.values.iter()) {
            *value = value.wrapping_sub(*before);
        }
        difference.unread = self.unread.since(&before.unread);
        difference
    }

    /// Packets by the sum of their dispositions; equal to [`Counter::Packets`] at any quiet moment.
    #[must_use]
    pub fn disposed(&self) -> u64 {
        Counter::DISPOSITIONS
            .iter()
            .map(|counter| self.get(*counter))
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dispositions_are_the_counters_before_the_layers() {
        let section = Counter::section(Counter::InFlow, Counter::Ipv4);
        assert_eq!(Counter::DISPOSITIONS, section);
    }
}
