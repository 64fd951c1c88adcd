//! The socket's answers about rules and the never-block list: what is there, and changes.
//!
//! A change is in force in the kernel when its answer goes out, and the trail names the person by the
//! socket's peer credentials.

use std::time::Duration;

use axum::{
    Extension, Router,
    extract::Path,
    response::Response,
    routing::{get, post},
};
use sensor_facts::rule::{Actor, RuleId, State};
use sensor_response::{Denied, Keeper, RuleReport, Wish};

use super::{
    answer::Failed,
    api::{
        Added, Hits, NewProtection, NewRule, PROTECTED, ProtectedEntry, Protecting, RULES, Reason,
        RuleView, Unprotecting,
    },
    change::{DISK, DISK_RELEASE, Order, Told},
    pages::Wanted,
    roles::Roles,
};
use crate::live::responder::ResponderHandle;

pub(super) fn router(response: ResponderHandle, roles: Roles) -> Router {
    Router::new()
        .route(RULES, get(list).post(add))
        .route(&format!("{RULES}/release-all"), post(release_all))
        .route(&format!("{RULES}/{{id}}/{{verb}}"), post(change))
        .route(PROTECTED, get(protected).post(protect))
        .route(&format!("{PROTECTED}/remove"), post(unprotect))
        .layer(Extension(roles))
        .layer(Extension(response))
}

async fn list(
    Extension(response): Extension<ResponderHandle>,
    wanted: Wanted,
) -> Result<Response, Failed> {
    let views = response.command(move |keeper| -> Vec<RuleView> {
        let reports = keeper.reports();
        reports.iter().map(|one| view(keeper, one)).collect()
    });
    wanted.page(views.await?)
}

fn view(keeper: &Keeper, report: &RuleReport) -> RuleView {
    let RuleReport { rule, hits, effect } = report;
    RuleView {
        rule: rule.clone(),
        hits: Hits {
            packets: hits.packets,
            bytes: hits.bytes,
            would_packets: hits.would_packets,
            would_bytes: hits.would_bytes,
            last: (hits.last != 0).then(|| keeper.wall(hits.last)),
        },
        effect: effect.clone(),
    }
}

async fn add(
    Extension(roles): Extension<Roles>,
    order: Order<NewRule>,
) -> Result<Response, Failed> {
    let adds = move |keeper: &mut Keeper, actor: &Actor, new: NewRule| {
        let target = new.target;
        let what = format!("a rule for {target}");
        let wish = Wish {
            target,
            scope: new.scope,
            state: if new.dry_run {
                State::DryRun
            } else {
                State::Enabled
            },
            sticky: new.sticky,
            ttl: Duration::from_secs(new.ttl),
            reason: new.reason,
        };
        let result = keeper.add(actor, wish);
        noted(keeper, actor, what, result).map(|(id, extended)| Added {
            rule: shown(keeper, id),
            extended,
            warning: roles.warning(Some(&target)),
        })
    };
    order.command(DISK, adds).await
}

/// A rule that was there a moment ago.
fn shown(keeper: &Keeper, id: RuleId) -> Option<RuleView> {
    let report = keeper.report(id)?;
    Some(view(keeper, &report))
}

async fn change(
    Extension(roles): Extension<Roles>,
    Path((id, verb)): Path<(RuleId, String)>,
    order: Order<Reason>,
) -> Result<Response, Failed> {
    if !["enable", "disable", "approve", "remove"].contains(&verb.as_str()) {
        return Err(Failed::missing(&"there is no such thing to ask for"));
    }
    let changes = move |keeper: &mut Keeper, actor: &Actor, Reason { reason }| {
        let what = format!("{verb} rule {id}");
        let result = match verb.as_str() {
            "enable" => keeper.enable(actor, id, reason),
            "disable" => keeper.disable(actor, id, reason),
            "approve" => keeper.approve(actor, id, reason),
            _ => keeper.remove(actor, id, reason),
        };
        let drops = verb == "enable" || verb == "approve";
        noted(keeper, actor, what, result).map(|()| Added {
            rule: shown(keeper, id),
            extended: false,
            warning: drops.then(|| roles.warning(None)).flatten(),
        })
    };
    order.command(DISK, changes).await
}

async fn release_all(order: Order<Reason>) -> Result<Response, Failed> {
    let releases = |keeper: &mut Keeper, actor: &Actor, Reason { reason }| {
        let result = keeper.release_all(actor, reason);
        noted(keeper, actor, "release all rules".to_owned(), result)
    };
    order.command(DISK_RELEASE, releases).await
}

async fn protected(
    Extension(response): Extension<ResponderHandle>,
    wanted: Wanted,
) -> Result<Response, Failed> {
    let entries = response.command(move |keeper| -> Vec<ProtectedEntry> {
        let book = keeper.book();
        let entry = |entry: &sensor_response::Protection| ProtectedEntry {
            what: entry.what,
            reason: entry.reason.clone(),
            by: entry.by.clone(),
            since: entry.since,
            configured: book.is_configured(&entry.what),
        };
        book.protected().map(entry).collect()
    });
    wanted.page(entries.await?)
}

async fn protect(order: Order<NewProtection>) -> Result<Response, Failed> {
    let protects = |keeper: &mut Keeper, actor: &Actor, new: NewProtection| {
        let what = format!("protect {}", new.what);
        let result = keeper.protect(actor, new.what, new.reason);
        noted(keeper, actor, what, result).map(|ended| Protecting { ended })
    };
    order.command(DISK, protects).await
}

async fn unprotect(order: Order<Unprotecting>) -> Result<Response, Failed> {
    let unprotects = |keeper: &mut Keeper, actor: &Actor, old: Unprotecting| {
        let what = format!("protect {} no more", old.what);
        let result = keeper.unprotect(actor, old.what, old.reason);
        noted(keeper, actor, what, result)
    };
    order.command(DISK, unprotects).await
}

/// What a person asked for in vain is written down too.
fn noted<T>(
    keeper: &mut Keeper,
    actor: &Actor,
    what: String,
    result: Result<T, Denied>,
) -> Result<T, String> {
    result.map_err(|denied| {
        let reason = denied.to_string();
        keeper.refused(actor, what, reason.clone());
        reason
    })
}

impl Told for Added {
    fn warn(mut self, warning: &str) -> Result<Self, ()> {
        let before = self.warning.take();
        self.warning = Some(match before {
            Some(before) => format!("{before}; {warning}"),
            None => warning.to_owned(),
        });
        Ok(self)
    }
}

impl Told for Protecting {}

impl Told for usize {}

impl Told for () {}
