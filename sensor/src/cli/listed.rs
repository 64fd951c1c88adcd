//! The options that all lists share. Each list takes the filters that mean something for it, and says of the others why
//! not.

use std::{marker::PhantomData, ops::Deref, path::Path};

use clap::{
    ArgMatches, Args, Command, FromArgMatches,
    builder::{PossibleValuesParser, TypedValueParser},
};
use sensor_analysis::detect::ALL;
use sensor_facts::{alert::Severity, time::Time};
use sensor_sessions::inventory::Role;
use serde::de::DeserializeOwned;

use super::{Shown, Under, output, rows::rows};
use crate::{
    control::{
        api::{self, LIMIT_MAX, Page, Query},
        client,
    },
    list::{self, Choice, FILTERS, Filter, Item, Sort, choose, no_column},
};

/// A part of the time.
#[derive(Args, Clone, Default)]
pub(super) struct TimeArgs {
    /// Only from then on: RFC 3339, such as 2026-03-01T08:00:00Z, or so long ago, such as 2h or 3d
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(super) since: Option<Time>,
    /// Only until then, written in the same way
    #[arg(long, value_name = "TIME", value_parser = moment)]
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
    #[arg(long, value_name = "DEVICE")]
    pub(super) device: Option<String>,
    #[command(flatten)]
    pub(super) time: TimeArgs,
    /// Only what devices of this role have to do with
    #[arg(long, value_parser = roles())]
    pub(super) role: Option<String>,
    /// Only this severity or above
    #[arg(long, value_parser = severities())]
    pub(super) severity: Option<Severity>,
    /// Only what this detector found
    #[arg(long, value_parser = detectors(), hide_possible_values = true)]
    pub(super) detector: Option<String>,
    /// Only this state
    #[arg(long)]
    pub(super) state: Option<String>,
    /// Only the site's hosts, without those of the Internet
    #[arg(long)]
    pub(super) site_only: bool,
}

/// A part of a list, in which order, and how it is shown.
#[derive(Args, Clone)]
pub(super) struct ListArgs {
    #[command(flatten)]
    pub(super) shown: Shown,
    #[command(flatten)]
    pub(super) under: Under,
    #[command(flatten)]
    pub(super) filter: FilterArgs,
    /// By which column, with :desc the greatest first
    #[arg(long, value_name = "COLUMN[:desc]")]
    pub(super) sort: Option<Sort>,
    /// Only these columns, in this order
    #[arg(
        long,
        value_name = "A,B,C",
        value_delimiter = ',',
        conflicts_with = "json"
    )]
    pub(super) columns: Vec<String>,
    /// Rows at most
    #[arg(long, alias = "last", value_name = "N", default_value_t = 100)]
    pub(super) limit: usize,
    /// Rows to leave out
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(super) offset: usize,
}

/// [`ListArgs`] of a list of such rows.
pub(super) struct Listed<T> {
    args: ListArgs,
    of: PhantomData<T>,
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

fn limit<T: Item>(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|number| (1..=T::MOST).contains(number))
        .ok_or_else(|| format!("not from 1 to {}; --offset gets at the others", T::MOST))
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
fn fitted<T: Item>(mut command: Command) -> Command {
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

/// Fits order and columns to such rows.
fn with_columns<T: Item>(command: Command) -> Command {
    let names = T::COLUMNS.iter().map(|column| column.name);
    let columns = PossibleValuesParser::new(names);
    let sort = |text: &str| -> Result<Sort, String> {
        let sort: Sort = text.parse()?;
        let known = T::COLUMNS.iter().any(|column| column.name == sort.column);
        known
            .then_some(sort.clone())
            .ok_or_else(|| no_column::<T>(&sort.column))
    };
    command
        .mut_arg("columns", |arg| arg.value_parser(columns))
        .mut_arg("sort", |arg| arg.value_parser(sort))
        .mut_arg("limit", |arg| arg.value_parser(limit::<T>))
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

fitted_args!(Listed of ListArgs, |command| with_columns::<T>(fitted::<T>(command)));
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

impl ListArgs {
    /// The question for what is wanted.
    pub(super) fn query(&self) -> Query {
        Query {
            limit: self.limit,
            offset: self.offset,
            pseudonymise: self.under.pseudonymise,
            sort: self.sort.as_ref().map(ToString::to_string),
            ..self.filter.query()
        }
    }
}

impl<T: Item> Listed<T> {
    /// The rows as a table, with what stands below it; `empty` is said where there are none.
    pub(super) fn table(&self, page: &Page<T>) -> String {
        let end = self.end(page.items.len(), page.total, T::WHAT);
        if page.items.is_empty() {
            return end;
        }
        format!("{}{end}", rows(&page.items, &self.columns))
    }

    /// What stands below a list: which part of it was shown.
    pub(super) fn end(&self, shown: usize, total: usize, what: &str) -> String {
        let more = if self.offset + shown < total {
            "; --limit and --offset show others"
        } else {
            ""
        };
        format!("{shown} of {total} {what}{more}\n")
    }
}

impl<T: Item + DeserializeOwned> Listed<T> {
    /// Asks the daemon for the part of the list that is wanted.
    pub(super) fn fetch(&self, socket: &Path, path: &str) -> anyhow::Result<Page<T>> {
        Ok(client::get(socket, &api::target(path, &self.query()))?)
    }

    /// Prints the list.
    pub(super) fn print(&self, socket: &Path, path: &str) -> anyhow::Result<()> {
        let page = self.fetch(socket, path)?;
        if self.shown.json {
            return output::print_json(&page);
        }
        output::print(&self.table(&page))
    }
}

impl<T: Item> Listed<T> {
    /// Of rows that are here already, those that are wanted; the daemon is asked for its hosts where a name or a role is.
    pub(super) fn choose(&self, socket: &Path, items: Vec<T>) -> anyhow::Result<Page<T>> {
        choose(items, &self.choice(socket)?).map_err(anyhow::Error::msg)
    }

    /// Rows in the order that is asked for.
    pub(super) fn sorted(&self, items: Vec<T>) -> anyhow::Result<Vec<T>> {
        let sort = self.query().sort;
        list::sorted(items, sort.as_deref()).map_err(anyhow::Error::msg)
    }

    /// What is wanted, with names and roles looked up.
    pub(super) fn choice(&self, socket: &Path) -> anyhow::Result<Choice> {
        let query = self.query();
        let hosts = if Choice::asks_for_hosts(&query) {
            let all_hosts = Query {
                pseudonymise: query.pseudonymise,
                ..Query::default()
            };
            all(socket, api::DEVICES, &all_hosts)?
        } else {
            Vec::new()
        };
        Choice::new(&query, &hosts, &[]).map_err(anyhow::Error::msg)
    }
}

/// All rows of a list, page by page.
pub(super) fn all<T: DeserializeOwned>(
    socket: &Path,
    path: &str,
    query: &Query,
) -> anyhow::Result<Vec<T>> {
    let mut items = Vec::new();
    loop {
        let query = Query {
            limit: LIMIT_MAX,
            offset: items.len(),
            ..query.clone()
        };
        let page: Page<T> = client::get(socket, &api::target(path, &query))?;
        let got = page.items.len();
        items.extend(page.items);
        if got == 0 || items.len() >= page.total {
            return Ok(items);
        }
    }
}
