//! DICOM upper layer: whole associations from the records of both directions.

mod activity;
mod associate;
mod command;
mod commands;
mod error;
mod inventory;
mod items;
mod names;
mod session;
mod state;
mod summary;

pub(super) use session::ENTRY;
