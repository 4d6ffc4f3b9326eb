//! The rules of a run's tool, and the levels that they and its invocations give to results (SARIF 2.1.0, 3.27.10).

use super::super::json::Json;
use super::super::name::digest64;
use super::super::refusal::Refusal;
use super::level::{Found, Level, RuleName};
use crate::record::test_run_v1::ReportTool;
use std::collections::HashMap;

/// Rules of one run that are kept, of all parts of the tool.
pub(crate) const RULE_LIMIT: usize = 200_000;

/// Where a rule stands: the part of the tool, its place there.
type Place = (usize, usize);

/// The rules of one run.
#[derive(Default)]
pub(super) struct Rules {
    /// Levels by place; absent where a rule tells none.
    levels: HashMap<Place, Option<Level>>,
    /// The first place of each name within a part, by the hash of the name.
    places: HashMap<(usize, u64), usize>,
    /// What an invocation sets: the invocation, the rule as it is named there, the level.
    overrides: Vec<(usize, RuleName, Level)>,
    /// The same by rule, when all rules are known.
    settled: HashMap<(usize, Rule), Level>,
}

/// A rule: where it stands, or else the part and the hash of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Rule {
    At(Place),
    Named(usize, u64),
}

impl Rules {
    /// Reads a `tool` (3.18): its rules, and who it is.
    pub(super) fn tool(&mut self, json: &mut Json<'_>) -> Result<Option<ReportTool>, Refusal> {
        let mut tool = None;
        json.object(|json, key| {
            match key {
                "driver" => tool = self.component(json, 0)?,
                "extensions" => {
                    let mut component = 0;
                    json.array(|json| {
                        component += 1;
                        self.component(json, component).map(|_| ())
                    })?;
                }
                _ => {}
            }
            Ok(())
        })?;
        Ok(tool)
    }

    fn component(&mut self, json: &mut Json<'_>, component: usize) -> Result<Option<ReportTool>, Refusal> {
        let (mut name, mut version, mut semantic) = (None, None, None);
        json.object(|json, key| {
            match key {
                "name" => name = json.told()?,
                "version" => version = json.told()?,
                "semanticVersion" => semantic = json.told()?,
                "rules" => {
                    let mut index = 0;
                    json.array(|json| {
                        self.rule(json, (component, index))?;
                        index += 1;
                        Ok(())
                    })?;
                }
                _ => {}
            }
            Ok(())
        })?;
        Ok(name.map(|name| ReportTool { name, version: version.or(semantic) }))
    }

    fn rule(&mut self, json: &mut Json<'_>, place: Place) -> Result<(), Refusal> {
        let (mut id, mut level) = (None, None);
        json.object(|json, key| {
            match key {
                "id" => id = json.told()?,
                "defaultConfiguration" => level = configured(json)?,
                _ => {}
            }
            Ok(())
        })?;
        if self.levels.len() == RULE_LIMIT {
            return Err(json.refuse("the tool has more rules than are kept"));
        }
        self.levels.insert(place, level);
        if let Some(id) = id {
            self.places.entry((place.0, digest64(0, id.as_bytes()))).or_insert(place.1);
        }
        Ok(())
    }

    /// Reads the `ruleConfigurationOverrides` of an invocation (3.20.5).
    pub(super) fn overrides(&mut self, json: &mut Json<'_>, invocation: usize) -> Result<(), Refusal> {
        json.array(|json| {
            let (mut rule, mut level) = (RuleName::default(), None);
            json.object(|json, key| {
                match key {
                    "descriptor" => rule.read(json)?,
                    "configuration" => level = configured(json)?,
                    _ => {}
                }
                Ok(())
            })?;
            if self.overrides.len() == RULE_LIMIT {
                return Err(json.refuse("the invocations override more rules than are kept"));
            }
            if let Some(level) = level {
                self.overrides.push((invocation, rule, level));
            }
            Ok(())
        })?;
        Ok(())
    }

    /// All rules and invocations have been read.
    pub(super) fn settle(&mut self) {
        for (invocation, rule, level) in std::mem::take(&mut self.overrides) {
            self.settled.insert((invocation, self.rule_of(&rule)), level);
        }
    }

    /// The level of a result that tells none itself.
    pub(super) fn level(&self, found: &Found) -> Level {
        let rule = self.rule_of(&found.rule);
        let overridden = found.invocation.and_then(|invocation| self.settled.get(&(invocation, rule)).copied());
        overridden
            .or_else(|| match rule {
                Rule::At(place) => self.levels.get(&place).copied().flatten(),
                Rule::Named(..) => None,
            })
            .unwrap_or(Level::Warning)
    }

    fn rule_of(&self, rule: &RuleName) -> Rule {
        self.place(rule).map_or(Rule::Named(rule.component, digest64(0, rule.id.as_bytes())), Rule::At)
    }

    /// Where a rule stands: by its index, or else by its name, or by that of the rule it refines (3.52.4: `R/sub` is a
    /// kind of `R`).
    fn place(&self, rule: &RuleName) -> Option<Place> {
        let by_index = rule.index.map(|index| (rule.component, index)).filter(|place| self.levels.contains_key(place));
        by_index.or_else(|| {
            let mut id = rule.id.as_str();
            loop {
                if let Some(index) = self.places.get(&(rule.component, digest64(0, id.as_bytes()))) {
                    return Some((rule.component, *index));
                }
                id = id.rsplit_once('/')?.0;
            }
        })
    }
}

/// The level in a `reportingConfiguration` (3.50).
fn configured(json: &mut Json<'_>) -> Result<Option<Level>, Refusal> {
    let mut level = None;
    json.object(|json, key| {
        if key == "level" {
            level = json.text()?.and_then(Level::of);
        }
        Ok(())
    })?;
    Ok(level)
}
