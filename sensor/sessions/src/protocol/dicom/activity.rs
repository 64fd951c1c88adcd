//! What the sides of an association do for each other.

use sensor_facts::event::{CommandSummary, Side};

use crate::inventory::activity::Activity;

/// The SOP class of the modality worklist (PS3.4 annex K).
const WORKLIST: &str = "1.2.840.10008.5.1.4.31";

/// What a side of an association did by a command that was answered, or asked for.
pub(super) fn activity_of(command: &CommandSummary, side: Side) -> Option<Activity> {
    let asks = command.scu == side;
    let uid = command.sop_class.as_ref().map(|class| class.uid.as_str());
    let (asking, answering) = match command.command.as_str() {
        "C-STORE" => (Activity::StoresImages, Activity::TakesImages),
        "C-FIND" if uid == Some(WORKLIST) => (Activity::AsksWorklist, Activity::OffersWorklist),
        "C-FIND" => (Activity::Queries, Activity::AnswersQueries),
        "C-MOVE" | "C-GET" => (Activity::Pulls, Activity::AnswersPulls),
        "N-CREATE" | "N-SET" => (Activity::ReportsProcedures, Activity::TakesProcedures),
        _ => return None,
    };
    let answers = &command.counts.responses;
    // A side that refuses all requests provides no service.
    let served = answers.success + answers.pending + answers.warning > 0;
    if asks {
        Some(asking)
    } else {
        served.then_some(answering)
    }
}
