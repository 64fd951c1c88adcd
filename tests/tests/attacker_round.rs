//! All tricks of an attacker at once, beside a hospital at work: for some seconds here, for longer by
//! `cargo xtask soak --attacker`.

use std::{env, fs, process, time::Duration};

use anyhow::{Context, Result, ensure};
use tests::{ability, soak::attacker};

#[test]
fn all_tricks_at_once_blind_nothing_and_contain_no_innocent_device() -> Result<()> {
    if !ability::hospital() {
        return Ok(());
    }
    let seconds = match env::var("WARDTAP_ATTACKER_SECONDS") {
        Ok(text) => text.parse().context("WARDTAP_ATTACKER_SECONDS")?,
        Err(_) => 20,
    };
    let folder = env::temp_dir().join(format!("wardtap-attacker-{}", process::id()));
    fs::create_dir_all(&folder)?;
    let time = Duration::from_secs(seconds);
    let round = attacker::run("wardtap-tricks", &folder, time, &|| Ok(()))?;
    println!("{round}");
    let wrong = round.wrong();
    ensure!(wrong.is_empty(), "{wrong:?}; {}", folder.display());
    fs::remove_dir_all(folder)?;
    Ok(())
}
