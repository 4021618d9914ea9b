//! Reads what a Kubernetes workload brings: its service by label, its images by digest. Shapes are those of the
//! Kubernetes API v1: `Pod`, `apps/v1`, `batch/v1`.

use serde_json::Value;

use super::question::{Unclear, is_digest};

/// The label that names the service; without it the recommended label of Kubernetes counts.
const SERVICE: &str = "assent/service";
const COMMON_SERVICE: &str = "app.kubernetes.io/name";
/// The label that may repeat the environment.
const ENVIRONMENT: &str = "assent/environment";
/// The annotation, with a container's name behind it, that says that a container belongs to another service.
const SERVICE_OF: &str = "assent/service.";
/// The annotation that names the change.
const CHANGE: &str = "assent/change";
/// The annotation that holds a permit for an outage.
const PERMIT: &str = "assent/permit";
/// The most images that are looked at, those of volumes included.
const MOST_CONTAINERS: usize = 100;
/// Where a pod lists what may name an image, and where in each entry the image stands: `image` volumes are mounted from one
/// (Kubernetes 1.31 on), and what a service runs may come out of them.
const LISTS: [(&str, &[&str]); 4] = [
    ("initContainers", &["image"]),
    ("containers", &["image"]),
    ("ephemeralContainers", &["image"]),
    ("volumes", &["image", "reference"]),
];

/// Kinds that run pods: group, kind, and where the pod's template stands.
const KINDS: &[(&str, &str, &[&str])] = &[
    ("", "Pod", &[]),
    ("", "ReplicationController", &["spec", "template"]),
    ("apps", "Deployment", &["spec", "template"]),
    ("apps", "StatefulSet", &["spec", "template"]),
    ("apps", "DaemonSet", &["spec", "template"]),
    ("apps", "ReplicaSet", &["spec", "template"]),
    ("batch", "Job", &["spec", "template"]),
    ("batch", "CronJob", &["spec", "jobTemplate", "spec", "template"]),
];

/// An image of a workload.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Image {
    /// The name of its container, or of its volume.
    pub container: String,
    /// The service that it belongs to.
    pub service: String,
    /// As the workload names it.
    pub reference: String,
    /// Its digest.
    pub digest: String,
}

/// A workload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Workload {
    /// Its images.
    pub images: Vec<Image>,
    /// The change that it names.
    pub change: Option<String>,
    /// The permit that it carries.
    pub permit: Option<String>,
    /// How many pods it asks for, where it says so.
    pub replicas: Option<i64>,
}

/// Where the pod's template of a kind stands.
///
/// # Errors
/// A kind that runs no pods, or one that is not known.
pub(super) fn template_path(group: &str, kind: &str) -> Result<&'static [&'static str], Unclear> {
    let known = KINDS.iter().find(|(its, name, _)| *its == group && *name == kind);
    known.map(|(_, _, path)| *path).ok_or_else(|| Unclear {
        code: "unknown_kind",
        subject: if group.is_empty() { kind.to_owned() } else { format!("{group}/{kind}") },
        text: format!("`{kind}` is no kind of workload that is judged here."),
        satisfy: "Let the webhook's rules name pods, replicationcontrollers, deployments, statefulsets, daemonsets, replicasets, jobs and cronjobs alone.",
    })
}

fn text<'a>(value: &'a Value, path: &[&str]) -> Option<&'a str> {
    path.iter().try_fold(value, |value, field| value.get(field))?.as_str()
}

/// Reads a workload in an environment.
///
/// # Errors
/// Why it brings nothing that could be asked about.
pub(super) fn read(object: &Value, path: &[&str], environment: &str) -> Result<Workload, Unclear> {
    let missing = Value::Null;
    let template = path
        .iter()
        .try_fold(object, |value, field| value.get(field))
        .unwrap_or(&missing);
    // What stands on the workload itself counts before what stands on its template.
    let word = |field: &str, name: &str| {
        text(object, &["metadata", field, name])
            .or_else(|| text(template, &["metadata", field, name]))
            .map(str::to_owned)
    };
    let service = word("labels", SERVICE)
        .or_else(|| word("labels", COMMON_SERVICE))
        .ok_or_else(|| Unclear {
            code: "no_service",
            subject: text(object, &["metadata", "name"]).unwrap_or_default().to_owned(),
            text: format!("The workload has neither the label `{SERVICE}` nor `{COMMON_SERVICE}`."),
            satisfy: "Label it with its service's key.",
        })?;
    if let Some(other) = word("labels", ENVIRONMENT).filter(|other| other != environment) {
        return Err(Unclear {
            code: "other_environment",
            subject: other.clone(),
            text: format!("The workload is labelled for `{other}`, and this cluster is `{environment}`."),
            satisfy: "Deploy it where it belongs, or mend the label.",
        });
    }
    let spec = template.get("spec").unwrap_or(&missing);
    let mut images = Vec::new();
    for (field, place) in LISTS {
        for entry in entries(spec, field) {
            let name = text(entry, &["name"]).unwrap_or_default();
            let its = word("annotations", &format!("{SERVICE_OF}{name}")).unwrap_or_else(|| service.clone());
            images.push(image(name, its, text(entry, place).unwrap_or_default())?);
        }
    }
    if images.is_empty() || images.len() > MOST_CONTAINERS {
        return Err(Unclear {
            code: "no_image",
            subject: text(object, &["metadata", "name"]).unwrap_or_default().to_owned(),
            text: format!("The workload names no container, or more than {MOST_CONTAINERS}."),
            satisfy: "Name the image of each container.",
        });
    }
    Ok(Workload {
        images,
        change: word("annotations", CHANGE),
        permit: word("annotations", PERMIT),
        replicas: object
            .get("spec")
            .and_then(|spec| spec.get("replicas"))
            .and_then(Value::as_i64),
    })
}

/// What names an image in a list of a pod: each container, and the volumes that are made of one.
fn entries<'a>(spec: &'a Value, field: &str) -> impl Iterator<Item = &'a Value> {
    let is_volume = field == "volumes";
    let rows = spec.get(field).and_then(Value::as_array).into_iter().flatten();
    rows.filter(move |row| !is_volume || row.get("image").is_some_and(|image| !image.is_null()))
}

fn image(container: &str, service: String, reference: &str) -> Result<Image, Unclear> {
    let digest = reference
        .rsplit_once('@')
        .map(|(_, digest)| digest)
        .filter(|digest| is_digest(digest));
    let Some(digest) = digest else {
        return Err(Unclear {
            code: "image_without_digest",
            subject: reference.to_owned(),
            text: format!(
                "The image `{}` is not named by a digest.",
                reference.chars().take(120).collect::<String>()
            ),
            satisfy: "Name it as `repository@sha256:…`: a tag can point elsewhere tomorrow.",
        });
    };
    Ok(Image {
        container: container.to_owned(),
        service,
        reference: reference.to_owned(),
        digest: digest.to_owned(),
    })
}

/// Whether an update brings nothing new: the same images, and not more pods than before.
pub(super) fn brings_nothing(before: &Workload, after: &Workload) -> bool {
    let known = |image: &Image| {
        before
            .images
            .iter()
            .any(|old| old.digest == image.digest && old.service == image.service)
    };
    after.images.iter().all(known) && !grows(before.replicas, after.replicas)
}

fn grows(before: Option<i64>, after: Option<i64>) -> bool {
    match (before, after) {
        (Some(before), Some(after)) => after > before,
        (None, None) => false,
        // Absent means one, and absent on one side alone is a change.
        (before, after) => after.unwrap_or(1) > before.unwrap_or(1),
    }
}

/// The same of a workload that was there before anybody asked, with an image by tag or without a service: the cluster's own
/// controllers take its finalizers away and tell its status, and it must be able to shrink and to end. Its containers and the
/// volumes of images are named as before, word for word, and so are the service, the annotations that are read here and the
/// environment.
pub(super) fn repeats(before: &Value, after: &Value, path: &[&str]) -> bool {
    let said = |object: &Value| {
        let template = path.iter().try_fold(object, |value, field| value.get(field));
        let marks = |of: Option<&Value>| -> Vec<(String, Value)> {
            let read = |field: &'static str| {
                let map = of.and_then(|it| it.get("metadata")?.get(field)?.as_object());
                let ours = map
                    .into_iter()
                    .flatten()
                    .filter(|(name, _)| name.starts_with("assent/") || name.as_str() == COMMON_SERVICE);
                ours.map(move |(name, value)| (format!("{field}/{name}"), value.clone()))
                    .collect::<Vec<_>>()
            };
            ["labels", "annotations"].into_iter().flat_map(read).collect()
        };
        let spec = template.and_then(|it| it.get("spec"));
        let named = |(field, place): (&str, &[&str])| -> Vec<(String, String)> {
            let word = |it: &Value, place: &[&str]| text(it, place).unwrap_or_default().to_owned();
            let rows = spec.into_iter().flat_map(|spec| entries(spec, field));
            rows.map(|it| (word(it, &["name"]), word(it, place))).collect()
        };
        let containers: Vec<_> = LISTS.into_iter().map(named).collect();
        (marks(Some(object)), marks(template), containers)
    };
    let replicas = |object: &Value| object.get("spec").and_then(|spec| spec.get("replicas")?.as_i64());
    let (was, is) = (said(before), said(after));
    let is_workload = was.2.iter().any(|list| !list.is_empty());
    is_workload && was == is && !grows(replicas(before), replicas(after))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use serde_json::json;

    use super::*;

    fn deployment(image: &str, replicas: i64) -> Value {
        json!({
            "metadata": {"name": "shop", "labels": {"app.kubernetes.io/name": "shop"}},
            "spec": {"replicas": replicas, "template": {
                "metadata": {"annotations": {"assent/service.mesh": "mesh"}},
                "spec": {"containers": [{"name": "web", "image": image}, {"name": "mesh", "image": format!("mesh@{}", digest('b'))}]},
            }},
        })
    }

    fn digest(letter: char) -> String {
        format!("sha256:{}", letter.to_string().repeat(64))
    }

    #[test]
    fn images_are_read_with_their_services() {
        let path = template_path("apps", "Deployment").unwrap();
        let found = read(
            &deployment(&format!("r.example/shop:1@{}", digest('a')), 2),
            path,
            "production",
        )
        .unwrap();
        assert_eq!(found.replicas, Some(2));
        let services: Vec<(&str, &str)> = found
            .images
            .iter()
            .map(|image| (image.service.as_str(), image.digest.as_str()))
            .collect();
        assert_eq!(
            services,
            [("shop", digest('a').as_str()), ("mesh", digest('b').as_str())]
        );
    }

    #[test]
    fn what_cannot_be_judged_is_refused() {
        let path = template_path("apps", "Deployment").unwrap();
        let code = |object: &Value| read(object, path, "production").unwrap_err().code;
        assert_eq!(code(&deployment("shop:latest", 1)), "image_without_digest");
        assert_eq!(code(&json!({"metadata": {"name": "x"}})), "no_service");
        assert_eq!(
            code(&json!({"metadata": {"labels": {"assent/service": "shop"}}})),
            "no_image"
        );
        let mut elsewhere = deployment(&format!("shop@{}", digest('a')), 1);
        elsewhere["metadata"]["labels"]["assent/environment"] = json!("staging");
        assert_eq!(code(&elsewhere), "other_environment");
        assert_eq!(template_path("example.com", "Widget").unwrap_err().code, "unknown_kind");
        assert_eq!(template_path("", "Deployment").unwrap_err().subject, "Deployment");
    }

    #[test]
    fn an_update_that_brings_nothing_is_told_from_one_that_does() {
        let path = template_path("apps", "Deployment").unwrap();
        let with = |letter: char, replicas: i64| {
            read(
                &deployment(&format!("shop@{}", digest(letter)), replicas),
                path,
                "production",
            )
            .unwrap()
        };
        assert!(brings_nothing(&with('a', 3), &with('a', 1)));
        assert!(!brings_nothing(&with('a', 1), &with('a', 3)));
        assert!(!brings_nothing(&with('a', 1), &with('c', 1)));
    }

    /// A workload that was there before anybody asked must be able to shrink, to be told of and to end.
    #[test]
    fn what_has_no_digest_may_stay_as_it_is_and_nothing_else() {
        let path = template_path("apps", "Deployment").unwrap();
        let before = deployment("shop:1", 2);
        let changed = |change: fn(&mut Value)| {
            let mut after = before.clone();
            change(&mut after);
            repeats(&before, &after, path)
        };
        assert!(changed(|it| it["metadata"]["finalizers"] = json!([])));
        assert!(changed(|it| it["metadata"]["labels"]["team"] = json!("docks")));
        assert!(changed(|it| it["spec"]["replicas"] = json!(0)));
        assert!(!changed(|it| it["spec"]["replicas"] = json!(3)));
        assert!(!changed(
            |it| it["metadata"]["labels"]["app.kubernetes.io/name"] = json!("other")
        ));
        assert!(!changed(
            |it| it["metadata"]["annotations"] = json!({"assent/change": "CHG-1"})
        ));
        assert!(!changed(
            |it| it["spec"]["template"]["spec"]["containers"][0]["image"] = json!("shop:2")
        ));
        assert!(!changed(
            |it| it["spec"]["template"]["spec"]["initContainers"] = json!([{"name": "x", "image": "x:1"}])
        ));
        assert!(
            !repeats(&Value::Null, &Value::Null, path),
            "what names no container is no workload"
        );
        let path = template_path("", "Pod").unwrap();
        let pod = json!({"spec": {"containers": [{"name": "web", "image": "shop:1"}]}});
        let mut debugged = pod.clone();
        debugged["spec"]["ephemeralContainers"] = json!([{"name": "debug", "image": "busybox"}]);
        assert!(repeats(&pod, &pod, path) && !repeats(&pod, &debugged, path));
    }

    /// What a service runs may be mounted from an image as well as be one.
    #[test]
    fn the_image_of_a_volume_is_judged_as_that_of_a_container() {
        let path = template_path("apps", "Deployment").unwrap();
        let plain = deployment(&format!("shop@{}", digest('a')), 1);
        let with = |reference: &str| {
            let mut object = plain.clone();
            let volumes = json!([{"name": "tmp", "emptyDir": {}}, {"name": "code", "image": {"reference": reference}}]);
            object["spec"]["template"]["spec"]["volumes"] = volumes;
            object
        };
        let code = |object: &Value| read(object, path, "production").map_err(|unclear| unclear.code);
        assert_eq!(code(&with("code:1")).unwrap_err(), "image_without_digest");
        assert_eq!(code(&with("")).unwrap_err(), "image_without_digest");
        let brought = code(&with(&format!("code@{}", digest('c')))).unwrap();
        let last = brought.images.last().unwrap();
        assert_eq!((last.container.as_str(), &last.digest), ("code", &digest('c')));
        assert!(!brings_nothing(&code(&plain).unwrap(), &brought));
        assert!(brings_nothing(&brought, &code(&plain).unwrap()));
        assert!(!repeats(&plain, &with("code:1"), path) && repeats(&with("code:1"), &with("code:1"), path));
    }
}
