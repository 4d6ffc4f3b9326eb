//! Pushes of a period, out of the repository's activity feed.
//!
//! The feed tells commits before and after, who and when. It hides what people do who keep their activity private from everybody but
//! the server's administrators, and does not say so; a push that is not told leaves a gap between those before and after it, and
//! that is said.

use super::super::loose::date;
use super::super::{Push, moved};
use super::changes::Desk;
use super::shapes::{Branch, Repository, User, actor};
use super::{Asking, Collected, Period, READ, event, repository, rules, say, unread};
use crate::gather::forge::numbered;
use crate::gather::http::api::{List, Pages, segment};
use crate::record::parts_v1::Actor;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Why the feed may be silent.
const HIDDEN: &str =
    "the feed hides what people do who keep their activity private; an administrator of the server sees it";

/// A push as the feed tells it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Told {
    pub(super) branch: String,
    pub(super) before: Option<String>,
    pub(super) after: Option<String>,
    pub(super) on: DateTime<Utc>,
    pub(super) who: Option<Actor>,
}

pub(in super::super) fn pushes(asking: &Asking, period: &Period) -> Collected {
    let mut all = Collected { source: asking.api.place(), ..Collected::default() };
    let mut desk = Desk::default();
    let default = match asking.api.get::<Repository>(&repository(asking)) {
        Ok(told) => {
            all.repository = Some(event::named(&told));
            told.default_branch
        }
        Err(e) => {
            all.missing.push(unread("the repository", &e, READ));
            None
        }
    };
    let pages = feed(asking, period.from);
    all.authentic = pages.read > 0;
    if let Some(e) = &pages.missing {
        all.missing.push(unread("pushes", e, READ));
    }
    let mut branches: BTreeMap<String, Vec<Told>> = BTreeMap::new();
    for told in told(pages.items, &mut all.passed_over) {
        branches.entry(told.branch.clone()).or_default().push(told);
    }
    if let Some(default) = &default {
        branches.entry(default.clone()).or_default();
    }
    let mut pushes = Vec::new();
    for (branch, told) in branches {
        let protected = rules::of(asking, &branch, &mut desk).rules.as_ref().and_then(|r| r.protected);
        if protected != Some(true) && default.as_ref() != Some(&branch) {
            let why = if protected.is_some() {
                "is not protected"
            } else {
                "is gone, or whether it is protected cannot be told"
            };
            all.passed_over.push(format!("`refs/heads/{branch}` {why}"));
            continue;
        }
        if pages.missing.is_none() {
            gaps(asking, &branch, &told, period, &mut all.missing);
        }
        let within = told.into_iter().filter(|t| period.holds(t.on));
        pushes.extend(within.map(|t| (t, protected)));
    }
    pushes.sort_by_key(|(told, _)| told.on);
    for (told, protected) in pushes {
        let push = event::moved(Some(asking), &told.branch, told.before, told.after, &mut desk);
        let push = Push { occurred_on: Some(told.on), pusher: told.who, protected, ..push };
        moved::put(push, &mut all);
    }
    desk.missing.into_iter().for_each(|sentence| say(&mut all.missing, sentence));
    all
}

/// The feed since `from`, newest first.
pub(super) fn feed(asking: &Asking, from: DateTime<Utc>) -> Pages<Activity> {
    let way = format!("{}/activities/feeds?limit=50", repository(asking));
    let wanted = &mut |a: &Activity| a.created.is_none_or(|on| on >= from);
    numbered::pages::<List<Activity>>(asking.api, &way, |a| a.id.to_string(), wanted)
}

/// The pushes among the lines of the feed, oldest first, each once: a line is kept once a watcher.
pub(super) fn told(lines: Vec<Activity>, passed_over: &mut Vec<String>) -> Vec<Told> {
    let mut all: Vec<Told> = Vec::new();
    for line in lines.into_iter().rev() {
        let branch = line.ref_name.as_deref().unwrap_or_default();
        let branch = branch.strip_prefix("refs/heads/").unwrap_or(branch).to_owned();
        match line.op_type.as_deref() {
            Some("commit_repo" | "mirror_sync_push") => {}
            Some("delete_branch") => {
                say(passed_over, format!("`refs/heads/{branch}` was deleted, and nothing tells at which commit"));
                continue;
            }
            _ => continue,
        }
        let Some(on) = line.created else { continue };
        let Ok(pushed) = serde_json::from_str::<Pushed>(line.content.as_deref().unwrap_or_default()) else { continue };
        let sides = pushed.compare_url.as_deref().and_then(|url| url.rsplit('/').next()?.split_once("..."));
        let (before, after) = match sides {
            Some((before, after)) => (moved::commit(before), moved::commit(after)),
            None => (None, pushed.head_commit.and_then(|c| c.sha).as_deref().and_then(moved::commit)),
        };
        if branch.is_empty() || after.is_none() {
            continue;
        }
        let told = Told { branch, before, after, on, who: actor(line.act_user.as_ref()) };
        if !all.contains(&told) {
            all.push(told);
        }
    }
    all
}

/// Says where the pushes of a branch do not follow each other, and where the last is not where the branch stands.
fn gaps(asking: &Asking, branch: &str, told: &[Told], period: &Period, missing: &mut Vec<String>) {
    for pair in told.windows(2) {
        if let [earlier, later] = pair
            && later.before.is_some()
            && earlier.after != later.before
        {
            missing.push(format!("pushes to {branch} between {} and {}: {HIDDEN}", earlier.on, later.on));
        }
    }
    let way = format!("{}/branches/{}", repository(asking), segment(branch));
    let Ok(Branch { commit: Some(tip), .. }) = asking.api.get::<Branch>(&way) else { return };
    match told.last() {
        Some(last) if tip.id.is_some() && last.after != tip.id => {
            missing.push(format!("pushes to {branch} after {}: {HIDDEN}", last.on));
        }
        None if tip.timestamp.is_some_and(|on| on >= period.from) => {
            missing.push(format!(
                "pushes to {branch}, whose last commit was made at {}: {HIDDEN}",
                tip.timestamp.unwrap_or_default()
            ));
        }
        _ => {}
    }
}

/// One line of the repository's feed (`modules/structs/activity.go`, `services/feed`).
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Activity {
    #[serde(default)]
    id: i64,
    op_type: Option<String>,
    act_user: Option<User>,
    /// A full ref; in old versions the bare branch.
    ref_name: Option<String>,
    /// JSON of [`Pushed`] for a push; empty for the line that only tells of a new branch.
    content: Option<String>,
    #[serde(default, deserialize_with = "date")]
    created: Option<DateTime<Utc>>,
}

/// What a push brought (`modules/repository`, `PushCommits`): at most five commits, but the commits before and after.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Pushed {
    head_commit: Option<PushedCommit>,
    /// `acme/shop/compare/<before>...<after>`; empty for a new branch.
    #[serde(rename = "CompareURL")]
    compare_url: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct PushedCommit {
    #[serde(rename = "Sha1")]
    sha: Option<String>,
}
