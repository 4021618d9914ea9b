//! Reads the images of a Kubernetes workload: each by digest, with the service that the cluster's configuration assigns. The
//! formats are those of the Kubernetes API v1: `Pod`, `apps/v1`, `batch/v1`.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::binding::{Bindings, Named, split};
use super::unclear::Unclear;

/// The label that may repeat the service. It decides nothing.
const SERVICE: &str = "assent/service";
/// The label that may repeat the environment.
const ENVIRONMENT: &str = "assent/environment";
/// The prefix of an annotation, followed by a container's name, that may repeat the service of that container.
const SERVICE_OF: &str = "assent/service.";
/// The annotation that names the change.
const CHANGE: &str = "assent/change";
/// The annotation that holds a permit for an outage.
const PERMIT: &str = "assent/permit";
/// The most images that are looked at, those of volumes included.
const MOST_CONTAINERS: usize = 100;
/// The lists of a pod that may name an image, and the image's field in each entry: `image` volumes are mounted from one
/// (Kubernetes 1.31 on), and a service may run programs from them.
const LISTS: [(&str, &[&str]); 4] = [
    ("initContainers", &["image"]),
    ("containers", &["image"]),
    ("ephemeralContainers", &["image"]),
    ("volumes", &["image", "reference"]),
];

/// Kinds that run pods: group, kind, and the path of the pod's template.
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
    /// The image reference in the workload.
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
}

/// Whether a controller creates objects of this kind, with its own name as the beginning of theirs.
pub(super) fn is_made(kind: &str) -> bool {
    matches!(kind, "Pod" | "ReplicaSet" | "ReplicationController" | "Job")
}

/// The path of a kind's pod template.
///
/// # Errors
/// A kind that runs no pods, or an unknown kind.
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

/// Where a workload is to run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Site<'a> {
    /// The environment of the cluster.
    pub environment: &'a str,
    /// The namespace, as the API server reports it.
    pub namespace: &'a str,
    /// Whether a controller makes objects of the kind.
    pub is_made: bool,
    /// The cluster's configuration.
    pub bindings: Option<&'a Bindings>,
}

/// Reads a workload at its site.
///
/// # Errors
/// The reason why the object contains nothing to be judged.
pub(super) fn read(object: &Value, path: &[&str], site: Site<'_>) -> Result<Workload, Unclear> {
    let missing = Value::Null;
    let template = path
        .iter()
        .try_fold(object, |value, field| value.get(field))
        .unwrap_or(&missing);
    // Labels and annotations of the workload itself take precedence over those of its template.
    let word = |field: &str, name: &str| {
        text(object, &["metadata", field, name])
            .or_else(|| text(template, &["metadata", field, name]))
            .map(str::to_owned)
    };
    let environment = site.environment;
    if let Some(other) = word("labels", ENVIRONMENT).filter(|other| other != environment) {
        return Err(Unclear {
            code: "other_environment",
            subject: other.clone(),
            text: format!("The workload is labelled for `{other}`, and this cluster is `{environment}`."),
            satisfy: "Deploy it where it belongs, or mend the label.",
        });
    }
    let name = text(object, &["metadata", "name"]).filter(|name| !name.is_empty());
    let name = name
        .or_else(|| text(object, &["metadata", "generateName"]))
        .unwrap_or_default();
    let spec = template.get("spec").unwrap_or(&missing);
    let mut images = Vec::new();
    for (field, place) in LISTS {
        for entry in entries(spec, field) {
            let container = text(entry, &["name"]).unwrap_or_default();
            let found = image(container, text(entry, place).unwrap_or_default(), name, site)?;
            narrow(word("annotations", &format!("{SERVICE_OF}{container}")), &[&found])?;
            images.push(found);
        }
    }
    if images.is_empty() || images.len() > MOST_CONTAINERS {
        return Err(Unclear {
            code: "no_image",
            subject: name.to_owned(),
            text: format!("The workload names no container, or more than {MOST_CONTAINERS}."),
            satisfy: "Name the image of each container.",
        });
    }
    narrow(word("labels", SERVICE), &images.iter().collect::<Vec<_>>())?;
    Ok(Workload {
        images,
        change: word("annotations", CHANGE),
        permit: word("annotations", PERMIT),
    })
}

/// Refuses a workload's own claim about its service that the cluster's configuration does not confirm.
fn narrow(said: Option<String>, images: &[&Image]) -> Result<(), Unclear> {
    let Some(said) = said.filter(|said| !images.iter().any(|image| image.service == *said)) else {
        return Ok(());
    };
    let bound: BTreeSet<&str> = images.iter().map(|image| image.service.as_str()).collect();
    Err(Unclear {
        code: "other_service",
        text: format!(
            "The workload says that it is `{said}`, and the cluster's configuration binds it to `{}`.",
            bound.into_iter().collect::<Vec<_>>().join("`, `")
        ),
        subject: said,
        satisfy: "Mend the label or annotation: they only repeat what the configuration says.",
    })
}

/// The images in a list of a pod: of each container, and of the volumes that are made of one.
fn entries<'a>(spec: &'a Value, field: &str) -> impl Iterator<Item = &'a Value> {
    let is_volume = field == "volumes";
    let rows = spec.get(field).and_then(Value::as_array).into_iter().flatten();
    rows.filter(move |row| !is_volume || row.get("image").is_some_and(|image| !image.is_null()))
}

fn image(container: &str, reference: &str, name: &str, site: Site<'_>) -> Result<Image, Unclear> {
    let shown: String = reference.chars().take(120).collect();
    if reference.matches('@').count() > 1 {
        return Err(Unclear {
            code: "malformed",
            subject: reference.to_owned(),
            text: format!("The image `{shown}` names more than one digest, so it does not say which is meant."),
            satisfy: "Name it as `repository@sha256:…`, with one digest.",
        });
    }
    let Some((repository, digest)) = split(reference) else {
        return Err(Unclear {
            code: "image_without_digest",
            subject: reference.to_owned(),
            text: format!("The image `{shown}` is not named by a digest."),
            satisfy: "Name it as `repository@sha256:…`: a tag can point elsewhere tomorrow.",
        });
    };
    let Site { namespace, is_made, .. } = site;
    let named = Named {
        namespace,
        name,
        is_made,
    };
    let service = site.bindings.and_then(|bindings| bindings.service(named, repository));
    let service = service.ok_or_else(|| Unclear {
        code: "not_bound",
        subject: format!("{namespace}/{name} {repository}"),
        text: format!(
            "The cluster's configuration binds no service to `{namespace}/{name}` with an image of `{repository}`, or more than one."
        ),
        satisfy: "Add a `[[workload]]` to the file that the companion is started with (`--workloads`); a label alone binds nothing.",
    })?;
    Ok(Image {
        container: container.to_owned(),
        service: service.to_owned(),
        reference: reference.to_owned(),
        digest: digest.to_owned(),
    })
}

/// Fields of a workload and of its jobs for its rollout and cleanup. All other fields are judged.
const ROLLOUT: &[&str] = &[
    "replicas",
    "parallelism",
    "suspend",
    "minReadySeconds",
    "revisionHistoryLimit",
    "progressDeadlineSeconds",
    "strategy",
    "updateStrategy",
    "paused",
    "ttlSecondsAfterFinished",
    "successfulJobsHistoryLimit",
    "failedJobsHistoryLimit",
    "backoffLimit",
    "activeDeadlineSeconds",
];
/// Fields of a pod for its start and end.
const OF_POD: &[&str] = &[
    "schedulingGates",
    "terminationGracePeriodSeconds",
    "activeDeadlineSeconds",
];

/// Whether an update changes nothing that a policy could name, and requests no more pods than before. Compared are the whole
/// specification of the pod (host namespaces, privileges, commands, volumes, accounts), the selector, the pods' labels, and the
/// labels and annotations that are read here. So the cluster's own controllers can report status and remove finalizers, and
/// workloads from before the gate can shrink and end.
pub(super) fn is_unchanged(before: &Value, after: &Value, path: &[&str]) -> bool {
    let is_workload = |object: &Value| {
        let spec = path
            .iter()
            .try_fold(object, |value, field| value.get(field))
            .and_then(|it| it.get("spec"));
        spec.is_some_and(|spec| LISTS.iter().any(|(field, _)| entries(spec, field).next().is_some()))
    };
    is_workload(before) && kept(before, path) == kept(after, path) && !grows(before, after)
}

/// The parts that an update must leave unchanged.
fn kept(object: &Value, path: &[&str]) -> (Value, Vec<Value>) {
    let marks = |of: Option<&Value>, all_labels: bool| {
        let map = |field: &str| of.and_then(|it| it.get("metadata")?.get(field)?.as_object()).cloned();
        let ours = |map: Option<Map<String, Value>>, all: bool| -> Map<String, Value> {
            let rows = map.unwrap_or_default().into_iter();
            rows.filter(|(name, _)| all || name.starts_with("assent/")).collect()
        };
        serde_json::json!([ours(map("labels"), all_labels), ours(map("annotations"), false)])
    };
    let template = path.iter().try_fold(object, |value, field| value.get(field));
    let mut spec = object.get("spec").cloned().unwrap_or_default();
    // A pod is its own template: its labels decide which services send it traffic.
    let told = vec![marks(Some(object), path.is_empty()), marks(template, true)];
    if !path.is_empty() {
        take_away(&mut spec, &[], ROLLOUT);
        take_away(&mut spec, &["jobTemplate"], &["metadata"]);
        take_away(&mut spec, &["jobTemplate", "spec"], ROLLOUT);
        let inner = &path[1..];
        take_away(&mut spec, inner, &["metadata"]);
        let of_pod: Vec<&str> = inner.iter().copied().chain(["spec"]).collect();
        take_away(&mut spec, &of_pod, OF_POD);
    } else {
        take_away(&mut spec, &[], OF_POD);
    }
    (spec, told)
}

fn take_away(value: &mut Value, path: &[&str], fields: &[&str]) {
    let place = path.iter().try_fold(value, |value, field| value.get_mut(field));
    if let Some(map) = place.and_then(Value::as_object_mut) {
        map.retain(|name, _| !fields.contains(&name.as_str()));
    }
}

/// Whether a workload requests more pods at once than before, or resumes after a suspension.
fn grows(before: &Value, after: &Value) -> bool {
    let places: [&[&str]; 2] = [&["spec"], &["spec", "jobTemplate", "spec"]];
    places.into_iter().any(|place| {
        let of = |object: &Value, field: &str| {
            let spec = place.iter().try_fold(object, |value, field| value.get(field));
            spec.and_then(|spec| spec.get(field)).cloned().unwrap_or_default()
        };
        // Absent means one, and absent on one side alone is a change.
        let count = |object: &Value, field: &str| of(object, field).as_i64().unwrap_or(1);
        let is_more = |field: &str| count(after, field) > count(before, field);
        let is_held = |object: &Value| of(object, "suspend") == true;
        is_more("replicas") || is_more("parallelism") || (is_held(before) && !is_held(after))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use serde_json::json;

    use super::*;

    fn deployment(image: &str, replicas: i64) -> Value {
        json!({
            "metadata": {"name": "shop", "labels": {"app.kubernetes.io/name": "ledger-db"}},
            "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": "shop"}}, "template": {
                "metadata": {"annotations": {"assent/service.mesh": "mesh"}},
                "spec": {"containers": [{"name": "web", "image": image}, {"name": "mesh", "image": format!("mesh@{}", digest('b'))}]},
            }},
        })
    }

    fn digest(letter: char) -> String {
        format!("sha256:{}", letter.to_string().repeat(64))
    }

    fn cluster() -> Bindings {
        let rows = json!({"workload": [
            {"service": "shop", "namespace": "shop", "name": "shop", "images": ["shop", "r.example/shop", "code"]},
            {"service": "mesh", "namespace": "*", "name": "*", "images": ["mesh"]},
        ]});
        serde_json::from_value::<Bindings>(rows).unwrap().checked().unwrap()
    }

    fn bound(object: &Value, path: &[&str]) -> Result<Workload, Unclear> {
        let bindings = cluster();
        let site = Site {
            environment: "production",
            namespace: "shop",
            is_made: false,
            bindings: Some(&bindings),
        };
        read(object, path, site)
    }

    #[test]
    fn images_are_read_with_their_services() {
        let path = template_path("apps", "Deployment").unwrap();
        let found = bound(&deployment(&format!("r.example/shop:1@{}", digest('a')), 2), path).unwrap();
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
        let code = |object: &Value| bound(object, path).unwrap_err().code;
        assert_eq!(code(&deployment("shop:latest", 1)), "image_without_digest");
        let twice = format!("shop@{}@{}", digest('b'), digest('a'));
        assert_eq!(code(&deployment(&twice, 1)), "malformed");
        assert_eq!(code(&json!({"metadata": {"name": "x"}})), "no_image");
        let mut elsewhere = deployment(&format!("shop@{}", digest('a')), 1);
        elsewhere["metadata"]["labels"]["assent/environment"] = json!("staging");
        assert_eq!(code(&elsewhere), "other_environment");
        assert_eq!(template_path("example.com", "Widget").unwrap_err().code, "unknown_kind");
        assert_eq!(template_path("", "Deployment").unwrap_err().subject, "Deployment");
    }

    /// The author of a workload writes its labels: they open nothing.
    #[test]
    fn labels_and_annotations_only_narrow_what_the_cluster_says() {
        let path = template_path("apps", "Deployment").unwrap();
        let good = deployment(&format!("shop@{}", digest('a')), 1);
        let code = |change: &dyn Fn(&mut Value)| {
            let mut object = good.clone();
            change(&mut object);
            bound(&object, path).map(drop).map_err(|unclear| unclear.code)
        };
        assert_eq!(code(&|_| ()), Ok(()));
        assert_eq!(
            code(&|it| it["metadata"]["labels"]["assent/service"] = json!("shop")),
            Ok(())
        );
        for other in ["ledger-db", "label-print", ""] {
            let label = |it: &mut Value| it["metadata"]["labels"]["assent/service"] = json!(other);
            assert_eq!(code(&label), Err("other_service"), "{other}");
            let label =
                |it: &mut Value| it["spec"]["template"]["metadata"]["labels"] = json!({"assent/service": other});
            assert_eq!(code(&label), Err("other_service"), "{other}");
            let note = |it: &mut Value| it["metadata"]["annotations"] = json!({"assent/service.web": other});
            assert_eq!(code(&note), Err("other_service"), "{other}");
        }
        let named = |it: &mut Value| {
            it["metadata"]["name"] = json!("ledger-db");
            it["metadata"]["labels"]["assent/service"] = json!("shop");
        };
        assert_eq!(code(&named), Err("not_bound"));
        let image = |it: &mut Value| {
            let containers = &mut it["spec"]["template"]["spec"]["containers"];
            containers[0]["image"] = json!(format!("ledger@{}", digest('a')));
        };
        assert_eq!(code(&image), Err("not_bound"));
        let site = |namespace, bindings| Site {
            environment: "production",
            namespace,
            is_made: false,
            bindings,
        };
        let (bindings, none) = (cluster(), None);
        assert_eq!(
            read(&good, path, site("other", Some(&bindings))).unwrap_err().code,
            "not_bound"
        );
        assert_eq!(read(&good, path, site("shop", none)).unwrap_err().code, "not_bound");
    }

    fn is_kept(before: &Value, path: &[&str], change: impl FnOnce(&mut Value)) -> bool {
        let mut after = before.clone();
        change(&mut after);
        is_unchanged(before, &after, path)
    }

    /// A workload from before the gate must be able to shrink, to get status updates and to end.
    #[test]
    fn an_update_is_unchanged_only_where_nothing_changes_that_a_policy_names() {
        let path = template_path("apps", "Deployment").unwrap();
        for before in [deployment("shop:1", 2), deployment(&format!("shop@{}", digest('a')), 2)] {
            let changed = |change: fn(&mut Value)| is_kept(&before, path, change);
            assert!(changed(|it| it["metadata"]["finalizers"] = json!([])));
            assert!(changed(|it| it["metadata"]["labels"]["team"] = json!("docks")));
            assert!(changed(|it| it["spec"]["replicas"] = json!(0)));
            assert!(changed(|it| it["spec"]["strategy"] = json!({"type": "Recreate"})));
            assert!(changed(
                |it| it["spec"]["template"]["metadata"]["annotations"]["kubectl.kubernetes.io/restartedAt"] =
                    json!("x")
            ));
            assert!(!changed(|it| it["spec"]["replicas"] = json!(3)));
            assert!(!changed(
                |it| it["spec"]["selector"] = json!({"matchLabels": {"app": "x"}})
            ));
            assert!(!changed(|it| it["metadata"]["labels"]["assent/service"] = json!("x")));
            assert!(!changed(
                |it| it["metadata"]["annotations"] = json!({"assent/change": "CHG-1"})
            ));
            assert!(!changed(
                |it| it["spec"]["template"]["metadata"]["labels"] = json!({"app": "x"})
            ));
        }
        let pod = template_path("", "Pod").unwrap();
        let before = json!({"spec": {"containers": [{"name": "web", "image": "shop:1"}]}});
        assert!(is_unchanged(&before, &before, pod));
        assert!(is_kept(&before, pod, |it| it["spec"]["schedulingGates"] = json!([])));
        assert!(!is_kept(&before, pod, |it| it["metadata"] = json!({"labels": {"app": "x"}})));
        let debug = json!([{"name": "debug", "image": "busybox"}]);
        assert!(!is_kept(&before, pod, |it| it["spec"]["ephemeralContainers"] = debug));
        assert!(
            !is_unchanged(&Value::Null, &Value::Null, path),
            "what names no container is no workload"
        );
    }

    /// Every field of a pod's specification is judged: each field alone, for each kind.
    #[test]
    fn every_field_of_a_pod_is_judged() {
        let container = json!({"name": "web", "image": "shop:1"});
        let fields = [
            ("hostNetwork", json!(true)),
            ("hostPID", json!(true)),
            ("hostIPC", json!(true)),
            ("hostUsers", json!(true)),
            ("serviceAccountName", json!("admin")),
            ("securityContext", json!({"runAsUser": 0})),
            ("volumes", json!([{"name": "root", "hostPath": {"path": "/"}}])),
            ("nodeName", json!("master")),
            ("runtimeClassName", json!("x")),
            ("initContainers", json!([{"name": "x", "image": "x:1"}])),
        ];
        let of_container = [
            ("image", json!("shop:2")),
            ("command", json!(["sh"])),
            ("args", json!(["-c", "x"])),
            ("env", json!([{"name": "A", "value": "b"}])),
            ("securityContext", json!({"privileged": true})),
            ("volumeMounts", json!([{"name": "root", "mountPath": "/"}])),
            ("lifecycle", json!({"postStart": {"exec": {"command": ["sh"]}}})),
            ("livenessProbe", json!({"exec": {"command": ["sh"]}})),
        ];
        for (_, kind, path) in KINDS {
            let mut before = json!({"metadata": {"name": "shop"}});
            let mut at = &mut before;
            for field in *path {
                at = &mut at[*field];
            }
            at["spec"] = json!({"containers": [container]});
            let place = |it: &mut Value, field: &str, value: &Value| {
                let spec = path.iter().fold(it, |it, field| &mut it[*field]);
                spec["spec"][field] = value.clone();
            };
            for (field, value) in &fields {
                assert!(!is_kept(&before, path, |it| place(it, field, value)), "{kind} {field}");
            }
            for (field, value) in &of_container {
                let mut other = container.clone();
                other[*field] = value.clone();
                let change = |it: &mut Value| place(it, "containers", &json!([other]));
                assert!(!is_kept(&before, path, change), "{kind} container {field}");
            }
        }
    }

    #[test]
    fn jobs_may_stop_and_not_go_on_or_grow_unjudged() {
        let path = template_path("batch", "CronJob").unwrap();
        let before = json!({"spec": {"suspend": true, "schedule": "0 * * * *", "jobTemplate": {"spec": {"parallelism": 2,
            "template": {"spec": {"containers": [{"name": "web", "image": "shop:1"}]}}}}}});
        let changed = |change: fn(&mut Value)| is_kept(&before, path, change);
        assert!(!changed(|it| it["spec"]["suspend"] = json!(false)));
        assert!(!changed(|it| drop(
            it["spec"].as_object_mut().unwrap().remove("suspend")
        )));
        assert!(!changed(|it| it["spec"]["schedule"] = json!("* * * * *")));
        assert!(!changed(
            |it| it["spec"]["jobTemplate"]["spec"]["parallelism"] = json!(3)
        ));
        assert!(!changed(
            |it| it["spec"]["jobTemplate"]["spec"]["completions"] = json!(3)
        ));
        assert!(changed(|it| it["spec"]["jobTemplate"]["spec"]["parallelism"] = json!(1)));
        let path = template_path("batch", "Job").unwrap();
        let before = json!({"spec": {"template": {"spec": {"containers": [{"name": "web", "image": "shop:1"}]}}}});
        assert!(is_kept(&before, path, |it| it["spec"]["suspend"] = json!(true)));
        assert!(!is_kept(&before, path, |it| it["spec"]["parallelism"] = json!(5)));
    }

    /// A service's programs may be mounted from an image as well as be one.
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
        let code = |object: &Value| bound(object, path).map_err(|unclear| unclear.code);
        assert_eq!(code(&with("code:1")).unwrap_err(), "image_without_digest");
        assert_eq!(code(&with("")).unwrap_err(), "image_without_digest");
        let brought = code(&with(&format!("code@{}", digest('c')))).unwrap();
        let last = brought.images.last().unwrap();
        assert_eq!((last.container.as_str(), &last.digest), ("code", &digest('c')));
        assert!(!is_unchanged(&plain, &with("code:1"), path));
        assert!(is_unchanged(&with("code:1"), &with("code:1"), path));
    }
}
