//! Foreign verifiers judge the real server's output.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tests::faults::eventually;
use tests::{Place, Server, root};

fn python() -> PathBuf {
    std::env::var_os("ASSENT_TEST_PYTHON")
        .expect("run by cargo xtask test, which installs the verifiers")
        .into()
}

fn judge(program: PathBuf, arguments: &[&str], script: &str) {
    let done = Command::new(&program).args(arguments).arg(script).output().unwrap();
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr)
    );
    assert!(done.status.success(), "{}: {text}", program.display());
}

/// A scheduled low-risk change with its evidence; returns its key.
fn ready_change(server: &Server, artifact: &str) -> String {
    let requester = server.token("requester");
    let from = server.server_time() - jiff::SignedDuration::from_mins(1);
    let request = json!({
        "title": "Ship it", "description": "One build.", "justification": "It is tested.", "complexity": "low",
        "impact": {"data": "none", "availability": "low", "compliance": "none"},
        "targets": [{"service": "edge-dns", "environment": "production", "artifact": artifact}],
        "planned_start": from.to_string(), "planned_end": (from + jiff::SignedDuration::from_hours(2)).to_string(),
        "plan": [{"title": "Deploy"}], "rollback_plan": [{"title": "Deploy the old one"}],
    });
    let key = server.must("POST", "/api/v1/changes", &requester, Some(&request))["key"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/api/v1/changes/{key}");
    server.must("POST", &format!("{path}/submission"), &requester, Some(&json!({})));
    server.must(
        "POST",
        &format!("{path}/assessment"),
        &requester,
        Some(&json!({"dependencies_reviewed": true})),
    );
    let evidence = json!({"kind": "note", "aspect": "functional", "result": "passed", "environment": "staging", "artifact": artifact, "text": "ok"});
    server.must("POST", &format!("{path}/evidence"), &requester, Some(&evidence));
    for role in ["owner", "security", "change_manager"] {
        let digest = server.must("GET", &path, &requester, None)["content_digest"].clone();
        let decision = json!({"decision": "approve", "content_digest": digest});
        server.must(
            "POST",
            &format!("{path}/approvals"),
            &server.token(role),
            Some(&decision),
        );
    }
    key
}

#[test]
fn strangers_verify_permit_log_and_bundle() {
    let place = Place::demo("foreign");
    let server = Server::start(&place, true);
    let artifact = "sha256:6b1d0000000000000000000000000000000000000000000000000000000007aa";
    let key = ready_change(&server, artifact);
    let question = json!({"service": "edge-dns", "environment": "production", "artifact": artifact});
    let check = server.must(
        "POST",
        "/api/v1/gate-checks",
        &server.token("pipeline"),
        Some(&question),
    );
    assert_eq!(check["decision"], "go", "{check:#}");
    let folder = server.data.join("foreign");
    std::fs::create_dir_all(&folder).unwrap();
    let jwks = server.get("/t/halden/.well-known/jwks.json", None).1;
    std::fs::write(folder.join("jwks.json"), &jwks).unwrap();
    std::fs::write(folder.join("permit.jwt"), check["permit"].as_str().unwrap()).unwrap();
    judge_permit(&folder);
    judge_attestation(&server, &folder, &key, artifact);
    judge_checkpoint(&server, &folder);
    judge_growth(&server, &folder);
    judge_bundle(&server, &folder.join(&key), &key);
}

/// The change's permit as a verification summary, verified by libraries of in-toto.
fn judge_attestation(server: &Server, folder: &Path, key: &str, artifact: &str) {
    let path = format!("/api/v1/changes/{key}/attestations");
    let found = server.must("GET", &path, &server.token("requester"), None);
    std::fs::write(folder.join("attestations.json"), found.to_string()).unwrap();
    std::fs::write(folder.join("key.pem"), server.get("/t/halden/log/key.pem", None).1).unwrap();
    let digits = artifact.strip_prefix("sha256:").unwrap();
    judge_with("attestation.py", &[folder.to_str().unwrap(), digits]);
}

fn judge_permit(folder: &Path) {
    let script = format!(
        "import json, jwt, pathlib\nfolder = pathlib.Path({folder:?})\ntoken = (folder / 'permit.jwt').read_text()\n\
         keys = jwt.PyJWKSet.from_dict(json.loads((folder / 'jwks.json').read_text()))\n\
         kid = jwt.get_unverified_header(token)['kid']\nkey = next(k for k in keys.keys if k.key_id == kid)\n\
         claims = jwt.decode(token, key.key, algorithms=['EdDSA'], audience='halden/edge-dns/production')\n\
         assert claims['service'] == 'edge-dns', claims\n"
    );
    judge(python(), &["-c"], &script);
    let modules = std::env::var("ASSENT_TEST_NODE_MODULES").unwrap();
    let script = format!(
        "const fs = require('fs'); const jose = require({:?}); const folder = {folder:?};\n\
         const keys = jose.createLocalJWKSet(JSON.parse(fs.readFileSync(folder + '/jwks.json')));\n\
         jose.jwtVerify(fs.readFileSync(folder + '/permit.jwt', 'utf8'), keys, {{algorithms: ['EdDSA'], audience: 'halden/edge-dns/production'}})\n\
         .then(() => process.exit(0), (error) => {{ console.error(error); process.exit(1); }});",
        format!("{modules}/jose")
    );
    judge("node".into(), &["-e"], &script);
}

/// The checkpoint's signature by openssl; the tree by an RFC 9162 verifier in Python over the served tiles.
fn judge_checkpoint(server: &Server, folder: &Path) {
    server.wait_for_log();
    let log = folder.join("log");
    std::fs::create_dir_all(&log).unwrap();
    for name in ["checkpoint", "key"] {
        std::fs::write(log.join(name), of_log(server, name)).unwrap();
    }
    let note = std::fs::read_to_string(log.join("checkpoint")).unwrap();
    assert!(size_of(&note) > 100, "{note}");
    fetch_tiles(server, &log, size_of(&note));
    judge_with("log.py", &[log.to_str().unwrap()]);
    judge_signature_with_openssl(&log, &note);
}

/// A file of the tenant's log, as it is served.
fn of_log(server: &Server, path: &str) -> Vec<u8> {
    let (status, bytes) = server.get(&format!("/t/halden/log/{path}"), Some(&server.token("auditor")));
    assert_eq!(status, 200, "{path}");
    bytes
}

/// The size in a checkpoint.
fn size_of(note: &str) -> u64 {
    note.lines().nth(1).unwrap().parse().unwrap()
}

/// Fetches all tiles of a log of this size, and its entries.
fn fetch_tiles(server: &Server, log: &Path, size: u64) {
    for (kind, size) in [("entries", size), ("0", size), ("1", size / 256)] {
        for index in 0..size.div_ceil(256) {
            let width = (size - index * 256).min(256);
            let partial = if width == 256 {
                String::new()
            } else {
                format!(".p/{width}")
            };
            let path = format!("tile/{kind}/{index:03}{partial}");
            let file = log.join(&path);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, of_log(server, &path)).unwrap();
        }
    }
}

/// Runs one of the verifiers in Python.
fn judge_with(script: &str, arguments: &[&str]) {
    let script = root().join("crates/proof/tests/foreign").join(script);
    let mut all = vec![script.to_str().unwrap()];
    all.extend(&arguments[..arguments.len() - 1]);
    judge(python(), &all, arguments.last().unwrap());
}

/// A library that we did not write builds the trees of two checkpoints of the running server from its entries, proves an
/// event included in the newer one and the newer grown out of the older, each against the signed roots.
fn judge_growth(server: &Server, folder: &Path) {
    let log = folder.join("log");
    let older = std::fs::read_to_string(log.join("checkpoint")).unwrap();
    std::fs::write(log.join("older"), &older).unwrap();
    let requester = server.token("requester");
    let made = server.must(
        "POST",
        "/api/v1/changes",
        &requester,
        Some(&json!({"title": "One more"})),
    );
    let events = format!("/api/v1/changes/{}/events", made["key"].as_str().unwrap());
    let event = server.must("GET", &events, &requester, None)["items"][0]["id"].clone();
    let event = event.as_str().unwrap();
    let auditor = server.token("auditor");
    let proof = || server.get(&format!("/api/v1/events/{event}/proof"), Some(&auditor));
    eventually("the event stands in the log", || proof().0 == 200);
    let (_, proof) = proof();
    let told: Value = serde_json::from_slice(&proof).unwrap();
    let newer = told["checkpoint"].as_str().unwrap();
    assert!(size_of(newer) > size_of(&older), "{older}{newer}");
    std::fs::write(log.join("proof.json"), &proof).unwrap();
    fetch_tiles(server, &log, size_of(newer));
    judge_with("served.py", &[log.to_str().unwrap(), event]);
    judge_signature_with_openssl(&log, newer);
}

fn judge_signature_with_openssl(log: &Path, note: &str) {
    let script = format!(
        "import base64, pathlib, subprocess\nlog = pathlib.Path({log:?})\nnote = {note:?}\n\
         key = base64.b64decode((log / 'key').read_text().splitlines()[0].split('+', 2)[2])\nassert key[0] == 1\n\
         text, signatures = note.split('\\n\\n', 1)\nsignature = base64.b64decode(signatures.splitlines()[0].split(' ')[2])[4:]\n\
         der = bytes.fromhex('302a300506032b6570032100') + key[1:]\n(log / 'key.der').write_bytes(der)\n\
         (log / 'text').write_bytes((text + '\\n').encode())\n(log / 'sig').write_bytes(signature)\n\
         subprocess.run(['openssl', 'pkeyutl', '-verify', '-pubin', '-keyform', 'DER', '-inkey', str(log / 'key.der'), '-rawin', '-in', str(log / 'text'), '-sigfile', str(log / 'sig')], check=True)\n"
    );
    judge(python(), &["-c"], &script);
}

/// The change's bundle, judged step by step in Python, by openssl and by the program under the log's own key; returns its file.
pub(crate) fn judge_bundle(server: &Server, folder: &Path, key: &str) -> PathBuf {
    let token = server.token("auditor");
    let path = format!("/api/v1/changes/{key}/bundle");
    eventually("its events stand in the log", || {
        server.get(&path, Some(&token)).0 != 503
    });
    let (status, bytes) = server.get(&path, Some(&token));
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&bytes));
    std::fs::create_dir_all(folder).unwrap();
    let file = folder.join("bundle.zip");
    std::fs::write(&file, &bytes).unwrap();
    let keys = folder.join("key");
    std::fs::write(&keys, of_log(server, "key")).unwrap();
    judge_with("bundle.py", &[folder.to_str().unwrap()]);
    let script = format!(
        "import pathlib, zipfile\nfolder = pathlib.Path({folder:?})\narchive = zipfile.ZipFile(folder / 'bundle.zip')\n\
         for name in ['checkpoint', 'record.json']:\n    (folder / name).write_bytes(archive.read(name))\n"
    );
    judge(python(), &["-c"], &script);
    let note = std::fs::read_to_string(folder.join("checkpoint")).unwrap();
    judge_signature_with_openssl(folder, &note);
    let verify = |file: &Path| {
        let mut command = Command::new(tests::binary());
        command.args(["audit", "verify"]).arg(file).arg("--key").arg(&keys);
        command.output().unwrap().status.code()
    };
    assert_eq!(verify(&file), Some(0));
    let mut broken = bytes;
    let middle = broken.len() / 2;
    broken[middle] ^= 1;
    let bad = folder.join("broken.zip");
    std::fs::write(&bad, broken).unwrap();
    assert_eq!(verify(&bad), Some(1));
    file
}
