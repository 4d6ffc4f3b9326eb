//! Environment variables worth keeping, and the guard that keeps secrets out. A record is signed, copied and locked for
//! years: what enters it cannot be taken back, so in doubt a variable is refused, by name and never by value.

use super::platform::env::{LONGEST, without_credentials};
use super::platform::{Env, Platform};
use std::collections::BTreeMap;

/// What became of the variables.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Variables {
    /// Those that enter the record.
    pub(crate) kept: BTreeMap<String, String>,
    /// Name, and why it was refused. Never the value.
    pub(crate) refused: Vec<(String, String)>,
    /// Asked for, and not set.
    pub(crate) missing: Vec<String>,
}

/// Collects the platform's harmless variables and those that were `asked` for by name.
pub(crate) fn collect(env: &Env, platform: &Platform, asked: &[String]) -> Variables {
    let mut out = Variables::default();
    for name in platform.variables {
        if let Some(value) = env.get(name) {
            file(&mut out, name, value);
        }
    }
    for name in asked {
        // `NAME=value` would put the value, which may be a secret, into our messages
        if let Some((name, _)) = name.split_once('=') {
            out.refused.push((name.to_owned(), "only a name can be asked for, not NAME=VALUE".to_owned()));
            continue;
        }
        match env.get(name) {
            _ if out.kept.contains_key(name) => {}
            Some(value) => file(&mut out, name, value),
            None => out.missing.push(name.clone()),
        }
    }
    out
}

fn file(out: &mut Variables, name: &str, value: &str) {
    match secret_name(name).or_else(|| secret_value(value)) {
        Some(why) => out.refused.push((name.to_owned(), why)),
        None => {
            out.kept.insert(name.to_owned(), value.to_owned());
        }
    }
}

/// Words that name a secret wherever they stand as a word of their own.
const WORDS: &str = "APIKEY AUTH AUTHORIZATION BEARER CONNSTR COOKIE COOKIES CREDENTIAL CREDENTIALS CREDS DSN JWT KEY \
    KEYS OAUTH OAUTH2 OTP PASS PASSPHRASE PASSWD PASSWORD PASSWORDS PAT PRIVATE PW PWD SAS SECRET SECRETS SESSION \
    SESSIONID TOKEN TOKENS";

/// Words that name a secret also at the end of a longer one, as in `GITHUBTOKEN`.
const ENDINGS: &str = "TOKEN SECRET PASSWORD PASSWD PASSPHRASE CREDENTIALS COOKIE APIKEY ACCESSKEY PRIVATEKEY \
    SECRETKEY SSHKEY SIGNINGKEY ACCOUNTKEY LICENSEKEY AUTH";

/// Pairs that name no secret: an identifier, something public, the desktop's session.
const HARMLESS: &str = "CACHE_KEY GROUP_KEY ISSUE_KEY JOB_KEY PROJECT_KEY PUBLIC_KEY PUBLIC_KEYS STEP_KEY \
    DESKTOP_SESSION XDG_SESSION";

fn listed(list: &str, fits: impl FnMut(&str) -> bool) -> bool {
    list.split_ascii_whitespace().any(fits)
}

/// Why a variable (or option) of this name may hold a secret; `None` where nothing says so.
pub(crate) fn secret_name(name: &str) -> Option<String> {
    // the shell's working directories
    if matches!(name, "PWD" | "OLDPWD") {
        return None;
    }
    let words = words(name);
    let mut before = "";
    for (i, word) in words.iter().enumerate() {
        let word = word.as_str();
        let named = listed(WORDS, |w| w == word) || listed(ENDINGS, |end| word.ends_with(end));
        if named && !listed(HARMLESS, |pair| pair.split_once('_') == Some((before, word))) {
            return Some(format!("its name says that it may be secret (`{word}`)"));
        }
        let next = words.get(i + 1).map_or("", String::as_str);
        if word.starts_with("CONN") && (next.starts_with("STR") || word.ends_with("STRING")) {
            return Some("its name says that it may be a connection string with a password".to_owned());
        }
        before = word;
    }
    None
}

/// The words of a name in capitals: `dbPassword`, `DB_PASSWORD` and `db-password` are two words each.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut before = '_';
    for c in name.chars() {
        if c.is_ascii_alphanumeric() {
            let starts = !before.is_ascii_alphanumeric() || before.is_ascii_lowercase() && c.is_ascii_uppercase();
            if starts {
                words.push(String::new());
            }
            if let Some(word) = words.last_mut() {
                word.push(c.to_ascii_uppercase());
            }
        }
        before = c;
    }
    words
}

/// Beginnings of tokens that their makers chose so that they can be found, and the least that follows.
const BEGINNINGS: &[(&str, usize)] = &[
    // GitHub, GitLab, Docker, Vault
    ("ghp_ gho_ ghu_ ghs_ ghr_ github_pat_ hvs. hvb.", 16),
    ("glpat- glptt- gldt- glrt- glcbt- glsoat- dckr_pat_", 10),
    // AWS, Google, Atlassian, DigitalOcean, Shopify, Buildkite
    ("AKIA ASIA ya29. ATATT3 ATBB dop_v1_ shpat_ bkua_", 16),
    // Slack, Stripe, model vendors, age
    ("xoxa- xoxb- xoxp- xoxo- xoxr- xoxs- xapp- sk_live_ rk_live_ sk_test_ sk-ant- sk-proj- AGE-SECRET-KEY-", 8),
    // package registries, Google, SendGrid: short words of people begin so too
    ("npm_ pypi- AIza SG.", 30),
];

/// Pieces that stand only in secrets, compared without case.
const PIECES: &[&str] =
    &["-----begin", "accountkey=", "sharedaccesskey=", "sharedaccesssignature", "password=", "pwd=", "bearer "];

/// Why a value looks secret, whatever its name. The answer never quotes it.
pub(crate) fn secret_value(value: &str) -> Option<String> {
    if value.len() > LONGEST {
        return Some(format!("it is longer than {LONGEST} bytes"));
    }
    if value.contains('\0') {
        return Some("it holds a NUL".to_owned());
    }
    let lower = value.to_ascii_lowercase();
    if PIECES.iter().any(|piece| lower.contains(piece)) {
        return Some("it looks like a credential".to_owned());
    }
    if value.contains("://") && value.split_ascii_whitespace().any(|part| without_credentials(part) != part) {
        return Some("it holds an address with a user or password".to_owned());
    }
    let is_token = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '+' | '=');
    for token in value.split(|c| !is_token(c)).filter(|t| t.len() >= 12) {
        let long_enough = |start: &str, least| token.strip_prefix(start).is_some_and(|rest| rest.len() >= least);
        if BEGINNINGS.iter().any(|(starts, least)| listed(starts, |start| long_enough(start, *least))) {
            return Some("it begins like a token".to_owned());
        }
        if token.starts_with("eyJ") && token.matches('.').count() == 2 {
            return Some("it looks like a JSON Web Token".to_owned());
        }
        if token.split(['.', '=', '-', '_']).any(random) {
            return Some("it looks random, as secrets do".to_owned());
        }
    }
    None
}

/// Whether a piece of text looks drawn by lot: long, with digits and capitals where words have none.
///
/// Commit ids and digests are random too, and public: hex of their lengths passes.
fn random(piece: &str) -> bool {
    let bytes = piece.as_bytes();
    if bytes.iter().all(u8::is_ascii_hexdigit) {
        return bytes.len() >= 32 && !matches!(bytes.len(), 40 | 64 | 96 | 128);
    }
    let small = bytes.iter().any(u8::is_ascii_lowercase);
    // CamelCase changes between small and capital all the time; between letters and digits words hardly ever change,
    // and two capitals in a row are rare in them
    let odd = bytes.windows(2).filter(|pair| match pair {
        [a, b] => a.is_ascii_digit() != b.is_ascii_digit() || small && a.is_ascii_uppercase() && b.is_ascii_uppercase(),
        _ => false,
    });
    bytes.len() >= 20
        && bytes.iter().any(u8::is_ascii_digit)
        && odd.count() * 9 >= bytes.len() * 2
        && entropy(bytes) >= 3.3
}

/// Shannon entropy in bits a byte.
fn entropy(bytes: &[u8]) -> f64 {
    let mut counts = BTreeMap::new();
    for b in bytes {
        *counts.entry(b).or_insert(0u32) += 1;
    }
    let all = bytes.len() as f64;
    counts.values().map(|n| f64::from(*n) / all).map(|p| -p * p.log2()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gather::platform::{PLATFORMS, by_name};
    use proptest::prelude::*;

    fn env(pairs: &[(&str, &str)]) -> Env {
        Env::new(pairs.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect())
    }

    #[test]
    fn names_of_secrets_are_refused_and_of_other_things_are_not() {
        let secret = "GITHUB_TOKEN CI_JOB_TOKEN githubToken NPM_AUTH_TOKEN AWS_SECRET_ACCESS_KEY AWS_ACCESS_KEY_ID DB_PASSWORD \
            dbPasswd DATABASE_PASS MYSQL_PWD API_KEY apikey APIKEY SSH_PRIVATE_KEY GOOGLE_APPLICATION_CREDENTIALS BASIC_AUTH \
            SSH_AUTH_SOCK SESSION_ID PHPSESSION_KEY SET_COOKIE SENTRY_DSN DB_CONNECTION_STRING CONNECTIONSTRING connStr \
            AzureWebJobsConnString SIGNING_KEYS GH_PAT GITHUBTOKEN MYSECRET AUTHORIZATION X_BEARER AZURE_SAS \
            BUILDKITE_AGENT_ACCESS_TOKEN CIRCLE_OIDC_TOKEN_V2 VAULT_TOKEN PRIVATE_THING OAUTH2_CLIENT NUGET-API-KEY";
        for name in secret.split_ascii_whitespace() {
            assert!(secret_name(name).is_some(), "{name}");
        }
        let harmless = "AUTHOR GIT_AUTHOR_NAME KEYBOARD MONKEY_MODE TOKENIZERS_PARALLELISM PWD OLDPWD CI_COMMIT_SHA \
            BITBUCKET_PROJECT_KEY BUILDKITE_STEP_KEY CACHE_KEY SONAR_PROJECT_KEY PUBLIC_KEY XDG_SESSION_TYPE \
            ImageOS RUNNER_TEMP PATH COMPASS BYPASS_CHECKS PASSED CONNECTION_COUNT SECRETARY CI_NODE_TOTAL AUTHORITY \
            TURKEY_REGION PATTERN PATH_PREFIX";
        for name in harmless.split_ascii_whitespace() {
            assert_eq!(secret_name(name), None, "{name}");
        }
    }

    /// Put together here so that no scanner of this source takes them for real ones.
    fn tokens() -> Vec<String> {
        let body = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8";
        let upper = "Q4W7E2R9T5Y8U1I6";
        let mut out: Vec<String> =
            "ghp_ gho_ ghs_ ghu_ github_pat_ glpat- xoxb- xoxp- sk_live_ npm_ pypi- dckr_pat_ hvs. AIza"
                .split(' ')
                .map(|beginning| format!("{beginning}{body}"))
                .collect();
        out.push(["AK", "IA", upper].concat());
        out.push(["AS", "IA", upper].concat());
        out.push(["ey", "JhbGciOiJSUzI1NiJ9.", "ey", "JzdWIiOiJ4In0.", "c2lnbmF0dXJl"].concat());
        out.push(["-----BE", "GIN PRIVATE KEY-----"].concat());
        out.push(["https://user:", "pw@host.example/x"].concat());
        out.push(["postgres://app:", "pw@db.example/x"].concat());
        out.push(["Server=db;Pass", "word=x"].concat());
        out.push(["Bea", "rer abc"].concat());
        out.push(body.to_owned());
        out.push(["wJalrXUtnFEMI", "K7MDENGbPxRfiCY", "EXAMPLEKEY"].concat());
        out.push("0123456789abcdef".repeat(2));
        out
    }

    #[test]
    fn values_that_look_secret_are_refused_wherever_they_stand() {
        for token in tokens() {
            for value in [token.clone(), format!("x {token}"), format!("--token={token}"), format!("\"{token}\",")] {
                let why = secret_value(&value).unwrap_or_else(|| panic!("{value}"));
                assert!(!why.contains(&token), "{why}");
            }
        }
    }

    #[test]
    fn plain_values_pass() {
        let plain = r#"ubuntu24|20261102.1.0|main|feature/SHOP-123-a-very-long-branch-name-with-2-numbers
            |83a20ec058e2fb00e7fa4558c4c6e81e2dcf253d|sha256:|4735ba57-80d0-46e2-8fa0-b28223a86586
            |registry.example.com/group/project/image:1.2.3-rc.1+build.5|https://ci.example.com/runs/1?x=y#z
            |git@git.example.com:a/b.git|["docker","linux","x86_64-unknown-linux-gnu"]|npm_lifecycle_event
            |/home/ci/work/MyProject/MyProject/src/GatherPlatformMod2|MyLongCamelCaseProjectName2WithVersion3
            |C:\hostedtoolcache\windows\Python\3.11.9\x64|2026-11-23T01:14:20.123456Z|AKIA|skill_level|pypi-mirror
            |13.0.1 (build 4711)|team-platform@example.com|grüße aus dem Süden|eyJ.a|linux docker"#;
        for value in plain.split('|').map(str::trim) {
            assert_eq!(secret_value(value), None, "{value}");
        }
        assert_eq!(secret_value(&"5f".repeat(32)), None, "a sha256");
        assert!(secret_value(&"a ".repeat(LONGEST)).is_some_and(|why| why.contains("longer")));
        assert!(secret_value("a\0b").is_some());
    }

    #[test]
    fn what_is_asked_for_is_kept_refused_or_missing() {
        let token = format!("{}{}", "ghp_", "a1B2c3D4e5F6g7H8i9J0");
        let env = env(&[
            ("CI_RUNNER_TAGS", "docker"),
            ("CI_NODE_TOTAL", "2"),
            ("REGION", "eu-central-1"),
            ("DEPLOY_TOKEN", "x"),
            ("NOTE", &token),
            ("EMPTY", ""),
            ("HOME", "/root"),
        ]);
        let asked =
            ["REGION", "DEPLOY_TOKEN", "NOTE", "EMPTY", "NOWHERE", "CI_NODE_TOTAL", "A=hunter2"].map(str::to_owned);
        let out = collect(&env, by_name("gitlab").unwrap(), &asked);
        assert_eq!(out.kept.keys().collect::<Vec<_>>(), ["CI_NODE_TOTAL", "CI_RUNNER_TAGS", "REGION"]);
        assert_eq!(out.refused.iter().map(|(n, _)| n.as_str()).collect::<Vec<_>>(), ["DEPLOY_TOKEN", "NOTE", "A"]);
        assert_eq!(out.missing, ["EMPTY", "NOWHERE"]);
        let all = format!("{out:?}");
        assert!(!all.contains(&token) && !all.contains("hunter2"), "{all}");
    }

    #[test]
    fn no_allow_list_names_a_secret() {
        for platform in PLATFORMS {
            for name in platform.variables {
                assert_eq!(secret_name(name), None, "{}: {name}", platform.name);
            }
        }
    }

    #[test]
    fn forty_random_characters_hardly_ever_pass() {
        const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        let mut state = 1u64; // Knuth's MMIX generator: the same ten thousand every time
        let mut letter = || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            ALPHABET[(state >> 33) as usize % ALPHABET.len()] as char
        };
        let passed =
            (0..10_000).filter(|_| secret_value(&(0..40).map(|_| letter()).collect::<String>()).is_none()).count();
        assert!(passed < 100, "{passed} of 10000 pass");
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(name: String, value: String) {
            let _ = secret_name(&name);
            let _ = secret_value(&value);
        }
    }
}
