//! `docs/protocols.md`, made from the registry.

use std::{env, fmt::Write, fs, path::Path};

use sensor_common::layer7::Protocol;

const HEAD: &str = "# Protocols

Wardtap reads the content of these protocols, at any port: a TCP connection is recognised by how its content begins. The
name is the `event_type` of a protocol's events, the `app_proto` of its flows, the value of `--protocol` of
`wardtap sessions list` and the label of `wardtap_sessions_total`. Flows of a clinical protocol keep their place in the
flow table when it is full.

This page is made from the registry in `sensor-common/src/registry/mod.rs`; after a change there run
`UPDATE_DOCS=1 cargo test -p sensor-sessions --test protocols_page`.

| protocol | name | clinical | first byte |
| --- | --- | --- | --- |
";

/// Bytes in hexadecimal, those that follow each other as a range.
fn bytes(all: impl Iterator<Item = u8>) -> String {
    let mut ranges: Vec<(u8, u8)> = Vec::new();
    for byte in all {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == byte => *last = byte,
            _ => ranges.push((byte, byte)),
        }
    }
    let text = ranges.iter().map(|(first, last)| {
        if first == last {
            format!("`{first:02x}`")
        } else {
            format!("`{first:02x}` to `{last:02x}`")
        }
    });
    text.collect::<Vec<_>>().join(", ")
}

fn page() -> String {
    let mut page = HEAD.to_owned();
    for protocol in Protocol::ALL {
        let (title, name) = (protocol.title().unwrap(), protocol.name().unwrap());
        let clinical = if protocol.is_clinical() { "yes" } else { "no" };
        let first = bytes((0..=255).filter(|byte| protocol.may_begin(*byte)));
        writeln!(page, "| {title} | `{name}` | {clinical} | {first} |").unwrap();
    }
    page
}

/// `UPDATE_DOCS=1` writes the page instead of comparing it.
#[test]
fn the_page_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/protocols.md");
    let page = page();
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &page).unwrap();
    }
    assert!(
        fs::read_to_string(&path).unwrap_or_default() == page,
        "docs/protocols.md is not current: run `UPDATE_DOCS=1 cargo test -p sensor-sessions --test protocols_page`"
    );
}
