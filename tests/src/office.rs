//! What is not medical: ping, DNS, HTTP.

use std::path::Path;

use anyhow::Result;

use crate::{
    hl7::{python, script},
    hospital::{Hospital, Role},
    netns::run,
    program::Program,
};

/// Port of the web server.
pub const HTTP_PORT: u16 = 8080;

/// Starts a DNS and a web server on the EHR's host.
///
/// # Errors
/// When they can't be started or don't listen.
pub fn start_servers(hospital: &Hospital, logs: &Path) -> Result<Program> {
    let host = hospital.host(Role::Ehr);
    let mut command = host.command(python());
    command.arg(script("office.py")).arg("serve");
    let program = Program::start("office", command, logs)?;
    host.wait_for_listener(HTTP_PORT)?;
    Ok(program)
}

/// The workstation asks for a name and a page.
///
/// # Errors
/// When it gets no answer.
pub fn ask(hospital: &Hospital) -> Result<()> {
    run(hospital
        .host(Role::Workstation)
        .command(python())
        .arg(script("office.py"))
        .args(["ask", &Role::Ehr.address().to_string()]))?;
    Ok(())
}

/// The workstation pings the archive `count` times.
///
/// # Errors
/// When an answer is missing.
pub fn ping(hospital: &Hospital, count: u32) -> Result<()> {
    run(hospital
        .host(Role::Workstation)
        .command("ping")
        .args(["-q", "-c", &count.to_string(), "-i", "0.2"])
        .arg(Role::Pacs.address().to_string()))?;
    Ok(())
}
