//! An association as events have it.

use super::{
    names::{self, Uid},
    state::DicomState,
};
use sensor_facts::event::{
    Abort, Association, ContextResult, PresentationContext, Reject, RoleSelection, Side,
    UserIdentity,
};

impl DicomState {
    /// The association as events have it.
    #[must_use]
    pub(super) fn summary(&self) -> Association {
        let [requestor, acceptor] = &self.implementations;
        let contexts = self
            .contexts
            .iter()
            .map(|(id, context)| PresentationContext {
                id: *id,
                abstract_syntax: context.abstract_syntax.as_ref().map(Uid::named),
                transfer_syntaxes: context.transfer_syntaxes.iter().map(Uid::named).collect(),
                result: context.answer.as_ref().map(|(code, syntax)| ContextResult {
                    code: *code,
                    text: names::context_result(*code).to_owned(),
                    transfer_syntax: syntax.as_ref().map(Uid::named),
                }),
            });
        let roles = self
            .roles
            .iter()
            .map(|(by, sop_class, scu, scp)| RoleSelection {
                by: *by,
                sop_class: sop_class.named(),
                scu: *scu,
                scp: *scp,
            });
        Association {
            start: self.start,
            end: self.end,
            outcome: self.outcome,
            midstream: self.midstream,
            incomplete: self.incomplete || !self.midstream && self.commands.lacks_requests(),
            calling_ae: self.titles.as_ref().map(|titles| titles.calling.clone()),
            called_ae: self.titles.as_ref().map(|titles| titles.called.clone()),
            application_context: self.application_context.as_ref().map(|uid| uid.named().uid),
            contexts: contexts.collect(),
            requestor: requestor.clone(),
            acceptor: acceptor.clone(),
            roles: roles.collect(),
            user_identity: self.user_identity.map(|code| UserIdentity {
                code,
                text: names::user_identity(code).to_owned(),
            }),
            reject: self.reject.map(|[result, source, reason]| Reject {
                result,
                source,
                reason,
                result_text: names::reject_result(result).to_owned(),
                source_text: names::reject_source(source).to_owned(),
                reason_text: names::reject_reason(source, reason).to_owned(),
            }),
            abort: self.abort.map(|(by, [source, reason])| Abort {
                by,
                source,
                reason,
                source_text: names::abort_source(source).to_owned(),
                reason_text: names::abort_reason(source, reason).to_owned(),
            }),
            commands: self.commands.summaries(),
            move_destinations: self.commands.destinations().to_vec(),
            requestor_data_bytes: self.commands.data_bytes(Side::Requestor),
            acceptor_data_bytes: self.commands.data_bytes(Side::Acceptor),
            omitted: self.omitted + self.commands.omitted(),
            skipped: self.skipped.clone(),
        }
    }
}
