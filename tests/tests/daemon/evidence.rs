//! What to fix first, advisories, and the compliance report, as an operator asks a running daemon for them.

use std::fs;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tests::{ability::privileged, reading::number, site::Site};

/// The sender of [`Site::send`], which speaks HL7 as application LAB.
const LAB: &str = "10.0.0.1";
const NUMBER: &str = "EX-2026-001";

/// An advisory after CSAF 2.0 about a product that the sender may be.
fn advisory() -> Value {
    json!({
        "document": {
            "category": "csaf_security_advisory",
            "csaf_version": "2.0",
            "publisher": {"category": "vendor", "name": "Example", "namespace": "https://example.com"},
            "title": "An example",
            "tracking": {
                "id": NUMBER, "version": "1", "status": "final", "revision_history": [],
                "current_release_date": "2026-01-01T00:00:00Z", "initial_release_date": "2026-01-01T00:00:00Z",
            },
        },
        "product_tree": {"branches": [{"category": "vendor", "name": "Example", "branches": [
            {"category": "product_name", "name": "LAB Server", "product": {"name": "LAB Server", "product_id": "P1"}},
        ]}]},
        "vulnerabilities": [{
            "cve": "CVE-2026-99999",
            "product_status": {"known_affected": ["P1"]},
            "scores": [{"products": ["P1"], "cvss_v3": {"baseScore": 9.1}}],
        }],
    })
}

#[test]
fn exposure_advisories_and_the_compliance_report() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    let mut site = Site::start("evidence", "")?;
    site.send(20)?;
    site.status_when("20 messages", |status| {
        number(status, "/pipeline/hl7_messages") == 20
    })?;
    ranked(&site)?;
    advised(&site)?;
    reported(&site)?;
    veiled(&site)?;
    ensure!(site.daemon.stop()?.success(), "{}", site.daemon.log());
    Ok(())
}

/// What `wardtap` says, with its exit code.
fn said(site: &Site, arguments: &[&str]) -> Result<(Option<i32>, String, String)> {
    let output = site.cli(arguments)?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok((
        output.status.code(),
        text(&output.stdout),
        text(&output.stderr),
    ))
}

fn kinds(exposed: &Value) -> Vec<&str> {
    let weaknesses = exposed["weaknesses"].as_array().into_iter().flatten();
    weaknesses.filter_map(|one| one["kind"].as_str()).collect()
}

fn ranked(site: &Site) -> Result<()> {
    let exposure = site.json(&["exposure", "list"])?;
    ensure!(exposure["ranked"][0]["address"] == LAB, "{exposure:#}");
    let one = site.json(&["exposure", "show", LAB])?;
    ensure!(kinds(&one) == ["clear_text_hl7"], "{one:#}");
    let (code, words, _) = said(site, &["exposure", "show", LAB])?;
    ensure!(
        code == Some(0) && words.contains("20 clear-text HL7"),
        "{words}"
    );
    let (code, _, error) = said(site, &["exposure", "show", "10.9.9.9"])?;
    ensure!(code == Some(1) && error.contains("was not seen"), "{error}");
    Ok(())
}

fn advised(site: &Site) -> Result<()> {
    let good = site.folder.path.join("good.json");
    let bad = site.folder.path.join("bad.json");
    fs::write(&good, advisory().to_string())?;
    let mut broken = advisory();
    broken["document"]["tracking"]["id"] = json!(7);
    fs::write(&bad, broken.to_string())?;
    let (good, bad) = (
        good.to_str().context("path")?,
        bad.to_str().context("path")?,
    );

    // A bad file is named with its place, and keeps no other out.
    let (code, words, error) = said(site, &["advisories", "import", bad, good])?;
    ensure!(code == Some(1) && words.contains(NUMBER), "{words}");
    ensure!(
        error.contains("bad.json") && error.contains("document.tracking.id: it is no text"),
        "{error}"
    );
    let listed = site.json(&["advisories", "list"])?;
    ensure!(listed[0]["id"] == NUMBER, "{listed:#}");

    let matches = site.json(&["advisories", "match"])?;
    let found = &matches["found"][0];
    ensure!(found["device"] == LAB, "{matches:#}");
    ensure!(
        found["agreements"][0]["field"] == "HL7 application",
        "{matches:#}"
    );
    let possible = site.json(&["exposure", "show", LAB])?;
    ensure!(
        kinds(&possible).contains(&"possible_advisory"),
        "{possible:#}"
    );

    let confirm = ["advisories", "confirm", NUMBER, LAB, "--reason"];
    let (code, _, error) = said(site, &[confirm.as_slice(), &[" "]].concat())?;
    ensure!(code == Some(1) && error.contains("say why"), "{error}");
    let (code, _, error) = said(site, &[confirm.as_slice(), &["its label says so"]].concat())?;
    ensure!(code == Some(0), "{error}");
    let confirmed = site.json(&["exposure", "show", LAB])?;
    ensure!(
        kinds(&confirmed) == ["advisory", "clear_text_hl7"],
        "{confirmed:#}"
    );
    ensure!(
        number(&confirmed, "/score") > number(&possible, "/score"),
        "{confirmed:#}"
    );
    Ok(())
}

fn trail(site: &Site) -> Result<Vec<Value>> {
    let path = site.folder.path.join("state/audit.jsonl");
    let text = fs::read_to_string(path)?;
    text.lines()
        .map(|line| Ok(serde_json::from_str(line)?))
        .collect()
}

fn exports(site: &Site) -> Result<Vec<Value>> {
    let mut entries = trail(site)?;
    entries.retain(|entry| entry["action"] == "exported");
    Ok(entries)
}

fn reported(site: &Site) -> Result<()> {
    let actions: Vec<Value> = trail(site)?
        .iter()
        .map(|entry| entry["action"].clone())
        .collect();
    for action in ["advisory_imported", "advisory_judged"] {
        ensure!(actions.contains(&json!(action)), "{actions:?}");
    }
    let (code, text, error) = said(site, &["report", "compliance", "--since", "1h"])?;
    ensure!(code == Some(0), "{error}");
    let text = text.replace('\\', "");
    for part in [
        "164.312(b)",
        LAB,
        "its label says so",
        "span0",
        "none was changed",
    ] {
        ensure!(text.contains(part), "{part} is not in:\n{text}");
    }
    ensure!(
        !text.to_lowercase().contains("compliant"),
        "it judges:\n{text}"
    );

    let page = site.folder.path.join("report.html");
    let path = page.to_str().context("path")?;
    let (code, _, error) = said(site, &["report", "compliance", "--output", path])?;
    ensure!(code == Some(0), "{error}");
    ensure!(fs::read_to_string(&page)?.contains("164.308(a)(6)(ii)"));

    let json = ["report", "compliance", "--since", "1h", "--format", "json"];
    let (_, text, error) = said(site, &json)?;
    let report: Value = serde_json::from_str(&text).context(error)?;
    ensure!(report["trail"]["whole"] == true, "{:#}", report["trail"]);
    ensure!(
        report["inventory"]["clinical"][0]["address"] == LAB,
        "{report:#}"
    );
    // The hour before the daemon began is a gap, and nothing else is.
    ensure!(
        report["coverage"]["gaps"].as_array().map(Vec::len) == Some(1),
        "{report:#}"
    );
    // The reports before this one are in it.
    ensure!(
        report["acts"]["exports"].as_array().map(Vec::len) == Some(2),
        "{report:#}"
    );
    let exports = exports(site)?;
    ensure!(
        exports.len() == 3 && exports[0]["actor"]["kind"] == "person",
        "{exports:#?}"
    );
    Ok(())
}

fn veiled(site: &Site) -> Result<()> {
    for arguments in [
        ["report", "compliance", "--since", "1h", "--format", "json"].as_slice(),
        &["report", "compliance", "--since", "1h"],
        &["exposure", "list", "--json"],
        &["advisories", "match", "--all", "--json"],
    ] {
        let (code, text, error) = said(site, &[arguments, &["--pseudonymise"]].concat())?;
        ensure!(code == Some(0), "{error}");
        for secret in [
            LAB,
            "10.0.0.2",
            "\"LAB\"",
            "its label says so",
            "02:00:00:00:00:01",
        ] {
            ensure!(
                !text.contains(secret),
                "{secret} is in {arguments:?}:\n{text}"
            );
        }
    }
    let exports = exports(site)?;
    let last = exports.last().context("no export")?;
    ensure!(last["pseudonymised"] == true, "{last:#}");
    Ok(())
}
