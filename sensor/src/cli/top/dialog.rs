//! A change of a rule: its reason is typed, then it is confirmed.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use sensor_facts::rule::{Rule, Scope};

use super::link::{Change, Verb};
use crate::cli::plain::plain;

/// Letters of a reason at most.
const REASON_MAX: usize = 200;

/// What is to be done to which rule. It names the rule that was chosen when it began, whatever comes and goes behind it.
#[derive(Debug)]
pub(super) struct Dialog {
    pub(super) change: Change,
    /// What the rule blocks, in words.
    pub(super) what: String,
    /// The reason is there; a `y` is missing.
    pub(super) confirming: bool,
}

/// What a key made of it.
#[derive(Debug)]
pub(super) enum Step {
    On(Dialog),
    Cancelled,
    Confirmed(Change),
}

impl Dialog {
    pub(super) fn new(verb: Verb, rule: &Rule) -> Self {
        let scope = match rule.scope {
            Scope::All => "all traffic",
            Scope::KeepClinical => "all but learnt clinical traffic",
        };
        Self {
            change: Change {
                verb,
                id: rule.id,
                reason: String::new(),
            },
            what: format!("{scope} of {}", rule.target),
            confirming: false,
        }
    }

    pub(super) fn key(mut self, key: KeyEvent) -> Step {
        if key.code == KeyCode::Esc {
            return Step::Cancelled;
        }
        if self.confirming {
            return match key.code {
                KeyCode::Char('y') => Step::Confirmed(self.change),
                KeyCode::Char('n') => Step::Cancelled,
                // Nothing else is taken for a yes.
                _ => Step::On(self),
            };
        }
        let reason = &mut self.change.reason;
        match key.code {
            KeyCode::Enter if !reason.trim().is_empty() => self.confirming = true,
            KeyCode::Backspace => {
                reason.pop();
            }
            KeyCode::Char('u') if key.modifiers.contains(KeyModifiers::CONTROL) => reason.clear(),
            KeyCode::Char(c)
                if !key
                    .modifiers
                    .intersects(KeyModifiers::CONTROL | KeyModifiers::ALT)
                    && reason.chars().count() < REASON_MAX =>
            {
                reason.push_str(&plain(c.encode_utf8(&mut [0; 4])));
            }
            _ => {}
        }
        Step::On(self)
    }
}
