//! Lines of `name  value`, every value neutralised; and what stands on the page of every kind.

use crate::export::shown;
use crate::record::head::Head;
use crate::record::parts_v1::{Actor, Status, Tool};
use chrono::{DateTime, SecondsFormat, Utc};
use std::fmt::Write as _;

/// A page in the making.
#[derive(Default)]
pub(super) struct Page(String);

impl Page {
    /// One line.
    pub(super) fn line(&mut self, name: &str, value: impl AsRef<str>) {
        let _ = writeln!(self.0, "{name:<12} {}", shown::line(value.as_ref()));
    }

    /// One line, where there is something to say.
    pub(super) fn maybe(&mut self, name: &str, value: Option<impl AsRef<str>>) {
        if let Some(value) = value {
            self.line(name, value);
        }
    }

    /// What it came to.
    pub(super) fn text(self) -> String {
        self.0
    }

    /// The record itself, and in whose ledger it stands.
    pub(super) fn head(&mut self, head: &Head) {
        self.line(
            "record",
            format!(
                "{} {} of {}, schema {}",
                head.kind.name,
                head.record_id,
                time(&head.recorded_on),
                head.schema_version
            ),
        );
        self.line("environment", head.environment);
    }

    /// The run in which a record was made that is about something else.
    pub(super) fn made_in(&mut self, head: &Head) {
        if let Some(run) = head.run {
            self.line("made in", format!("{} {} attempt {}", run.platform, run.id, run.attempt));
            self.maybe("", run.url.as_ref());
        }
    }

    /// What could not be learned, and who wrote it.
    pub(super) fn foot(&mut self, head: &Head, tool: &Tool) {
        for c in head.completeness.iter().filter(|c| c.status != Status::Complete) {
            let status = if c.status == Status::Partial { "partly known" } else { "not known" };
            self.line("incomplete", format!("{} {status}: {}", c.section, c.why.as_deref().unwrap_or_default()));
        }
        self.line("written by", format!("{} {}", tool.name, tool.version));
    }

    /// Name or address of the repository.
    pub(super) fn repository(&mut self, head: &Head) {
        if let Some(repository) = head.repository {
            self.maybe("repository", repository.name.as_ref().or(repository.url.as_ref()));
        }
    }
}

/// Login, name and id, as far as they are known.
pub(super) fn who(actor: &Actor) -> String {
    let id = actor.id.as_ref().map(|i| format!("id {i}"));
    let parts: Vec<String> = [actor.login.clone(), actor.name.clone(), id].into_iter().flatten().collect();
    if parts.is_empty() { "somebody whose account is gone".to_owned() } else { parts.join(", ") }
}

/// A moment, as exact as the record has it.
pub(super) fn time(on: &DateTime<Utc>) -> String {
    on.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// Yes, no, or that nobody can tell.
pub(super) fn told(fact: Option<bool>) -> &'static str {
    match fact {
        Some(true) => "yes",
        Some(false) => "no",
        None => "not known",
    }
}
