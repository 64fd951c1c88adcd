//! The socket's answers about exposure and advisories. Rankings are made on a thread that may wait, of copies.

use std::{
    net::IpAddr,
    path::PathBuf,
    sync::{Arc, Mutex},
};

use axum::{
    Extension, Json, Router,
    extract::{DefaultBodyLimit, Path, State},
    routing::{get, post},
};
use sensor_analysis::{
    detect::Detect,
    exposure::{
        Exposed, Exposure, Facts,
        advisory::{
            Advisories, Advisory, BookError, Imported, Judgement, Matches, SIZE_MAX, Subject,
        },
        rank,
    },
};
use sensor_evidence::store::Reader;
use sensor_facts::{action::Action, alert::Alert, lock::lock, rule::Actor, time::Time};
use sensor_sessions::inventory::HostReport;

use super::{
    answer::Failed,
    api::{ADVISORIES, EXPOSURE, NewAdvisory, NewJudgement, OldAdvisory},
    change::Order,
    evidence::{blocking, record},
};
use crate::live::{capture::CaptureHandle, responder::ResponderHandle};

/// Contacts of this time count, nanoseconds.
const LATELY: i64 = 7 * 86_400 * 1_000_000_000;

/// All that a ranking needs.
#[derive(Clone)]
pub(super) struct Ranking {
    capture: CaptureHandle,
    response: ResponderHandle,
    advisories: Arc<Mutex<Option<Advisories>>>,
}

/// What was seen, as copies.
pub(super) struct SiteFacts {
    pub(super) now: Time,
    pub(super) hosts: Vec<HostReport>,
    pub(super) alerts: Vec<Alert>,
    pub(super) site: Detect,
    pub(super) folder: PathBuf,
}

impl Ranking {
    pub(super) fn new(capture: CaptureHandle, response: ResponderHandle) -> Self {
        Self {
            capture,
            response,
            advisories: Arc::default(),
        }
    }

    pub(super) async fn seen(&self) -> Result<SiteFacts, Failed> {
        let hosts = self.capture.ask(|capture| capture.pipeline().hosts());
        let hosts = hosts.await?;
        let seen = self.response.ask(|responder| SiteFacts {
            now: responder.keeper().time(),
            hosts,
            alerts: responder.analysis().alerts().all().cloned().collect(),
            site: responder.analysis().options().detect.clone(),
            folder: responder.folder().to_owned(),
        });
        Ok(seen.await?)
    }

    pub(super) const fn capture(&self) -> &CaptureHandle {
        &self.capture
    }

    /// The ranking by what was seen. Waits for the disk.
    pub(super) fn rank(&self, seen: &SiteFacts) -> Exposure {
        // Without a store what hosts use, by the inventory, has to do.
        let lately = Time(seen.now.0.saturating_sub(LATELY))..Time(seen.now.0.saturating_add(1));
        let contacts = Reader::open(&seen.folder).and_then(|reader| reader.contacts(lately));
        let contacts = contacts.unwrap_or_default();
        let mut matches = self.with(&seen.folder, |book| book.matches(&seen.hosts).found);
        matches.retain(|one| !one.is_dismissed());
        rank(Facts {
            now: seen.now,
            hosts: &seen.hosts,
            contacts: &contacts,
            alerts: &seen.alerts,
            matches: &matches,
            site: &seen.site,
        })
    }

    /// Does something with the advisories, which are read when they are first asked for.
    fn with<T>(&self, folder: &std::path::Path, does: impl FnOnce(&mut Advisories) -> T) -> T {
        let mut book = lock(&self.advisories);
        does(book.get_or_insert_with(|| Advisories::open(folder)))
    }

    /// Changes the advisories, and has in the trail what was done.
    async fn change<T: Send + 'static>(
        &self,
        actor: Actor,
        does: impl FnOnce(&mut Advisories) -> Result<(T, Action), BookError> + Send + 'static,
    ) -> Result<T, Failed> {
        let folder = self.response.ask(|responder| responder.folder().to_owned());
        let folder = folder.await?;
        let this = self.clone();
        let done = blocking(move || this.with(&folder, does)).await?;
        let (value, action) = done.map_err(|error| Failed::refused(&error))?;
        record(&self.response, actor, action).await?;
        Ok(value)
    }
}

pub(super) fn router(ranking: Ranking) -> Router {
    Router::new()
        .route(EXPOSURE, get(list))
        .route(&format!("{EXPOSURE}/{{address}}"), get(show))
        .route(ADVISORIES, get(advisories).post(import))
        .route(&format!("{ADVISORIES}/matches"), get(matches))
        .route(&format!("{ADVISORIES}/judge"), post(judge))
        .route(&format!("{ADVISORIES}/remove"), post(remove))
        // A document is a text within JSON, where it can become longer.
        .layer(DefaultBodyLimit::max(2 * SIZE_MAX))
        .layer(Extension(ranking.response.clone()))
        .with_state(ranking)
}

/// The answer of a route here, or why there is none.
type Answer<T> = Result<Json<T>, Failed>;

async fn list(State(ranking): State<Ranking>) -> Answer<Exposure> {
    let seen = ranking.seen().await?;
    blocking(move || ranking.rank(&seen)).await.map(Json)
}

async fn show(State(ranking): State<Ranking>, Path(address): Path<IpAddr>) -> Answer<Exposed> {
    let seen = ranking.seen().await?;
    let known = seen.hosts.iter().any(|host| host.address == address);
    let exposure = blocking(move || ranking.rank(&seen)).await?;
    let mut ranked = exposure.ranked.into_iter();
    let found = ranked.find(|one| one.address == address);
    let found = found.ok_or_else(|| {
        Failed::missing(&if known {
            format!("no weakness of {address} is known")
        } else {
            format!("{address} was not seen; `wardtap devices list` shows who was")
        })
    });
    found.map(Json)
}

async fn advisories(State(ranking): State<Ranking>) -> Answer<Vec<Advisory>> {
    let seen = ranking.seen().await?;
    let all = move || ranking.with(&seen.folder, |book| book.all().to_vec());
    blocking(all).await.map(Json)
}

async fn matches(State(ranking): State<Ranking>) -> Answer<Matches> {
    let seen = ranking.seen().await?;
    let all = move || ranking.with(&seen.folder, |book| book.matches(&seen.hosts));
    blocking(all).await.map(Json)
}

async fn import(State(ranking): State<Ranking>, order: Order<NewAdvisory>) -> Answer<Imported> {
    let Order { actor, body, .. } = order;
    let imports = move |book: &mut Advisories| -> Result<(Imported, Action), BookError> {
        let imported = book.import(body.text.as_bytes())?;
        let action = Action::AdvisoryImported {
            advisory: imported.advisory.id.clone(),
            version: imported.advisory.version.clone(),
            hash: imported.advisory.hash.clone(),
        };
        Ok((imported, action))
    };
    ranking.change(actor, imports).await.map(Json)
}

async fn judge(State(ranking): State<Ranking>, order: Order<NewJudgement>) -> Answer<Judgement> {
    let Order { actor, body, .. } = order;
    let seen = ranking.seen().await?;
    let host = seen.hosts.iter().find(|host| host.address == body.device);
    let device = host.map(Subject::of);
    let device = device.ok_or_else(|| Failed::refused(&BookError::UnknownDevice(body.device)))?;
    let judgement = Judgement {
        advisory: body.advisory.clone(),
        device,
        verdict: body.verdict,
        by: actor.clone(),
        time: seen.now,
        reason: body.reason.clone(),
    };
    let action = Action::AdvisoryJudged {
        advisory: body.advisory,
        device: body.device,
        verdict: body.verdict.label().to_owned(),
        reason: body.reason,
    };
    let said = judgement.clone();
    let judges = move |book: &mut Advisories| book.judge(judgement).map(|()| (said, action));
    ranking.change(actor, judges).await.map(Json)
}

async fn remove(State(ranking): State<Ranking>, order: Order<OldAdvisory>) -> Answer<()> {
    let OldAdvisory { advisory, reason } = order.body;
    if reason.trim().is_empty() {
        return Err(Failed::refused(&BookError::NoReason));
    }
    let removes = move |book: &mut Advisories| {
        book.remove(&advisory)?;
        Ok(((), Action::AdvisoryRemoved { advisory, reason }))
    };
    ranking.change(order.actor, removes).await.map(Json)
}
