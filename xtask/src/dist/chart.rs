//! The Helm chart, packed as `helm package` does: a folder `assent` in a compressed archive, with the version of the release.

use std::path::Path;

use anyhow::{Context, Result};

use super::Release;
use super::build::{read, write};
use super::pack::{Entry, tar_gz};

/// Where the chart lies in the repository.
const FOLDER: &str = "packaging/chart";

/// Packs the chart.
pub fn make(release: &Release) -> Result<()> {
    let mut entries = Vec::new();
    collect(&release.root.join(FOLDER), "assent", &release.version, &mut entries)?;
    write(
        &release.out.join(format!("assent-chart-{}.tgz", release.version)),
        &tar_gz(entries, release.epoch)?,
    )
}

fn collect(folder: &Path, name: &str, version: &str, entries: &mut Vec<Entry>) -> Result<()> {
    for entry in std::fs::read_dir(folder).with_context(|| format!("cannot read `{}`", folder.display()))? {
        let path = entry?.path();
        let file = path
            .file_name()
            .context("a file has a name")?
            .to_string_lossy()
            .into_owned();
        let inside = format!("{name}/{file}");
        if path.is_dir() {
            collect(&path, &inside, version, entries)?;
        } else {
            let mut content = read(&path)?;
            if file == "Chart.yaml" {
                content = with_version(&String::from_utf8(content)?, version).into_bytes();
            }
            entries.push(Entry::file(&inside, 0o644, content));
        }
    }
    Ok(())
}

/// The chart's own version and that of the program are those of the release.
fn with_version(text: &str, version: &str) -> String {
    let line = |line: &str| match line.split_once(':') {
        Some((name @ ("version" | "appVersion"), _)) => format!("{name}: \"{version}\"\n"),
        _ => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chart_carries_the_version_of_the_release() {
        let text = with_version("name: assent\nversion: 0.0.0\nappVersion: 0.0.0\n", "1.2.3");
        assert_eq!(text, "name: assent\nversion: \"1.2.3\"\nappVersion: \"1.2.3\"\n");
    }
}
