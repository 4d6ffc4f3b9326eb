//! What GitLab itself noted on a merge request: a log with author and time, where the list of approvals holds only what stands now.
//! The words are those of `SystemNotes::MergeRequestsService` in GitLab's source, which are not translated.

use super::shapes::Note;
use super::user::User;
use super::{Asking, merge_request};
use crate::gather::http::api::{ApiError, List};
use chrono::{DateTime, Utc};

/// Something that somebody did, and GitLab noted.
pub(super) struct Noted {
    pub what: What,
    pub who: User,
    pub on: Option<DateTime<Utc>>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum What {
    Approved,
    Unapproved,
    ChangesRequested,
    /// Approvals of these user names taken away: by a push, or because a new review was asked for.
    Reset(Vec<String>),
    /// Commits added to the source branch.
    Pushed,
    /// Merged although somebody had asked for changes (Premium).
    Overridden,
    /// That taken back.
    NotOverridden,
}

/// The notes, oldest first, and why they are not all.
pub(super) fn of(asking: &Asking, iid: &str) -> (Vec<Noted>, Option<ApiError>) {
    let way = format!("{}/notes?sort=asc&order_by=created_at&per_page=100", merge_request(asking, iid));
    let pages = asking.api.pages::<List<Note>>(&way);
    let mut notes: Vec<Note> = pages.items.into_iter().filter(|note| note.system == Some(true)).collect();
    notes.sort_by_key(|note| (note.created_at, note.id));
    let noted = notes.into_iter().filter_map(|note| {
        let what = understand(note.body.as_deref()?)?;
        Some(Noted { what, who: note.author.unwrap_or_default(), on: note.created_at })
    });
    (noted.collect(), pages.missing)
}

fn understand(body: &str) -> Option<What> {
    let body = body.trim();
    let first = body.lines().next().unwrap_or_default();
    Some(match body {
        "approved this merge request" | "Approved this merge request" => What::Approved,
        "unapproved this merge request" | "Unapproved this merge request" => What::Unapproved,
        "requested changes" => What::ChangesRequested,
        "bypassed reviews on this merge request" => What::Overridden,
        "removed the bypass on this merge request" => What::NotOverridden,
        _ if first.starts_with("reset approvals from ") => What::Reset(names(first)),
        _ if first.starts_with("requested review from ") && first.ends_with(" and removed approval") => {
            What::Reset(names(first))
        }
        _ if added(first) => What::Pushed,
        _ => return None,
    })
}

/// `added 1 commit`, `added 12 commits`.
fn added(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let number = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_digit());
    words.next() == Some("added")
        && words.next().is_some_and(number)
        && words.next().is_some_and(|word| ["commit", "commits"].contains(&word))
}

/// The user names in `@ann, @bob, and @cyd`.
fn names(line: &str) -> Vec<String> {
    let word = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    let name = |rest: &str| rest.chars().take_while(|c| word(*c)).collect::<String>().trim_end_matches('.').to_owned();
    line.split('@').skip(1).map(name).filter(|name| !name.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_gitlab_itself_writes_is_understood() {
        let names = |all: &[&str]| Some(What::Reset(all.iter().map(|n| (*n).to_owned()).collect()));
        for (body, what) in [
            ("approved this merge request", Some(What::Approved)),
            ("unapproved this merge request", Some(What::Unapproved)),
            ("requested changes", Some(What::ChangesRequested)),
            ("reset approvals from @ann, @b.o-b, and @c_d by pushing to the branch", names(&["ann", "b.o-b", "c_d"])),
            ("reset approvals from @ann by pushing to the branch", names(&["ann"])),
            ("requested review from @ann and removed approval", names(&["ann"])),
            ("requested review from @ann", None),
            ("added 1 commit\n\n<ul><li>0a1b2c3d - Fix</li></ul>", Some(What::Pushed)),
            ("added 12 commits\n\n* 1..2 - 10 commits from branch `main`", Some(What::Pushed)),
            ("added ~7 label", None),
            ("added one commit", None),
            ("I approved this merge request", None),
            ("approved this merge request, sort of", None),
            ("", None),
        ] {
            assert_eq!(understand(body), what, "{body}");
        }
    }
}
