//! The hospital's work, in the background of every phase: an interface engine that sends HL7 messages, a modality that
//! stores images. Real programs, each message acknowledged and each image stored.

use std::{
    path::{Path, PathBuf},
    sync::{
        PoisonError, RwLock, RwLockWriteGuard,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use anyhow::{Result, ensure};

use crate::{
    dicom::{self, Client, MODALITY, Patient, Servers},
    hl7::{self, Message, Sender},
    hospital::{Hospital, Role},
    program::Program,
    scenario::CANARY,
};

/// Time between two messages.
const MESSAGES: Duration = Duration::from_millis(100);
/// Between two images, an association each.
const IMAGES: Duration = Duration::from_millis(700);
/// A look at whether to stop.
const GLANCE: Duration = Duration::from_millis(20);

/// The hospital at work.
#[derive(Debug)]
pub(super) struct Care {
    image: Vec<PathBuf>,
    /// Held for reading by whoever works.
    gate: RwLock<()>,
    stop: AtomicBool,
    messages: AtomicU64,
    images: AtomicU64,
    _servers: Servers,
    _receiver: Program,
}

impl Care {
    /// Starts the servers; `folder` takes their files.
    pub(super) fn prepare(hospital: &Hospital, folder: &Path) -> Result<Self> {
        let patient = Patient {
            name: CANARY.name,
            id: CANARY.id,
        };
        std::fs::create_dir_all(folder)?;
        Ok(Self {
            image: dicom::make_study(&folder.join("images"), patient, 1, 1)?,
            gate: RwLock::new(()),
            stop: AtomicBool::new(false),
            messages: AtomicU64::new(0),
            images: AtomicU64::new(0),
            _servers: dicom::start_servers(hospital, folder)?,
            _receiver: hl7::start_receiver(hospital, folder)?,
        })
    }

    /// Messages that were acknowledged and images that were stored so far.
    pub(super) fn done(&self) -> (u64, u64) {
        let of = |count: &AtomicU64| count.load(Ordering::SeqCst);
        (of(&self.messages), of(&self.images))
    }

    /// Nothing is sent while this is held.
    pub(super) fn pause(&self) -> RwLockWriteGuard<'_, ()> {
        self.gate.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn stop(&self) {
        self.stop.store(true, Ordering::SeqCst);
    }

    /// Sends messages on one connection until it is to stop.
    pub(super) fn messages(&self, hospital: &Hospital) -> Result<()> {
        let mut sender = Sender::start(hospital)?;
        self.repeat(MESSAGES, &self.messages, |number| {
            let code = sender.send(&Message {
                kind: "ORU^R01",
                control_id: &format!("E{number:07}"),
                patient: CANARY.name,
                patient_id: CANARY.id,
            })?;
            ensure!(code == "AA", "message {number} was answered with {code}");
            Ok(())
        })?;
        sender.close()
    }

    /// Stores an image again and again, an association each time.
    pub(super) fn images(&self, hospital: &Hospital) -> Result<()> {
        let modality = Client {
            hospital,
            role: Role::Modality,
            title: MODALITY,
        };
        self.repeat(IMAGES, &self.images, |_| modality.store(&self.image))
    }

    fn repeat(
        &self,
        pause: Duration,
        count: &AtomicU64,
        mut one: impl FnMut(u64) -> Result<()>,
    ) -> Result<()> {
        while !self.stop.load(Ordering::SeqCst) {
            {
                let _open = self.gate.read().unwrap_or_else(PoisonError::into_inner);
                one(count.load(Ordering::SeqCst))?;
                count.fetch_add(1, Ordering::SeqCst);
            }
            thread::sleep(pause.max(GLANCE));
        }
        Ok(())
    }
}
