"""Runs a composite action of GitHub as a runner does: inputs, outputs, environment, one bash for each step.

    composite.py FOLDER NAME=VALUE...

Reads of the expressions only what the actions here use; any other is an error, so nothing is passed over. Prints the outputs as
JSON on the last line. Steps see GITHUB_PATH and GITHUB_OUTPUT as files; what they add to the path is printed as well, for the
job's next action.
"""

import json
import os
import re
import subprocess
import sys
import tempfile

import yaml

EXPRESSION = re.compile(r"\$\{\{\s*([^}]*?)\s*\}\}")


def resolve(text, known):
    def value(match):
        name = match.group(1)
        if name not in known:
            sys.exit(f"the expression `{name}` is unknown here")
        return known[name]

    return EXPRESSION.sub(value, str(text))


def inputs_of(action, given):
    declared = action.get("inputs", {})
    unknown = sorted(set(given) - set(declared))
    if unknown:
        sys.exit(f"unknown inputs: {unknown}")
    known = {}
    for name, about in declared.items():
        if about.get("required") and name not in given:
            sys.exit(f"the input `{name}` is required")
        known[f"inputs.{name}"] = given.get(name, str(about.get("default", "")))
    return known


def read_pairs(path):
    with open(path, encoding="utf-8") as file:
        return dict(line.rstrip("\n").split("=", 1) for line in file if line.strip())


def run_step(step, known, work):
    allowed = {"id", "shell", "env", "run", "name"}
    odd = sorted(set(step) - allowed)
    if odd or step.get("shell") != "bash":
        sys.exit(f"a step has what this runner does not know: {odd}")
    if EXPRESSION.search(step["run"]):
        # GitHub pastes the value into the script before bash reads it, so a value could be a command.
        sys.exit("an expression stands in a script; pass it by env")
    script, output, path = (os.path.join(work, name) for name in ("script.sh", "output", "path"))
    for file, text in ((script, step["run"]), (output, ""), (path, "")):
        with open(file, "w", encoding="utf-8") as opened:
            opened.write(text)
    own = {name: resolve(value, known) for name, value in step.get("env", {}).items()}
    env = os.environ | own | {"GITHUB_OUTPUT": output, "GITHUB_PATH": path, "RUNNER_TEMP": os.environ.get("RUNNER_TEMP", work)}
    done = subprocess.run(["bash", "--noprofile", "--norc", "-eo", "pipefail", script], env=env, check=False)
    if done.returncode != 0:
        sys.exit(done.returncode)
    if "id" in step:
        known.update({f"steps.{step['id']}.outputs.{name}": value for name, value in read_pairs(output).items()})
    with open(path, encoding="utf-8") as file:
        return [line.strip() for line in file if line.strip()]


def main():
    folder, *words = sys.argv[1:]
    with open(os.path.join(folder, "action.yml"), encoding="utf-8") as file:
        action = yaml.safe_load(file)
    if action["runs"]["using"] != "composite":
        sys.exit("only composite actions run here")
    known = inputs_of(action, dict(word.split("=", 1) for word in words))
    known["github.action_path"] = os.path.abspath(folder)
    added = []
    with tempfile.TemporaryDirectory() as work:
        for step in action["runs"]["steps"]:
            added += run_step(step, known, work)
    outputs = {name: resolve(about["value"], known) for name, about in action.get("outputs", {}).items()}
    print(json.dumps({"outputs": outputs, "path": added}))


main()
