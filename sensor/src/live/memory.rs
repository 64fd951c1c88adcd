//! Keeps the inventory over a restart: `inventory.json` in the state directory.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use sensor_evidence::store::StoreHandle;
use sensor_facts::files;
use sensor_sessions::inventory::Memory;

use crate::live::capture::CaptureHandle;

/// Between two writes.
const INTERVAL: Duration = Duration::from_mins(5);
/// Between two times that the store is handed the hosts.
const HAND_OVER: Duration = Duration::from_mins(1);
const FILE: &str = "inventory.json";

/// What an earlier daemon kept.
pub(crate) fn read(state: &Path) -> Memory {
    files::read(&state.join(FILE))
}

/// Writes from time to time, until the daemon ends.
pub(crate) async fn keep(capture: CaptureHandle, state: PathBuf) {
    loop {
        tokio::time::sleep(INTERVAL).await;
        save(&capture, &state).await;
    }
}

/// Writes now. The capture thread copies; text is made of it and written elsewhere.
pub(crate) async fn save(capture: &CaptureHandle, state: &Path) {
    let memory = match capture.ask(|capture| capture.pipeline().memory()).await {
        Ok(memory) => memory,
        Err(error) => {
            tracing::warn!("the inventory is not kept this time: {error}");
            return;
        }
    };
    let path = state.join(FILE);
    let write = tokio::task::spawn_blocking(move || {
        files::write(&path, &memory).map_err(|error| (path, error))
    });
    if let Ok(Err((path, error))) = write.await {
        tracing::warn!(path = %path.display(), "the inventory can't be written, it is tried again: {error}");
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
