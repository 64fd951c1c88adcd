//! The fields that all events have.

use std::{borrow::Cow, collections::BTreeMap, net::IpAddr};

use serde::{Deserialize, Serialize};

use super::body::Body;
use crate::{address::Conversation, time::Time};

/// Version of the schema; field `v` of each event.
pub const SCHEMA_VERSION: u32 = 2;

/// One event, one line of JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Event {
    /// When it happened, by the packets' clock.
    pub timestamp: Time,
    /// Version of this schema.
    #[cfg_attr(test, schemars(extend("const" = SCHEMA_VERSION)))]
    pub v: u32,
    /// Names the connection in all its events; below 2^53, so that every JSON reader keeps it whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(extend("exclusiveMaximum" = 1_u64 << 53)))]
    pub flow_id: Option<u64>,
    /// Name of the interface at which the flow's first packet came in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_iface: Option<String>,
    /// VLAN ids of the flow's first packet, outer first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, schemars(length(min = 1, max = 3), inner(range(max = 4095))))]
    pub vlan: Vec<u16>,
    /// Address of the side that opened the conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub src_ip: Option<IpAddr>,
    /// Port of that side; left out where there is none (ICMP, fragments).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub src_port: Option<u16>,
    /// Address of the other side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dest_ip: Option<IpAddr>,
    /// Port of the other side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dest_port: Option<u16>,
    /// Transport protocol: `TCP`, `UDP`, ..., or the IP protocol number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        test,
        schemars(regex(pattern = "^(TCP|UDP|ICMP|IPv6-ICMP|SCTP|GRE|[0-9]{1,3})$"))
    )]
    pub proto: Option<Cow<'static, str>>,
    /// Community ID version 1, seed 0. Fragments without ports have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(regex(pattern = "^1:[A-Za-z0-9+/]{27}=$")))]
    pub community_id: Option<String>,
    /// The part that depends on the event's type.
    #[serde(flatten)]
    pub body: Body,
}

impl Event {
    /// An event that belongs to no connection.
    #[must_use]
    pub fn general(timestamp: Time, body: Body) -> Self {
        Self {
            timestamp,
            v: SCHEMA_VERSION,
            flow_id: None,
            in_iface: None,
            vlan: Vec::new(),
            src_ip: None,
            src_port: None,
            dest_ip: None,
            dest_port: None,
            proto: None,
            community_id: None,
            body,
        }
    }

    /// An event of counters.
    #[must_use]
    pub fn stats(timestamp: Time, counters: BTreeMap<String, u64>) -> Self {
        Self::general(timestamp, Body::Stats { stats: counters })
    }

    /// An event of a connection.
    #[must_use]
    pub fn of(conversation: &Conversation, timestamp: Time, body: Body) -> Self {
        Self {
            flow_id: Some(conversation.flow_id),
            in_iface: conversation.in_iface.as_deref().map(str::to_owned),
            vlan: conversation.vlan.clone(),
            src_ip: Some(conversation.src_ip),
            src_port: conversation.src_port,
            dest_ip: Some(conversation.dest_ip),
            dest_port: conversation.dest_port,
            proto: Some(conversation.proto()),
            community_id: conversation.community_id(),
            ..Self::general(timestamp, body)
        }
    }
}
