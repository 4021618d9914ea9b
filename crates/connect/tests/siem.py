"""Reads what sinks send with foreign parsers: `ocsf` (events against the compiled schema), `cef` (pycef), `otlp` and `traces` (OpenTelemetry's own
messages). The rendered bytes come on standard input."""

import json
import subprocess
import sys
import tarfile
import tempfile


def compiled(archive):
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(archive) as tar:
            # Debian 12's Python, 3.11.2, has no filter yet.
            if hasattr(tarfile, "data_filter"):
                tar.extraction_filter = tarfile.data_filter
            tar.extractall(folder)
        done = subprocess.run([sys.executable, "-m", "ocsf.compile", folder], capture_output=True, check=True)
    return json.loads(done.stdout)


WHOLE = {"integer_t", "long_t", "timestamp_t", "port_t"}


def check_value(schema, name, attribute, value, path):
    if attribute.get("is_array"):
        assert isinstance(value, list), f"{path} is no list"
        one = dict(attribute, is_array=False)
        for place, inner in enumerate(value):
            check_value(schema, name, one, inner, f"{path}[{place}]")
        return
    kind = attribute["type"]
    if kind in WHOLE:
        assert isinstance(value, int) and not isinstance(value, bool), f"{path} is no whole number"
        words = attribute.get("enum")
        assert not words or str(value) in words, f"{path}: {value} is no word of the schema"
    elif attribute.get("object_type") or kind in schema["objects"] or kind == "object_t":
        of = attribute.get("object_type") or kind
        if of not in ("object", "object_t"):
            check_object(schema, schema["objects"][of], value, path)
    elif kind == "boolean_t":
        assert isinstance(value, bool), f"{path} is no boolean"
    else:
        assert isinstance(value, str) and value, f"{path} is no text"


def check_object(schema, shape, value, path):
    assert isinstance(value, dict), f"{path} is no object"
    for name, attribute in shape["attributes"].items():
        if attribute.get("requirement") == "required" and attribute.get("profile") in (None, "host"):
            assert name in value, f"{path}.{name} is missing"
    for name, inner in value.items():
        assert name in shape["attributes"], f"{path}.{name} is unknown to the schema"
        check_value(schema, name, shape["attributes"][name], inner, f"{path}.{name}")
    needed = (shape.get("constraints") or {}).get("at_least_one")
    assert not needed or any(name in value for name in needed), f"{path} has none of {needed}"


def ocsf(archive):
    schema = compiled(archive)
    by_number = {shape["uid"]: shape for shape in schema["classes"].values()}
    events = json.load(sys.stdin)
    seen = set()
    for event in events:
        shape = by_number[event["class_uid"]]
        check_object(schema, shape, event, event["message"])
        assert event["type_uid"] == event["class_uid"] * 100 + event["activity_id"]
        seen.add(event["class_uid"])
    for broken in (lambda it: it.pop("metadata"), lambda it: it.update(made_up=1), lambda it: it.update(severity_id=42)):
        event = json.loads(json.dumps(events[0]))
        broken(event)
        try:
            check_object(schema, by_number[event["class_uid"]], event, "broken")
        except AssertionError:
            continue
        raise SystemExit("a broken event was taken")
    print(json.dumps(sorted(seen)))


def cef():
    import pycef

    read = [pycef.parse(line) for line in sys.stdin.read().splitlines()]
    print(json.dumps(read))


def otlp():
    from google.protobuf import json_format
    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

    request = json_format.Parse(sys.stdin.read(), ExportLogsServiceRequest())
    records = request.resource_logs[0].scope_logs[0].log_records
    print(json.dumps([[record.body.string_value, record.time_unix_nano, record.severity_number] for record in records]))


def traces():
    from base64 import b64encode

    from google.protobuf import json_format
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    told = json.load(sys.stdin)
    # OTLP writes ids in hexadecimal where JSON of Protocol Buffers has base64.
    for span in told["resourceSpans"][0]["scopeSpans"][0]["spans"]:
        for name in ("traceId", "spanId", "parentSpanId"):
            if name in span:
                span[name] = b64encode(bytes.fromhex(span[name])).decode()
    request = json_format.ParseDict(told, ExportTraceServiceRequest())
    spans = request.resource_spans[0].scope_spans[0].spans
    print(json.dumps([[span.trace_id.hex(), len(span.span_id), span.parent_span_id.hex(), span.kind, span.status.code] for span in spans]))


{"ocsf": ocsf, "cef": cef, "otlp": otlp, "traces": traces}[sys.argv[1]](*sys.argv[2:])
