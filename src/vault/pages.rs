//! Listing a bucket page by page, by requests of our own: `object_store` lists no versions, and one key that it takes for
//! no path (`a//b`) makes its whole listing fail.

use super::address::{Address, SIDECAR};
use super::pages_xml::{self, NoSheet, Row, Sheet};
use super::sweep::{Place, Seen};
use super::trouble::Trouble;
use super::wire::Answer;
use super::{Vault, VaultError};
use object_store::path::Path;
use std::ops::ControlFlow;

/// A page of 1000 long keys with every byte escaped is about 5 MB.
const PAGE: usize = 16 * 1024 * 1024;

/// What to list.
pub(super) struct Listing<'a> {
    /// Every version of every object, not only the current ones.
    pub versions: bool,
    /// Below the vault's own prefix.
    pub prefix: &'a str,
    /// Only what comes after. Current objects only.
    pub after: Option<&'a str>,
    /// At most so many a page.
    pub most: Option<usize>,
    /// Not what lies in folders below the prefix.
    pub flat: bool,
}

/// Where the next page begins.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Next {
    Token(String),
    Marker(String, Option<String>),
}

/// A listing, page after page.
pub(super) struct Pages<'a> {
    vault: &'a Vault,
    /// May be changed between pages: how many to ask for.
    pub listing: Listing<'a>,
    next: Option<Next>,
    turned: u64,
    remembered: Option<Next>,
}

impl<'a> Pages<'a> {
    /// Asks nothing yet.
    pub(super) fn new(vault: &'a Vault, listing: Listing<'a>) -> Self {
        Self { vault, listing, next: None, turned: 0, remembered: None }
    }

    /// Tells `each` of everything that is left. Outside of the runtime, so that `each` may ask the vault for more.
    pub(super) fn tell(mut self, each: &mut dyn FnMut(Seen) -> ControlFlow<()>) -> Result<(), VaultError> {
        while let Some(page) = self.turn()? {
            if page.into_iter().try_for_each(&mut *each).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// The next page, in the store's order, tried again while nothing is settled; `None` after the last.
    pub(super) fn turn(&mut self) -> Result<Option<Vec<Seen>>, VaultError> {
        if self.turned > 0 && self.next.is_none() {
            return Ok(None);
        }
        let (vault, listing) = (self.vault, &self.listing);
        let doing = format!("list `{}` in {}", listing.prefix, vault.location());
        let root = vault.opened.root.as_ref();
        let root = if root.is_empty() { String::new() } else { format!("{root}/") };
        let query = query(listing, &root, self.next.as_ref());
        let query: Vec<_> = query.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let sheet = vault.runtime.block_on(patiently(vault, listing.versions, &query, &doing))?;
        let next = follows(&sheet, listing.versions).map_err(|why| VaultError::Other { doing, why: why.into() })?;
        let rows = sheet.rows.into_iter().filter_map(|row| seen(row, listing, &root)).collect();
        self.turned += 1;
        if next.is_some() && next == self.remembered {
            let why = "the store comes back to a page that it gave before; this may not be all".into();
            return Err(VaultError::Other { doing: format!("list `{}` in {}", listing.prefix, vault.location()), why });
        }
        // Brent: one page remembered, at every power of two, finds a circle of any length.
        if self.turned.is_power_of_two() {
            self.remembered.clone_from(&next);
        }
        self.next = next;
        Ok(Some(rows))
    }
}

async fn patiently(vault: &Vault, versions: bool, query: &[(&str, &str)], doing: &str) -> Result<Sheet, VaultError> {
    vault.admit().await?;
    let mut tries = vault.tries();
    loop {
        let why = match attempt(vault, versions, query, doing).await {
            Ok(sheet) => return Ok(sheet),
            Err(Trouble::Firm(e)) => return Err(e),
            Err(Trouble::Missing) => return Err(VaultError::NotFound { place: vault.location().to_owned() }),
            Err(Trouble::Unclear(why) | Trouble::Busy(why)) => why,
            Err(Trouble::Exists) => "the store answered 412 to a listing".into(),
        };
        if !tries.again().await {
            return Err(VaultError::Unreachable { doing: doing.into(), why, tries: tries.made });
        }
    }
}

fn query(listing: &Listing<'_>, root: &str, next: Option<&Next>) -> Vec<(&'static str, String)> {
    let mut query = match listing.versions {
        true => vec![("versions", String::new())],
        false => vec![("list-type", "2".to_owned())],
    };
    // XML 1.0 has no way to write most control characters, which a key may hold.
    query.push(("encoding-type", "url".to_owned()));
    query.push(("prefix", format!("{root}{}", listing.prefix)));
    query.extend(listing.flat.then(|| ("delimiter", "/".to_owned())));
    query.extend(listing.most.map(|most| ("max-keys", most.to_string())));
    match next {
        Some(Next::Token(token)) => query.push(("continuation-token", token.clone())),
        Some(Next::Marker(key, version)) => {
            query.push(("key-marker", key.clone()));
            query.extend(version.clone().map(|version| ("version-id-marker", version)));
        }
        None => query.extend(listing.after.map(|after| ("start-after", format!("{root}{after}")))),
    }
    query
}

async fn attempt(vault: &Vault, versions: bool, query: &[(&str, &str)], doing: &str) -> Result<Sheet, Trouble> {
    let reply = vault.ask(&Path::default(), query, PAGE).await.map_err(Trouble::Unclear)?;
    if !(200..300).contains(&reply.status) {
        let answer = Answer::read(reply.status, &reply.headers, &String::from_utf8_lossy(&reply.body));
        return Err(vault.opened.sort_answer(&answer, doing, false));
    }
    let firm = |why: String| Trouble::Firm(VaultError::Other { doing: doing.to_owned(), why });
    if reply.body.len() >= PAGE {
        return Err(firm(format!("one page of the store's answer is longer than {PAGE} bytes")));
    }
    let root = if versions { "ListVersionsResult" } else { "ListBucketResult" };
    pages_xml::read(&reply.body, root).map_err(|error| match error {
        // A store that knows no versions may leave the question's word out and list; asking again is no use.
        NoSheet::Other(what) if versions => firm(format!("the store answered with {what} and not with versions")),
        NoSheet::Other(what) => Trouble::Unclear(format!("the store answered with {what} and not with a listing")),
        NoSheet::Broken(why) => Trouble::Unclear(format!("the store's answer could not be read: {why}")),
    })
}

/// Where the page after this one begins; an error where the store says that there is one and not where.
fn follows(sheet: &Sheet, versions: bool) -> Result<Option<Next>, &'static str> {
    let next = match versions {
        // AWS refuses an empty version-id-marker.
        true => sheet
            .next_key
            .clone()
            .map(|key| Next::Marker(key, sheet.next_version.clone().filter(|version| !version.is_empty()))),
        false => sheet.token.clone().map(Next::Token),
    };
    match (sheet.truncated, next) {
        (Some(false), _) => Ok(None),
        (Some(true), None) => {
            Err("the store says that there is more and does not say where it goes on; this may not be all")
        }
        (_, next) => Ok(next),
    }
}

/// A row as something in the vault; `None` for what is not below the prefix, and for sidecars.
fn seen(row: Row, listing: &Listing<'_>, root: &str) -> Option<Seen> {
    let text = row.key.strip_prefix(root).filter(|text| text.starts_with(listing.prefix))?;
    if text.ends_with(SIDECAR) {
        return None;
    }
    let place = match Address::parse(text) {
        Ok(address) if !row.broken => Place::Address(address),
        _ => Place::Odd(text.to_owned()),
    };
    let latest = row.latest || !listing.versions;
    Some(Seen { place, version: row.version, latest, marker: row.marker, size: row.size, modified: row.modified })
}
