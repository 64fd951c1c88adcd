//! Attacks that turn on what the model forgives: what many devices do at once, and what comes slowly or while it learns.

pub(super) mod crowd;
pub(super) mod early;
pub(super) mod patient;
pub(super) mod worm;
