//! One round of questions about a repository: what was told once is not asked again, and what could not be read is said once.

use super::super::Asking;
use super::rules::Ruled;
use crate::gather::http::api::{ApiError, List, Page, segment};
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

/// The round.
pub(super) struct Round<'a> {
    pub(super) asking: &'a Asking<'a>,
    /// `repos/OWNER/NAME`.
    root: String,
    /// Why nothing more is asked: a token that is refused once is refused always.
    over: Option<String>,
    said: Vec<Said>,
    /// Rules by branch.
    pub(super) rules: BTreeMap<String, Ruled>,
    /// Whether somebody may approve, by login, and why not where that could not be read.
    pub(super) rights: BTreeMap<String, Result<bool, String>>,
    /// Whether it was waited in vain for a pull request that GitHub did not know of yet.
    pub(super) waited: bool,
}

struct Said {
    /// `the reviews`, `the files` …
    what: &'static str,
    /// Of which it was first.
    of: String,
    why: String,
    more: usize,
}

/// Why something could not be read.
#[derive(Clone, Debug)]
pub(super) struct Unread {
    pub(super) why: String,
    /// Whether it was asked at all.
    asked: bool,
}

impl Unread {
    /// One that no answer tells by itself.
    pub(super) fn told(why: &str) -> Self {
        Self { why: why.to_owned(), asked: true }
    }
}

impl<'a> Round<'a> {
    /// An error is a sentence: the repository's name is none.
    pub(super) fn new(asking: &'a Asking<'a>) -> Result<Self, String> {
        let parts: Vec<_> = asking.repository.split('/').filter(|p| !p.is_empty()).collect();
        let [owner, name] = parts.as_slice() else {
            return Err(
                "the name of the repository is not of the form `owner/name`, so GitHub was not asked".to_owned()
            );
        };
        Ok(Self {
            asking,
            root: format!("repos/{}/{}", segment(owner), segment(name)),
            over: None,
            said: Vec::new(),
            rules: BTreeMap::new(),
            rights: BTreeMap::new(),
            waited: false,
        })
    }

    /// What `path` below the repository answers; `needs` is the permission that would help.
    pub(super) fn get<T: DeserializeOwned>(&mut self, path: &str, needs: &str) -> Result<T, Unread> {
        self.go_on()?;
        self.asking.api.get(&format!("{}/{path}", self.root)).map_err(|e| self.unread(&e, needs))
    }

    /// All pages of a list, and why it ends before its end.
    pub(super) fn list<T: DeserializeOwned>(&mut self, path: &str, needs: &str) -> (Vec<T>, Option<Unread>) {
        self.pages_of::<List<T>>(path, needs)
    }

    /// The same of any page, with how many items there are in all where it tells.
    pub(super) fn pages<P: Page>(&mut self, path: &str, needs: &str) -> (Vec<P::Item>, Option<u64>, Option<Unread>) {
        if let Err(unread) = self.go_on() {
            return (Vec::new(), None, Some(unread));
        }
        let path = format!("{}/{path}{}per_page=100", self.root, if path.contains('?') { '&' } else { '?' });
        let pages = self.asking.api.pages::<P>(&path);
        let unread = pages.missing.map(|e| self.unread(&e, needs));
        (pages.items, pages.told, unread)
    }

    /// The same where nothing tells how many there are.
    pub(super) fn pages_of<P: Page>(&mut self, path: &str, needs: &str) -> (Vec<P::Item>, Option<Unread>) {
        let (items, _, unread) = self.pages::<P>(path, needs);
        (items, unread)
    }

    fn go_on(&self) -> Result<(), Unread> {
        let unread = |why: &String| Unread { why: why.clone(), asked: false };
        self.over.as_ref().map_or(Ok(()), |why| Err(unread(why)))
    }

    fn unread(&mut self, e: &ApiError, needs: &str) -> Unread {
        let mut why = e.to_string();
        match e {
            ApiError::Unauthorized(_) | ApiError::OutOfTime(..) | ApiError::Limited(..) => {
                self.over = Some(why.clone())
            }
            ApiError::Forbidden(..) | ApiError::NotFound(_) => {
                why.push_str(&format!("; the permission `{needs}` would help"));
            }
            _ => {}
        }
        Unread { why, asked: true }
    }

    /// Says that `what` of `of` could not be read; the same of others is counted. Returns the sentence for a change of its own.
    pub(super) fn say(&mut self, what: &'static str, of: &str, unread: &Unread) -> String {
        // what was not asked any more is covered by why it was not
        let covered = !unread.asked && self.said.iter().any(|s| s.why == unread.why);
        match self.said.iter_mut().find(|s| s.what == what) {
            _ if covered => {}
            Some(said) if said.of == of && said.why == unread.why => {}
            Some(said) => said.more += 1,
            None => self.said.push(Said { what, of: of.to_owned(), why: unread.why.clone(), more: 0 }),
        }
        sentence(what, of, &unread.why)
    }

    /// Everything that was said.
    pub(super) fn missing(self) -> Vec<String> {
        let told = |s: Said| match s.more {
            0 => sentence(s.what, &s.of, &s.why),
            n => format!("{}; so it was with {n} more", sentence(s.what, &s.of, &s.why)),
        };
        self.said.into_iter().map(told).collect()
    }

    /// Something that is said of the whole, without a question behind it.
    pub(super) fn note(&mut self, what: &'static str, of: &str, why: &str) -> String {
        self.say(what, of, &Unread::told(why))
    }
}

fn sentence(what: &str, of: &str, why: &str) -> String {
    format!("{what} of {of} could not be read: {why}")
}
