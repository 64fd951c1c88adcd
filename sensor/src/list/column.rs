//! A column of a list, and the values in it.

use std::{
    fmt::{self, Write as _},
    net::{IpAddr, SocketAddr},
};

use sensor_facts::{
    time::Time,
    words::{bytes, count},
};

/// A column.
pub struct Column<T> {
    /// Its name, as the options take it; a heading has spaces for its hyphens.
    pub name: &'static str,
    /// How dispensable it is: where a terminal is too narrow, the columns with the highest numbers are left out. 0: never.
    pub rank: u8,
    /// Its text may break between words.
    pub wraps: bool,
    /// The value of a row in it.
    pub value: fn(&T) -> Value,
}

impl<T> Column<T> {
    /// A column whose values are never broken.
    pub(crate) const fn new(name: &'static str, rank: u8, value: fn(&T) -> Value) -> Self {
        Self {
            name,
            rank,
            wraps: false,
            value,
        }
    }

    /// A column of text that may break between words.
    pub(crate) const fn text(name: &'static str, rank: u8, value: fn(&T) -> Value) -> Self {
        Self {
            name,
            rank,
            wraps: true,
            value,
        }
    }

    /// What stands above it.
    #[must_use]
    pub fn heading(&self) -> String {
        self.name.replace('-', " ")
    }
}

/// A value in a column. Values of one column are sorted by their own order: addresses by their numbers, times by time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// There is none.
    Nothing,
    /// A number.
    Number(u64),
    /// A number of bytes.
    Bytes(u64),
    /// A moment.
    Time(Time),
    /// An address, and a port where there is one.
    Address(IpAddr, Option<u16>),
    /// The address of a device, and in which part it is in an alert where that has to be said.
    Device(IpAddr, &'static str),
    /// A word of an order, such as a severity, after its place in the order.
    Ranked(usize, &'static str),
    /// A text.
    Text(String),
    /// Texts.
    List(Vec<String>),
    /// Texts, each of which is shown.
    All(Vec<String>),
    /// Names of one side, and of the other.
    Pair(Vec<String>, Vec<String>),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("-"),
            Self::Number(number) => f.write_str(&count(*number)),
            Self::Bytes(number) => f.write_str(&bytes(*number)),
            Self::Time(time) => f.write_str(&local(*time)),
            Self::Address(address, None) | Self::Device(address, "") => write!(f, "{address}"),
            Self::Address(address, Some(port)) => write!(f, "{}", SocketAddr::new(*address, *port)),
            Self::Device(address, mark) => write!(f, "{address} ({mark})"),
            Self::Ranked(_, word) => f.write_str(word),
            Self::Text(text) if text.is_empty() => f.write_str("-"),
            Self::Text(text) => f.write_str(text),
            Self::List(items) => f.write_str(&few(items)),
            Self::All(items) => f.write_str(&items.join(", ")),
            Self::Pair(one, other) => write!(f, "{} → {}", few(one), few(other)),
        }
    }
}

/// A moment in local time, to the second.
#[must_use]
pub fn local(time: Time) -> String {
    jiff::Timestamp::from_nanosecond(i128::from(time.0)).map_or_else(
        |_| time.to_string(),
        |moment| {
            let zoned = moment.to_zoned_datetime(jiff::tz::TimeZone::system());
            zoned.strftime("%Y-%m-%d %H:%M:%S").to_string()
        },
    )
}

/// Items of a list that are shown.
const SHOWN: usize = 4;

/// The first items with commas between and how many more there are, or a dash.
pub fn few<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    let mut items = items.into_iter().map(|item| item.to_string());
    let mut text = items.by_ref().take(SHOWN).collect::<Vec<_>>().join(", ");
    match items.count() {
        0 if text.is_empty() => text.push('-'),
        0 => {}
        more => {
            let _ = write!(text, " and {more} more");
        }
    }
    text
}

impl Value {
    /// A text, or nothing.
    pub(super) fn text(text: Option<impl Into<String>>) -> Self {
        text.map_or(Self::Nothing, |text| Self::Text(text.into()))
    }

    /// A moment, or nothing.
    pub(super) fn time(time: Option<Time>) -> Self {
        time.map_or(Self::Nothing, Self::Time)
    }

    /// Texts, or nothing.
    pub(super) fn list<T: ToString>(texts: impl IntoIterator<Item = T>) -> Self {
        let texts: Vec<String> = texts.into_iter().map(|one| one.to_string()).collect();
        if texts.is_empty() {
            Self::Nothing
        } else {
            Self::List(texts)
        }
    }
}
