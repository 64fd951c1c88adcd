//! The dates and questions of the Breach Notification Rule.

use sensor_facts::words::utc_moment;

use crate::report::{Section, Table, Tone, incident::Incident};

impl Incident {
    pub(super) fn dates(&self) -> Section {
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
