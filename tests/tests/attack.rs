//! An intruder is contained automatically while the hospital works on: promise 3, whole.

use std::{env, fs, process};

use anyhow::Result;
use tests::{ability, attack};

#[test]
fn an_intruder_is_contained_and_care_goes_on() -> Result<()> {
    if !ability::hospital() {
        return Ok(());
    }
    let folder = env::temp_dir().join(format!("wardtap-attack-{}", process::id()));
    fs::create_dir_all(&folder)?;
    let done = attack::run("wardtap-attack", &folder, &|| Ok(()));
    if done.is_ok() {
        fs::remove_dir_all(folder)?;
    }
    done
}
