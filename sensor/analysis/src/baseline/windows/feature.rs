//! What is counted.

/// What is counted in a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Feature {
    /// Connections that it opened.
    Flows,
    /// Distinct peers of those (estimated).
    Peers,
    /// Distinct ports of those (estimated).
    Ports,
    /// Connections that it asked for and did not get.
    Failed,
    /// Bytes that it sent.
    BytesOut,
    /// Bytes that it received.
    BytesIn,
    /// Bytes exchanged with peers that are not known.
    NewPeerBytes,
    /// C-FIND requests.
    Queries,
    /// C-MOVE and C-GET requests.
    Pulls,
    /// Associations rejected to it.
    Rejects,
    /// HL7 messages that it sent.
    Messages,
    /// Negative acknowledgements that it got.
    Naks,
}

/// How many features there are.
pub const FEATURES: usize = 12;

impl Feature {
    /// All of them, in their order.
    pub const ALL: [Self; FEATURES] = [
        Self::Flows,
        Self::Peers,
        Self::Ports,
        Self::Failed,
        Self::BytesOut,
        Self::BytesIn,
        Self::NewPeerBytes,
        Self::Queries,
        Self::Pulls,
        Self::Rejects,
        Self::Messages,
        Self::Naks,
    ];

    /// Its name in explanations.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Flows => "connections",
            Self::Peers => "peers",
            Self::Ports => "ports",
            Self::Failed => "failed connections",
            Self::BytesOut => "bytes sent",
            Self::BytesIn => "bytes received",
            Self::NewPeerBytes => "bytes with unknown peers",
            Self::Queries => "C-FIND requests",
            Self::Pulls => "C-MOVE and C-GET requests",
            Self::Rejects => "rejected associations",
            Self::Messages => "HL7 messages",
            Self::Naks => "negative acknowledgements",
        }
    }
}
