//! DICOM upper layer: whole associations from the records of both directions.

pub(super) mod session;

mod activity;
mod associate;
mod command;
mod commands;
mod error;
mod inventory;
mod items;
mod names;
mod state;
mod summary;
