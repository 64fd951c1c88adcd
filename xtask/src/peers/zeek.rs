//! Zeek: its tests name a capture, and keep the logs that Zeek writes of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use anyhow::Result;

use super::{
    cases::{Case, files},
    conversation::{Conversation, end, version},
};

pub(super) const CAPTURES: &str = "testing/btest/Traces";

/// The cases of the suite: a test of one capture, with its connections and TLS sessions.
pub(super) fn cases(suite: &Path) -> Result<Vec<Case>> {
    let tests = suite.join("testing/btest");
    let baseline = tests.join("Baseline");
    let mut scripts = BTreeMap::new();
    for file in files(&tests)? {
        if file.starts_with(&baseline) || file.starts_with(suite.join(CAPTURES)) {
            continue;
        }
        if let Ok(relative) = file.with_extension("").strip_prefix(&tests) {
            scripts.insert(relative.display().to_string().replace('/', "."), file);
        }
    }
    let mut cases = Vec::new();
    for (name, script) in scripts {
        let logs = baseline.join(&name);
        if !logs.is_dir() {
            continue;
        }
        let text = String::from_utf8_lossy(&fs::read(&script)?).into_owned();
        let captures = captures(&text);
        if captures.is_empty() {
            continue;
        }
        let mut expected = Vec::new();
        for file in files(&logs)? {
            let text = String::from_utf8_lossy(&fs::read(&file)?).into_owned();
            expected.extend(log(&text, captures.len() == 1));
        }
        // QUIC is in ssl.log too, without a word of it; the sensor does not read it.
        if captures.iter().any(|name| name.starts_with("quic/")) {
            expected.retain(|one| one.version.is_none());
        }
        let path = |name: String| suite.join(CAPTURES).join(name);
        cases.push(Case {
            captures: captures.into_iter().map(path).collect(),
            expected,
        });
    }
    Ok(cases)
}

/// The captures that a test reads whole.
fn captures(script: &str) -> BTreeSet<String> {
    let runs = script
        .lines()
        .filter(|line| line.contains("TEST-EXEC") && line.contains("zeek"));
    let mut captures = BTreeSet::new();
    for line in runs {
        if line.contains(" -f ") || line.contains("TEST-EXEC-FAIL") {
            return BTreeSet::new();
        }
        for piece in line.split("TRACES").skip(1) {
            let piece = piece.trim_start_matches(['}', '/']);
            let stop = |c: char| c.is_whitespace() || "\"');".contains(c);
            captures.extend(piece.split(stop).next().map(str::to_owned));
        }
    }
    captures
}

/// The connections of a `conn.log`, or the sessions of an `ssl.log`; nothing of another one. Of a test of several
/// captures, only the sessions can be looked for, since the next run writes over the connections of the one before.
fn log(text: &str, one_capture: bool) -> Vec<Conversation> {
    let Some(fields) = text.lines().find_map(|line| line.strip_prefix("#fields\t")) else {
        return Vec::new();
    };
    let fields: Vec<&str> = fields.split('\t').collect();
    let path = text.lines().find_map(|line| line.strip_prefix("#path\t"));
    let path = path.unwrap_or_else(|| {
        if fields.contains(&"cipher") {
            "ssl"
        } else if fields.contains(&"conn_state") {
            "conn"
        } else {
            ""
        }
    });
    if path != "ssl" && !(path == "conn" && one_capture) {
        return Vec::new();
    }
    let rows: Vec<Vec<&str>> = text
        .lines()
        .filter(|line| !line.starts_with('#') && line.contains('\t'))
        .map(|line| line.split('\t').collect())
        .collect();
    let column = |name: &str| fields.iter().position(|field| *field == name);
    let value = |row: &[&str], name: &str| {
        let value = row.get(column(name)?).copied()?;
        (value != "-" && value != "(empty)" && !value.is_empty()).then(|| value.to_owned())
    };
    // The outer flow of a tunnel is not a conversation of the sensor's.
    let outer: BTreeSet<String> = rows
        .iter()
        .filter_map(|row| value(row, "tunnel_parents"))
        .flat_map(|list| list.split(',').map(str::to_owned).collect::<Vec<_>>())
        .collect();
    let mut found = Vec::new();
    for row in &rows {
        let row = row.as_slice();
        let ends = (|| {
            let client = end(&value(row, "id.orig_h")?, &value(row, "id.orig_p")?)?;
            Some((
                client,
                end(&value(row, "id.resp_h")?, &value(row, "id.resp_p")?)?,
            ))
        })();
        let Some((client, server)) = ends else {
            continue;
        };
        if value(row, "uid").is_some_and(|uid| outer.contains(&uid)) {
            continue;
        }
        let protocol = if path == "ssl" {
            Some("tcp".to_owned())
        } else {
            value(row, "proto").filter(|name| name != "unknown_transport")
        };
        let said = value(row, "version");
        let Some(protocol) = protocol else { continue };
        // The sensor does not read DTLS; without a version no hello message was answered.
        if path == "ssl" && said.as_ref().is_none_or(|said| said.starts_with("DTLS")) {
            continue;
        }
        let both = |a: &str, b: &str| {
            let number = |name: &str| value(row, name)?.parse::<u64>().ok();
            Some([number(a)?, number(b)?])
        };
        found.push(Conversation {
            packets: both("orig_pkts", "resp_pkts"),
            payload: both("orig_bytes", "resp_bytes"),
            community_id: value(row, "community_id"),
            sni: value(row, "server_name"),
            version: said.map(|said| version(&said)),
            cipher: value(row, "cipher"),
            alpn: None,
            ..Conversation::new(&protocol, client, server)
        });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_name_their_captures() {
        let one = "# @TEST-EXEC: zeek -b -r $TRACES/tls/a.pcap %INPUT >out";
        assert!(captures(one).iter().eq(["tls/a.pcap"]));
        let two = format!("{one}\n# @TEST-EXEC: zeek -r ${{TRACES}}/b.trace %INPUT");
        assert_eq!(captures(&two).len(), 2);
        assert!(captures("# @TEST-EXEC: btest-diff $TRACES/x").is_empty());
    }

    #[test]
    fn logs_are_read_by_their_fields() {
        let text = "#path\tconn\n\
            #fields\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\torig_bytes\tresp_bytes\ttunnel_parents\n\
            C1\t10.0.0.1\t40000\t10.0.0.2\t104\ttcp\t5\t7\tC2\n\
            C2\t10.0.0.8\t4789\t10.0.0.9\t4789\tudp\t-\t-\t-\n";
        let found = log(text, true);
        assert_eq!(found.len(), 1, "without the tunnel's outer flow");
        assert_eq!(found[0].payload, Some([5, 7]));
        assert_eq!(found[0].packets, None);

        let text = "#fields\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tversion\tcipher\tserver_name\n\
            10.0.0.1\t40000\t10.0.0.2\t443\tTLSv12\tTLS_X\t-\n";
        let found = log(text, true);
        assert_eq!(found[0].version.as_deref(), Some("TLS 1.2"));
        assert_eq!(found[0].sni, None);
    }
}
