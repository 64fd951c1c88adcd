//! suricata-verify: each test has a capture and the events that Suricata must write of it.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::Result;

use super::{
    cases::{Case, is_capture},
    conversation::{Conversation, end, version},
};

pub(super) const CAPTURES: &str = "tests";

pub(super) fn cases(suite: &Path) -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    for entry in fs::read_dir(suite.join(CAPTURES))? {
        let folder = entry?.path();
        let Ok(text) = fs::read_to_string(folder.join("test.yaml")) else {
            continue;
        };
        let Some(capture) = capture(&folder, &text) else {
            continue;
        };
        let expected = matches(&text).iter().filter_map(conversation).collect();
        cases.push(Case {
            captures: vec![capture],
            expected,
        });
    }
    Ok(cases)
}

/// The capture that a test names, or else the only one in its folder.
fn capture(folder: &Path, text: &str) -> Option<PathBuf> {
    let named = text.lines().find_map(|line| line.strip_prefix("pcap:"));
    if let Some(named) = named {
        return folder.join(unquote(named)).canonicalize().ok();
    }
    let mut found = fs::read_dir(folder).ok()?.filter_map(|entry| {
        let path = entry.ok()?.path();
        is_capture(&path).then_some(path)
    });
    let first = found.next()?;
    found.next().is_none().then_some(first)
}

/// The `match` blocks of a test of which at least one event must be found, each as its keys and values.
fn matches(text: &str) -> Vec<BTreeMap<String, String>> {
    let mut blocks = Vec::new();
    let mut open: Option<(usize, bool, BTreeMap<String, String>)> = None;
    let mut count = String::new();
    let bare = |line: &str| line.trim().trim_start_matches("- ").to_owned();
    for line in text
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
    {
        let depth = line.len() - line.trim_start().len();
        if let Some((begin, wanted, block)) = &mut open {
            if depth > *begin || line.trim().is_empty() {
                if let Some((key, value)) = line.trim().split_once(':') {
                    block.insert(key.to_owned(), unquote(value));
                }
                continue;
            }
            // The count may come after.
            if let Some(value) = bare(line).strip_prefix("count:") {
                *wanted = value.trim() != "0";
                continue;
            }
            if let Some((_, true, block)) = open.take() {
                blocks.push(block);
            }
        }
        let word = bare(line);
        if word == "filter:" {
            count.clear();
        } else if let Some(value) = word.strip_prefix("count:") {
            value.trim().clone_into(&mut count);
        } else if word == "match:" {
            open = Some((depth, count != "0", BTreeMap::new()));
        }
    }
    blocks.extend(open.and_then(|(_, wanted, block)| wanted.then_some(block)));
    blocks
}

fn conversation(block: &BTreeMap<String, String>) -> Option<Conversation> {
    let value = |key: &str| block.get(key).cloned();
    let kind = value("event_type")?;
    if kind != "flow" && kind != "tls" {
        return None;
    }
    let port = |key: &str| value(key).unwrap_or_else(|| "0".to_owned());
    let source = end(&value("src_ip")?, &port("src_port"))?;
    let dest = end(&value("dest_ip")?, &port("dest_port"))?;
    let protocol = value("proto").or_else(|| (kind == "tls").then(|| "tcp".to_owned()))?;
    let found = Conversation::new(&protocol, source, dest);
    if found.has_roles() && (source.1 == 0 || dest.1 == 0) {
        return None;
    }
    let both = || {
        let number = |key: &str| value(key)?.parse::<u64>().ok();
        Some([number("flow.pkts_toserver")?, number("flow.pkts_toclient")?])
    };
    Some(Conversation {
        unordered: kind != "flow",
        packets: (kind == "flow").then(both).flatten(),
        community_id: value("community_id"),
        sni: value("tls.sni"),
        version: value("tls.version")
            .filter(|said| said != "UNDETERMINED")
            .map(|said| version(&said)),
        ..found
    })
}

fn unquote(text: &str) -> String {
    text.trim().trim_matches(['"', '\'']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEST: &str = "\
checks:
- filter:
    count: 1
    match:
      event_type: flow
      src_ip: 10.0.0.1
      src_port: 40000
      dest_ip: 10.0.0.2
      dest_port: 443
      proto: TCP
      flow.pkts_toserver: 3
      flow.pkts_toclient: 2
- filter:
    count: 0
    match:
      event_type: tls
      src_ip: 10.0.0.1
      src_port: 40000
      dest_ip: 10.0.0.2
      dest_port: 443
- filter:
    match:
      event_type: tls
      src_ip: 10.0.0.1
      src_port: 40000
      dest_ip: 10.0.0.2
      dest_port: 443
      tls.sni: \"a.example\"
      tls.version: TLSv1
    count: 1
";

    #[test]
    fn events_that_must_come_are_read() {
        let found: Vec<Conversation> = matches(TEST).iter().filter_map(conversation).collect();
        assert_eq!(found.len(), 2, "not the one that must not come");
        assert_eq!(found[0].packets, Some([3, 2]));
        assert!(found[0].has_roles() && !found[1].has_roles());
        assert_eq!(found[1].sni.as_deref(), Some("a.example"));
        assert_eq!(found[1].version.as_deref(), Some("TLS 1.0"));
    }
}
