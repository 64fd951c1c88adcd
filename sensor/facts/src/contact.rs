//! Who talked to whom.

use std::{borrow::Cow, net::IpAddr};

use serde::{Deserialize, Serialize};

use crate::time::Time;

/// The conversations of two devices about one service, in sum.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Contact {
    /// Who opened them.
    pub client: IpAddr,
    /// To whom.
    pub server: IpAddr,
    /// Transport protocol, as in events: `TCP`, `UDP`, ..., or the IP protocol number.
    pub proto: Cow<'static, str>,
    /// Port of the server; none where the protocol has no ports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// `dicom`, `hl7` or `tls`, recognised by content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<Cow<'static, str>>,
    /// Time of the first packet in the time that was asked for.
    pub first: Time,
    /// Time of the last packet.
    pub last: Time,
    /// Flows that began.
    pub flows: u64,
    /// Of these, refused or unanswered: nothing but handshakes and resets came back.
    pub refused: u64,
    /// Bytes of IP packets to the server.
    pub bytes_to_server: u64,
    /// Bytes of IP packets to the client.
    pub bytes_to_client: u64,
}
