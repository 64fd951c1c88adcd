//! Windows of devices: judged when they are over, by a model where there is one.

use sensor_facts::time::Time;

use super::{Analysis, Outcome};
use crate::{
    behaviour::{Judged, Needed},
    model::{Scorer, WindowModel},
};

impl Analysis {
    /// Judges the windows that are over, `limit` at most.
    pub(super) fn judge_windows(&mut self, now: Time, limit: usize, out: &mut Outcome) {
        let due = self.known.behaviour.due(now, limit);
        let close = |device| self.known.behaviour.close(device);
        let mut judged: Vec<Judged> = due.into_iter().filter_map(close).collect();
        if let Some(model) = &mut self.window_model
            && let Err(error) = model.judge(&mut judged)
        {
            tracing::error!(
                "the window model {} is no longer used: {error}",
                model.name()
            );
            self.window_model = None;
            self.known.behaviour.set_scale("", Needed::of_sums());
            self.known.behaviour.set_prior(None);
            return;
        }
        for one in &judged {
            let site = self.known.site(now, None);
            for finding in self.detectors.judged(one, &site) {
                self.found(finding, None, out);
            }
            self.known.behaviour.keep(one);
        }
    }

    /// From now on flows and windows are scored by models, where there are some.
    #[must_use]
    pub fn with_models(mut self, flows: Option<Scorer>, windows: Option<WindowModel>) -> Self {
        if let Some(scorer) = flows {
            self.set_scorer(scorer);
        }
        if let Some(model) = windows {
            let needed = model.needed().clone();
            self.known.behaviour.set_scale(model.sha256(), needed);
            self.known.behaviour.set_prior(model.prior().cloned());
            self.window_model = Some(model);
        }
        self
    }
}
