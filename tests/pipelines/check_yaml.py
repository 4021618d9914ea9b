"""Parses every YAML file of the packaging and every YAML block of the pages about pipelines; prints how many, or what is wrong."""

import pathlib
import re
import sys

import kubernetes_validate
import yaml

BLOCK = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)


class Loader(yaml.SafeLoader):
    """Refuses a key that stands twice, which YAML forbids and PyYAML passes over."""


def mapping(loader, node, deep=False):
    keys = [loader.construct_object(key, deep=True) for key, _ in node.value]
    twice = {key for key in keys if keys.count(key) > 1}
    if twice:
        raise yaml.YAMLError(f"{node.start_mark}: twice: {sorted(map(str, twice))}")
    return yaml.SafeLoader.construct_mapping(loader, node, deep)


Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, mapping)


def texts(root):
    for pattern in ("packaging/**/*.yml", "packaging/**/*.yaml", ".github/**/*.yml", ".gitlab-ci.yml"):
        for path in sorted(root.glob(pattern)):
            # Templates of Helm are YAML only once they are rendered.
            if "templates" not in path.parts:
                yield str(path), path.read_text(encoding="utf-8")
    for path in sorted(root.glob("docs/guide/pipelines/*.md")):
        for number, block in enumerate(BLOCK.findall(path.read_text(encoding="utf-8")), 1):
            yield f"{path}, block {number}", block


def check_manifest(name, document):
    """Holds what is Kubernetes' own to its schema; kinds of Argo CD, Flux and Tekton are not in it."""
    if not isinstance(document, dict) or not {"apiVersion", "kind"} <= set(document):
        return
    group = document["apiVersion"].partition("/")[0]
    if "." in group and not group.endswith(".k8s.io"):
        return
    try:
        kubernetes_validate.validate(document, "1.37", strict=True)
    except kubernetes_validate.ValidationError as error:
        sys.exit(f"{name}: {document['kind']}: {error.message}")


def main():
    count = 0
    for name, text in texts(pathlib.Path(sys.argv[1])):
        try:
            documents = [document for document in yaml.load_all(text, Loader) if document is not None]
        except yaml.YAMLError as error:
            sys.exit(f"{name}: {error}")
        if not documents:
            sys.exit(f"{name} holds nothing")
        for document in documents:
            check_manifest(name, document)
        count += 1
    print(count)


main()
