//! The socket's answers about one device: all that is known of it.

use std::net::IpAddr;

use axum::{
    Extension, Router,
    extract::{Path, State},
    http::StatusCode,
    response::Response,
    routing::get,
};
use pnet::util::MacAddr;
use sensor_sessions::inventory::HostReport;

use super::{
    answer::{answer, failure},
    api::{DEVICES, DeviceReport, Page},
};
use crate::live::{capture::CaptureHandle, responder::ResponderHandle};

pub(super) fn router(capture: CaptureHandle, response: ResponderHandle) -> Router {
    Router::new()
        .route(&format!("{DEVICES}/{{device}}"), get(show))
        .with_state(capture)
        .layer(Extension(response))
}

/// What a device is asked for by.
enum Wanted {
    Address(IpAddr),
    Mac(String),
}

impl Wanted {
    fn parse(text: &str) -> Option<Self> {
        if let Ok(address) = text.parse::<IpAddr>() {
            return Some(Self::Address(address.to_canonical()));
        }
        let mac: MacAddr = text.replace('-', ":").parse().ok()?;
        Some(Self::Mac(mac.to_string()))
    }

    fn is(&self, host: &HostReport) -> bool {
        match self {
            Self::Address(address) => host.address == *address,
            Self::Mac(mac) => host.macs.first() == Some(mac),
        }
    }
}

async fn show(
    State(capture): State<CaptureHandle>,
    Extension(response): Extension<ResponderHandle>,
    Path(device): Path<String>,
) -> Response {
    let Some(wanted) = Wanted::parse(&device) else {
        let error = format!("{device} is neither an IP nor an Ethernet address");
        return failure(StatusCode::BAD_REQUEST, &error);
    };
    let hosts = capture.ask(move |capture| {
        let mut hosts = capture.pipeline().hosts();
        hosts.retain(|host| wanted.is(host));
        hosts
    });
    let hosts = match hosts.await {
        Ok(hosts) if hosts.is_empty() => {
            let error = format!("{device} was not seen; `wardtap devices list` shows who was");
            return failure(StatusCode::NOT_FOUND, &error);
        }
        Ok(hosts) => hosts,
        Err(error) => return answer(Err::<(), _>(error)),
    };
    let reports = response.ask(move |responder| {
        let now = responder.keeper().time();
        let baselines = responder.analysis().baselines();
        let reports = hosts.into_iter().map(|host| DeviceReport {
            baseline: baselines.progress(host.address, now),
            host,
        });
        let items: Vec<_> = reports.collect();
        Page {
            total: items.len(),
            items,
        }
    });
    answer(reports.await)
}
