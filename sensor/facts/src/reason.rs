//! The reason that a person gives for a change.

/// What is said where there is none.
pub const MISSING: &str = "say why: the reason is part of the evidence";

/// Refuses a reason that says nothing.
///
/// # Errors
/// [`MISSING`].
pub fn check(reason: &str) -> Result<(), String> {
    if reason.trim().is_empty() {
        return Err(MISSING.to_owned());
    }
    Ok(())
}
