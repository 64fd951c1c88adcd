//! The command line: nouns, then verbs.

mod advisories;
mod alerts;
mod audit;
mod command;
mod completions;
mod config;
mod devices;
mod dispatch;
mod doctor;
mod export;
mod exposure;
mod flows;
mod man;
mod model;
mod options;
mod output;
mod plain;
mod progress;
mod protect;
mod replay;
mod report;
mod rules;
mod run;
mod sessions;
mod status;
mod table;
mod top;
mod unload;

pub use dispatch::main;
use options::{Listed, Shown, Under, shown_of};
use output::{print, print_json, told};
