//! What was measured, in words.

use std::fmt::Write as _;

use crate::{
    captures::{Mix, Single},
    rivals::Best,
    score::{Alarm, Score},
    simulation::Simulated,
    table::{markdown, seconds},
    truth::Truth,
};

/// Wardtap and its rivals over one traffic.
pub(crate) fn rivals(
    score: &Score,
    model: Option<&Score>,
    boxplot: &Best,
    new_peer: &Best,
) -> String {
    let row = |name: String, score: &Score| {
        let [one, ten, fifty] = score.within_budget;
        vec![
            name,
            format!("{} of {}", score.found(), score.episodes()),
            format!("{} of {}", score.classes_found(), score.classes.len()),
            score.wrong.to_string(),
            format!("{:.1}", score.rate()),
            one.to_string(),
            ten.to_string(),
            fifty.to_string(),
        ]
    };
    let mut rows = vec![row("Wardtap".to_owned(), score)];
    rows.extend(model.map(|score| row("Wardtap with a model".to_owned(), score)));
    rows.push(row(
        format!("boxplot, Q3 + {} IQR", boxplot.threshold),
        &boxplot.score,
    ));
    rows.push(row(
        format!("{} new peers in an hour", new_peer.threshold.ceil()),
        &new_peer.score,
    ));
    markdown(
        &[
            "",
            "episodes found",
            "classes found",
            "false alerts",
            "a day per 1,000 devices",
            "found at 1",
            "at 10",
            "at 50",
        ],
        &rows,
    )
}

/// By class of attack.
pub(crate) fn classes(score: &Score) -> String {
    let rows: Vec<Vec<String>> = score
        .classes
        .iter()
        .map(|(class, one)| {
            let time = |value: Option<f64>| value.map_or_else(String::new, seconds);
            let mut by: Vec<_> = one.detectors.iter().collect();
            by.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
            let by: Vec<&str> = by.iter().map(|(name, _)| name.as_str()).collect();
            vec![
                class.clone(),
                format!("{} of {}", one.found, one.episodes),
                time(one.median()),
                time(one.delays.last().copied()),
                by.join(", "),
            ]
        })
        .collect();
    markdown(
        &[
            "class",
            "episodes found",
            "median time",
            "worst",
            "detectors in their alerts",
        ],
        &rows,
    )
}

/// A table of what each detector found.
pub(crate) fn detectors(score: &Score) -> String {
    let rows: Vec<Vec<String>> = score
        .detectors
        .iter()
        .map(|(name, word)| vec![name.clone(), word.right.to_string(), word.wrong.to_string()])
        .collect();
    markdown(&["detector", "in true alerts", "in false alerts"], &rows)
}

/// Each false alert and each episode that was missed.
pub(crate) fn details(score: &Score, alarms: &[Alarm], truth: &Truth) -> String {
    let mut text = String::new();
    for index in &score.wrong_ones {
        let Some(alarm) = alarms.get(*index) else {
            continue;
        };
        let _ = writeln!(
            text,
            "false: {} {}{} {:.2} [{}] {}",
            alarm.told.first().copied().unwrap_or_default(),
            alarm.device,
            if alarm.is_victim { " (victim)" } else { "" },
            alarm.confidence,
            alarm.detectors.join(" "),
            alarm.title
        );
    }
    for number in &score.missed {
        if let Some(episode) = truth.episodes.get(*number) {
            let _ = writeln!(
                text,
                "missed: {} {} to {} by {:?} at {:?}",
                episode.class,
                episode.begin,
                episode.end,
                episode.suspects,
                episode.victims.iter().take(4).collect::<Vec<_>>()
            );
        }
    }
    text
}

/// The section about the mixed capture.
pub(crate) fn mix(mix: &Mix) -> String {
    format!(
        "{}\n{}\n{}",
        classes(&mix.score),
        rivals(&mix.score, None, &mix.boxplot, &mix.new_peer),
        detectors(&mix.score)
    )
}

/// The section about a simulated hospital.
pub(crate) fn simulated(one: &Simulated) -> String {
    let mut text = format!(
        "seed {}, {} days, {} devices{}{}: {} frames, {} observations, {:.0} s\n\n",
        one.options.seed,
        one.options.days,
        one.truth.devices,
        if one.options.attacks {
            ""
        } else {
            ", change only"
        },
        if one.options.poisoned {
            ", poisoned"
        } else {
            ""
        },
        one.frames,
        one.observations,
        one.took.as_secs_f64()
    );
    for part in [
        classes(&one.score),
        rivals(
            &one.score,
            one.model.as_ref().map(|(_, score)| score),
            &one.boxplot,
            &one.new_peer,
        ),
        detectors(&one.score),
    ] {
        text.push_str(&part);
        text.push('\n');
    }
    text
}

/// The captures of single attacks.
pub(crate) fn singles(singles: &[Single]) -> String {
    let rows: Vec<Vec<String>> = singles
        .iter()
        .map(|one| {
            let mut told = one.told.clone();
            let more = told.len().saturating_sub(3);
            told.truncate(3);
            if more > 0 {
                told.push(format!("{more} more"));
            }
            vec![
                one.file.clone(),
                one.what.clone(),
                yes(one.learning),
                yes(one.found),
                told.join("; "),
            ]
        })
        .collect();
    markdown(
        &[
            "capture",
            "what",
            "found while learning",
            "found",
            "told of",
        ],
        &rows,
    )
}

fn yes(is: bool) -> String {
    if is { "yes" } else { "no" }.to_owned()
}
