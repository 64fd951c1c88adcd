//! Windows of devices: judged when they are over, by a model where there is one.

use std::sync::Arc;

use sensor_facts::time::Time;

use super::{Analysis, Outcome};
use crate::{
    behaviour::{Judged, Needed, Spending},
    detect::Value,
    model::{Scorer, WindowModel, WindowSlot},
};

/// The detector of unusual windows.
const UNUSUAL: &str = "unusual_behaviour";

impl Analysis {
    /// Judges the windows that are over, `limit` at most.
    pub(super) fn judge_windows(&mut self, now: Time, limit: usize, out: &mut Outcome) {
        if let Some(next) = self.window_slot.as_ref().and_then(|slot| slot.take()) {
            self.set_window_model(next.model());
        }
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
            self.set_window_model(None);
            return;
        }
        let (budget, least) = self.budget();
        for one in &judged {
            let site = self.known.site(now, None);
            for finding in self.detectors.judged(one, &site) {
                self.found(finding, None, out);
            }
            self.known.behaviour.keep(one);
            self.known.behaviour.spend(one, budget, least);
        }
    }

    /// The budget of false alerts of windows, and the least score that counts.
    fn budget(&self) -> (f64, f64) {
        let number = |key| match self.known.options.detect.get(key) {
            Some(Value::Number(number)) => number,
            _ => 0.0,
        };
        (number("behaviour_budget"), number("behaviour_least"))
    }

    /// How the budget of false alerts of windows was spent; `None` where the detector is off.
    pub(super) fn spending(&self) -> Option<Spending> {
        let off = &self.known.options.detect.off;
        let is_on = off.iter().all(|name| name != UNUSUAL);
        is_on.then(|| self.known.behaviour.spending(self.budget().0))
    }

    /// From now on flows and windows are scored by models, where there are some.
    #[must_use]
    pub fn with_models(mut self, flows: Option<Scorer>, windows: Option<WindowModel>) -> Self {
        if let Some(scorer) = flows {
            self.set_scorer(scorer);
        }
        if windows.is_some() {
            self.set_window_model(windows);
        }
        self
    }

    /// From now on windows are scored by the models that come out of this slot.
    #[must_use]
    pub fn with_window_slot(mut self, slot: Arc<WindowSlot>) -> Self {
        self.window_slot = Some(slot);
        self
    }

    /// From now on windows are scored by this model, or by sums of surprises.
    fn set_window_model(&mut self, model: Option<WindowModel>) {
        let behaviour = &mut self.known.behaviour;
        let scale = model.as_ref().map_or("", WindowModel::sha256);
        let needed = model
            .as_ref()
            .map_or_else(Needed::of_sums, |model| model.needed().clone());
        behaviour.set_scale(scale, needed);
        let prior = model.as_ref().and_then(WindowModel::prior);
        behaviour.set_prior(prior.cloned());
        self.window_model = model;
    }
}
