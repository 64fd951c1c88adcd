//! DICOM peers: DCMTK's programs, and images made from text.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use crate::{
    hospital::{Hospital, Role},
    netns::run,
    program::Program,
};

/// AE titles of the hospital.
pub const MODALITY: &str = "CT_ROOM_1";
/// The AE title of the archive.
pub const PACS: &str = "PACS";
/// The workstation, which images are sent to by C-MOVE.
pub const WORKSTATION: &str = "WS_RADIOLOGY";
/// The archive's gate for DICOM over TLS.
pub const PACS_TLS: &str = "PACS_TLS";

/// Port of the archive.
pub const PACS_PORT: u16 = 11112;
/// Port of the archive for DICOM over TLS.
pub const PACS_TLS_PORT: u16 = 2762;
/// Port of the workstation.
pub const WORKSTATION_PORT: u16 = 11113;

/// Rows and columns of an image of two bytes a pixel: 128 KiB.
const SIDE: usize = 256;

/// A patient of whom images are made.
#[derive(Clone, Copy, Debug)]
pub struct Patient<'a> {
    /// Patient's Name (0010,0010).
    pub name: &'a str,
    /// Patient ID (0010,0020).
    pub id: &'a str,
}

/// Makes one CT study with `count` images in `folder`. `number` tells studies apart.
///
/// # Errors
/// When a file can't be written or `dump2dcm` refuses the text.
pub fn make_study(
    folder: &Path,
    patient: Patient<'_>,
    number: u32,
    count: u32,
) -> Result<Vec<PathBuf>> {
    fs::create_dir_all(folder)?;
    let pixels = folder.join("pixels.raw");
    // A gradient: something else than zeros, the same each time.
    let gradient =
        (0..SIDE * SIDE).flat_map(|pixel| u16::try_from(pixel % 4096).unwrap_or(0).to_le_bytes());
    fs::write(&pixels, gradient.collect::<Vec<u8>>())?;
    (1..=count)
        .map(|image| {
            let text = folder.join(format!("{number}-{image}.dump"));
            let file = folder.join(format!("{number}-{image}.dcm"));
            fs::write(&text, dump(patient, number, image, &pixels))?;
            run(Command::new("dump2dcm").arg(&text).arg(&file))?;
            Ok(file)
        })
        .collect()
}

/// An image in the language of `dump2dcm`.
fn dump(patient: Patient<'_>, study: u32, image: u32, pixels: &Path) -> String {
    let Patient { name, id } = patient;
    let pixels = pixels.display();
    format!(
        "(0008,0005) CS [ISO_IR 100]
(0008,0016) UI =CTImageStorage
(0008,0018) UI [2.25.{study}.{image}]
(0008,0020) DA [20260105]
(0008,0030) TM [101500]
(0008,0050) SH [A{study}]
(0008,0060) CS [CT]
(0010,0010) PN [{name}]
(0010,0020) LO [{id}]
(0020,000d) UI [2.25.{study}]
(0020,000e) UI [2.25.{study}.0]
(0020,0010) SH [{study}]
(0020,0011) IS [1]
(0020,0013) IS [{image}]
(0028,0002) US 1
(0028,0004) CS [MONOCHROME2]
(0028,0010) US {SIDE}
(0028,0011) US {SIDE}
(0028,0100) US 16
(0028,0101) US 12
(0028,0102) US 11
(0028,0103) US 0
(7fe0,0010) OW ={pixels}
"
    )
}

/// The programs that take associations.
#[derive(Debug)]
pub struct Servers {
    /// In the order in which they were started.
    pub programs: Vec<Program>,
}

/// Starts the archive (`dcmqrscp`, and `storescp` for TLS) and the workstation's receiver (`storescp`).
/// `folder` takes their files.
///
/// # Errors
/// When one can't be started or does not listen.
pub fn start_servers(hospital: &Hospital, folder: &Path) -> Result<Servers> {
    let (pacs, workstation) = (hospital.host(Role::Pacs), hospital.host(Role::Workstation));
    let folder_for = |name: &str| -> Result<PathBuf> {
        let path = folder.join(name);
        fs::create_dir_all(&path).with_context(|| path.display().to_string())?;
        Ok(path)
    };
    let configuration = folder.join("dcmqrscp.cfg");
    fs::write(
        &configuration,
        archive_configuration(&folder_for("archive")?),
    )?;
    let mut archive = pacs.command("dcmqrscp");
    archive
        .arg("-v")
        .arg("-c")
        .arg(&configuration)
        // A peer that is cut off in the middle of a retrieval holds the archive's index until it is given up.
        .args(["--acse-timeout", "3", "--dimse-timeout", "3"])
        .arg(PACS_PORT.to_string());

    let (key, certificate) = make_certificate(folder)?;
    let mut tls = pacs.command("storescp");
    tls.arg("-v")
        .args(["--aetitle", PACS_TLS, "--output-directory"])
        .arg(folder_for("archive-tls")?)
        .arg("--enable-tls")
        .args([&key, &certificate])
        .args(["--ignore-peer-cert", &PACS_TLS_PORT.to_string()]);

    let mut receiver = workstation.command("storescp");
    receiver
        .arg("-v")
        .args(["--aetitle", WORKSTATION, "--output-directory"])
        .arg(folder_for("workstation")?)
        .arg(WORKSTATION_PORT.to_string());

    let programs = vec![
        Program::start("pacs", archive, folder)?,
        Program::start("pacs-tls", tls, folder)?,
        Program::start("workstation", receiver, folder)?,
    ];
    pacs.wait_for_listener(PACS_PORT)?;
    pacs.wait_for_listener(PACS_TLS_PORT)?;
    workstation.wait_for_listener(WORKSTATION_PORT)?;
    Ok(Servers { programs })
}

fn archive_configuration(storage: &Path) -> String {
    let workstation = Role::Workstation.address();
    let storage = storage.display();
    format!(
        "MaxPDUSize = 16384
MaxAssociations = 16
HostTable BEGIN
workstation = ({WORKSTATION}, {workstation}, {WORKSTATION_PORT})
HostTable END
VendorTable BEGIN
VendorTable END
AETable BEGIN
{PACS} {storage} RW (100, 1024mb) ANY
AETable END
"
    )
}

/// A key and a self-signed certificate.
fn make_certificate(folder: &Path) -> Result<(PathBuf, PathBuf)> {
    let (key, certificate) = (folder.join("tls.key"), folder.join("tls.crt"));
    run(Command::new("openssl")
        .args([
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
        ])
        .args(["-subj", "/CN=pacs", "-keyout"])
        .arg(&key)
        .arg("-out")
        .arg(&certificate))?;
    Ok((key, certificate))
}

/// A DICOM client in the hospital.
#[derive(Clone, Copy, Debug)]
pub struct Client<'a> {
    /// The hospital that it runs in.
    pub hospital: &'a Hospital,
    /// The host that it runs on.
    pub role: Role,
    /// Its AE title.
    pub title: &'a str,
}

impl Client<'_> {
    fn command(&self, program: &str, called: &str) -> Command {
        let mut command = self.hospital.host(self.role).command(program);
        command.args(["--aetitle", self.title, "--call", called]);
        command
    }

    /// Asks the archive by C-ECHO whether it is there.
    ///
    /// # Errors
    /// When `echoscu` fails, as it must when the association is rejected.
    pub fn echo(&self, called: &str) -> Result<()> {
        run(self.command("echoscu", called).args(pacs(PACS_PORT)))?;
        Ok(())
    }

    /// C-STORE of some files in one association.
    ///
    /// # Errors
    /// When `storescu` fails.
    pub fn store(&self, files: &[PathBuf]) -> Result<()> {
        run(self
            .command("storescu", PACS)
            .args(pacs(PACS_PORT))
            .args(files))?;
        Ok(())
    }

    /// C-STORE inside TLS.
    ///
    /// # Errors
    /// When `storescu` fails.
    pub fn store_tls(&self, files: &[PathBuf]) -> Result<()> {
        run(self
            .command("storescu", PACS_TLS)
            .args(["--anonymous-tls", "--ignore-peer-cert"])
            .args(pacs(PACS_TLS_PORT))
            .args(files))?;
        Ok(())
    }

    /// C-FIND for all studies, in the study root model.
    ///
    /// # Errors
    /// When `findscu` fails.
    pub fn find(&self) -> Result<()> {
        run(self
            .command("findscu", PACS)
            .args(["--study", "--key", "QueryRetrieveLevel=STUDY"])
            .args(["--key", "StudyInstanceUID", "--key", "PatientName"])
            .args(pacs(PACS_PORT)))?;
        Ok(())
    }

    /// C-MOVE of a study to the workstation.
    ///
    /// # Errors
    /// When `movescu` fails.
    pub fn fetch(&self, study: u32) -> Result<()> {
        run(self
            .command("movescu", PACS)
            .args(["--study", "--move", WORKSTATION])
            .args(["--key", "QueryRetrieveLevel=STUDY", "--key"])
            .arg(format!("StudyInstanceUID=2.25.{study}"))
            .args(pacs(PACS_PORT)))?;
        Ok(())
    }
}

/// The archive's address as DCMTK's programs take it.
fn pacs(port: u16) -> [String; 2] {
    [Role::Pacs.address().to_string(), port.to_string()]
}
