//! nDPI: each capture of its default configuration has the flows that `ndpiReader` prints.

use std::{fs, path::Path};

use anyhow::Result;

use super::{
    cases::{Case, files},
    conversation::{Conversation, end, version},
};

pub(super) const CAPTURES: &str = "tests/cfgs/default/pcap";
const RESULTS: &str = "tests/cfgs/default/result";

pub(super) fn cases(suite: &Path) -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    for file in files(&suite.join(RESULTS))? {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let Some(name) = name.strip_suffix(".out") else {
            continue;
        };
        let text = String::from_utf8_lossy(&fs::read(&file)?).into_owned();
        cases.push(Case {
            captures: vec![suite.join(CAPTURES).join(name)],
            expected: text.lines().filter_map(flow).collect(),
        });
    }
    Ok(cases)
}

/// A line such as `1 TCP 10.0.0.1:40000 <-> 10.0.0.2:443 [proto: 91/TLS][...][TLSv1.2]...`.
fn flow(line: &str) -> Option<Conversation> {
    let mut words = line.strip_prefix('\t')?.split_whitespace();
    words.next()?.parse::<u32>().ok()?;
    let protocol = words.next()?;
    if !matches!(protocol, "TCP" | "UDP") {
        return None;
    }
    let client = words.next()?;
    words
        .next()
        .filter(|arrow| matches!(*arrow, "<->" | "->"))?;
    let server = words.next()?;
    let split = |text: &str| {
        let (address, port) = text.rsplit_once(':')?;
        end(address.trim_matches(['[', ']']), port)
    };
    // nDPI's client is who sent first.
    let mut found = Conversation {
        unordered: true,
        ..Conversation::new(protocol, split(client)?, split(server)?)
    };
    let tags = line.split('[').filter_map(|tag| tag.split(']').next());
    let tag = |name: &str| {
        let mut tags = tags.clone();
        tags.find_map(|tag| tag.strip_prefix(name).map(|rest| rest.trim().to_owned()))
    };
    let spoken = tag("TLSv").filter(|_| protocol == "TCP");
    if let Some(spoken) = spoken {
        found.sni = tag("Hostname/SNI:");
        found.cipher = tag("Cipher:");
        found.alpn = tag("(Advertised) ALPNs:").filter(|list| !list.is_empty());
        // Without an answer it is what the client offers.
        found.version = found
            .cipher
            .as_ref()
            .map(|_| version(&format!("TLSv{spoken}")));
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_flows_are_read() {
        let line = "\t1\tTCP 10.0.0.1:40000 <-> [2001:db8::1]:443 [proto: 91/TLS][Hostname/SNI: a.example]\
            [(Advertised) ALPNs: h2;http/1.1][TLSv1.2][Cipher: TLS_X][Plen Bins: 0]";
        let found = flow(line).unwrap();
        assert_eq!(found.sni.as_deref(), Some("a.example"));
        assert_eq!(found.version.as_deref(), Some("TLS 1.2"));
        assert_eq!(found.alpn.as_deref(), Some("h2;http/1.1"));
        assert_eq!(found.cipher.as_deref(), Some("TLS_X"));
        let plain =
            flow("\t2\tUDP 10.0.0.1:5 -> 10.0.0.2:53 [proto: 5/DNS][Hostname/SNI: x]").unwrap();
        assert_eq!(plain.sni, None);
        assert_eq!(flow("TLS\t20\t11474\t2"), None);
    }
}
