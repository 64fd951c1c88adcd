//! Deadlines and questions of laws about incidents: the Breach Notification Rule, the GDPR, the NIS 2 directive.

use std::fmt;

use jiff::Span;
use sensor_facts::{time::Time, words::utc_moment};

use crate::report::{
    Section, Table, Tone,
    incident::{Dates, Incident, dates::day},
};

/// Nanoseconds of an hour.
const HOUR: i64 = 3_600_000_000_000;

/// A law whose deadlines a report counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Law {
    /// The United States' HIPAA: Breach Notification Rule, 45 CFR 164.400 to 164.414.
    Hipaa,
    /// Regulation (EU) 2016/679.
    Gdpr,
    /// Directive (EU) 2022/2555, as a member state has put it into its law.
    Nis2,
}

impl fmt::Display for Law {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hipaa => "HIPAA",
            Self::Gdpr => "the GDPR",
            Self::Nis2 => "NIS 2",
        })
    }
}

/// The first deadline of each law.
pub(super) fn deadlines(dates: &Dates, laws: &[Law]) -> Vec<(Law, String)> {
    let first = |law: &Law| match law {
        Law::Hipaa => dates.notice_by.clone(),
        Law::Gdpr => after(dates.discovered, 72),
        Law::Nis2 => after(dates.discovered, 24),
    };
    laws.iter().map(|law| (*law, first(law))).collect()
}

fn after(time: Time, hours: i64) -> String {
    utc_moment(Time(time.0.saturating_add(hours * HOUR)))
}

/// The same moment a month later, as calendars count (Regulation (EEC, Euratom) 1182/71, article 3).
fn a_month_after(time: Time, hours: i64) -> String {
    let from = Time(time.0.saturating_add(hours * HOUR));
    let later = day(from).saturating_add(Span::new().months(1));
    let is_before = |days: &i64| day(from).saturating_add(Span::new().days(*days)) < later;
    let days = (0..31).find(|days| !is_before(days)).unwrap_or(31);
    after(from, days * 24)
}

impl Incident {
    /// Deadlines and questions of a law.
    pub(super) fn law(&self, law: Law) -> Section {
        match law {
            Law::Hipaa => self.hipaa(),
            Law::Gdpr => self.gdpr(),
            Law::Nis2 => self.nis2(),
        }
    }

    fn gdpr(&self) -> Section {
        let dates = &self.dates;
        let mut section = Section::new(
            "Deadlines of the GDPR",
            &["Regulation (EU) 2016/679, articles 33 and 34"],
        );
        section.note(
            Tone::Open,
            "This report does not say that there was a personal data breach. The controller decides that, and whether it is likely to result \
             in a risk to people.",
        );
        let mut table = Table::new(
            "Counted from the first finding, in UTC",
            &["what", "by", "where"],
        );
        table.row([
            "Notify the supervisory authority, unless a risk to people is unlikely".to_owned(),
            after(dates.discovered, 72),
            "article 33(1): 72 hours after becoming aware; later only with reasons".to_owned(),
        ]);
        table.row([
            "Tell the people concerned, if the risk to them is high".to_owned(),
            "without undue delay".to_owned(),
            "article 34(1)".to_owned(),
        ]);
        table.row([
            "Document the breach, its effects and what was done, also if it is not notified"
                .to_owned(),
            "now".to_owned(),
            "article 33(5)".to_owned(),
        ]);
        section.table(table);
        section.text(
            "The time begins when the controller is reasonably certain that there was a breach, which can be after the first finding and is \
             not before it. A processor tells the controller without undue delay (article 33(2)).",
        );
        section.list([
            "Which categories of data and about how many people are concerned (article 33(3)(a))? Health data are a special category (article 9). The sensor holds no patient data and can't count people.",
            "What are the likely consequences, and what is done against them (article 33(3)(c) and (d))?",
        ]);
        section
    }

    fn nis2(&self) -> Section {
        let dates = &self.dates;
        let mut section = Section::new(
            "Deadlines of the NIS 2 directive",
            &["Directive (EU) 2022/2555, article 23"],
        );
        section.note(
            Tone::Open,
            "This report does not say that the incident is significant (article 23(3)); the hospital decides that. The law of the member state \
             says whom to tell and can ask for more.",
        );
        let mut table = Table::new(
            "Counted from the first finding, in UTC",
            &["what", "by", "where"],
        );
        table.row([
            "Early warning to the CSIRT or authority: malicious? across borders?".to_owned(),
            after(dates.discovered, 24),
            "article 23(4)(a): 24 hours after becoming aware".to_owned(),
        ]);
        table.row([
            "Notification with a first assessment, severity, impact, indicators of compromise"
                .to_owned(),
            after(dates.discovered, 72),
            "article 23(4)(b): 72 hours after becoming aware".to_owned(),
        ]);
        table.row([
            "Final report: what happened, cause, measures".to_owned(),
            a_month_after(dates.discovered, 72),
            "article 23(4)(d): one month after the notification; counted from its deadline"
                .to_owned(),
        ]);
        section.table(table);
        section.text(
            "While the incident goes on, a progress report takes the place of the final one, which is due one month after it has been handled \
             (article 23(4)(e)). The hospital also tells the recipients of its services without undue delay where that is appropriate (article 23(1)).",
        );
        section
    }

    fn hipaa(&self) -> Section {
        let dates = &self.dates;
        let mut section = Section::new(
            "Dates that the rules ask about",
            &[
                "45 CFR 164.404(a)(2) and (b)",
                "45 CFR 164.406",
                "45 CFR 164.408(b) and (c)",
                "45 CFR 164.316(b)(2)(i)",
            ],
        );
        section.note(
            Tone::Open,
            "This report does not say that there was a breach, and no program can: the covered entity decides that by the risk \
             assessment of 45 CFR 164.402, and has to be able to prove it (45 CFR 164.414(b)).",
        );
        let mut table = Table::new("Dates, in UTC", &["what", "date", "by"]);
        let suppressed = if dates.suppressed {
            " Nobody was told then, the day's budget of alerts being used up; the rule also counts what could have been known by reasonable diligence."
        } else {
            ""
        };
        table.row([
            "Discovery: the first day on which it was known, or could have been by reasonable diligence".to_owned(),
            dates.discovered_on.clone(),
            format!("164.404(a)(2): the first finding, {}.{suppressed}", utc_moment(dates.discovered)),
        ]);
        table.row([
            "Notice to each individual, if it is a breach: without unreasonable delay, and no later than".to_owned(),
            dates.notice_by.clone(),
            "164.404(b): 60 calendar days after discovery".to_owned(),
        ]);
        table.row([
            "Notice to the Secretary, if 500 or more individuals: together with theirs, no later than".to_owned(),
            dates.notice_by.clone(),
            "164.408(b); media too, if more than 500 residents of one State: 164.406".to_owned(),
        ]);
        table.row([
            "Notice to the Secretary, if fewer than 500 individuals: no later than".to_owned(),
            dates.yearly_by.clone(),
            "164.408(c): 60 days after the end of the calendar year of discovery".to_owned(),
        ]);
        table.row([
            "Keep this report and what it rests on at least until".to_owned(),
            dates.keep_until.clone(),
            "164.316(b)(2)(i): six years from its making, or from when it last was in effect"
                .to_owned(),
        ]);
        section.table(table);
        section.text(
            "Days begin at midnight UTC here. Where the local day of discovery is an earlier one, count from that. A business associate \
             tells the covered entity (164.410); law enforcement may ask for a delay (164.412).",
        );
        section.heading("Questions that people have to answer");
        section.list([
            "How many individuals are concerned: 500 or more? More than 500 residents of one State? The sensor can't count them.",
            "Was the information unsecured, that is, not made unreadable by encryption or destruction (164.402)?",
            "Is there a low probability that it was compromised? The four factors below are the least that is looked at.",
        ]);
        let mut factors = Table::new(
            "Risk assessment: what this report has to say",
            &["factor", "asks", "what was seen"],
        );
        for one in &dates.factors {
            factors.row([&one.paragraph, &one.asks, &one.seen]);
        }
        section.table(factors);
        section
    }
}
