//! The Community ID specification: captures, and the identifier of each flow in them.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use serde_json::Value;

use super::{
    cases::{Case, files, is_capture},
    conversation::Conversation,
};

pub(super) const CAPTURES: &str = "pcaps";
/// Of the default seed, as the sensor uses it.
const BASELINE: &str = "baseline/baseline_deflt.json";

/// All captures are one case, since the baseline does not say which flow is in which.
pub(super) fn cases(suite: &Path) -> Result<Vec<Case>> {
    let path = suite.join(BASELINE);
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let mut captures = files(&suite.join(CAPTURES))?;
    captures.retain(|file| is_capture(file));
    Ok(vec![Case {
        captures,
        expected: baseline(&text)?,
    }])
}

fn baseline(text: &str) -> Result<Vec<Conversation>> {
    let rows: Vec<Value> = serde_json::from_str(text).context("the baseline")?;
    let found = rows.iter().filter_map(|row| {
        let end = |address: &str, port: &str| {
            let port = row.get(port).and_then(Value::as_u64).unwrap_or(0);
            let address = row.get(address)?.as_str()?.parse().ok()?;
            Some((address, u16::try_from(port).ok()?))
        };
        let protocol = row.get("proto")?.as_u64()?.to_string();
        Some(Conversation {
            unordered: true,
            community_id: Some(row.get("communityid")?.as_str()?.to_owned()),
            ..Conversation::new(&protocol, end("saddr", "sport")?, end("daddr", "dport")?)
        })
    });
    Ok(found.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_the_baseline_are_read() {
        let text = r#"[{"proto": 6, "saddr": "10.0.0.1", "daddr": "10.0.0.2", "sport": 1, "dport": 2, "communityid": "1:x"}]"#;
        let found = baseline(text).unwrap();
        assert_eq!(found[0].protocol, "tcp");
        assert_eq!(found[0].community_id.as_deref(), Some("1:x"));
    }
}
