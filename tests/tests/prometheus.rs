//! Alert rules and dashboard: what they name exists, and a real Prometheus that scrapes a daemon can answer them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use sensor::metrics::table::TABLE;
use serde_json::Value;
use tests::{
    ability, http,
    program::Program,
    prometheus,
    site::{SECONDS, Site},
    wait::wait_for,
};

const PORT: u16 = 9090;
/// Labels that Prometheus adds.
const SCRAPED: [&str; 2] = ["instance", "job"];
/// What the expressions' metrics begin with.
const PREFIX: &str = "wardtap_";

fn packaging(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../packaging")
        .join(name)
}

fn rules_file() -> PathBuf {
    packaging("prometheus/wardtap.rules.yml")
}

/// The dashboard's expressions, by the panel's title.
fn panels() -> Result<Vec<(String, String)>> {
    let text = fs::read_to_string(packaging("grafana/wardtap.json"))?;
    let dashboard: Value = serde_json::from_str(&text)?;
    let mut found = Vec::new();
    for panel in list(&dashboard["panels"]) {
        let title = panel["title"].as_str().context("a panel without a title")?;
        for target in list(&panel["targets"]) {
            let expression = target["expr"]
                .as_str()
                .with_context(|| format!("{title} asks nothing"))?;
            found.push((title.to_owned(), expression.to_owned()));
        }
    }
    ensure!(
        found.len() > 20,
        "{} expressions: is this the dashboard?",
        found.len()
    );
    Ok(found)
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// The metrics that a text names, each with the labels that it is selected by.
fn named(text: &str) -> Vec<(&str, Vec<&str>)> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let starts = text.match_indices(PREFIX).map(|(at, _)| at);
    // Not within another word.
    let starts = starts.filter(|at| !text[..*at].ends_with(word));
    starts
        .map(|at| {
            let rest = &text[at..];
            let (name, rest) = rest.split_at(rest.find(|c| !word(c)).unwrap_or(rest.len()));
            let selector = rest.strip_prefix('{').and_then(|rest| rest.split_once('}'));
            let matchers = selector.map_or("", |(inside, _)| inside).split(',');
            let labels = matchers.filter_map(|one| Some(one.split_once(['=', '!'])?.0.trim()));
            (name, labels.collect())
        })
        .collect()
}

#[test]
fn names_are_found_in_expressions() {
    let text =
        r#"sum(rate(wardtap_a_total{x=~"1|2", y!="3"}[5m])) / wardtap_b > bool my_wardtap_c"#;
    assert_eq!(
        named(text),
        [("wardtap_a_total", vec!["x", "y"]), ("wardtap_b", vec![])]
    );
}

#[test]
fn what_rules_and_dashboard_name_exists() -> Result<()> {
    let rows: BTreeMap<_, _> = TABLE.iter().map(|row| (row.name, row.labels)).collect();
    let rules = fs::read_to_string(rules_file())?;
    let dashboard: String = panels()?
        .into_iter()
        .map(|(_, expression)| expression + "\n")
        .collect();
    for (name, labels) in named(&rules).into_iter().chain(named(&dashboard)) {
        let row = rows
            .get(name)
            .with_context(|| format!("there is no metric {name}"))?;
        for label in labels {
            ensure!(
                row.contains(&label) || SCRAPED.contains(&label),
                "{name} has no label {label}"
            );
        }
    }
    Ok(())
}

#[test]
fn promtool_finds_no_fault_with_the_rules() -> Result<()> {
    if !ability::prometheus() {
        return Ok(());
    }
    let tool = prometheus::program(prometheus::TOOL).context("no promtool")?;
    let tests = packaging("prometheus/wardtap.rules.test.yml");
    for arguments in [["check", "rules"], ["test", "rules"]] {
        let file = if arguments[0] == "check" {
            rules_file()
        } else {
            tests.clone()
        };
        let output = Command::new(&tool).args(arguments).arg(file).output()?;
        ensure!(
            output.status.success(),
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(())
}

#[test]
fn prometheus_answers_rules_and_dashboard() -> Result<()> {
    if !ability::privileged() || !ability::prometheus() {
        return Ok(());
    }
    let mut site = Site::start("prometheus", "[flow]\nidle_other = \"1s\"\n")?;
    site.send(20)?;
    site.scan(60)?;
    let _server = start(&site)?;
    wait_for("two scrapes", SECONDS, || {
        let scraped = query(&site, "count_over_time(up{job=\"wardtap\"}[1m])").ok()?;
        let up = query(&site, "up{job=\"wardtap\"} == 1").ok()?;
        (!up.is_empty() && value(&scraped)? >= 2.0).then_some(())
    })?;

    let served = site.metrics()?;
    let served: BTreeSet<_> = served
        .keys()
        .filter_map(|series| series.split('{').next())
        .collect();
    let mut without = Vec::new();
    for (title, expression) in panels()? {
        let asked = expression
            .replace("$instance", ".*")
            .replace("$__rate_interval", "1m");
        let answer = query(&site, &asked).with_context(|| format!("panel {title:?}"))?;
        // What the daemon serves, the panel shows.
        let expected = named(&expression)
            .iter()
            .all(|(name, _)| served.contains(name));
        if expected && answer.is_empty() {
            without.push(format!("{title}: {expression}"));
        }
    }
    ensure!(without.is_empty(), "panels without data: {without:#?}");

    let rules = wait_for("each rule to be evaluated", SECONDS, || {
        let answer = json(&site, "/api/v1/rules").ok()?;
        let rules: Vec<Value> = list(&answer["data"]["groups"])
            .flat_map(|group| list(&group["rules"]))
            .cloned()
            .collect();
        let evaluated = |rule: &Value| rule["health"] != "unknown";
        (!rules.is_empty() && rules.iter().all(evaluated)).then_some(rules)
    })?;
    for rule in rules {
        ensure!(rule["health"] == "ok", "{rule:#}");
    }
    Ok(())
}

/// Starts Prometheus beside the daemon, and waits until it is ready.
fn start(site: &Site) -> Result<Program> {
    let folder = &site.folder.path;
    let file = folder.join("prometheus.yml");
    fs::write(
        &file,
        format!(
            "global: {{scrape_interval: 1s, evaluation_interval: 1s}}\nrule_files: [\"{}\"]\n\
             scrape_configs:\n  - job_name: wardtap\n    static_configs: [{{targets: [\"127.0.0.1:9641\"]}}]\n",
            fs::canonicalize(rules_file())?.display()
        ),
    )?;
    let server = prometheus::program(prometheus::SERVER).context("no prometheus")?;
    let mut command = site.sensor.command(server);
    command
        .arg(format!("--config.file={}", file.display()))
        .arg(format!(
            "--storage.tsdb.path={}",
            folder.join("tsdb").display()
        ))
        .arg(format!("--web.listen-address=127.0.0.1:{PORT}"));
    let mut server = Program::start("prometheus", command, folder)?;
    server.wait_until("Prometheus to be ready", SECONDS, |_| {
        http::get(&site.sensor, PORT, "/-/ready").ok().map(|_| ())
    })?;
    Ok(server)
}

fn json(site: &Site, path: &str) -> Result<Value> {
    Ok(serde_json::from_str(&http::get(&site.sensor, PORT, path)?)?)
}

/// The series that an expression gives now.
fn query(site: &Site, expression: &str) -> Result<Vec<Value>> {
    let mut path = "/api/v1/query?query=".to_owned();
    for byte in expression.bytes() {
        write!(path, "%{byte:02X}")?;
    }
    let answer = json(site, &path).with_context(|| expression.to_owned())?;
    ensure!(answer["status"] == "success", "{expression}: {answer}");
    Ok(list(&answer["data"]["result"]).cloned().collect())
}

/// The value of the first series.
fn value(series: &[Value]) -> Option<f64> {
    series.first()?["value"][1].as_str()?.parse().ok()
}
