use super::*;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

fn env(variables: &[(&str, &str)]) -> Env {
    Env::new(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
}

fn given<'a>(env: &'a Env, platform: &'a str, repository_url: Option<&'a str>) -> Given<'a> {
    Given { env, url: None, token: None, forge: None, repository_url, platform }
}

#[test]
fn the_host_of_an_address_is_the_one_that_would_be_asked() {
    let table = [
        ("https://github.com/acme/shop", Some("github.com")),
        ("https://GitHub.COM/acme/shop.git", Some("github.com")),
        ("https://github.com:8443/acme/shop", Some("github.com")),
        ("https://user:pass@github.com/acme/shop", Some("github.com")),
        ("http://[::1]:3000/acme/shop", Some("[::1]")),
        ("ssh://git@GitHub.com:22/acme/shop", Some("github.com")),
        ("git+ssh://git@github.com/acme/shop", Some("github.com")),
        ("git@GitHub.com:acme/shop.git", Some("github.com")),
        ("org-123@github.com:acme/shop.git", Some("github.com")),
        ("git@github.com:acme/shop@v1", Some("github.com")),
        ("https://b\u{fc}cher.example/a/b", Some("xn--bcher-kva.example")),
        ("git@b\u{fc}cher.example:a/b", Some("xn--bcher-kva.example")),
        ("ssh://git@b\u{fc}cher.example/a/b", Some("xn--bcher-kva.example")),
        // what only looks like it
        ("https://github.com.evil.example/acme/shop", Some("github.com.evil.example")),
        ("https://evil.example/github.com", Some("evil.example")),
        ("https://github.com@evil.example/acme/shop", Some("evil.example")),
        ("https://github.com:x@evil.example/acme/shop", Some("evil.example")),
        ("https://evil.example\\@github.com/acme", Some("evil.example")),
        ("https://evil.example#@github.com/", Some("evil.example")),
        ("ssh://github.com@evil.example/acme/shop", Some("evil.example")),
        ("ssh://git@github.com%2eevil.example/a/b", Some("github.com.evil.example")),
        ("https://g\u{456}thub.com/acme/shop", Some("xn--gthub-n2e.com")),
        ("github.com@evil.example:acme/shop", Some("evil.example")),
        // addresses without a host that could be asked
        ("git@evil.example/github.com:acme", None),
        ("git@evil.example#:github.com", None),
        ("git@evil.example?:github.com", None),
        ("git@a@github.com:x", None),
        ("git@github.com\n:acme/shop", None),
        ("git@:acme/shop", None),
        ("ssh:///acme/shop", None),
        ("ssh://git@evil%2f.example/x", None),
        ("github.com:acme/shop", None),
        ("/srv/git/shop.git", None),
        ("file:///srv/git/shop.git", None),
        ("../shop", None),
        ("", None),
    ];
    for (address, wanted) in table {
        assert_eq!(host(address).as_deref(), wanted, "{address}");
    }
}

#[test]
fn the_forge_is_the_platform_or_follows_from_the_host() {
    let table = [
        ("github", None, Some("github")),
        ("gitlab", Some("https://github.com/acme/shop"), Some("gitlab")),
        ("forgejo", Some("https://git.example/acme/shop"), Some("forgejo")),
        ("jenkins", Some("git@github.com:acme/shop.git"), Some("github")),
        ("jenkins", Some("ssh://git@ssh.github.com:443/acme/shop.git"), Some("github")),
        ("jenkins", Some("https://acme.ghe.com/acme/shop"), Some("github")),
        ("jenkins", Some("https://gitlab.com/acme/shop"), Some("gitlab")),
        ("jenkins", Some("git@altssh.gitlab.com:acme/shop"), Some("gitlab")),
        ("jenkins", Some("git@bitbucket.org:acme/shop"), Some("bitbucket")),
        ("woodpecker", Some("https://codeberg.org/acme/shop"), Some("forgejo")),
        ("drone", Some("https://GITEA.com/acme/shop"), Some("gitea")),
        ("jenkins", None, None),
        ("jenkins", Some("https://git.example/acme/shop"), None),
        ("jenkins", Some("https://github.com.evil.example/acme/shop"), None),
        ("jenkins", Some("https://evil.example/github.com"), None),
        ("jenkins", Some("https://ghe.com/acme/shop"), None),
        ("jenkins", Some("https://evilghe.com/acme/shop"), None),
        ("jenkins", Some("https://github.com@evil.example/"), None),
        ("jenkins", Some("https://gitlab.com./acme/shop"), None),
    ];
    let env = env(&[]);
    for (platform, url, wanted) in table {
        let found = which(&given(&env, platform, url));
        assert_eq!(found.as_ref().ok().map(|f| f.name), wanted, "{platform} {url:?}");
    }
    let mut said = given(&env, "github", Some("https://github.com/acme/shop"));
    said.forge = Some("gitea");
    assert_eq!(which(&said).map(|f| f.name), Ok("gitea"), "what was said goes first");
    said.forge = Some("sourcehut");
    assert!(which(&said).is_err_and(|e| e.contains("`sourcehut`")));
}

#[test]
fn a_token_that_was_given_goes_before_those_of_variables() {
    let env = env(&[("A", ""), ("B", "b"), ("C", "c")]);
    let mut given = given(&env, "jenkins", None);
    let told = |given: &Given, names: &[&str]| given.token(names).map(|(t, from)| (t.expose().to_owned(), from));
    assert_eq!(told(&given, &["A", "B", "C"]), Some(("b".into(), "B".into())), "an empty variable is none");
    assert_eq!(told(&given, &["C", "B"]), Some(("c".into(), "C".into())));
    assert_eq!(told(&given, &["A"]), None);
    let token = Secret::new("flag".into());
    given.token = Some(&token);
    assert_eq!(told(&given, &["B"]), Some(("flag".into(), "--api-token".into())));
    assert_eq!(told(&given, &[]), Some(("flag".into(), "--api-token".into())));
}

/// Tokens, each with the variables that name its host.
const TOKENS: &[(&str, &[&str])] = &[
    ("GITHUB_TOKEN", &["GITHUB_SERVER_URL", "GITHUB_API_URL"]),
    ("GH_TOKEN", &["GITHUB_SERVER_URL", "GITHUB_API_URL", "GH_HOST"]),
    ("GH_ENTERPRISE_TOKEN", &["GITHUB_SERVER_URL", "GITHUB_API_URL", "GH_HOST"]),
    ("GITHUB_ENTERPRISE_TOKEN", &["GITHUB_SERVER_URL", "GITHUB_API_URL", "GH_HOST"]),
    ("GITLAB_TOKEN", &["CI_SERVER_HOST", "CI_SERVER_URL", "CI_API_V4_URL", "GITLAB_HOST"]),
    ("CI_JOB_TOKEN", &["CI_SERVER_HOST", "CI_SERVER_URL", "CI_API_V4_URL"]),
    ("BITBUCKET_TOKEN", &[]),
    ("BITBUCKET_ACCESS_TOKEN", &[]),
    ("GITEA_TOKEN", &["GITHUB_SERVER_URL", "GITHUB_API_URL", "GITEA_SERVER_URL"]),
    ("FORGEJO_TOKEN", &["GITHUB_SERVER_URL", "GITHUB_API_URL", "FORGEJO_SERVER_URL"]),
];
const HOSTS: &[&str] =
    &["github.com", "gitlab.com", "bitbucket.org", "codeberg.org", "acme.ghe.com", "git.corp.example", "evil.example"];

/// Whether the API of a forge at `named` is at `asked`.
fn is_at(named: &str, asked: &str) -> bool {
    let beside = match named {
        "github.com" | "ssh.github.com" => "api.github.com".to_owned(),
        "bitbucket.org" | "altssh.bitbucket.org" => "api.bitbucket.org".to_owned(),
        _ if named.ends_with(".ghe.com") => format!("api.{named}"),
        _ => named.to_owned(),
    };
    asked == named || asked == beside
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn a_token_of_a_variable_goes_only_to_a_host_that_is_named_for_it(
        forge in select(FORGES.iter().map(|f| f.name).collect::<Vec<_>>()),
        platform in select(vec!["github", "gitlab", "bitbucket", "forgejo", "gitea", "jenkins", "woodpecker"]),
        tokens in subsequence(TOKENS.to_vec(), 1..=TOKENS.len()),
        servers in prop::collection::vec(select(HOSTS), 2),
        unnamed in any::<u8>(),
        at in select(HOSTS),
        way in select(vec!["https://{}/acme/shop", "git@{}:acme/shop.git", "ssh://git@{}:2222/acme/shop", "https://github.com@{}/x", ""]),
        flag in prop::option::of(select(HOSTS)),
        said in any::<bool>(),
    ) {
        let mut variables: Vec<(String, String)> =
            tokens.iter().map(|(name, _)| ((*name).to_owned(), format!("secret of {name}"))).collect();
        let names = ["GITHUB_SERVER_URL", "GITHUB_API_URL", "CI_SERVER_URL", "CI_API_V4_URL", "CI_SERVER_HOST", "GITLAB_HOST"];
        for (n, name) in names.iter().enumerate().filter(|(n, _)| unnamed & (1 << n) == 0) {
            let server = servers[n % 2];
            let value = match *name {
                "GITHUB_API_URL" if server == "github.com" => "https://api.github.com".to_owned(),
                "CI_SERVER_HOST" => server.to_owned(),
                "CI_API_V4_URL" => format!("https://{server}/api/v4"),
                _ => format!("https://{server}"),
            };
            variables.push(((*name).to_owned(), value));
        }
        let env = Env::new(variables.into_iter().collect());
        let url = way.replace("{}", at);
        let api = flag.map(|host| format!("https://{host}/api"));
        let given = Given {
            url: api.as_deref(),
            forge: said.then_some(forge),
            ..given(&env, platform, Some(url.as_str()).filter(|u| !u.is_empty()))
        };
        let Some(reach) = (super::super::by_name(forge).unwrap().reach)(&given) else { return Ok(()) };
        let variable = TOKENS.iter().find(|(name, _)| *name == reach.token_from);
        prop_assert!(variable.is_some(), "{} is not in the list of this test", reach.token_from);
        let (name, by) = variable.unwrap();
        let secret = format!("secret of {name}");
        prop_assert!(reach.token.expose().contains(&secret), "the header does not carry {}", name);
        let asked = host(&reach.base);
        prop_assert!(asked.is_some(), "{} has no host", reach.base);
        let asked = asked.unwrap();
        let of_variables = by.iter().filter_map(|v| env.get(v)).filter_map(|v| host(v).or_else(|| Some(v.to_owned())));
        let named: Vec<String> = of_variables.chain(given.repository_url.and_then(host)).collect();
        // on its own platform, where nothing says otherwise, GitHub is at its well-known host; Bitbucket Cloud is nowhere else
        let default = platform == "github" && asked == "api.github.com";
        let default = default || name.starts_with("BITBUCKET_") && asked == "api.bitbucket.org";
        prop_assert!(
            default || named.iter().any(|named| is_at(named, &asked)),
            "{name} went to {asked}; named were {named:?}"
        );
    }
}
