//! Cases in data files: what a forge answers, and what is to be made of it. `fixtures/forge/<forge>/<verdict>_<name>.json`.
//!
//! `routes` maps a path below the API's address, with as much of its query as matters, to the answer: any JSON, or an object with
//! `$status`, `$headers`, `$body`; `$pages` (a list of pages, linked as the forge links them); `$then` (a list of answers, one a
//! request, the last one for all that follow). What is asked and has no route is a 404, and fails the case unless `absent` lists
//! its path. A case that fails says what was asked and which routes were not.

use super::{Asking, Forge, Found, PipelineFiles, Span, by_name};
use crate::gather::http::api::{Api, Patience};
use crate::gather::http::loopback::{Answer, Asked, Server};
use crate::gather::http::{Http, Options, Secret};
use crate::gather::tickets;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The verdicts that begin the name of a case: of the approval of its first change; `direct` where no pull request brought it,
/// `unread` where nothing could be told.
const VERDICTS: &[&str] = &["yes", "no", "unknown", "direct", "unread"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// What the case shows, for people.
    #[expect(dead_code, reason = "read by people")]
    about: String,
    repository: String,
    #[serde(default)]
    base: Option<String>,
    head: String,
    #[serde(default)]
    branch: Option<String>,
    routes: BTreeMap<String, Value>,
    #[serde(default)]
    absent: Vec<String>,
    expect: Expect,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    changes: Vec<ExpectedChange>,
    /// Pieces of the sentences of `missing`, in any order, one a sentence; none: nothing is missing.
    #[serde(default)]
    missing: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectedChange {
    via: String,
    #[serde(default)]
    number: Option<String>,
    #[serde(default)]
    approval: Option<String>,
    /// A piece of the approval's reason.
    #[serde(default)]
    why: Option<String>,
    /// `login: piece of why`, one a review, in the order of the record; a login of `-` is an account that is gone.
    #[serde(default)]
    reviews: Option<Vec<String>>,
    /// Anything else of the change as it stands in the record: only the members that are named are compared.
    #[serde(default)]
    holds: Option<Value>,
}

/// Runs every case of the forge's folder; `least` guards against an empty one.
pub(super) fn run_all(forge: &str, least: usize) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/forge").join(forge);
    let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.retain(|f| f.extension().is_some_and(|x| x == "json"));
    files.sort();
    assert!(files.len() >= least, "{} cases in {}", files.len(), folder.display());
    let wrong: Vec<String> = files.iter().filter_map(|file| run(forge, file).err()).collect();
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), files.len(), wrong.join("\n\n"));
}

fn run(forge: &str, file: &Path) -> Result<(), String> {
    let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
    let case: Case = serde_json::from_slice(&std::fs::read(file).unwrap()).map_err(|e| format!("{name}: {e}"))?;
    let verdict = name.split('_').next().unwrap_or_default();
    if !VERDICTS.contains(&verdict) {
        return Err(format!("{name} does not begin with its verdict, one of {}", VERDICTS.join(", ")));
    }
    if let Some(wrong) = case.routes.iter().find_map(|(route, what)| misspelt(what).map(|w| format!("{route}: {w}"))) {
        return Err(format!("{name}: {wrong}"));
    }
    let unrouted = Arc::new(Mutex::new(Vec::new()));
    let routes: Vec<String> = case.routes.keys().cloned().collect();
    let server = serve(forge, case.routes, unrouted.clone());
    let span = Span { base: case.base, head: case.head, branch: case.branch, pull_request: None };
    let forge = by_name(forge).unwrap();
    let found = with_api(&server, &case.repository, &mut |asking| (forge.changes)(asking, &span));
    let mut wrong = compare(&found, &case.expect);
    let first = found.changes.first();
    let is = match (first, first.and_then(|c| c.approval.as_ref())) {
        (None, _) => "unread",
        (Some(_), Some(approval)) => approval.verdict.as_str(),
        (Some(change), None) if change.pull_request.is_none() && change.via.as_str() != "unknown" => "direct",
        (Some(_), None) => "unread",
    };
    if is != verdict {
        wrong.push(format!("the verdict is `{is}`, the name says `{verdict}`"));
    }
    for path in unrouted.lock().unwrap().iter().filter(|p| !case.absent.iter().any(|a| p.starts_with(a.as_str()))) {
        wrong.push(format!("asked without a route: {path}"));
    }
    if wrong.is_empty() {
        return Ok(());
    }
    let asked: Vec<String> =
        server.asked().into_iter().map(|a| a.path.trim_start_matches("/api/").to_owned()).collect();
    let unasked: Vec<_> = routes.into_iter().filter(|route| !asked.iter().any(|path| fits(route, path))).collect();
    let changes = serde_json::to_string_pretty(&found.changes).unwrap();
    Err(format!(
        "{name}:\n  {}\n  asked, in this order:\n    {}\n  routes that were not asked: {unasked:?}\n  missing: {:#?}\n  changes: {changes}",
        wrong.join("\n  "),
        asked.join("\n    "),
        found.missing
    ))
}

/// What is wrong with an answer as it stands in the file: a misspelt `$` member would be answered as if it were data.
fn misspelt(what: &Value) -> Option<String> {
    let known = ["$status", "$headers", "$body", "$pages", "$then"];
    let members = what.as_object()?;
    if let Some(name) = members.keys().find(|k| k.starts_with('$') && !known.contains(&k.as_str())) {
        return Some(format!("`{name}` is none of {}", known.join(", ")));
    }
    if ["$headers", "$body"].iter().any(|k| members.contains_key(*k)) && !members.contains_key("$status") {
        return Some("`$headers` and `$body` stand beside a `$status`".to_owned());
    }
    let list = |k: &str| members.get(k).map(|v| v.as_array().map(Vec::as_slice).unwrap_or_default());
    match (list("$pages"), list("$then")) {
        (Some([]), _) | (_, Some([])) => Some("`$pages` and `$then` are lists with at least one member".to_owned()),
        (_, Some(all)) => all.iter().find_map(misspelt),
        _ => None,
    }
}

/// Asks through an API at `server`, with a token, and without any real waiting.
pub(super) fn with_api<T>(server: &Server, repository: &str, ask: &mut dyn FnMut(&Asking) -> T) -> T {
    let http = Http::new(Options { tries: 1, whole: Duration::from_secs(5), ..Options::default() });
    let token = (::http::header::AUTHORIZATION, Secret::new("Bearer test".into()));
    let now = || "2026-11-25T12:00:00Z".parse().unwrap();
    let patience = Patience { second: Duration::from_micros(10), ..Patience::default() };
    let api = Api::new(&http, &server.url("/api"), Some(token), vec![], &now, patience).unwrap();
    let (tickets, files) = (tickets::pattern(tickets::DEFAULT_PATTERN).unwrap(), PipelineFiles::new(&[]).unwrap());
    let asking = Asking {
        api: &api,
        token_from: "--api-token",
        repository,
        repository_id: None,
        tickets: &tickets,
        pipeline_files: &files,
    };
    ask(&asking)
}

/// A forge that answers by its routes.
pub(super) fn serve(forge: &str, routes: BTreeMap<String, Value>, unrouted: Arc<Mutex<Vec<String>>>) -> Server {
    let bitbucket = forge == "bitbucket";
    let counts: Mutex<BTreeMap<String, usize>> = Mutex::default();
    Server::start(move |asked: &Asked, _| {
        let Some(path) = asked.path.strip_prefix("/api/") else { return Answer::With(404, vec![], vec![]) };
        let fitting = routes.keys().filter(|route| fits(route, path)).max_by_key(|route| route.len());
        let Some(route) = fitting else {
            unrouted.lock().unwrap().push(path.to_owned());
            return Answer::With(404, vec![], br#"{"message":"Not Found"}"#.to_vec());
        };
        let before = {
            let mut counts = counts.lock().unwrap();
            let n = counts.entry(route.clone()).or_default();
            *n += 1;
            *n - 1
        };
        answer(&routes[route], before, path, asked, bitbucket)
    })
}

/// Whether a request is meant by a route: the same path, and every parameter that the route names.
fn fits(route: &str, asked: &str) -> bool {
    let (path, query) = route.split_once('?').unwrap_or((route, ""));
    let (asked_path, asked_query) = asked.split_once('?').unwrap_or((asked, ""));
    let has = |wanted: &str| asked_query.split('&').any(|p| p == wanted);
    path == asked_path && query.split('&').filter(|p| !p.is_empty()).all(has)
}

fn answer(what: &Value, before: usize, path: &str, asked: &Asked, bitbucket: bool) -> Answer {
    if let Some(all) = what.get("$then").and_then(Value::as_array) {
        return answer(&all[before.min(all.len() - 1)], 0, path, asked, bitbucket);
    }
    if let Some(pages) = what.get("$pages").and_then(Value::as_array) {
        let (bare, query) = path.split_once('?').unwrap_or((path, ""));
        let at = query.split('&').find_map(|p| p.strip_prefix("page=")).map_or(1, |n| n.parse().unwrap());
        let rest: Vec<&str> = query.split('&').filter(|p| !p.starts_with("page=") && !p.is_empty()).collect();
        let host = asked.header("host").unwrap();
        let next = format!("http://{host}/api/{bare}?{}", [rest, vec![&format!("page={}", at + 1)]].concat().join("&"));
        let more = at < pages.len();
        let page = pages.get(at - 1).cloned().unwrap_or(json!([]));
        let (body, link) = match (bitbucket, more) {
            (true, true) => (json!({"values": page, "next": next}), vec![]),
            (true, false) => (json!({"values": page}), vec![]),
            (false, true) => (page, vec![("link", format!("<{next}>; rel=\"next\""))]),
            (false, false) => (page, vec![]),
        };
        return Answer::With(200, link, body.to_string().into_bytes());
    }
    let status = what.get("$status").and_then(Value::as_u64).unwrap_or(200) as u16;
    let headers = what.get("$headers").and_then(Value::as_object);
    let headers = headers.into_iter().flatten().map(|(name, value)| {
        let name: &'static str = Box::leak(name.clone().into_boxed_str());
        (name, value.as_str().unwrap().to_owned())
    });
    let body = if what.get("$status").is_some() { what.get("$body").unwrap_or(&Value::Null) } else { what };
    Answer::With(status, headers.collect(), body.to_string().into_bytes())
}

fn compare(found: &Found, expect: &Expect) -> Vec<String> {
    let mut wrong = Vec::new();
    if found.changes.len() != expect.changes.len() {
        wrong.push(format!("{} changes, expected {}", found.changes.len(), expect.changes.len()));
    }
    for (at, (change, expected)) in found.changes.iter().zip(&expect.changes).enumerate() {
        let mut differs = |what: &str, is: String, wanted: String| {
            wrong.push(format!("change {at}: {what} is {is}, expected {wanted}"));
        };
        let number = change.pull_request.as_ref().map(|p| p.number.clone());
        if change.via.as_str() != expected.via {
            differs("via", change.via.as_str().into(), expected.via.clone());
        }
        if number != expected.number {
            differs("number", format!("{number:?}"), format!("{:?}", expected.number));
        }
        let verdict = change.approval.as_ref().map(|a| a.verdict.as_str());
        if verdict != expected.approval.as_deref() {
            differs("approval", format!("{verdict:?}"), format!("{:?}", expected.approval));
        }
        let why = change.approval.as_ref().map(|a| a.why.clone()).unwrap_or_default();
        if let Some(piece) = expected.why.as_ref().filter(|piece| !why.contains(piece.as_str())) {
            differs("why", why.clone(), piece.clone());
        }
        if let Some(reviews) = &expected.reviews {
            let told = |r: &crate::record::pull_request_v1::Review| {
                let who = r.reviewer.login.as_deref().unwrap_or("-");
                format!("{who}: {}", r.why.as_deref().unwrap_or_default())
            };
            let is: Vec<String> = change.reviews.iter().map(told).collect();
            let same = is.len() == reviews.len()
                && is.iter().zip(reviews).all(|(is, wanted)| match wanted.split_once(": ") {
                    Some((who, piece)) => is.starts_with(&format!("{who}: ")) && is.contains(piece),
                    None => is.starts_with(&format!("{wanted}: ")),
                });
            if !same {
                differs("reviews", format!("{is:?}"), format!("{reviews:?}"));
            }
        }
        if let Some(holds) = &expected.holds {
            let is = serde_json::to_value(change).unwrap();
            if !within(holds, &is) {
                differs("record", is.to_string(), holds.to_string());
            }
        }
    }
    let told: Vec<&String> = found.missing.iter().chain(found.changes.iter().flat_map(|c| &c.missing)).collect();
    let unmet: Vec<_> = expect.missing.iter().filter(|p| !told.iter().any(|t| t.contains(p.as_str()))).collect();
    if !unmet.is_empty() || (expect.missing.is_empty() && !told.is_empty()) {
        wrong.push(format!("missing is {told:?}, expected {:?}", expect.missing));
    }
    wrong
}

/// Whether everything that `wanted` names is so in `is`. Lists are compared item by item.
fn within(wanted: &Value, is: &Value) -> bool {
    match (wanted, is) {
        (Value::Object(wanted), Value::Object(is)) => wanted
            .iter()
            .all(|(k, v)| if v.is_null() { !is.contains_key(k) } else { is.get(k).is_some_and(|is| within(v, is)) }),
        (Value::Array(wanted), Value::Array(is)) => {
            wanted.len() == is.len() && wanted.iter().zip(is).all(|(a, b)| within(a, b))
        }
        (wanted, is) => wanted == is,
    }
}

/// The forge by its name, for tests that ask it other things than changes.
pub(super) fn forge(name: &str) -> &'static Forge {
    by_name(name).unwrap()
}

#[test]
fn a_route_that_is_misspelt_is_told() {
    for good in [json!([]), json!({"a": 1}), json!({"$status": 404}), json!({"$pages": [[]]}), json!({"$then": [1]})] {
        assert_eq!(misspelt(&good), None, "{good}");
    }
    let bad = [
        json!({"$state": 404}),
        json!({"$headers": {}}),
        json!({"$pages": []}),
        json!({"$then": []}),
        json!({"$then": 1}),
        json!({"$then": [{"$stats": 1}]}),
    ];
    for bad in bad {
        assert!(misspelt(&bad).is_some(), "{bad}");
    }
}
