//! Maps a workload of a cluster to its service: the cluster's configuration decides over namespace, name and image repository.
//! The author of a workload also writes its labels, so labels and annotations only narrow the result.

use std::collections::BTreeSet;

use serde::Deserialize;

/// Matches any namespace, or any name.
const ANY: &str = "*";
/// The most rows of a cluster.
const MOST_ROWS: usize = 10_000;

/// Workloads of a cluster and their services.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bindings {
    /// The rows.
    #[serde(default)]
    workload: Vec<Binding>,
}

/// One row: it assigns workloads of a namespace and name, with an image of these repositories, to this service.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Binding {
    /// The service's key.
    pub service: String,
    /// The namespace; `*` for any.
    pub namespace: String,
    /// The name of the workload that people wrote; `*` for any, such as for a sidecar's image.
    pub name: String,
    /// Repositories, without tag and digest.
    pub images: BTreeSet<String>,
}

/// The identity of a workload, as the API server reports it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Named<'a> {
    /// Its namespace.
    pub namespace: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Whether a controller makes objects of its kind and puts something behind the name: pods, replica sets, jobs.
    pub is_made: bool,
}

impl Bindings {
    /// The bindings of rows.
    ///
    /// # Errors
    /// The error in the first invalid row.
    pub fn new(rows: Vec<Binding>) -> Result<Self, String> {
        Self { workload: rows }.checked()
    }

    /// The same, if every row can be used and no two of them contradict each other.
    ///
    /// # Errors
    /// The error in the first invalid row.
    pub fn checked(self) -> Result<Self, String> {
        if self.workload.is_empty() || self.workload.len() > MOST_ROWS {
            return Err(format!("it holds no `[[workload]]`, or more than {MOST_ROWS}"));
        }
        for (number, row) in self.workload.iter().enumerate() {
            let wrong = |why: &str| Err(format!("row {} ({}): {why}", number + 1, row.service));
            if [&row.service, &row.namespace, &row.name]
                .into_iter()
                .any(String::is_empty)
                || row.images.is_empty()
            {
                return wrong("`service`, `namespace`, `name` and `images` are all needed");
            }
            if [&row.namespace, &row.name]
                .into_iter()
                .any(|it| it.contains(ANY) && it != ANY)
            {
                return wrong("`*` stands alone: it is no part of a pattern");
            }
            if row.images.iter().any(|image| repository_of(image) != Some(image)) {
                return wrong("an image is a repository, such as registry.example/edge-dns, without tag and digest");
            }
            let contradicts = |other: &&Binding| {
                other.service != row.service
                    && (&other.namespace, &other.name) == (&row.namespace, &row.name)
                    && !other.images.is_disjoint(&row.images)
            };
            if let Some(other) = self.workload.iter().find(contradicts) {
                return wrong(&format!("`{}` claims the same workload and image", other.service));
            }
        }
        Ok(self)
    }

    /// The service of a workload that runs an image of a repository, if the rows give exactly one. Rows that name the workload
    /// come before rows for any, and of those the longest name: a row for `ledger` does not apply to workloads of `ledger-db`.
    pub(super) fn service(&self, named: Named<'_>, repository: &str) -> Option<&str> {
        let runs = |row: &&Binding| row.is_of(named) && row.images.contains(repository);
        let own = |row: &&Binding| row.name != ANY && row.is_of(named);
        let longest = self.workload.iter().filter(own).map(|row| row.name.len()).max();
        let is_own = |row: &&Binding| row.name != ANY && Some(row.name.len()) == longest;
        let found: Vec<&Binding> = self.workload.iter().filter(runs).filter(is_own).collect();
        if !found.is_empty() {
            return one_service(&found);
        }
        let shared: Vec<&Binding> = self
            .workload
            .iter()
            .filter(runs)
            .filter(|row| row.name == ANY)
            .collect();
        one_service(&shared)
    }
}

/// The service of rows, if all rows agree. Rows of the namespace come before rows for all.
fn one_service<'a>(rows: &[&'a Binding]) -> Option<&'a str> {
    let has_near = rows.iter().any(|row| row.namespace != ANY);
    let near = rows.iter().filter(|row| (row.namespace != ANY) == has_near);
    let services: BTreeSet<&'a str> = near.map(|row| row.service.as_str()).collect();
    let mut services = services.into_iter();
    services.next().filter(|_| services.next().is_none())
}

impl Binding {
    fn is_of(&self, named: Named<'_>) -> bool {
        let behind = named.name.strip_prefix(self.name.as_str());
        let is_made = || named.is_made && behind.is_some_and(|rest| rest.starts_with('-'));
        let is_named = self.name == ANY || behind == Some("") || is_made();
        is_named && (self.namespace == ANY || self.namespace == named.namespace)
    }
}

/// The repository of an image reference without its digest, if the repository is valid.
fn repository_of(name: &str) -> Option<&str> {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"._-/:".contains(&b);
    let bare = match name.rsplit_once(':') {
        // A colon before the last slash is that of a port.
        Some((bare, tag)) if !tag.contains('/') => bare,
        _ => name,
    };
    let is_whole = !bare.is_empty() && bare.split('/').all(|part| !part.is_empty());
    Some(bare).filter(|_| is_whole && name.bytes().all(is_plain))
}

/// The repository and the digest of an image `repository[:tag]@digest`; nothing where it names more than one digest.
pub(super) fn split(reference: &str) -> Option<(&str, &str)> {
    let (name, digest) = reference.split_once('@')?;
    let repository = repository_of(name)?;
    Some((repository, digest)).filter(|_| super::unclear::is_digest(digest))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    fn row(service: &str, namespace: &str, name: &str, image: &str) -> Binding {
        Binding {
            service: service.to_owned(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            images: [image.to_owned()].into(),
        }
    }

    fn cluster() -> Bindings {
        Bindings::new(vec![
            row("ledger", "bank", "ledger", "r.example/ledger"),
            row("ledger-db", "bank", "ledger-db", "r.example/db"),
            row("label-print", "docks", "label-print", "r.example/print"),
            row("mesh", "*", "*", "r.example:5000/mesh"),
        ])
        .unwrap()
    }

    fn of<'a>(bindings: &'a Bindings, namespace: &str, name: &str, is_made: bool, repository: &str) -> Option<&'a str> {
        let named = Named {
            namespace,
            name,
            is_made,
        };
        bindings.service(named, repository)
    }

    #[test]
    fn namespace_name_and_repository_say_the_service() {
        let cluster = cluster();
        for (namespace, name, is_made, repository, service) in [
            ("bank", "ledger-db", false, "r.example/db", Some("ledger-db")),
            ("bank", "ledger-db", false, "r.example/print", None),
            ("bank", "ledger-db", false, "r.example/ledger", None),
            ("bank", "label-print", false, "r.example/print", None),
            ("docks", "label-print", false, "r.example/print", Some("label-print")),
            ("docks", "label-print-7d9f", false, "r.example/print", None),
            (
                "docks",
                "label-print-7d9f-xyz",
                true,
                "r.example/print",
                Some("label-print"),
            ),
            ("docks", "label-printer", true, "r.example/print", None),
            ("bank", "ledger-7d9f", true, "r.example/ledger", Some("ledger")),
            ("bank", "ledger-db-7d9f", true, "r.example/ledger", None),
            ("bank", "ledger-db-7d9f", true, "r.example/db", Some("ledger-db")),
            ("bank", "anything", false, "r.example:5000/mesh", Some("mesh")),
            ("bank", "anything", false, "r.example/mesh", None),
        ] {
            let found = of(&cluster, namespace, name, is_made, repository);
            assert_eq!(found, service, "{namespace}/{name} {repository}");
        }
    }

    #[test]
    fn a_row_for_all_never_speaks_over_a_workloads_own() {
        let rows = vec![
            row("own", "a", "x", "r/x"),
            row("all", "*", "*", "r/x"),
            row("near", "b", "*", "r/x"),
        ];
        let bindings = Bindings::new(rows).unwrap();
        assert_eq!(of(&bindings, "a", "x", false, "r/x"), Some("own"));
        assert_eq!(of(&bindings, "b", "x", false, "r/x"), Some("near"));
        assert_eq!(of(&bindings, "c", "x", false, "r/x"), Some("all"));
    }

    #[test]
    fn rows_that_cannot_be_used_are_refused() {
        for rows in [
            vec![],
            vec![row("", "a", "x", "r/x")],
            vec![row("s", "a", "x*", "r/x")],
            vec![row("s", "a", "x", "r/x:1")],
            vec![row("s", "a", "x", "r/x@sha256:1")],
            vec![row("s", "a", "x", "r/x"), row("t", "a", "x", "r/x")],
        ] {
            assert!(Bindings::new(rows.clone()).is_err(), "{rows:?}");
        }
    }

    #[test]
    fn an_image_names_one_repository_and_one_digest() {
        let digest = |letter: char| format!("sha256:{}", letter.to_string().repeat(64));
        let (good, bad) = (digest('a'), digest('b'));
        for name in ["r/x", "r/x:1", "r.example:5000/x/y:v1.2_3"] {
            let reference = format!("{name}@{good}");
            let (repository, found) = split(&reference).unwrap();
            assert_eq!(found, good);
            assert!(
                name.starts_with(repository) && !repository.ends_with(":1"),
                "{repository}"
            );
        }
        for wrong in [
            format!("r/x@{bad}@{good}"),
            format!("r/x@{good}@"),
            format!("@{good}"),
            format!("r//x@{good}"),
            format!("r/x @{good}"),
            "r/x:1".to_owned(),
            "r/x@latest".to_owned(),
            format!("r/x@{good},{bad}"),
        ] {
            assert_eq!(split(&wrong), None, "{wrong}");
        }
    }
}
