//! The filters that all lists share, as options. Each list takes those that mean something for it, and says of the others
//! why not.

use std::{marker::PhantomData, ops::Deref};

use clap::{
    ArgMatches, Args, Command, FromArgMatches,
    builder::{PossibleValuesParser, TypedValueParser},
};
use sensor_analysis::detect::ALL;
use sensor_facts::{alert::Severity, time::Time};
use sensor_sessions::inventory::Role;

use crate::{
    control::api::Query,
    list::{self, FILTERS, Filter, Item},
};

/// A part of the time.
#[derive(Args, Clone, Default)]
pub(super) struct TimeArgs {
    /// Only from then on: RFC 3339, such as 2026-03-01T08:00:00Z, or so long ago, such as 2h or 3d
    #[arg(long, value_name = "TIME", value_parser = moment, display_order = 2)]
    pub(super) since: Option<Time>,
    /// Only until then, written in the same way
    #[arg(long, value_name = "TIME", value_parser = moment, display_order = 3)]
    pub(super) until: Option<Time>,
}

impl TimeArgs {
    /// The begin and the end, in seconds before now; the end is 0 without one.
    pub(super) fn ago(&self) -> (Option<u64>, u64) {
        let now = now();
        let ago = |time: Time| u64::try_from(now.0.saturating_sub(time.0)).unwrap_or(0) / SECOND;
        (self.since.map(ago), self.until.map_or(0, ago))
    }
}

/// Nanoseconds.
const SECOND: u64 = 1_000_000_000;

/// Which rows of a list.
#[derive(Args, Clone, Default)]
pub(super) struct FilterArgs {
    /// Only what a device has to do with: its address, a subnet, its name or an AE title
    #[arg(long, value_name = "DEVICE", display_order = 1)]
    pub(super) device: Option<String>,
    #[command(flatten)]
    pub(super) time: TimeArgs,
    /// Only what devices of this role have to do with
    #[arg(long, value_parser = roles(), display_order = 4)]
    pub(super) role: Option<String>,
    /// Only this severity or above
    #[arg(long, value_parser = severities(), display_order = 5)]
    pub(super) severity: Option<Severity>,
    /// Only what this detector found
    #[arg(long, value_parser = detectors(), hide_possible_values = true, display_order = 6)]
    pub(super) detector: Option<String>,
    /// Only this state
    #[arg(long, display_order = 7)]
    pub(super) state: Option<String>,
    /// Only the site's hosts, without those of the Internet
    #[arg(long, display_order = 8)]
    pub(super) site_only: bool,
}

/// [`FilterArgs`] where such rows are chosen.
pub(super) struct Filtered<T> {
    args: FilterArgs,
    of: PhantomData<T>,
}

pub(super) fn now() -> Time {
    let now = jiff::Timestamp::now().as_nanosecond();
    Time(i64::try_from(now).unwrap_or(i64::MAX))
}

fn moment(text: &str) -> Result<Time, String> {
    list::moment(text, now())
}

/// A moment that is to come.
pub(super) fn future(text: &str) -> Result<Time, String> {
    let moment = moment(text)?;
    if moment > now() {
        Ok(moment)
    } else {
        Err(format!("{text:?} has passed"))
    }
}

/// Reads a role.
pub(super) fn role() -> impl TypedValueParser<Value = Role> {
    roles().try_map(|word| Role::named(&word).ok_or("it is none of the words"))
}

fn roles() -> PossibleValuesParser {
    PossibleValuesParser::new(Role::ALL.map(Role::word))
}

fn severities() -> impl TypedValueParser<Value = Severity> {
    let named = |word: String| Severity::ALL.into_iter().find(|one| one.label() == word);
    PossibleValuesParser::new(Severity::ALL.map(Severity::label))
        .try_map(move |word| named(word).ok_or("it is none of the words"))
}

pub(super) fn detectors() -> PossibleValuesParser {
    PossibleValuesParser::new(ALL.iter().map(|about| about.id))
}

/// What is said of a filter that means nothing for such rows.
pub(super) fn meaningless<T: Item>(name: &str) -> String {
    let taken = FILTERS.iter().filter(|(one, _)| T::FILTERS.contains(one));
    let taken: Vec<String> = taken.map(|(_, name)| format!("--{name}")).collect();
    let taken = if taken.is_empty() {
        "this list has no filters".to_owned()
    } else {
        format!("the filters of this list are {}", taken.join(", "))
    };
    format!("{} have no {}; {taken}", T::WHAT, name.replace('-', " "))
}

/// Fits the shared filters to such rows.
pub(super) fn fitted<T: Item>(mut command: Command) -> Command {
    fn refuse<V>(why: String) -> impl TypedValueParser<Value = V>
    where
        V: Clone + Send + Sync + 'static,
    {
        move |_: &str| Err::<V, String>(why.clone())
    }
    for (filter, name) in FILTERS {
        if T::FILTERS.contains(&filter) {
            continue;
        }
        let why = meaningless::<T>(name);
        command = command.mut_arg(name.replace('-', "_"), |arg| {
            let arg = arg.hide(true);
            match filter {
                Filter::Device | Filter::Role | Filter::Detector | Filter::State => {
                    arg.value_parser(refuse::<String>(why))
                }
                Filter::Since | Filter::Until => arg.value_parser(refuse::<Time>(why)),
                Filter::Severity => arg.value_parser(refuse::<Severity>(why)),
                // A flag that is not set is read as well.
                Filter::SiteOnly => arg.value_parser(move |text: &str| match text {
                    "false" => Ok(false),
                    _ => Err(why.clone()),
                }),
            }
        });
    }
    if T::FILTERS.contains(&Filter::State) {
        let states = PossibleValuesParser::new(T::STATES);
        command = command.mut_arg("state", |arg| arg.value_parser(states));
    }
    command
}

macro_rules! fitted_args {
    ($name:ident of $args:ty, $fit:expr) => {
        impl<T: Item> Args for $name<T> {
            fn augment_args(command: Command) -> Command {
                let fit: fn(Command) -> Command = $fit;
                fit(<$args>::augment_args(command))
            }

            fn augment_args_for_update(command: Command) -> Command {
                let fit: fn(Command) -> Command = $fit;
                fit(<$args>::augment_args_for_update(command))
            }
        }

        impl<T> FromArgMatches for $name<T> {
            fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
                let args = <$args>::from_arg_matches(matches)?;
                Ok(Self {
                    args,
                    of: PhantomData,
                })
            }

            fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
                self.args.update_from_arg_matches(matches)
            }
        }

        impl<T> Deref for $name<T> {
            type Target = $args;

            fn deref(&self) -> &$args {
                &self.args
            }
        }
    };
}

pub(super) use fitted_args;

fitted_args!(Filtered of FilterArgs, fitted::<T>);

impl FilterArgs {
    /// The question for what is wanted.
    pub(super) fn query(&self) -> Query {
        Query {
            device: self.device.clone(),
            since: self.time.since,
            until: self.time.until,
            role: self.role.clone(),
            severity: self.severity,
            detector: self.detector.clone(),
            state: self.state.clone(),
            site_only: self.site_only,
            ..Query::default()
        }
    }

    /// The names of those that are set.
    pub(super) fn set(&self) -> impl Iterator<Item = (Filter, &'static str)> {
        let is_set = |filter: &Filter| match filter {
            Filter::Device => self.device.is_some(),
            Filter::Since => self.time.since.is_some(),
            Filter::Until => self.time.until.is_some(),
            Filter::Role => self.role.is_some(),
            Filter::Severity => self.severity.is_some(),
            Filter::Detector => self.detector.is_some(),
            Filter::State => self.state.is_some(),
            Filter::SiteOnly => self.site_only,
        };
        FILTERS
            .into_iter()
            .filter(move |(filter, _)| is_set(filter))
    }
}
