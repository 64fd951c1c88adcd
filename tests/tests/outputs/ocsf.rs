//! OCSF against the schema that the framework publishes.

use std::fs;

use anyhow::{Result, ensure};
use sensor_output::{Format, Origin};
use serde_json::Value;

use super::alert;

#[test]
fn alerts_are_detection_findings_of_the_published_schema() -> Result<()> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/outputs/ocsf-1.5.0-detection-finding.schema.json"
    );
    let schema: Value = serde_json::from_str(&fs::read_to_string(path)?)?;
    let schema = jsonschema::draft202012::new(&schema)?;
    let ends = [("10.0.0.3", "10.0.0.9"), ("2001:db8::3", "2001:db8::9")];
    let severities = ["low", "medium", "high", "critical"];
    let changes = ["opened", "updated", "closed"];
    let person = r#"{"kind":"person","uid":1000,"name":"ann"}"#;
    let labelled = |verdict: &str| {
        format!(
            r#","label":{{"verdict":"{verdict}","by":{person},"time":"2025-11-27T00:00:02Z","reason":"r"}}"#
        )
    };
    let more = [
        String::new(),
        r#","role":"victim","suppressed":true"#.to_owned(),
        r#","closed":"2025-11-27T01:00:00Z","containment":{"action":"drop it","clinical":["uses it"]}"#.to_owned(),
        r#","decisions":[{"time":"2025-11-27T00:00:00Z","verdict":"would_act","reason":"r"}]"#.to_owned(),
        labelled("benign"),
        labelled("malicious"),
    ];
    let origin = Origin::here();
    let mut count = 0;
    for (device, victim) in ends {
        for severity in severities {
            for change in changes {
                for more in &more {
                    let more = format!(r#","severity":"{severity}","change":"{change}"{more}"#);
                    let mut text = Vec::new();
                    Format::Ocsf.write(&alert(device, victim, &more), &origin, false, &mut text)?;
                    let finding: Value = serde_json::from_slice(&text)?;
                    let errors: Vec<String> = schema
                        .iter_errors(&finding)
                        .map(|error| format!("{error} at {}", error.instance_path()))
                        .collect();
                    ensure!(errors.is_empty(), "{errors:#?}: {finding:#}");
                    count += 1;
                }
            }
        }
    }
    ensure!(count == 144);
    // The schema finds what is wrong.
    let mut text = Vec::new();
    let event = alert(
        "10.0.0.3",
        "10.0.0.9",
        r#","severity":"low","change":"opened""#,
    );
    Format::Ocsf.write(&event, &origin, false, &mut text)?;
    let mut finding: Value = serde_json::from_slice(&text)?;
    finding["severity_id"] = 42.into();
    ensure!(!schema.is_valid(&finding));
    Ok(())
}
