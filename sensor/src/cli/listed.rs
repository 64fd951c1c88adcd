//! The options that all lists share: filters, order, columns, and which part is shown.

use std::{marker::PhantomData, ops::Deref, path::Path};

use clap::{ArgMatches, Args, Command, FromArgMatches, builder::PossibleValuesParser};
use serde::de::DeserializeOwned;

use super::{
    Shown, Under,
    filters::{FilterArgs, fitted, fitted_args},
    output,
    rows::rows,
};
use crate::{
    control::{
        api::{self, LIMIT_MAX, Page, Query},
        client,
    },
    list::{self, Choice, Item, Sort, choose, no_column},
};

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
    #[arg(long, value_name = "COLUMN[:desc]", display_order = 9)]
    pub(super) sort: Option<Sort>,
    /// Only these columns, in this order
    #[arg(
        long,
        value_name = "A,B,C",
        value_delimiter = ',',
        conflicts_with = "json",
        display_order = 10
    )]
    pub(super) columns: Vec<String>,
    /// Rows at most
    #[arg(
        long,
        alias = "last",
        value_name = "N",
        default_value_t = 100,
        display_order = 11
    )]
    pub(super) limit: usize,
    /// Rows to leave out
    #[arg(long, value_name = "N", default_value_t = 0, display_order = 12)]
    pub(super) offset: usize,
}

/// [`ListArgs`] of a list of such rows.
pub(super) struct Listed<T> {
    args: ListArgs,
    of: PhantomData<T>,
}

fn limit<T: Item>(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|number| (1..=T::MOST).contains(number))
        .ok_or_else(|| format!("not from 1 to {}; --offset gets at the others", T::MOST))
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

fitted_args!(Listed of ListArgs, |command| with_columns::<T>(fitted::<T>(command)));

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
