//! What the veil leaves of originals: nothing.

use std::{collections::HashSet, fs, path::Path};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Names, Pseudonyms, SiteKey, Veil, fields};

fn veil() -> Veil {
    Veil::new(Pseudonyms::new(&SiteKey::of([7; 32])), Names::default())
}

fn veiled(mut value: Value) -> Value {
    veil().value(&mut value);
    value
}

fn words(text: &str) -> String {
    let value = veiled(json!({ "evidence": text }));
    value["evidence"].as_str().expect("words").to_owned()
}

#[test]
fn every_text_in_the_schema_of_events_is_of_a_class() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/events.schema.json");
    let schema: Value = serde_json::from_slice(&fs::read(path).expect("the schema")).expect("JSON");
    let mut unknown = Vec::new();
    let mut seen = HashSet::new();
    look(&schema, &schema, "", &mut seen, &mut unknown);
    assert!(seen.len() > 100, "{} fields", seen.len());
    assert_eq!(
        unknown,
        Vec::<String>::new(),
        "say in fields.rs what becomes of them under pseudonyms"
    );
}

fn look(
    schema: &Value,
    node: &Value,
    place: &str,
    seen: &mut HashSet<(String, String)>,
    unknown: &mut Vec<String>,
) {
    let node = resolved(schema, node);
    for (name, field) in node["properties"].as_object().into_iter().flatten() {
        if !seen.insert((place.to_owned(), name.clone())) {
            continue;
        }
        if has_text(schema, field) && fields::known(place, name).is_none() {
            unknown.push(format!("{place}.{name}"));
        }
        look(schema, field, name, seen, unknown);
    }
    for key in ["oneOf", "anyOf", "items", "prefixItems"] {
        match &node[key] {
            Value::Array(all) => all
                .iter()
                .for_each(|one| look(schema, one, place, seen, unknown)),
            Value::Object(_) => look(schema, &node[key], place, seen, unknown),
            _ => {}
        }
    }
}

fn resolved<'a>(schema: &'a Value, node: &'a Value) -> &'a Value {
    let Some(name) = node["$ref"].as_str() else {
        return node;
    };
    &schema["$defs"][name.trim_start_matches("#/$defs/")]
}

fn has_text(schema: &Value, node: &Value) -> bool {
    let node = resolved(schema, node);
    let words = node["enum"].as_array().into_iter().flatten();
    node["type"] == "string"
        || node["const"].is_string()
        || words.into_iter().any(Value::is_string)
        || node["items"].is_object() && has_text(schema, &node["items"])
}

#[test]
fn addresses_in_words_are_found_in_every_spelling() {
    let site = Pseudonyms::new(&SiteKey::of([7; 32]));
    let v4 = site.address([10, 20, 30, 40].into()).to_string();
    let v6 = site
        .address("2001:db8::5".parse().expect("an address"))
        .to_string();
    for (text, expected) in [
        ("10.20.30.40", v4.clone()),
        ("of 10.20.30.40.", format!("of {v4}.")),
        ("10.20.30.40:104: drop", format!("{v4}:104: drop")),
        (
            "tcp 10.20.30.40:1 ↔ 10.20.30.40:2",
            format!("tcp {v4}:1 ↔ {v4}:2"),
        ),
        ("(010.020.030.040)", format!("({v4})")),
        ("::ffff:10.20.30.40", v4.clone()),
        ("[2001:db8::5]:104", format!("[{v6}]:104")),
        ("2001:DB8:0:0:0:0:0:5, and", format!("{v6}, and")),
        ("of 2001:db8::5: drop.", format!("of {v6}: drop.")),
        ("v=10.20.30.40-10.20.30.40", format!("v={v4}-{v4}")),
        ("ip10.20.30.40", format!("ip{v4}")),
    ] {
        assert_eq!(words(text), expected, "{text}");
    }
    let net = words("10.20.30.0/24");
    let (address, length) = net.split_once('/').expect("a prefix");
    assert_eq!(length, "24");
    assert!(address.ends_with(".0"), "{net}");
    assert_eq!(
        address.rsplit_once('.').map(|it| it.0),
        v4.rsplit_once('.').map(|it| it.0)
    );
    let mac = words("00:1a:2b:3c:4d:5e");
    for (text, between) in [("00-1A-2B-3C-4D-5E", "-"), ("00:1A:2B:3C:4D:5E,", ":")] {
        assert_eq!(words(text).trim_end_matches(','), mac.replace(':', between));
    }
    assert_eq!(
        words("001a.2b3c.4d5e").replace('.', ""),
        mac.replace(':', "")
    );
    for stays in [
        "1.2.840.10008.5.1.4.1.1.2",
        "at 12:34:56, 3 times::",
        "2026-01-02T03:04:05.000006Z",
        "99.5 % of 1.5 GB",
    ] {
        assert_eq!(words(stays), stays);
    }
}

#[test]
fn names_are_replaced_as_fields_and_in_words() {
    let value = veiled(json!({
        "device": { "names": [{ "name": "CT-Ost.klinik.example", "source": "dhcp" }] },
        "calling_ae": "OSTCT 1",
        "hl7": { "sending_application": "KISADT", "control_id": "MSG77" },
        "evidence": "ct-ost.klinik.example as OSTCT 1 for KISADT; \"UNKNOWN_ONE\" is new; KISADTX is another",
        "vendor": "OSTCT 1",
        "by_device": { "10.1.2.3": 4, "KISADT": 5 },
    }));
    let text = value.to_string();
    for original in [
        "klinik",
        "ostct 1 for",
        "KISADT\"",
        "KISADT;",
        "MSG77",
        "UNKNOWN",
        "10.1.2.3",
    ] {
        assert!(!text.contains(original), "{original}: {text}");
    }
    assert_eq!(value["vendor"], "OSTCT 1", "what names a product stays");
    let host = value["device"]["names"][0]["name"]
        .as_str()
        .expect("a name");
    let evidence = value["evidence"].as_str().expect("words");
    assert!(evidence.starts_with(host), "{evidence}");
    assert!(evidence.contains("KISADTX"), "{evidence}");
    let again = veiled(json!({ "called_ae": "OSTCT 1" }));
    assert_eq!(again["called_ae"], value["calling_ae"]);
}

#[test]
fn what_people_say_is_replaced_whole_and_what_the_policy_says_is_searched() {
    let value = veiled(json!([
        { "actor": { "kind": "person", "uid": 1004, "name": "mmuster" }, "action": "labelled",
          "reason": "Mrs Meier moved it" },
        { "actor": { "kind": "policy", "group": "icu west" }, "action": "decided",
          "reason": "10.1.2.3 is protected (Mrs Meier moved it): by mmuster" },
        { "what": { "kind": "device", "address": "10.1.2.3" }, "reason": "pump of bed 4", "by": "mmuster" },
    ]));
    let text = value.to_string();
    for original in ["Meier", "mmuster", "1004", "icu", "bed", "10.1.2.3"] {
        assert!(!text.contains(original), "{original}: {text}");
    }
    let reason = value[1]["reason"].as_str().expect("words");
    assert!(reason.contains("is protected (text-"), "{reason}");
    assert_eq!(value[0]["action"], "labelled");
}

#[test]
fn ids_made_of_addresses_are_made_anew() {
    let value = veiled(json!({
        "flow_id": 123_456, "src_ip": "10.1.2.3", "src_port": 1025, "dest_ip": "10.1.2.4", "dest_port": 104,
        "proto": "TCP", "community_id": "1:LQU9qZlK+B5F3KDmev6m5PMibrg=",
    }));
    let address = |name: &str| value[name].as_str().and_then(|text| text.parse().ok());
    let expected = sensor_facts::address::community_id(
        address("src_ip").expect("an address"),
        address("dest_ip").expect("an address"),
        Some((1025, 104)),
        6,
    );
    assert_eq!(value["community_id"].as_str(), expected.as_deref());
    assert_ne!(value["flow_id"], 123_456);
    assert!(value["flow_id"].as_u64().is_some_and(|id| id < 1 << 53));
    let icmp = veiled(json!({
        "src_ip": "10.1.2.3", "dest_ip": "10.1.2.4", "proto": "ICMP", "community_id": "1:X0snYXpgwiv9TZtqg64sgzUn6Dk=",
    }));
    assert!(icmp.get("community_id").is_none(), "{icmp}");
}

#[test]
fn a_host_that_calls_itself_like_a_field_breaks_nothing() {
    let value = veiled(json!({
        "items": [{ "names": [{ "name": "items", "source": "mdns" }, { "name": "total", "source": "mdns" }] }],
        "total": 1,
    }));
    assert_eq!(value["total"], 1);
    assert!(value["items"].is_array());
}

proptest! {
    /// In fields of any name, and in words of any kind.
    #[test]
    fn no_address_stays(
        address: std::net::Ipv4Addr, six: std::net::Ipv6Addr, before in "[ a-z(\\[=\"]{0,3}",
        after in "([ ),:;\"/\\]][ -~]{0,4})?", field in "[a-z_]{1,12}",
    ) {
        // A net of all addresses is no one's and stays one; of so few bits another can become itself, too.
        let short = after.strip_prefix('/').is_some_and(|rest| {
            let behind = rest.trim_start_matches(|it: char| it.is_ascii_digit());
            rest[..rest.len() - behind.len()].parse::<u8>().is_ok_and(|bits| bits < 10)
        });
        prop_assume!(!(short && (address.is_unspecified() || six.is_unspecified())));
        for original in [address.to_string(), six.to_string(), format!("[{six}]:1")] {
            // Letters before would be part of an IPv6 address.
            let before = before.trim_end_matches(char::is_alphanumeric);
            let mut value = json!({});
            value[&field] = format!("{before}{original}{after}").into();
            let text = veiled(value)[&field].to_string();
            prop_assert!(!text.contains(&original), "{} in {}", original, text);
        }
    }
}
