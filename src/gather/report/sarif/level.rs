//! One result of a scan, and its level where the result does not tell (SARIF 2.1.0, 3.27.10).

use super::super::json::Json;
use super::super::refusal::Refusal;
use std::collections::BTreeMap;

/// A level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    None,
    Note,
    Warning,
    Error,
}

impl Level {
    pub(super) fn of(word: &str) -> Option<Self> {
        Some(match word {
            "none" => Self::None,
            "note" => Self::Note,
            "warning" => Self::Warning,
            "error" => Self::Error,
            _ => return None,
        })
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// How a rule is named: in which part of the tool, by its place in the list and by its name.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RuleName {
    /// The part: 0 the driver, the extensions behind it (3.54).
    pub(super) component: usize,
    pub(super) index: Option<usize>,
    pub(super) id: String,
}

impl RuleName {
    /// Reads a `reportingDescriptorReference` (3.52) over what is known already.
    pub(super) fn read(&mut self, json: &mut Json<'_>) -> Result<(), Refusal> {
        json.object(|json, key| {
            match key {
                "id" => self.id = json.told()?.unwrap_or_default(),
                "index" => self.index = index(json)?,
                "toolComponent" => {
                    json.object(|json, key| {
                        if key == "index" {
                            self.component = index(json)?.map_or(0, |i| i.saturating_add(1));
                        }
                        Ok(())
                    })?;
                }
                _ => {}
            }
            Ok(())
        })?;
        Ok(())
    }
}

/// A place in a list; -1 stands for none.
fn index(json: &mut Json<'_>) -> Result<Option<usize>, Refusal> {
    Ok(json.count()?.known().and_then(|n| usize::try_from(n).ok()))
}

/// One result, as far as it counts here.
#[derive(Clone, Debug, Default)]
pub(super) struct Found {
    pub(super) rule: RuleName,
    /// Which invocation it comes from, where it tells.
    pub(super) invocation: Option<usize>,
    /// Set aside: there are suppressions, and none of them is under review or rejected (3.27.23).
    pub(super) suppressed: bool,
    /// Gone since the baseline (3.27.24).
    pub(super) absent: bool,
    level: Option<String>,
    /// It is no failure, but something that passed, or is open, or informs (3.27.9).
    harmless: bool,
}

impl Found {
    pub(super) fn read(json: &mut Json<'_>) -> Result<Self, Refusal> {
        let mut found = Self::default();
        json.object(|json, key| {
            match key {
                "ruleId" if found.rule.id.is_empty() => found.rule.id = json.told()?.unwrap_or_default(),
                "ruleIndex" if found.rule.index.is_none() => found.rule.index = index(json)?,
                "rule" => found.rule.read(json)?,
                "level" => found.level = json.told()?,
                "kind" => found.harmless = json.text()?.is_some_and(|kind| kind != "fail"),
                "baselineState" => found.absent = json.text()? == Some("absent"),
                "suppressions" => found.suppressed = suppressed(json)?,
                "provenance" => {
                    json.object(|json, key| {
                        if key == "invocationIndex" {
                            found.invocation = index(json)?;
                        }
                        Ok(())
                    })?;
                }
                _ => {}
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// The level, where it does not depend on the rule.
    pub(super) fn told(&self) -> Option<&str> {
        self.level.as_deref().or(self.harmless.then_some("none"))
    }
}

/// Whether a result is suppressed: by one suppression at least, and each is accepted or says nothing (3.35.3).
fn suppressed(json: &mut Json<'_>) -> Result<bool, Refusal> {
    let (mut any, mut all) = (false, true);
    json.array(|json| {
        any = true;
        json.object(|json, key| {
            if key == "status" || key == "state" {
                all &= json.text()? == Some("accepted");
            }
            Ok(())
        })?;
        Ok(())
    })?;
    Ok(any && all)
}

/// Different rules in one run whose results wait for their level; the largest tools have some thousands.
pub(crate) const PENDING_LIMIT: usize = 50_000;

/// Bytes of the names of those rules.
pub(crate) const PENDING_BYTES: usize = 8 << 20;

/// Results whose level stands in rules that have not been read yet, by rule.
#[derive(Default)]
pub(super) struct Pending {
    waiting: BTreeMap<(RuleName, Option<usize>), u64>,
    bytes: usize,
}

impl Pending {
    pub(super) fn add(&mut self, found: Found) -> Result<(), &'static str> {
        let key = (found.rule, found.invocation);
        if let Some(n) = self.waiting.get_mut(&key) {
            *n += 1;
            return Ok(());
        }
        self.bytes += key.0.id.len();
        if self.waiting.len() == PENDING_LIMIT || self.bytes > PENDING_BYTES {
            return Err("the results of one run name more rules than are kept");
        }
        self.waiting.insert(key, 1);
        Ok(())
    }

    /// The rules that were waited for, and how many results each has.
    pub(super) fn all(self) -> impl Iterator<Item = (Found, u64)> {
        self.waiting.into_iter().map(|((rule, invocation), n)| (Found { rule, invocation, ..Found::default() }, n))
    }
}
