//! Compares the lines that are written here with those of [`serde_json`].

use std::collections::BTreeMap;

use proptest::{collection::vec, prelude::*};
use serde_json::json;

use std::{borrow::Cow, net::IpAddr};

use super::*;
use crate::{
    event::{DicomEvent, FlowReport, Hl7Event, Hl7Message},
    time::Time,
};

/// Where the values of an event come from.
pub(in crate::event) struct Source {
    numbers: std::vec::IntoIter<u64>,
    texts: std::vec::IntoIter<String>,
}

impl Source {
    fn number<T: TryFrom<u64>>(&mut self) -> T {
        let value = self.numbers.next().unwrap_or_default();
        let bits = 8 * size_of::<T>();
        // One bit less for those that have a sign.
        let all = [value >> (64 - bits), value >> (65 - bits)];
        all.into_iter()
            .find_map(|value| T::try_from(value).ok())
            .unwrap_or_else(|| unreachable!("a number of so many bits"))
    }

    fn flag(&mut self) -> bool {
        self.number::<u8>().is_multiple_of(2)
    }

    fn time(&mut self) -> Time {
        Time(self.number::<u64>().cast_signed())
    }

    fn text(&mut self) -> String {
        self.texts.next().unwrap_or_default()
    }

    fn perhaps<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.flag().then(|| make(self))
    }

    fn list<T>(&mut self, make: impl Fn(&mut Self) -> T) -> Vec<T> {
        let length = self.number::<u8>() % 4;
        (0..length).map(|_| make(self)).collect()
    }

    fn address(&mut self) -> IpAddr {
        if self.flag() {
            IpAddr::from(self.number::<u32>().to_be_bytes())
        } else {
            IpAddr::from(((u128::from(self.number::<u64>()) << 64) | 1).to_be_bytes())
        }
    }

    /// One of several values.
    pub(in crate::event) fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.number::<usize>() % all.len()]
    }

    fn body(&mut self) -> Body {
        match self.number::<u8>() % 8 {
            0 => {
                let association = json!({
                    "type": "closed", "start": self.time(), "end": self.time(), "outcome": "released",
                    "midstream": false, "incomplete": true, "calling_ae": self.text(), "called_ae": self.text(),
                    "requestor_data_bytes": 1, "acceptor_data_bytes": self.number::<u64>(),
                });
                let dicom: DicomEvent =
                    serde_json::from_value(association).expect("an association");
                let dicom = Box::new(dicom);
                Body::Dicom { dicom }
            }
            1 => {
                let hl7 = Hl7Message {
                    sending_application: self.perhaps(Self::text),
                    control_id: self.perhaps(Self::text),
                    ack_time_us: self.perhaps(Self::number),
                    ..Hl7Message::default()
                };
                let hl7 = Box::new(Hl7Event::Message(hl7));
                Body::Hl7 { hl7 }
            }
            2 => {
                let counters = self.list(|source| (source.text(), source.number()));
                let stats = BTreeMap::from_iter(counters);
                Body::Stats { stats }
            }
            _ => Body::Flow {
                flow: Box::new(FlowReport::sample(self)),
            },
        }
    }

    fn event(&mut self) -> Event {
        Event {
            timestamp: self.time(),
            v: self.number(),
            flow_id: self.perhaps(Self::number),
            in_iface: self.perhaps(Self::text),
            vlan: self.list(Self::number),
            src_ip: self.perhaps(Self::address),
            src_port: self.perhaps(Self::number),
            dest_ip: self.perhaps(Self::address),
            dest_port: self.perhaps(Self::number),
            proto: self.perhaps(Self::text).map(Cow::Owned),
            community_id: self.perhaps(Self::text),
            body: self.body(),
        }
    }
}

/// A value of any kind, as a source gives it.
pub(in crate::event) trait Sample {
    fn sample(source: &mut Source) -> Self;
}

macro_rules! samples {
    ($($type:ty: $read:expr;)+) => {
        $(impl Sample for $type {
            fn sample(source: &mut Source) -> Self {
                let read: fn(&mut Source) -> Self = $read;
                read(source)
            }
        })+
    };
}

samples! {
    u8: Source::number;
    u16: Source::number;
    u32: Source::number;
    u64: Source::number;
    i32: |source| match source.number::<i32>() {
        size if source.flag() => -size,
        size => size,
    };
    bool: Source::flag;
    Time: Source::time;
    String: Source::text;
    Cow<'static, str>: |source| Cow::Owned(source.text());
}

impl<T: Sample> Sample for Option<T> {
    fn sample(source: &mut Source) -> Self {
        source.perhaps(T::sample)
    }
}

impl<T: Sample> Sample for Vec<T> {
    fn sample(source: &mut Source) -> Self {
        source.list(T::sample)
    }
}

impl<T: Sample, const N: usize> Sample for [T; N] {
    fn sample(source: &mut Source) -> Self {
        std::array::from_fn(|_| T::sample(source))
    }
}

/// Numbers of every length.
fn number() -> impl Strategy<Value = u64> {
    prop_oneof![
        any::<u64>(),
        (any::<u64>(), 0..64_u32)
            .prop_map(|(value, bits)| value.rotate_right(bits) & (0xff << (bits & 0x38))),
        Just(0),
        Just(u64::MAX),
    ]
}

/// Texts of any kind, and such as someone would choose who wants to write a field of his own.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        r#"[a-z0-9 :"\\/{},\[\]\x00-\x1f\x7f-\u{a0}\u{2028}\u{2029}\u{feff}😀]{0,40}"#,
        Just("\",\"event_type\":\"alert\",\"x\":\"".to_owned()),
        Just("\\\",\n{\"timestamp\":0}\n".to_owned()),
        Just("x".repeat(5_000)),
    ]
}

fn written(event: &Event) -> String {
    let mut to = b"before\n".to_vec();
    event.write_json(&mut to).expect("JSON");
    let text = String::from_utf8(to).expect("text");
    text.strip_prefix("before\n")
        .expect("what was there")
        .to_owned()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn every_event_is_written_as_serde_json_would(
        numbers in vec(number(), 200),
        texts in vec(text(), 12),
    ) {
        let mut source = Source { numbers: numbers.into_iter(), texts: texts.into_iter() };
        let event = source.event();
        let line = written(&event);
        prop_assert_eq!(&line, &serde_json::to_string(&event).expect("JSON"));
        // One event is one line, whatever is in it.
        prop_assert!(!line.contains('\n'));
    }
}

#[test]
fn lines_follow_one_another() {
    let event = Event::stats(Time(0), BTreeMap::new());
    let mut to = Vec::new();
    for _ in 0..3 {
        event.write_json(&mut to).expect("JSON");
        to.push(b'\n');
    }
    let one = serde_json::to_string(&event).expect("JSON") + "\n";
    assert_eq!(to, one.repeat(3).into_bytes());
}
