//! Clinical traffic that goes on while something else happens, and its account: nothing may be lost.

use std::{
    path::PathBuf,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, ensure};

use crate::{
    dicom::{Client, MODALITY},
    hl7::{Message, Sender},
    hospital::{Hospital, Role},
    scenario::CANARY,
};

/// Between two HL7 messages of a sender.
const PAUSE: Duration = Duration::from_millis(50);

/// What was sent; everything was acknowledged.
#[derive(Debug, Default)]
pub struct Account {
    /// HL7 messages of the interface engine.
    pub engine: AtomicU64,
    /// HL7 messages of the pump gateway.
    pub pump: AtomicU64,
    /// Images of the modality.
    pub images: AtomicU64,
}

impl Account {
    /// The account in words, for a person.
    #[must_use]
    pub fn words(&self) -> String {
        format!(
            "{} HL7 messages of the engine, {} of the pump gateway, {} images of the modality: each acknowledged",
            self.engine.load(Ordering::Relaxed),
            self.pump.load(Ordering::Relaxed),
            self.images.load(Ordering::Relaxed)
        )
    }
}

/// Does `what` while the interface engine and the pump gateway send messages and the modality stores
/// `images` again and again.
///
/// # Errors
/// As `what`, or when a message was not acknowledged or an image not stored.
pub fn during<T>(
    hospital: &Hospital,
    images: &[PathBuf],
    account: &Account,
    what: impl FnOnce() -> Result<T>,
) -> Result<T> {
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let engine =
            scope.spawn(|| messages(hospital, Role::Engine, "ORU^R01", &stop, &account.engine));
        let pump = scope.spawn(|| messages(hospital, Role::Pump, "ORU^R01", &stop, &account.pump));
        let modality = scope.spawn(|| store(hospital, images, &stop, &account.images));
        let done = what();
        stop.store(true, Ordering::Relaxed);
        for (who, feed) in [("engine", engine), ("pump", pump), ("modality", modality)] {
            let ended = feed.join().ok().context("a feed panicked")?;
            ended.with_context(|| format!("the {who} lost something"))?;
        }
        done
    })
}

fn messages(
    hospital: &Hospital,
    role: Role,
    kind: &str,
    stop: &AtomicBool,
    account: &AtomicU64,
) -> Result<()> {
    let mut sender = Sender::start_on(hospital, role)?;
    while !stop.load(Ordering::Relaxed) {
        let number = account.load(Ordering::Relaxed);
        let code = sender.send(&Message {
            kind,
            control_id: &format!("{}{number:06}", &role.name()[..1]),
            patient: CANARY.name,
            patient_id: CANARY.id,
        })?;
        ensure!(code == "AA", "message {number} was answered with {code}");
        account.fetch_add(1, Ordering::Relaxed);
        thread::sleep(PAUSE);
    }
    sender.close()
}

fn store(
    hospital: &Hospital,
    images: &[PathBuf],
    stop: &AtomicBool,
    account: &AtomicU64,
) -> Result<()> {
    let modality = Client {
        hospital,
        role: Role::Modality,
        title: MODALITY,
    };
    while !stop.load(Ordering::Relaxed) {
        modality.store(images)?;
        account.fetch_add(images.len() as u64, Ordering::Relaxed);
    }
    Ok(())
}
