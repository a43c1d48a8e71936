//! A headless Chromium, spoken to in its DevTools protocol over two pipes.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// How long any answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A browser with one page.
pub(crate) struct Browser {
    process: Child,
    commands: File,
    replies: Receiver<Value>,
    next: u64,
    session: String,
    /// What the page asked the network for, and what it complained of.
    pub(crate) requests: Vec<String>,
    pub(crate) complaints: Vec<String>,
    folder: tempfile::TempDir,
}

/// Whether there is a browser. Continuous integration must have one; elsewhere the test says that it was skipped.
#[expect(clippy::print_stdout, reason = "says why a test was skipped")]
pub(crate) fn installed() -> bool {
    let there = Command::new("chromium").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    let there = there.is_ok_and(|status| status.success());
    assert!(there || std::env::var_os("CI").is_none(), "CI needs Chromium");
    if !there {
        println!("skipped: chromium is not installed");
    }
    there
}

impl Browser {
    pub(crate) fn open() -> Browser {
        let folder = tempfile::tempdir().expect("a folder");
        let pipe = |name: &str| {
            let path = folder.path().join(name);
            assert!(Command::new("mkfifo").arg(&path).status().expect("mkfifo").success());
            path
        };
        let (to, from) = (pipe("to"), pipe("from"));
        let flags = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking \
                     --disable-component-update --disable-sync --hide-scrollbars --remote-debugging-pipe about:blank";
        let process = Command::new("sh")
            .args(["-c", &format!("exec chromium {flags} --user-data-dir=\"$0/profile\" 3<\"$1\" 4>\"$2\"")])
            .args([folder.path(), &to, &from])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell");
        let commands = OpenOptions::new().write(true).open(&to).expect("a pipe");
        let mut answers = File::open(&from).expect("a pipe");
        let (send, replies) = channel();
        std::thread::spawn(move || {
            let (mut text, mut chunk) = (Vec::new(), [0; 1 << 16]);
            while let Ok(count @ 1..) = answers.read(&mut chunk) {
                for byte in &chunk[..count] {
                    if *byte == 0 {
                        let _ = send.send(serde_json::from_slice(&text).expect("the protocol is JSON"));
                        text.clear();
                    } else {
                        text.push(*byte);
                    }
                }
            }
        });
        let mut browser = Browser {
            process,
            commands,
            replies,
            next: 0,
            session: String::new(),
            requests: Vec::new(),
            complaints: Vec::new(),
            folder,
        };
        let target = browser.call("Target.createTarget", json!({"url": "about:blank"}))["targetId"].clone();
        let attached = browser.call("Target.attachToTarget", json!({"targetId": target, "flatten": true}));
        browser.session = attached["sessionId"].as_str().expect("a session").to_owned();
        for domain in ["Page", "Runtime", "Network", "Log"] {
            browser.call(&format!("{domain}.enable"), json!({}));
        }
        browser
    }

    /// One command, and its answer.
    pub(crate) fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.next += 1;
        let mut command = json!({"id": self.next, "method": method, "params": parameters});
        if !self.session.is_empty() {
            command["sessionId"] = self.session.clone().into();
        }
        let mut text = command.to_string().into_bytes();
        text.push(0);
        self.commands.write_all(&text).expect("the browser listens");
        let id = self.next;
        let answer = self.until(|message| message["id"] == id);
        assert!(answer.get("error").is_none(), "{method}: {}", answer["error"]);
        answer["result"].clone()
    }

    /// What the browser says until something is what is waited for.
    fn until(&mut self, is_it: impl Fn(&Value) -> bool) -> Value {
        let end = Instant::now() + PATIENCE;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let message = self.replies.recv_timeout(left).expect("the browser answers");
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            match message["method"].as_str() {
                Some("Network.requestWillBeSent") => self.requests.push(text(&message["params"]["request"]["url"])),
                Some("Runtime.exceptionThrown" | "Log.entryAdded") => {
                    self.complaints.push(message["params"].to_string())
                }
                Some("Runtime.consoleAPICalled") => self.complaints.push(message["params"].to_string()),
                _ => {}
            }
            if is_it(&message) {
                return message;
            }
        }
    }

    /// Shows a file in a window of this size.
    pub(crate) fn show(&mut self, file: &Path, width: u32, height: u32, dark: bool) {
        let metrics = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.call("Emulation.setDeviceMetricsOverride", metrics);
        let scheme = if dark { "dark" } else { "light" };
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        self.call("Emulation.setEmulatedMedia", json!({"features": features}));
        let frame = self.call("Page.navigate", json!({"url": format!("file://{}", file.display())}));
        assert!(frame.get("errorText").is_none(), "{frame}");
        self.until(|message| message["method"] == "Page.loadEventFired");
    }

    /// The value of an expression in the page; promises are waited for.
    pub(crate) fn value(&mut self, expression: &str) -> Value {
        let ask = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let answer = self.call("Runtime.evaluate", ask);
        assert!(answer.get("exceptionDetails").is_none(), "{expression}: {answer}");
        answer["result"]["value"].clone()
    }

    /// What is to be seen, as a PNG.
    pub(crate) fn picture(&mut self) -> String {
        self.call("Page.captureScreenshot", json!({"format": "png"}))["data"].as_str().expect("a picture").to_owned()
    }

    /// A file of this name in a folder that goes with the browser.
    pub(crate) fn file(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
