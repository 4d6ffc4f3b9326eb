//! A GitHub of its own on a loopback port: a few merged pull requests, one token, and what a story wants it to refuse.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// The token that it knows.
pub const TOKEN: &str = "ghs_0123456789AbCdEfTokenOfTheStory";

/// Commits of the branch, the newest first.
pub const COMMITS: [&str; 3] = [
    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b",
    "2222222222222222222222222222222222222222",
    "1111111111111111111111111111111111111111",
];

/// Status, headers, body.
pub type Answer = (u16, Vec<(&'static str, String)>, Value);

/// One request as it came in.
#[derive(Clone, Debug)]
pub struct Asked {
    pub path: String,
    pub host: String,
    pub token: Option<String>,
}

pub struct Github {
    port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Github {
    /// `refuse` is told each path below the API's address, and may answer in GitHub's place.
    pub fn start(refuse: impl Fn(&Asked) -> Option<Answer> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                serve(stream, &seen, &refuse);
            }
        });
        Self { port, asked }
    }

    /// The server's address: an Enterprise Server, because only such a one has a host of its own.
    pub fn server(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The API's address.
    pub fn url(&self) -> String {
        format!("{}/api/v3", self.server())
    }

    /// The same server by another name.
    pub fn other_host(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

fn serve(stream: TcpStream, seen: &Mutex<Vec<Asked>>, refuse: &dyn Fn(&Asked) -> Option<Answer>) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut stream = stream;
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut asked = Asked { path: line.split(' ').nth(1)?.to_owned(), host: String::new(), token: None };
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        match name.to_ascii_lowercase().as_str() {
            "host" => asked.host = value.to_owned(),
            "authorization" => asked.token = Some(value.to_owned()),
            "content-length" => length = value.parse().ok()?,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    seen.lock().unwrap().push(asked.clone());
    let unauthorized = asked.token.as_deref() != Some(&format!("Bearer {TOKEN}"));
    let (status, headers, body) = match refuse(&asked) {
        Some(answer) => answer,
        None if unauthorized => (401, vec![], json!({"message": "Bad credentials"})),
        None => match route(asked.path.split('?').next()?) {
            Some(body) => (200, vec![], body),
            None => (404, vec![], json!({"message": "Not Found"})),
        },
    };
    let body = body.to_string();
    let mut head = format!("HTTP/1.1 {status} Whatever\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
    headers.iter().for_each(|(n, v)| head.push_str(&format!("{n}: {v}\r\n")));
    stream.write_all(format!("{head}\r\n{body}").as_bytes()).ok()
}

/// Pull requests 8 and 7, squashed into the newest two commits; 8 is approved, 7 is not. 9 is approved, and open.
fn route(path: &str) -> Option<Value> {
    let path = path.strip_prefix("/api/v3/repos/acme/shop")?;
    let user = |id: u64, login: &str| json!({"id": id, "login": login, "type": "User"});
    let pull = |number: u64| {
        let merged = number < 9;
        let n = usize::try_from(8_u64.saturating_sub(number)).unwrap();
        json!({
            "number": number, "html_url": format!("https://github.com/acme/shop/pull/{number}"),
            "title": format!("SHOP-{number}: mend the till"), "state": if merged { "closed" } else { "open" },
            "user": user(1, "ada"), "merged": merged, "merged_at": merged.then_some("2026-11-22T12:00:00Z"),
            "merged_by": merged.then(|| user(1, "ada")), "merge_commit_sha": COMMITS[n], "labels": [], "auto_merge": null, "draft": false, "commits": 1,
            "base": {"ref": "main", "sha": COMMITS[n + 1], "repo": {"id": 81, "full_name": "acme/shop"}},
            "head": {"ref": format!("till-{number}"), "sha": tip(number), "repo": {"id": 81, "full_name": "acme/shop"}},
        })
    };
    let commit = |sha: &str| {
        let at = COMMITS.iter().position(|c| *c == sha);
        let parents: Vec<Value> = at.and_then(|n| COMMITS.get(n + 1)).map(|p| json!({"sha": p})).into_iter().collect();
        json!({
            "sha": sha, "parents": parents, "author": user(1, "ada"), "committer": user(1, "ada"), "files": [],
            "commit": {"message": "mend the till", "author": {"date": "2026-11-22T11:00:00Z"},
                       "committer": {"date": "2026-11-22T12:00:00Z"}},
        })
    };
    let number = |rest: &str| rest.parse().ok().filter(|n| (7..=9).contains(n));
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    Some(match segments[..] {
        [] => json!({"id": 81, "full_name": "acme/shop", "default_branch": "main"}),
        ["compare", range] => {
            let (base, head) = range.split_once("...")?;
            let place = |sha: &str| COMMITS.iter().position(|c| *c == sha);
            let (base, head) = (place(base)?, place(head)?);
            let between: Vec<Value> =
                COMMITS.get(head..base).unwrap_or_default().iter().rev().map(|sha| commit(sha)).collect();
            let status = if head < base { "ahead" } else { "behind" };
            json!({"status": status, "ahead_by": between.len(), "behind_by": head.saturating_sub(base),
                   "total_commits": between.len(),
                   "merge_base_commit": commit(COMMITS[base.max(head)]), "base_commit": commit(COMMITS[base]),
                   "commits": between, "files": []})
        }
        ["commits", sha] => COMMITS.contains(&sha).then(|| commit(sha))?,
        ["commits", sha, "pulls"] if sha == COMMITS[0] => json!([pull(8)]),
        ["commits", sha, "pulls"] if sha == COMMITS[1] => json!([pull(7)]),
        ["commits", _, "pulls"] => json!([]),
        ["commits", _, "check-runs"] => json!({"total_count": 0, "check_runs": []}),
        ["commits", sha, "status"] => json!({"sha": sha, "state": "success", "total_count": 0, "statuses": []}),
        ["commits", _, "statuses"] => json!([]),
        ["pulls", n] => pull(number(n)?),
        ["pulls", n @ ("8" | "9"), "reviews"] => json!([{
            "id": 1, "user": user(2, "grace"), "state": "APPROVED", "submitted_at": "2026-11-22T11:30:00Z",
            "commit_id": tip(number(n)?), "author_association": "MEMBER", "body": ""}]),
        ["pulls", _, "reviews"] => json!([]),
        ["pulls", n, "commits"] => json!([{
            "sha": tip(number(n)?), "author": user(1, "ada"), "committer": user(1, "ada"), "parents": [],
            "commit": {"message": "mend the till", "author": {"date": "2026-11-22T11:00:00Z"},
                       "committer": {"date": "2026-11-22T11:00:00Z"}}}]),
        ["pulls", _, "files"] => json!([{"filename": "src/till.rs", "status": "modified"}]),
        ["issues", _, "timeline"] | ["issues", _, "events"] => json!([]),
        ["rules", "branches", "main"] => json!([{
            "type": "pull_request", "ruleset_source_type": "Repository", "ruleset_source": "acme/shop", "ruleset_id": 1,
            "parameters": {"required_approving_review_count": 1, "dismiss_stale_reviews_on_push": false,
                           "require_code_owner_review": false, "require_last_push_approval": false,
                           "required_review_thread_resolution": false}}]),
        ["branches", "main"] => json!({"name": "main", "protected": true, "commit": {"sha": COMMITS[0]},
            "protection": {"enabled": false, "required_status_checks": {"enforcement_level": "off", "contexts": [], "checks": []}}}),
        ["activity"] => json!([]),
        ["collaborators", _, "permission"] => json!({"permission": "write", "role_name": "write"}),
        _ => return None,
    })
}

/// The tip of a pull request's branch.
pub fn tip(number: u64) -> String {
    format!("{number}").repeat(40)
}
