//! Options that several commands share.

use clap::Args;

use crate::control::api::under;

/// How something is shown.
#[derive(Args, Clone, Copy)]
pub(super) struct Shown {
    /// As JSON
    #[arg(long, display_order = 50)]
    pub(super) json: bool,
}

/// Whether it may leave the site.
#[derive(Args, Clone, Copy)]
pub(super) struct Under {
    /// With pseudonyms under the site's key for addresses, names and words of people, the same each time
    #[arg(long, display_order = 51)]
    pub(super) pseudonymise: bool,
}

impl Under {
    /// The request target of it.
    pub(super) fn target(self, target: &str) -> String {
        under(target, self.pseudonymise)
    }
}
