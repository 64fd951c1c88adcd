//! The kernel side as the daemon sees it: load, attach, read.
//!
//! Each interface runs a program instance of its own, whose slot in the per-CPU map and whose clock are
//! constants to the verifier; all instances share the maps, which are pinned below a directory with the
//! ABI version in its name.

mod attach;
mod comeback;
pub mod decode;
mod elements;
mod error;
mod established;
pub mod ethtool;
mod flows;
pub mod host;
mod kernel;
mod life;
pub mod link;
mod load;
mod maps;
mod object;
mod options;
mod pins;
mod pod;
mod preflight;
mod promiscuous;
mod ring;
mod rules;
pub mod socket;
mod test_bench;

pub use attach::Attached;
pub use comeback::Presence;
pub use error::KernelError;
pub use flows::{FlowTables, Occupancy, SweepItem, SweepStats, Why, is_active_due};
pub use kernel::{Kernel, Loaded};
pub use object::OBJECT;
pub use options::{InterfaceOptions, Mode, Options, PIN_ROOT, TableSizes};
pub use pins::unload;
pub use ring::Ring;
pub use rules::{PinnedRules, RuleOrder, RuleTables};
pub use sensor_common::settings::Clock;
pub use test_bench::{Place, TestBench};
