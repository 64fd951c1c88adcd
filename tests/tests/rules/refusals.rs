//! What is refused: the answer is clear, and nothing changes.

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tests::{nobody::ask_as_nobody, passage::Passage};

use super::{passage, printed};

/// What is refused, and a word that the answer has to have.
const REFUSED: [(&[&str], &str); 18] = [
    (&["--device", "10.9.0.9"], "protected"),
    (&["--device", "10.9.0.8", "--port", "104"], "10.9.0.8/30"),
    (&["--from", "10.9.0.1", "--to", "10.9.0.9"], "protected"),
    (&["--flow", "tcp,10.9.0.1:4000,10.9.0.9:104"], "protected"),
    (&["--mac", "02:00:00:00:00:99"], "protected"),
    (&["--subnet", "10.9.0.0/24"], "contains what is protected"),
    (&["--subnet", "10.20.0.0/17"], "overlaps rule 1"),
    (&["--subnet", "10.20.128.0/15"], "host bits"),
    (&["--subnet", "0.0.0.0/0"], "wider"),
    (&["--subnet", "10.0.0.0/7"], "wider"),
    (&["--from", "10.9.0.1", "--to", "fd99::1"], "families"),
    (&["--from", "10.9.0.1", "--to", "10.9.0.1"], "itself"),
    (&["--device", "127.0.0.1"], "loopback"),
    (&["--mac", "ff:ff:ff:ff:ff:ff"], "broadcast"),
    (&["--device", "10.9.0.5", "--port", "0"], "port 0"),
    (&["--device", "10.30.0.1", "--dry-run"], "something else"),
    (
        &["--device", "10.9.0.5", "--scope", "keep-clinical"],
        "clinical",
    ),
    (
        &["--subnet", "10.9.1.0/24", "--scope", "keep-clinical"],
        "keep-clinical is for a device",
    ),
];

/// The rules, without what is seen of their targets meanwhile.
fn listed(passage: &Passage) -> Result<Value> {
    let mut rules = passage.json(&["rules", "list"])?;
    let items = rules["items"].as_array_mut().context("no rules")?;
    for rule in items.iter_mut().filter_map(Value::as_object_mut) {
        rule.remove("effect");
    }
    Ok(rules)
}

#[test]
fn bad_input_gets_a_clear_answer_and_changes_nothing() -> Result<()> {
    let protect =
        "[containment]\nprotect = [\"10.9.0.9\", \"10.9.0.8/30\", \"02:00:00:00:00:99\"]\n";
    let Some((_turn, passage)) = passage("refused", protect)? else {
        return Ok(());
    };
    let _daemon = passage.start()?;
    let add = ["rules", "add", "--reason", "test", "--ttl", "1h"];
    passage.json(&[&add[..], &["--subnet", "10.20.0.0/16"]].concat())?;
    passage.json(&[&add[..], &["--device", "10.30.0.1"]].concat())?;
    let before = listed(&passage)?;
    for (target, word) in REFUSED {
        let answer = passage.cli(&[&add[..], target].concat())?;
        let words = printed(&answer);
        ensure!(answer.status.code() == Some(1), "{target:?}: {words}");
        ensure!(words.contains(word), "{target:?}: {words}");
        ensure!(listed(&passage)? == before, "{target:?} changed the rules");
    }
    for ttl in ["9s", "8d"] {
        let answer = passage.cli(&[
            "rules", "add", "--reason", "test", "--device", "10.9.0.5", "--ttl", ttl,
        ])?;
        ensure!(
            printed(&answer).contains("10 seconds to 7 days"),
            "{}",
            printed(&answer)
        );
    }
    let answer = passage.cli(&["rules", "add", "--reason", " ", "--device", "10.9.0.5"])?;
    ensure!(
        printed(&answer).contains("a reason is needed"),
        "{}",
        printed(&answer)
    );
    let answer = passage.cli(&["rules", "approve", "99"])?;
    ensure!(
        printed(&answer).contains("no rule 99"),
        "{}",
        printed(&answer)
    );
    let answer = passage.cli(&["rules", "approve", "1"])?;
    ensure!(
        printed(&answer).contains("only a proposed"),
        "{}",
        printed(&answer)
    );

    // A shorter time is refused, a longer one extends.
    let again = ["rules", "add", "--reason", "more", "--device", "10.30.0.1"];
    let answer = passage.cli(&[&again[..], &["--ttl", "30m"]].concat())?;
    ensure!(
        printed(&answer).contains("already, until"),
        "{}",
        printed(&answer)
    );
    ensure!(listed(&passage)? == before);
    let extended = passage.json(&[&again[..], &["--ttl", "2h"]].concat())?;
    ensure!(
        extended["extended"] == true && extended["rule"]["id"] == 2,
        "{extended}"
    );

    // What was refused is in the trail, with the person.
    let trail = passage.trail();
    let trail = trail.to_str().context("a path that is no text")?;
    let shown = passage.json(&["audit", "show", trail, "--last", "100"])?;
    let refused = shown.as_array().into_iter().flatten().filter(|entry| {
        entry["action"] == "refused"
            && entry["actor"]["uid"] == 0
            && entry["actor"]["name"] == "root"
    });
    ensure!(refused.count() >= REFUSED.len(), "{shown}");
    ensure!(passage.cli(&["audit", "verify", trail])?.status.success());
    who_may_not(&passage)
}

/// Who is not root and not in the group gets a refusal.
fn who_may_not(passage: &Passage) -> Result<()> {
    let answer = ask_as_nobody(passage.folder(), &["rules", "release-all"])?;
    ensure!(
        answer.status.code() == Some(1) && printed(&answer).contains("not permitted"),
        "{}",
        printed(&answer)
    );
    let rules = passage.json(&["rules", "list"])?;
    ensure!(rules["total"] == 2, "{rules}");
    Ok(())
}
