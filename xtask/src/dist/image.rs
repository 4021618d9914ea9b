//! The container image as an OCI image layout (image-spec 1.1), written without a daemon: one layer over nothing, with the static
//! program, a user without rights and the folder for the data. Nothing else is ever written, so the root may be read-only.

use anyhow::Result;
use serde_json::{Value, json};

use super::Release;
use super::build::{read, server_program, write};
use super::pack::{Entry, gzip, sha256, tar};

/// The user that the image runs as.
const USER: u64 = 65_532;

/// Builds the server and writes the layout as one archive (`skopeo copy oci-archive:FILE …` pushes it).
pub fn make(release: &Release) -> Result<()> {
    let program = read(&server_program(release)?)?;
    let layout = layout(program, &release.version, release.epoch)?;
    write(&release.named("x86_64-linux-image.tar"), &tar(layout, release.epoch)?)
}

/// The files of the layout.
fn layout(program: Vec<u8>, version: &str, epoch: u64) -> Result<Vec<Entry>> {
    let layer = tar(files(program), epoch)?;
    let packed = gzip(&layer)?;
    let config = serde_json::to_vec(&config(&sha256(&layer), version, epoch))?;
    let manifest = serde_json::to_vec(&json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": descriptor("application/vnd.oci.image.config.v1+json", &config),
        "layers": [descriptor("application/vnd.oci.image.layer.v1.tar+gzip", &packed)],
    }))?;
    let mut named = descriptor("application/vnd.oci.image.manifest.v1+json", &manifest);
    named["platform"] = json!({"architecture": "amd64", "os": "linux"});
    named["annotations"] = json!({"org.opencontainers.image.ref.name": version});
    let index = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [named],
    });
    let mut entries = vec![
        Entry::file("oci-layout", 0o644, br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec()),
        Entry::file("index.json", 0o644, serde_json::to_vec(&index)?),
    ];
    for blob in [config, manifest, packed] {
        entries.push(Entry::file(&format!("blobs/sha256/{}", sha256(&blob)), 0o644, blob));
    }
    Ok(entries)
}

/// The content of the image.
fn files(program: Vec<u8>) -> Vec<Entry> {
    let passwd =
        format!("root:x:0:0:root:/:/sbin/nologin\nassent:x:{USER}:{USER}:Assent:/var/lib/assent:/sbin/nologin\n");
    let group = format!("root:x:0:\nassent:x:{USER}:\n");
    vec![
        Entry::folder("etc", 0o755, 0),
        Entry::file("etc/passwd", 0o644, passwd.into_bytes()),
        Entry::file("etc/group", 0o644, group.into_bytes()),
        // glibc reads files before DNS by default only where this file sets it.
        Entry::file("etc/nsswitch.conf", 0o644, b"hosts: files dns\n".to_vec()),
        Entry::folder("usr", 0o755, 0),
        Entry::folder("usr/bin", 0o755, 0),
        Entry::file("usr/bin/assent", 0o755, program),
        Entry::folder("var", 0o755, 0),
        Entry::folder("var/lib", 0o755, 0),
        Entry::folder("var/lib/assent", 0o700, USER),
    ]
}

fn config(diff_id: &str, version: &str, epoch: u64) -> Value {
    json!({
        "architecture": "amd64",
        "os": "linux",
        "created": rfc3339(epoch),
        "config": {
            "User": format!("{USER}:{USER}"),
            "Entrypoint": ["/usr/bin/assent"],
            "Cmd": ["serve"],
            "Env": ["ASSENT_DATA=/var/lib/assent", "ASSENT_LISTEN=0.0.0.0:8080", "PATH=/usr/bin"],
            "ExposedPorts": {"8080/tcp": {}},
            "Volumes": {"/var/lib/assent": {}},
            "WorkingDir": "/var/lib/assent",
            "Labels": {
                "org.opencontainers.image.title": "Assent",
                "org.opencontainers.image.version": version,
                "org.opencontainers.image.licenses": "Apache-2.0",
            },
        },
        "rootfs": {"type": "layers", "diff_ids": [format!("sha256:{diff_id}")]},
        "history": [{"created": rfc3339(epoch), "created_by": "cargo xtask dist image"}],
    })
}

fn descriptor(media_type: &str, bytes: &[u8]) -> Value {
    json!({"mediaType": media_type, "digest": format!("sha256:{}", sha256(bytes)), "size": bytes.len()})
}

/// Seconds of Unix time as RFC 3339 in UTC. The civil date follows Howard Hinnant's `civil_from_days`.
pub fn rfc3339(epoch: u64) -> String {
    let (days, second) = (epoch / 86_400 + 719_468, epoch % 86_400);
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z",
        second / 3_600,
        second / 60 % 60,
        second % 60
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;
    use std::collections::BTreeMap;
    use std::io::Read as _;

    /// Reads an archive back: each path with its owner, mode and content.
    fn opened(bytes: &[u8]) -> BTreeMap<String, (u64, u32, Vec<u8>)> {
        let mut archive = tar::Archive::new(bytes);
        let entries = archive.entries().unwrap();
        entries
            .map(|entry| {
                let mut entry = entry.unwrap();
                let path = entry.path().unwrap().display().to_string();
                let (owner, mode) = (entry.header().uid().unwrap(), entry.header().mode().unwrap());
                let mut content = Vec::new();
                entry.read_to_end(&mut content).unwrap();
                (path.trim_end_matches('/').to_owned(), (owner, mode, content))
            })
            .collect()
    }

    fn json(bytes: &[u8]) -> Value {
        serde_json::from_slice(bytes).unwrap()
    }

    #[test]
    fn every_digest_of_the_layout_leads_to_its_blob_and_the_layer_unpacks_as_it_was_meant() {
        let write = || {
            tar(
                layout(b"program".to_vec(), "1.2.3", 1_795_000_000).unwrap(),
                1_795_000_000,
            )
            .unwrap()
        };
        assert_eq!(write(), write(), "the same input makes the same bytes");
        let files = opened(&write());
        let blob = |descriptor: &Value| {
            let digest = descriptor["digest"].as_str().unwrap().strip_prefix("sha256:").unwrap();
            let (_, _, content) = &files[&format!("blobs/sha256/{digest}")];
            assert_eq!(sha256(content), digest);
            assert_eq!(descriptor["size"], content.len());
            content.clone()
        };
        assert_eq!(json(&files["oci-layout"].2)["imageLayoutVersion"], "1.0.0");
        let manifest = json(&blob(&json(&files["index.json"].2)["manifests"][0]));
        let config = json(&blob(&manifest["config"]));
        let packed = blob(&manifest["layers"][0]);
        let mut layer = Vec::new();
        flate2::read::GzDecoder::new(&packed[..])
            .read_to_end(&mut layer)
            .unwrap();
        assert_eq!(config["rootfs"]["diff_ids"][0], format!("sha256:{}", sha256(&layer)));
        assert_eq!(config["config"]["User"], "65532:65532");
        let inside = opened(&layer);
        assert_eq!(inside["usr/bin/assent"], (0, 0o755, b"program".to_vec()));
        assert_eq!(inside["var/lib/assent"].0, USER);
        let writable: Vec<&String> = inside
            .iter()
            .filter(|(_, it)| it.0 == USER)
            .map(|(path, _)| path)
            .collect();
        assert_eq!(
            writable,
            ["var/lib/assent"],
            "nothing else belongs to the user that it runs as"
        );
    }

    #[test]
    fn the_time_of_creation_is_that_of_the_commit() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(rfc3339(1_795_000_000), "2026-11-18T11:06:40Z");
    }
}
