//! A day in the hospital, in rounds, and the account of what was done.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};

use crate::{
    dicom::{
        self, Client, MODALITY, PACS, PACS_PORT, PACS_TLS_PORT, Patient, Servers, WORKSTATION,
        WORKSTATION_PORT,
    },
    hl7::{self, Message, Sender},
    hospital::{Hospital, Role},
    office,
    program::Program,
    tally::Tally,
};

/// Images of a study.
pub const IMAGES: u32 = 4;
/// Pings of a round.
const PINGS: u32 = 3;
/// HL7 messages of a round, with the answer that the receiver gives.
const MESSAGES: [(&str, &str); 4] = [
    ("ADT^A01", "AA"),
    ("ADT^A08", "AA"),
    ("ORU^R01", "AA"),
    // Merging patients is not what this receiver knows.
    ("ADT^A40", "AE"),
];

/// The patient of the scenario: words that nothing may repeat outside of the hospital.
#[derive(Clone, Copy, Debug)]
pub struct Canary {
    /// Family and given name, as DICOM and HL7 write them.
    pub name: &'static str,
    /// Patient's id.
    pub id: &'static str,
    /// The parts of both that must not be found anywhere.
    pub words: &'static [&'static str],
}

/// The patient of all messages and images, whose name must not be found anywhere.
pub const CANARY: Canary = Canary {
    name: "ZWIEBELFISCH^KUNIGUNDE",
    id: "MRN-71939133",
    words: &["ZWIEBELFISCH", "KUNIGUNDE", "71939133"],
};

/// The hospital at work.
#[derive(Debug)]
pub struct Scenario<'a> {
    hospital: &'a Hospital,
    folder: PathBuf,
    done: Tally,
    rounds: u32,
    sender: Option<Sender>,
    _dicom: Servers,
    _receiver: Program,
    _office: Program,
}

impl<'a> Scenario<'a> {
    /// Starts all servers; `folder` takes their files and logs.
    ///
    /// # Errors
    /// When a program is missing or does not start.
    pub fn start(hospital: &'a Hospital, folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        Ok(Self {
            hospital,
            folder: folder.to_owned(),
            done: Tally::default(),
            rounds: 0,
            sender: None,
            _dicom: dicom::start_servers(hospital, folder)?,
            _receiver: hl7::start_receiver(hospital, folder)?,
            _office: office::start_servers(hospital, folder)?,
        })
    }

    /// One round: a patient is admitted, images are made, stored, looked for and fetched, results come
    /// in; beside it what else a network carries.
    ///
    /// # Errors
    /// When a step does not end as it should.
    pub fn round(&mut self) -> Result<()> {
        self.rounds += 1;
        self.admit()?;
        self.images()?;
        self.mistakes()?;
        self.office()
    }

    /// Rounds that were done.
    #[must_use]
    pub fn rounds(&self) -> u32 {
        self.rounds
    }

    /// Closes the connections that are still open; the account of all that was done.
    ///
    /// # Errors
    /// When the MLLP sender failed.
    pub fn finish(&mut self) -> Result<&Tally> {
        if let Some(sender) = self.sender.take() {
            sender.close()?;
            self.done.add("HL7 session", 1);
        }
        Ok(&self.done)
    }

    fn connection(&mut self, from: Role, to: Role, port: u16) {
        let (from, to) = (from.address().to_string(), to.address().to_string());
        self.done.conversation("TCP", &from, &to, port);
    }

    fn admit(&mut self) -> Result<()> {
        if self.sender.is_none() {
            self.sender = Some(Sender::start(self.hospital)?);
            self.connection(Role::Engine, Role::Ehr, hl7::PORT);
        }
        let sender = self.sender.as_mut().context("the sender was started")?;
        for (number, (kind, expected)) in MESSAGES.into_iter().enumerate() {
            let code = sender.send(&Message {
                kind,
                control_id: &format!("M{:05}-{number}", self.rounds),
                patient: CANARY.name,
                patient_id: CANARY.id,
            })?;
            ensure!(code == expected, "{kind} was answered with {code}");
            self.done.add(format!("HL7 message {kind}"), 1);
            self.done.add(format!("HL7 acknowledgement {code}"), 1);
        }
        Ok(())
    }

    fn images(&mut self) -> Result<()> {
        let (modality, workstation) = (self.modality(), self.workstation());
        let (name, id) = (CANARY.name, CANARY.id);
        let study = self.rounds;
        let patient = Patient { name, id };
        let files = dicom::make_study(&self.folder.join("images"), patient, study, IMAGES)?;
        let images = u64::from(IMAGES);

        modality.echo(PACS)?;
        self.done
            .association(MODALITY, PACS, "released", &[("C-ECHO", 1, 1)]);
        modality.store(&files)?;
        self.done
            .association(MODALITY, PACS, "released", &[("C-STORE", images, images)]);
        workstation.find()?;
        self.done
            .association(WORKSTATION, PACS, "released", &[("C-FIND", 1, 1)]);
        workstation.fetch(study)?;
        self.done
            .association(WORKSTATION, PACS, "released", &[("C-MOVE", 1, 1)]);
        self.done.association(
            PACS,
            WORKSTATION,
            "released",
            &[("C-STORE", images, images)],
        );
        modality.store_tls(&files)?;
        self.done.add(
            format!("TLS to {}:{PACS_TLS_PORT}", Role::Pacs.address()),
            1,
        );

        for role in [
            Role::Modality,
            Role::Modality,
            Role::Workstation,
            Role::Workstation,
        ] {
            self.connection(role, Role::Pacs, PACS_PORT);
        }
        self.connection(Role::Pacs, Role::Workstation, WORKSTATION_PORT);
        self.connection(Role::Modality, Role::Pacs, PACS_TLS_PORT);
        Ok(())
    }

    /// Someone has configured a wrong AE title.
    fn mistakes(&mut self) -> Result<()> {
        const WRONG: &str = "PACS_OLD";
        let answer = self.workstation().echo(WRONG);
        ensure!(
            answer.is_err(),
            "the archive took an association for {WRONG}"
        );
        self.done.association(WORKSTATION, WRONG, "rejected", &[]);
        self.connection(Role::Workstation, Role::Pacs, PACS_PORT);
        Ok(())
    }

    fn office(&mut self) -> Result<()> {
        office::ask(self.hospital)?;
        self.connection(Role::Workstation, Role::Ehr, office::HTTP_PORT);
        let (from, to) = (Role::Workstation.address(), Role::Ehr.address());
        self.done
            .conversation("UDP", &from.to_string(), &to.to_string(), 53);
        office::ping(self.hospital, PINGS)
    }

    fn modality(&self) -> Client<'a> {
        self.client(Role::Modality, MODALITY)
    }

    fn workstation(&self) -> Client<'a> {
        self.client(Role::Workstation, WORKSTATION)
    }

    fn client(&self, role: Role, title: &'static str) -> Client<'a> {
        Client {
            hospital: self.hospital,
            role,
            title,
        }
    }
}
