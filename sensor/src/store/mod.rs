//! The store: what was seen and done, kept in the state directory for reports and people.

mod contact;

pub use contact::Contact;
