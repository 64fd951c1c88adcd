//! `wardtap devices` as a user meets it.

mod command;

use std::io;

use command::{
    Folder,
    answering::{Answering, ok, refusal},
    wardtap,
};
use serde_json::{Value, json};

fn host() -> Value {
    json!({
        "address": "10.77.1.20",
        "macs": ["00:12:21:01:02:03"],
        "mac_shared": false,
        "vendor": "B.Braun Melsungen AG",
        "vendor_class": "MSFT 5.0",
        "names": [{"name": "ct-room-1", "source": "dhcp"}],
        "addresses_before": [{"address": "10.77.1.19", "until": "2026-01-02T03:00:00.000000Z"}],
        "role": {
            "role": "modality", "confidence": 0.95, "since": "2026-01-02T03:00:00.000000Z",
            "reasons": ["sends C-STORE to 10.77.1.10 as CT_ROOM_1 since 2026-01-02T03:00:00.000000Z"]
        },
        "first_seen": "2026-01-02T03:00:00.000000Z",
        "last_seen": "2026-01-02T04:00:00.000000Z",
        "bytes_in": 1_000, "bytes_out": 2_000_000, "flows_opened": 7, "flows_accepted": 0,
        "uses": [{"address": "10.77.1.10", "proto": "TCP", "port": 104, "app_proto": "dicom"}],
        "ae_titles": [
            {"title": "CT_ROOM_1", "requestor": true, "acceptor": false, "scu": true, "scp": false}
        ],
        "implementations": [{"class_uid": "1.2.276.0.7230010.3.0.3.6.7", "version_name": "OFFIS_DCMTK_367"}],
        "cleartext_dicom": true, "cleartext_hl7": false, "tls": true
    })
}

#[test]
fn the_list_fits_a_terminal() -> io::Result<()> {
    let mut made_up = host();
    made_up["address"] = json!("10.77.1.66");
    made_up["vendor"] = json!("random (locally administered)");
    made_up["role"] = json!({"role": "unknown", "confidence": 0.0});
    let page = json!({"total": 2, "items": [host(), made_up]});
    let folder = Folder::new()?;
    let daemon = Answering::start(&folder, ok(&page))?;
    let table = wardtap(&["devices", "list", "--socket", &daemon.socket])?;
    assert_eq!(table.code, Some(0), "{table:?}");
    for word in [
        "ct-room-1",
        "modality",
        "B.Braun Melsungen",
        "CT_ROOM_1",
        "DICOM",
        "random",
        "unknown",
        "2 of 2 hosts",
    ] {
        assert!(table.out.contains(word), "{word:?} in {}", table.out);
    }
    let asked = daemon.asked()?;
    assert!(asked.contains("site_only=true"), "{asked}");
    Ok(())
}

#[test]
fn a_device_is_shown_with_all_that_is_known() -> io::Result<()> {
    let mut device = host();
    device["baseline"] = json!({
        "first_seen": "2026-01-02T03:00:00.000000Z", "learnt": 0.25,
        "frozen_until": "2026-01-02T05:00:00.000000Z", "facts": 12, "hours": 3
    });
    let page = json!({"total": 1, "items": [device]});
    let folder = Folder::new()?;
    let daemon = Answering::start(&folder, ok(&page))?;
    let shown = wardtap(&[
        "devices",
        "show",
        "00:12:21:01:02:03",
        "--socket",
        &daemon.socket,
    ])?;
    assert_eq!(shown.code, Some(0), "{shown:?}");
    for word in [
        "10.77.1.20",
        "modality, 95 % sure",
        "sends C-STORE to 10.77.1.10 as CT_ROOM_1",
        "ct-room-1 (DHCP)",
        "B.Braun Melsungen AG (register of 20",
        "10.77.1.19 until",
        "7 connections opened",
        "CT_ROOM_1 (asks, SCU)",
        "OFFIS_DCMTK_367",
        "10.77.1.10 104/TCP dicom",
        "25 % of its learning period is over",
        "learning is on hold until",
    ] {
        assert!(shown.out.contains(word), "{word:?} in {}", shown.out);
    }
    let asked = daemon.asked()?;
    assert!(
        asked.starts_with("GET /v1/devices/00:12:21:01:02:03 HTTP/1.1"),
        "{asked}"
    );

    let daemon = Answering::start(&folder, ok(&page))?;
    let json = wardtap(&[
        "devices",
        "show",
        "10.77.1.20",
        "--json",
        "--socket",
        &daemon.socket,
    ])?;
    let json: Value = serde_json::from_str(&json.out)?;
    assert_eq!(json["items"][0]["baseline"]["facts"], 12);
    assert_eq!(json["items"][0]["role"]["role"], "modality");
    daemon.asked()?;
    Ok(())
}

#[test]
fn a_device_that_was_not_seen_is_an_error() -> io::Result<()> {
    let folder = Folder::new()?;
    let error = "10.9.9.9 was not seen; `wardtap devices list` shows who was";
    let daemon = Answering::start(&folder, refusal("404 Not Found", error))?;
    let shown = wardtap(&["devices", "show", "10.9.9.9", "--socket", &daemon.socket])?;
    assert_eq!((shown.code, shown.out.as_str()), (Some(1), ""), "{shown:?}");
    assert!(shown.error.contains("10.9.9.9 was not seen"), "{shown:?}");
    daemon.asked()?;
    // What is no address is not asked for.
    let shown = wardtap(&["devices", "show", "../rules", "--socket", "/none"])?;
    assert_eq!(shown.code, Some(1), "{shown:?}");
    assert!(
        shown
            .error
            .contains("neither an IP nor an Ethernet address"),
        "{shown:?}"
    );
    Ok(())
}
