//! A world on a stage: a temporary folder, a fixed clock, chosen variables, captured streams.

use chrono::{DateTime, Utc};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::rc::Rc;
use vouchsafe::{Ended, Launch, World, run};

/// What a command that is started does.
pub type Command = Rc<dyn Fn(&Launch) -> std::io::Result<Ended>>;

/// A temporary folder and what the program should believe of its surroundings.
pub struct Stage {
    pub dir: tempfile::TempDir,
    pub env: BTreeMap<String, String>,
    pub now: DateTime<Utc>,
    pub user: Option<String>,
    /// Where the random bytes start; each call of the program draws others.
    pub seed: RefCell<u64>,
    /// What a person who sits there types; `None` where nobody does.
    pub typed: Option<&'static str>,
    /// What a command that is started does, and how it ends.
    pub command: Command,
    /// How long that takes.
    pub lasts: chrono::TimeDelta,
}

/// A command that ends with this code.
pub fn code(code: i32) -> std::io::Result<Ended> {
    Ok(Ended { code: Some(code), signal: None, stopped_by: None })
}

/// What the program answered.
pub struct Played {
    pub code: u8,
    pub out: String,
    pub err: String,
}

impl Played {
    /// Fails with everything that was said unless the code is the wanted one.
    #[track_caller]
    pub fn exits(self, code: u8) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.out, self.err);
        self
    }

    /// Standard output as one JSON value.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e}\nstdout:\n{}\nstderr:\n{}", self.out, self.err))
    }

    /// Standard output as JSON lines.
    pub fn json_lines(&self) -> Vec<serde_json::Value> {
        self.out.lines().map(|l| serde_json::from_str(l).unwrap()).collect()
    }
}

#[derive(Clone, Default)]
struct Captured(Rc<RefCell<Vec<u8>>>);

impl Captured {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.borrow()).into_owned()
    }
}

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Stage {
    /// An empty folder that is also HOME; nobody's CI.
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().join("home");
        std::fs::create_dir(&home).unwrap();
        Self {
            env: BTreeMap::from([("HOME".into(), home.display().to_string())]),
            dir,
            now: "2026-11-23T10:00:00Z".parse().unwrap(),
            user: Some("ada".into()),
            seed: RefCell::new(1),
            typed: None,
            command: Rc::new(|_| panic!("nothing was to be started")),
            lasts: chrono::TimeDelta::zero(),
        }
    }

    /// The same as a GitHub push run.
    pub fn github() -> Self {
        let mut stage = Self::new();
        for (name, value) in [
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_RUN_ID", "4711"),
            ("GITHUB_RUN_ATTEMPT", "1"),
            ("GITHUB_REPOSITORY", "acme/shop"),
            ("GITHUB_SERVER_URL", "https://github.com"),
            ("GITHUB_SHA", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b"),
            ("GITHUB_REF", "refs/heads/main"),
            ("GITHUB_ACTOR", "grace"),
            ("GITHUB_ACTOR_ID", "1906"),
            ("GITHUB_TRIGGERING_ACTOR", "grace"),
            ("GITHUB_EVENT_NAME", "push"),
        ] {
            stage.env.insert(name.into(), value.into());
        }
        stage
    }

    /// Runs the program with these words.
    pub fn play(&self, words: &[&str]) -> Played {
        let (out, err) = (Captured::default(), Captured::default());
        let now = Rc::new(Cell::new(self.now));
        *self.seed.borrow_mut() += 1;
        let mut state = *self.seed.borrow() ^ 0x9e37_79b9_7f4a_7c15;
        let world = World {
            args: std::iter::once("vouchsafe").chain(words.iter().copied()).map(Into::into).collect(),
            env: self.env.clone(),
            cwd: self.dir.path().to_owned(),
            now: Box::new({
                let now = Rc::clone(&now);
                move || now.get()
            }),
            random: Box::new(move |buffer| {
                for byte in buffer {
                    // xorshift64: different bytes in every call, the same in every test run
                    state ^= state << 13;
                    state ^= state >> 7;
                    state ^= state << 17;
                    *byte = (state >> 32) as u8;
                }
                true
            }),
            stdin: Box::new(self.typed.unwrap_or_default().as_bytes()),
            stdout: Box::new(out.clone()),
            stderr: Box::new(err.clone()),
            launch: Box::new({
                let (command, lasts) = (Rc::clone(&self.command), self.lasts);
                move |launch| {
                    let ended = command(launch);
                    now.set(now.get() + lasts);
                    ended
                }
            }),
            stdin_is_terminal: self.typed.is_some(),
            stdout_is_terminal: false,
            stderr_is_terminal: self.typed.is_some(),
            user: self.user.clone(),
            host: Some("bastion".into()),
        };
        let code = run(world);
        // ExitCode tells its number only by comparison.
        let code = (0..=u8::MAX).find(|n| format!("{:?}", ExitCode::from(*n)) == format!("{code:?}")).unwrap();
        Played { code, out: out.text(), err: err.text() }
    }

    /// A path on the stage.
    pub fn at(&self, path: impl AsRef<Path>) -> PathBuf {
        self.dir.path().join(path)
    }

    /// Writes a file, with its folders.
    pub fn write(&self, path: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.at(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// Every file under a folder of the stage, relative to it, sorted.
    pub fn files(&self, under: &str) -> Vec<String> {
        let root = self.at(under);
        let all = walkdir::WalkDir::new(&root).into_iter().filter_map(Result::ok).filter(|e| e.file_type().is_file());
        let mut all: Vec<String> = all.map(|e| e.path().strip_prefix(&root).unwrap().display().to_string()).collect();
        all.sort();
        all
    }

    /// The records of the local vault.
    pub fn records(&self) -> Vec<String> {
        let all = self.files(".vouchsafe/evidence");
        all.into_iter().filter(|f| f.ends_with(".json")).map(|f| format!("evidence/{f}")).collect()
    }

    /// The bytes of the only record of the local vault.
    pub fn only_record(&self) -> (String, Vec<u8>) {
        let records = self.records();
        assert_eq!(records.len(), 1, "{records:?}");
        let bytes = std::fs::read(self.at(".vouchsafe").join(&records[0])).unwrap();
        (records[0].clone(), bytes)
    }

    /// The statement inside a bundle, as JSON; nothing is checked.
    pub fn statement(bundle: &[u8]) -> serde_json::Value {
        use base64::Engine as _;
        let bundle: serde_json::Value = serde_json::from_slice(bundle).unwrap();
        let payload = bundle["dsseEnvelope"]["payload"].as_str().unwrap();
        serde_json::from_slice(&base64::engine::general_purpose::STANDARD.decode(payload).unwrap()).unwrap()
    }
}

pub const GREEN: &str = r#"<testsuite name="unit" tests="2"><testcase classname="a" name="one" time="0.5"/><testcase classname="a" name="two" time="0.25"/></testsuite>"#;
pub const RED: &str = r#"<testsuite name="unit" tests="2" failures="1"><testcase classname="a" name="one"/><testcase classname="a" name="two"><failure message="no"/></testcase></testsuite>"#;
