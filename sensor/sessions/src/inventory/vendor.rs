//! Who made a network card: the register of the IEEE by the first bytes of an Ethernet address.

use std::fmt::Write as _;

use sensor_facts::observation::Mac;

/// The register: one line a block, `PREFIX<TAB>NAME`, sorted; prefixes of 6, 7 and 9 hexadecimal digits.
static TABLE: &str = include_str!("oui.tsv");

/// The month of the table: package `oui-data` 2.1.9 (BSD-2-Clause) of the npm registry, which repeats the
/// register of the IEEE; addresses of makers are left out.
pub const TABLE_DATE: &str = "2026-08";

/// Said of addresses that their owner made up, as phones do for each network (IEEE 802c).
pub const RANDOM: &str = "random (locally administered)";

/// Who made the card with this address; none where the register has no one.
#[must_use]
pub fn vendor(mac: Mac) -> Option<&'static str> {
    if mac[0] & 1 != 0 || mac == [0; 6] {
        return None;
    }
    if mac[0] & 2 != 0 {
        return Some(RANDOM);
    }
    let digits = mac.iter().fold(String::new(), |mut digits, byte| {
        // Writing to a string can't fail.
        let _ = write!(digits, "{byte:02X}");
        digits
    });
    // The narrowest block counts.
    [9, 7, 6]
        .iter()
        .find_map(|length| find(digits.get(..*length)?))
}

/// The name of a block, by bisection over the lines.
fn find(prefix: &str) -> Option<&'static str> {
    let (mut low, mut high) = (0, TABLE.len());
    while low < high {
        let middle = low + (high - low) / 2;
        // Names are not all ASCII, so the middle may lie within a letter.
        let before = TABLE.as_bytes().get(..middle)?;
        let start = before.iter().rposition(|byte| *byte == b'\n');
        let start = start.map_or(0, |at| at + 1);
        let line = TABLE.get(start..)?.split('\n').next()?;
        let (key, name) = line.split_once('\t')?;
        match key.cmp(prefix) {
            std::cmp::Ordering::Equal => return Some(name),
            std::cmp::Ordering::Less => low = start + line.len() + 1,
            std::cmp::Ordering::Greater => high = start,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_of_the_table_is_found_by_its_block() {
        let mut before = "";
        for line in TABLE.lines() {
            let (key, name) = line.split_once('\t').unwrap();
            assert!(before < key, "{before} stands before {key}");
            before = key;
            assert!([6, 7, 9].contains(&key.len()) && !name.is_empty(), "{line}");
            assert_eq!(find(key), Some(name));
        }
    }

    #[test]
    fn the_narrowest_block_counts_and_what_is_made_up_is_said() {
        assert_eq!(
            vendor([0x00, 0x12, 0x21, 0, 0, 1]),
            Some("B.Braun Melsungen AG")
        );
        // Of a block whose owner gave parts of it to others.
        let part = vendor([0x98, 0x6e, 0xe8, 0x70, 0, 1]);
        assert!(
            part.is_some_and(|name| name.contains("Pesquisas")),
            "{part:?}"
        );
        assert_eq!(vendor([0x02, 0, 0x0a, 0, 0, 1]), Some(RANDOM));
        assert_eq!(vendor([0xff; 6]), None);
        assert_eq!(vendor([0; 6]), None);
    }
}
