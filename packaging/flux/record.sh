#!/bin/sh
# Records how Flux ended. The job that committed the digest runs it, with assent, flux and jq in its path, because Flux runs
# nothing after a failure. Needs SERVICE, ENVIRONMENT, ARTIFACT, ASSENT_SERVER and ASSENT_TOKEN.
#
#   record.sh GATE APPLICATION     the two Kustomizations
set -eu

gate=${1:?name the Kustomization of the gate}
application=${2:?name the Kustomization of the application}
assent --json gate check --service "$SERVICE" --environment "$ENVIRONMENT" --artifact "$ARTIFACT" --wait "${WAIT:-30m}" > gate.json || { code=$?; cat gate.json; exit $code; }
outcome=failed
if flux reconcile kustomization "$gate" --with-source --timeout 35m && flux reconcile kustomization "$application" --timeout 35m; then
  outcome=succeeded
fi
assent change complete "$(jq -r .change gate.json)" --target "$(jq -r .target gate.json)" --outcome "$outcome"
test "$outcome" = succeeded
