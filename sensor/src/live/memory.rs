//! Keeps the inventory, and what is wrong with the mirror, over a restart: `inventory.json` and `mirror.json` in the state
//! directory. The capture thread copies; text is made of it and written elsewhere.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use sensor_evidence::store::StoreHandle;
use sensor_facts::files;
use sensor_sessions::inventory::Memory;
use serde::Serialize;

use crate::live::{
    capture::{AskError, CaptureHandle},
    mirror,
};

/// Between two writes of the inventory.
const INTERVAL: Duration = Duration::from_mins(5);
/// Between two writes of what is wrong with the mirror.
const MIRROR_INTERVAL: Duration = Duration::from_secs(10);
/// Between two times that the store is handed the hosts.
const HAND_OVER: Duration = Duration::from_mins(1);
const FILE: &str = "inventory.json";
const MIRROR_FILE: &str = "mirror.json";

/// What an earlier daemon kept of the inventory.
pub(crate) fn read(state: &Path) -> Memory {
    files::read(&state.join(FILE))
}

/// What an earlier daemon kept of the mirror.
pub(crate) fn read_mirror(state: &Path) -> mirror::Memory {
    files::read(&state.join(MIRROR_FILE))
}

/// Writes the inventory from time to time, until the daemon ends.
pub(crate) async fn keep(capture: CaptureHandle, state: PathBuf) {
    loop {
        tokio::time::sleep(INTERVAL).await;
        save(&capture, &state).await;
    }
}

/// Writes from time to time what is wrong with the mirror, until the daemon ends.
pub(crate) async fn keep_mirror(capture: CaptureHandle, state: PathBuf) {
    loop {
        tokio::time::sleep(MIRROR_INTERVAL).await;
        save_mirror(&capture, &state).await;
    }
}

/// Writes the inventory now.
pub(crate) async fn save(capture: &CaptureHandle, state: &Path) {
    let memory = capture.ask(|capture| capture.pipeline().memory()).await;
    write(memory, state.join(FILE), "the inventory").await;
}

/// Writes now what is wrong with the mirror.
pub(crate) async fn save_mirror(capture: &CaptureHandle, state: &Path) {
    let memory = capture.ask(|capture| capture.mirror_memory()).await;
    write(memory, state.join(MIRROR_FILE), "the state of the mirror").await;
}

async fn write<T: Serialize + Send + 'static>(
    memory: Result<T, AskError>,
    path: PathBuf,
    what: &'static str,
) {
    let memory = match memory {
        Ok(memory) => memory,
        Err(error) => {
            tracing::warn!("{what} is not kept this time: {error}");
            return;
        }
    };
    let write = tokio::task::spawn_blocking(move || {
        files::write(&path, &memory).map_err(|error| (path, error))
    });
    if let Ok(Err((path, error))) = write.await {
        tracing::warn!(path = %path.display(), "{what} can't be written, it is tried again: {error}");
    }
}

/// Hands the hosts to the store from time to time, until the daemon ends.
pub(crate) async fn hand_over(capture: CaptureHandle, store: Option<StoreHandle>) {
    while store.is_some() {
        tokio::time::sleep(HAND_OVER).await;
        give(&capture, store.as_ref()).await;
    }
}

/// Hands them over now, where there is a store.
pub(crate) async fn give(capture: &CaptureHandle, store: Option<&StoreHandle>) {
    let Some(store) = store else { return };
    match capture.ask(|capture| capture.pipeline().hosts()).await {
        Ok(hosts) => store.put_devices(hosts),
        Err(error) => tracing::warn!("the store is not handed the hosts this time: {error}"),
    }
}
