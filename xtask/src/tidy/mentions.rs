//! Nothing names the machine it was written on, nor the hosts that serve packages: a clone must
//! build behind whatever mirror its owner has configured.

use super::Finding;
use super::tree::Tree;

/// Folders of one machine. Written in two parts, so that this file holds none of them itself.
const FOLDERS: &[&str] = &[concat!("/", "work/"), concat!("/", "root/"), concat!("/", "Users/")];

/// Hosts that serve packages.
const HOSTS: &[&str] = &[
    concat!("index", ".crates.io"),
    concat!("static", ".crates.io"),
    concat!("registry", ".npmjs.org"),
    concat!("pypi", ".org"),
    concat!("files", ".pythonhosted.org"),
    concat!("deb", ".debian.org"),
    concat!("proxy", ".golang.org"),
];

/// Looks at every text file.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.texts() {
        for (number, line) in text.lines().enumerate() {
            for folder in FOLDERS.iter().filter(|folder| names_folder(line, folder)) {
                let text = format!("`{folder}` is a folder of one machine");
                findings.push(Finding::new(path, number + 1, text));
            }
            for host in HOSTS.iter().filter(|host| line.contains(**host)) {
                let text = format!("`{host}` serves packages; leave the choice to the machine");
                findings.push(Finding::new(path, number + 1, text));
            }
        }
    }
    findings
}

/// Whether a line names the folder itself, not one of that name inside of another path.
fn names_folder(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '/' | '.' | '-' | '_' | '}'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_of_a_machine_and_package_hosts_are_found() {
        let text = format!("see {}a.md\nfrom {}\n", FOLDERS[0], HOSTS[3]);
        let lines: Vec<usize> = check(&Tree::of(&[("a.md", &text)]))
            .iter()
            .map(|finding| finding.line)
            .collect();
        assert_eq!(lines, [1, 2]);
    }

    #[test]
    fn paths_inside_of_the_repository_pass() {
        let text = "changes/work/1 ./root/a https://example.org/work/2 the network/ folder";
        assert_eq!(check(&Tree::of(&[("a.md", text)])), []);
    }
}
