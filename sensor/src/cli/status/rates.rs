//! What comes now, by interface.

use crate::{
    cli::table::{bytes, count, local, table, whole},
    control::api::InterfaceStatus,
};

/// What comes now: mean rates of the last seconds, minute and hour.
pub(super) fn table_of(interfaces: &[InterfaceStatus]) -> String {
    let windows = interfaces.first().map_or(&[][..], |one| &one.rates[..]);
    let mut heads = vec!["a second".to_owned()];
    for unit in ["packets", "bytes"] {
        heads.extend(
            windows
                .iter()
                .map(|rate| format!("{unit}, {}", rate.window)),
        );
    }
    heads.push("last packet".to_owned());
    let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
    let mut rows = table(&heads);
    for interface in interfaces {
        let all = || interface.rates.iter();
        let mut row = vec![interface.name.clone()];
        row.extend(all().map(|rate| short(rate.packets)));
        row.extend(all().map(|rate| bytes(whole(rate.bytes))));
        row.push(
            interface
                .last_packet
                .map_or_else(|| "none".to_owned(), local),
        );
        rows.add_row(row);
    }
    rows.to_string()
}

/// A small rate with a digit after the point: one packet in ten seconds is not none.
fn short(rate: f64) -> String {
    if rate > 0.0 && rate < 10.0 {
        format!("{rate:.1}")
    } else {
        count(whole(rate))
    }
}
