"""Prints, as a script for bash, what a platform runs to ask the gate, with the values that its user sets.

    steps.py PLATFORM NAME=VALUE...
    steps.py record-PLATFORM NAME=VALUE...    what records that the deployment failed, in the folder that the first was run in

Each platform's own placeholders are filled in the way that it documents; one without a value is an error. What comes out is what
the platform would have the runner do, so the platform itself stays untested.
"""

import pathlib
import re
import shlex
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2] / "packaging"


def documents(name):
    return list(yaml.safe_load_all((ROOT / name).read_text(encoding="utf-8")))


def filled(text, pattern, known):
    def value(match):
        if match.group(1) not in known:
            sys.exit(f"`{match.group(0)}` has no value")
        return known[match.group(1)]

    return re.sub(pattern, value, text)


def exports(env, pattern, known):
    lines = (f"export {name}={shlex.quote(filled(str(value), pattern, known))}" for name, value in env.items())
    return "\n".join(lines)


def gitlab_job(known, name, part):
    head, jobs = documents("gitlab/gate.yml")
    declared = head["spec"]["inputs"]
    values = {name: known.get(name, (about or {}).get("default")) for name, about in declared.items()}
    job = jobs[name]
    pattern = r"\$\[\[ inputs\.(\w+) \]\]"
    return "\n".join([exports(job["variables"], pattern, values), *(filled(line, pattern, values) for line in job[part])])


def gitlab(known):
    return gitlab_job(known, "assent-gate", "script")


def record_gitlab(known):
    return "set -a; . ./assent.env; CI_JOB_STATUS=failed; set +a\n" + gitlab_job(known, ".assent-record", "after_script")


def record_azure(known):
    step = documents("azure-devops/record.yml")[0]["steps"][0]
    # What the gate's step sets as variables of the job.
    job = "export ASSENT_CHANGE=$(jq -r .change gate.json) ASSENT_TARGET=$(jq -r .target gate.json) STATUS=Failed\n"
    return job + f"export ASSENT_SERVER={shlex.quote(known['server'])}\n" + step["bash"]


def azure(known):
    template = documents("azure-devops/gate.yml")[0]
    defaults = {row["name"]: row["default"] for row in template["parameters"] if "default" in row}
    values = defaults | known
    step = template["steps"][0]
    env = {name: value for name, value in step["env"].items() if name != "ASSENT_TOKEN"}
    return exports(env, r"\$\{\{ parameters\.(\w+) \}\}", values) + "\n" + step["bash"]


def buildkite(known, number=0):
    step = documents("buildkite/pipeline.yml")[0]["steps"][number]
    named = {"ASSENT_SERVER": known["server"], "ASSENT_VERSION": known["version"], "ASSENT_RELEASE": known["source"]}
    if set(step["env"]) - set(named):
        sys.exit("the step sets what is not known here")
    return exports(named | {"ARTIFACT": known["artifact"]}, r"(?!)", {}) + "\n" + step["command"].replace("$$", "$")


def tekton(known):
    task = documents("tekton/task.yaml")[0]
    defaults = {row["name"]: row["default"] for row in task["spec"]["params"] if "default" in row}
    values = {f"params.{name}": value for name, value in (defaults | known).items()} | {"workspaces.permit.path": "."}
    step = task["spec"]["steps"][0]
    words = [filled(word, r"\$\(([\w.]+)\)", values) for word in step["args"]]
    server = next(row["value"] for row in step["env"] if row["name"] == "ASSENT_SERVER")
    return exports({"ASSENT_SERVER": server}, r"\$\(([\w.]+)\)", values) + "\n" + shlex.join(["assent", *words])


def record_tekton(known):
    step = documents("tekton/task.yaml")[1]["spec"]["steps"][0]
    values = {f"params.{name}": value for name, value in (known | {"status": "Failed"}).items()}
    env = {row["name"]: row["value"] for row in step["env"] if "value" in row}
    return exports(env, r"\$\(([\w.]+)\)", values) + "\n" + step["script"]


def record_flux(known):
    named = {"SERVICE": known["service"], "ENVIRONMENT": known["environment"], "ASSENT_SERVER": known["server"], "WAIT": known["wait"]}
    script = shlex.quote(str(ROOT / "flux/record.sh"))
    return exports(named, r"(?!)", {}) + f"\nsh {script} edge-dns-gate edge-dns"


def job(name, known):
    container = documents(name)[0]["spec"]["template"]["spec"]["containers"][0]
    env = {row["name"] for row in container["env"]}
    if env != {"ASSENT_SERVER", "ASSENT_TOKEN"}:
        sys.exit(f"the container gets {sorted(env)}")
    words = [word.replace("sha256:" + "0" * 64, known["artifact"]) for word in container["args"]]
    return f"export ASSENT_SERVER={shlex.quote(known['server'])}\n" + shlex.join(["assent", *words])


PLATFORMS = {
    "gitlab": gitlab,
    "azure-devops": azure,
    "buildkite": buildkite,
    "tekton": tekton,
    "argo-cd": lambda known: job("argo-cd/presync.yaml", known),
    "flux": lambda known: job("flux/job.yaml", known),
    "record-gitlab": record_gitlab,
    "record-azure-devops": record_azure,
    "record-buildkite": lambda known: buildkite(known, 1),
    "record-tekton": record_tekton,
    "record-flux": record_flux,
}


def main():
    platform, *words = sys.argv[1:]
    print(PLATFORMS[platform](dict(word.split("=", 1) for word in words)))


main()
