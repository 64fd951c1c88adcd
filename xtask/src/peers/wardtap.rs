//! What `wardtap replay --json` says of a capture.

use std::{collections::HashMap, net::IpAddr, path::Path, process::Command};

use anyhow::{Context, Result};
use serde_json::Value;

use super::conversation::{Conversation, version};

/// A capture's conversations, or why it was refused.
pub(super) enum Said {
    Conversations(Vec<Conversation>),
    Refused(String),
}

pub(super) fn replay(wardtap: &Path, capture: &Path) -> Result<Said> {
    let output = Command::new(wardtap)
        .args(["replay", "--json"])
        .arg(capture)
        .output()
        .with_context(|| wardtap.display().to_string())?;
    if !output.status.success() {
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        let last = error.lines().last().unwrap_or_default().to_owned();
        return Ok(Said::Refused(format!("{}: {last}", output.status)));
    }
    let text = String::from_utf8(output.stdout).context("it writes what is not UTF-8")?;
    Ok(Said::Conversations(conversations(&text)?))
}

/// The conversations of events. A flow that was reported while it went on counts once, as its last report says, since
/// each report has the sums from its start.
fn conversations(events: &str) -> Result<Vec<Conversation>> {
    let mut flows: Vec<Conversation> = Vec::new();
    let mut places: HashMap<u64, usize> = HashMap::new();
    for line in events.lines() {
        let event: Value = serde_json::from_str(line).with_context(|| line.to_owned())?;
        let kind = event["event_type"].as_str().unwrap_or_default();
        let Some(found) = conversation(&event, kind) else {
            continue;
        };
        if kind == "flow" {
            let id = event["flow_id"].as_u64();
            if let Some(place) = id.and_then(|id| places.get(&id)) {
                flows[*place] = found;
            } else {
                places.extend(id.map(|id| (id, flows.len())));
                flows.push(found);
            }
        } else {
            flows.push(found);
        }
    }
    Ok(flows)
}

fn conversation(event: &Value, kind: &str) -> Option<Conversation> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let end = |address: &str, port: &str| {
        let address: IpAddr = event[address].as_str()?.parse().ok()?;
        let port = event[port].as_u64().unwrap_or(0);
        Some((address, u16::try_from(port).ok()?))
    };
    let base = Conversation {
        community_id: text(&event["community_id"]),
        ..Conversation::new(
            event["proto"].as_str()?,
            end("src_ip", "src_port")?,
            end("dest_ip", "dest_port")?,
        )
    };
    let flow = &event["flow"];
    let both = |name: &str| {
        let side = |side: &str| flow[side][name].as_u64();
        Some([side("to_server")?, side("to_client")?])
    };
    let tls = &event["tls"];
    let alpn: Vec<&str> = tls["alpn"]
        .as_array()
        .map(|list| list.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    match kind {
        "flow" => Some(Conversation {
            packets: both("packets"),
            with_copies: both("packets")
                .zip(both("duplicates"))
                .map(|([a, b], [c, d])| [a + c, b + d]),
            payload: both("payload_bytes"),
            ..base
        }),
        "tls" => Some(Conversation {
            unordered: true,
            sni: text(&tls["sni"]),
            version: text(&tls["version"]).map(|said| version(&said)),
            cipher: text(&tls["cipher_suite"]),
            alpn: (!alpn.is_empty()).then(|| alpn.join(";")),
            incomplete: tls["incomplete"].as_bool().unwrap_or(false),
            ..base
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_become_conversations() {
        let ends = r#""src_ip":"10.0.0.1","src_port":40000,"dest_ip":"10.0.0.2","dest_port":443,"proto":"TCP","flow_id":7"#;
        let flow = |packets: u32| {
            format!(
                r#"{{{ends},"event_type":"flow","flow":{{"to_server":{{"packets":{packets},"payload_bytes":9}},"to_client":{{"packets":2,"payload_bytes":0}}}}}}"#
            )
        };
        let tls = format!(
            r#"{{{ends},"event_type":"tls","tls":{{"sni":"a.example","version":"TLS 1.2","alpn":["h2","http/1.1"],"incomplete":false}}}}"#
        );
        let text = [flow(3), tls, flow(5)].join("\n");
        let found = conversations(&text).unwrap();
        assert_eq!(found.len(), 2, "two reports of a flow are one conversation");
        assert_eq!(found[0].packets, Some([5, 2]));
        assert_eq!(found[1].alpn.as_deref(), Some("h2;http/1.1"));
        assert!(conversations("{").is_err());
    }
}
