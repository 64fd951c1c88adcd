//! An intruder is contained automatically while the hospital works on: promise 3, whole.

use std::{collections::BTreeMap, env, fs, path::Path, process};

use anyhow::{Result, bail, ensure};
use serde_json::Value;
use tests::{ability, attack};

#[test]
fn an_intruder_is_contained_and_care_goes_on() -> Result<()> {
    if !ability::hospital() {
        return Ok(());
    }
    let folder = env::temp_dir().join(format!("wardtap-attack-{}", process::id()));
    fs::create_dir_all(&folder)?;
    attack::run("wardtap-attack", &folder, &|| Ok(()))?;
    events_are_as_the_schema_says(&folder.join("inline/events.jsonl"))?;
    fs::remove_dir_all(folder)?;
    Ok(())
}

fn events_are_as_the_schema_says(events: &Path) -> Result<()> {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/events.schema.json");
    let schema: Value = serde_json::from_str(&fs::read_to_string(docs)?)?;
    let schema = jsonschema::draft202012::new(&schema)?;
    let mut seen = BTreeMap::<String, u32>::new();
    for line in fs::read_to_string(events)?.lines() {
        let event: Value = serde_json::from_str(line)?;
        if let Some(error) = schema.iter_errors(&event).next() {
            bail!("{error} at {}: {line}", error.instance_path());
        }
        let kind = event["event_type"].as_str().unwrap_or_default();
        *seen.entry(kind.to_owned()).or_default() += 1;
    }
    println!("events as the schema says: {seen:?}");
    for kind in ["finding", "audit"] {
        ensure!(seen.contains_key(kind), "there was no {kind} event");
    }
    Ok(())
}
