//! Options that several commands share.

use clap::Args;

use crate::control::api::{LIMIT_MAX, Query, under};

/// How something is shown.
#[derive(Args, Clone, Copy)]
pub(super) struct Shown {
    /// As JSON
    #[arg(long)]
    pub(super) json: bool,
}

/// Whether it may leave the site.
#[derive(Args, Clone, Copy)]
pub(super) struct Under {
    /// With pseudonyms under the site's key for addresses, names and words of people, the same each time
    #[arg(long)]
    pub(super) pseudonymise: bool,
}

impl Under {
    /// The request target of it.
    pub(super) fn target(self, target: &str) -> String {
        under(target, self.pseudonymise)
    }
}

/// A part of a list, and how it is shown.
#[derive(Args, Clone)]
pub(super) struct Listed {
    #[command(flatten)]
    pub(super) shown: Shown,
    #[command(flatten)]
    pub(super) under: Under,
    /// Rows at most, up to 1000
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = limit)]
    pub(super) limit: usize,
    /// Rows to leave out
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(super) offset: usize,
}

fn limit(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|number| (1..=LIMIT_MAX).contains(number))
        .ok_or_else(|| format!("not from 1 to {LIMIT_MAX}; --offset gets at the others"))
}

impl Listed {
    pub(super) fn query(&self, protocol: Option<&str>) -> Query {
        Query {
            limit: self.limit,
            offset: self.offset,
            protocol: protocol.map(str::to_owned),
            pseudonymise: self.under.pseudonymise,
        }
    }
}

/// What stands below a list: which part of it was shown.
pub(super) fn shown_of(shown: usize, listed: &Listed, total: usize, what: &str) -> String {
    let more = if listed.offset + shown < total {
        "; --limit and --offset show others"
    } else {
        ""
    };
    format!("{shown} of {total} {what}{more}\n")
}
