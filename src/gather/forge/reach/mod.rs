//! Which forge keeps the repository, where its API is, and by which token it is asked.
//!
//! A token goes to one host only: the one whose token it is. A variable that names a token belongs to the host that the same
//! platform's variables name; a token that was given by a flag belongs to the API that was given with it, or that the repository's
//! own address names.

#[cfg(test)]
mod tests;

use super::{FORGES, Forge};
use crate::gather::http::Secret;
use crate::gather::platform::Env;
use ::http::header::HeaderName;
use url::Url;

/// What is known before anything is asked.
pub(crate) struct Given<'a> {
    /// The process's variables.
    pub(crate) env: &'a Env,
    /// `--api-url`.
    pub(crate) url: Option<&'a str>,
    /// `--api-token`.
    pub(crate) token: Option<&'a Secret>,
    /// `--forge`.
    pub(crate) forge: Option<&'a str>,
    /// Its page or clone address.
    pub(crate) repository_url: Option<&'a str>,
    /// The platform that runs us.
    pub(crate) platform: &'a str,
}

/// How an API is reached.
pub(crate) struct Reach {
    /// Address of the API, without a slash at its end.
    pub(crate) base: String,
    /// The header that carries the token.
    pub(crate) header: HeaderName,
    /// Its value.
    pub(crate) token: Secret,
    /// Where the token came from, for people: a variable's or a flag's name.
    pub(crate) token_from: String,
}

/// The forge of the repository; an error is one sentence that says what is missing.
pub(crate) fn which(given: &Given) -> Result<&'static Forge, String> {
    match given.forge {
        Some(name) => super::by_name(name).ok_or_else(|| format!("`{name}` is no forge that is known here")),
        None => guess(given)
            .ok_or_else(|| "no forge that is known here keeps this repository; say --forge and --api-url".to_owned()),
    }
}

/// The forge of the repository and how it is reached; an error is one sentence that says what is missing.
pub(crate) fn reach(given: &Given) -> Result<(&'static Forge, Reach), String> {
    let forge = which(given)?;
    let reach = (forge.reach)(given);
    reach.map(|reach| (forge, reach)).ok_or_else(|| format!("there is no token for {}: {}", forge.name, forge.token))
}

/// The platform itself where it is a forge; else by the host of the repository's address.
fn guess(given: &Given) -> Option<&'static Forge> {
    if let Some(own) = FORGES.iter().find(|f| f.name == given.platform) {
        return Some(own);
    }
    let host = host(given.repository_url?)?;
    let is = |known: &&str| if known.starts_with('.') { host.ends_with(*known) } else { host == **known };
    FORGES.iter().find(|f| f.hosts.iter().any(is))
}

/// The host in `https://host/…`, `ssh://git@host/…` or `git@host:…`, as https would ask it: in lower case, other scripts as
/// Punycode, no port.
pub(super) fn host(address: &str) -> Option<String> {
    let host = match Url::parse(address) {
        Ok(url) if url.has_host() => url.host_str()?.to_owned(),
        _ => {
            let host = address.split_once('@')?.1.split_once(':')?.0;
            host.bytes().all(|b| !b.is_ascii_control() && !b" /\\?#@%[]".contains(&b)).then(|| host.to_owned())?
        }
    };
    // nothing in it may become a path, a user or another host once an address is made of it
    let url = Url::parse(&format!("https://{host}/")).ok().filter(|_| !host.is_empty())?;
    let alone = url.username().is_empty() && url.password().is_none() && url.port().is_none() && url.path() == "/";
    url.host_str().filter(|_| alone).map(str::to_owned)
}

/// The full name in `https://host/group/project.git`, `ssh://git@host/group/project` or `git@host:group/project`.
pub(crate) fn name_in(address: &str) -> Option<String> {
    let path = match Url::parse(address) {
        Ok(url) if url.host_str().is_some() => url.path().to_owned(),
        _ => address.split_once('@')?.1.split_once(':')?.1.to_owned(),
    };
    let path = path.trim_matches('/');
    let name = path.strip_suffix(".git").unwrap_or(path);
    name.contains('/').then(|| name.to_owned())
}

impl Given<'_> {
    /// The token that was given, else the first of `variables` that is set.
    pub(super) fn token(&self, variables: &[&str]) -> Option<(Secret, String)> {
        if let Some(token) = self.token {
            return Some((token.clone(), "--api-token".to_owned()));
        }
        let find = |name: &&str| Some((Secret::new(self.env.get(name)?.to_owned()), (*name).to_owned()));
        variables.iter().find_map(find)
    }
}
