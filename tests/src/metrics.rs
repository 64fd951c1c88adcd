//! The daemon's metrics as Prometheus reads them.

use std::{collections::BTreeMap, ops::Deref};

use anyhow::{Context, Result};

use crate::{http, netns::Namespace};

/// Where the daemon serves them, unless its configuration says otherwise.
pub(crate) const PORT: u16 = 9641;

/// Values by name and labels.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metrics(BTreeMap<String, f64>);

impl Deref for Metrics {
    type Target = BTreeMap<String, f64>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl Metrics {
    /// Asks the daemon in a namespace.
    ///
    /// # Errors
    /// When it does not answer, or with something else.
    pub fn scrape(namespace: &Namespace) -> Result<Self> {
        let text = http::get(namespace, PORT, "/metrics")?;
        text.lines()
            .filter(|line| !line.starts_with('#'))
            .map(|line| {
                let (name, value) = line.rsplit_once(' ').context(line.to_owned())?;
                Ok((name.to_owned(), value.parse()?))
            })
            .collect::<Result<_>>()
            .map(Self)
    }

    /// The sum over all labels of the metric `name`.
    #[must_use]
    pub fn total(&self, name: &str) -> f64 {
        let parts = self.0.iter().filter(|(key, _)| key.starts_with(name));
        parts.map(|(_, value)| value).sum()
    }
}
