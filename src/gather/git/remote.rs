//! The address of `origin`, without what is secret in it.

use git2::Repository;
use url::Url;

/// Address of `origin` as configured, credentials removed.
///
/// Read from the configuration and not through `Remote`, which applies `url.*.insteadOf`: CI uses that to put tokens in.
pub(super) fn origin(repo: &Repository) -> Option<String> {
    let config = repo.config().ok()?.snapshot().ok()?;
    let url = config.get_string("remote.origin.url").ok()?;
    (!url.trim().is_empty()).then(|| without_credentials(url.trim()))
}

/// Removes user names, passwords, queries and fragments. A bare user name stays where it only names the ssh account.
pub(super) fn without_credentials(address: &str) -> String {
    if let Ok(mut url) = Url::parse(address)
        && url.has_host()
    {
        let ssh = matches!(url.scheme(), "ssh" | "git+ssh" | "ssh+git");
        // These fail only for addresses that cannot carry credentials at all.
        let _ = url.set_password(None);
        if !ssh {
            let _ = url.set_username("");
        }
        url.set_query(None);
        url.set_fragment(None);
        return url.into();
    }
    // Not an address by the URL standard: scp's `git@host:path`, a path, or something odd.
    let (scheme, rest) = address.split_once("://").map_or(("", address), |(s, r)| (s, r));
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let kept = match authority.rsplit_once('@') {
        None => authority.to_owned(),
        Some((_, host)) if !scheme.is_empty() => host.to_owned(),
        Some((user, host)) => format!("{}@{host}", user.split(':').next().unwrap_or_default()),
    };
    if scheme.is_empty() { format!("{kept}{path}") } else { format!("{scheme}://{kept}{path}") }
}

#[cfg(test)]
mod tests {
    use super::without_credentials;
    use proptest::prelude::*;

    #[test]
    fn credentials_go_and_ssh_accounts_stay() {
        for (given, kept) in [
            ("https://git.example/acme/shop.git", "https://git.example/acme/shop.git"),
            ("https://x-access-token:s3cret@git.example/acme/shop", "https://git.example/acme/shop"),
            ("https://s3cret@git.example/acme/shop", "https://git.example/acme/shop"),
            ("https://git.example/a?private_token=s3cret#s3cret", "https://git.example/a"),
            ("http://gitlab-ci-token:s3cret@git.example:8080/a.git", "http://git.example:8080/a.git"),
            ("ssh://git@git.example:22/acme/shop.git", "ssh://git@git.example:22/acme/shop.git"),
            ("ssh://git:s3cret@git.example/a", "ssh://git@git.example/a"),
            ("git@git.example:acme/shop.git", "git@git.example:acme/shop.git"),
            ("git:s3cret@git.example:acme/shop.git", "git@git.example:acme/shop.git"),
            ("https://user:s3cret@bad host/a", "https://bad host/a"),
            ("/srv/git/shop.git", "/srv/git/shop.git"),
            ("../shop@2", "../shop@2"),
            ("file:///srv/git/shop.git", "file:///srv/git/shop.git"),
        ] {
            assert_eq!(without_credentials(given), kept);
        }
    }

    proptest! {
        #[test]
        fn no_password_survives(user in "[a-z]{1,8}", host in "[a-zA-Z0-9.% _-]{1,12}", path in "[a-z@:/]{0,12}") {
            for scheme in ["https://", "ssh://", "odd://", "http://"] {
                let out = without_credentials(&format!("{scheme}{user}:S3CRET@{host}/{path}"));
                prop_assert!(!out.contains("S3CRET"), "{}", out);
            }
        }
    }
}
