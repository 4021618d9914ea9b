# Sourced by every walk of this guide. Needs curl and jq, and the demo's credentials file.
# ASSENT_CREDENTIALS: path of demo-credentials.json (default ./assent-data/demo-credentials.json).
# A walk ends at its first mistake; a shell that somebody types in does not close for one.
case $- in *i*) ;; *) set -euo pipefail ;; esac
# Some walks use the command line: where it is not installed, it is the one that the demo was built as.
command -v assent >/dev/null || PATH=$PATH:$PWD/target/release
ASSENT_CREDENTIALS=${ASSENT_CREDENTIALS:-assent-data/demo-credentials.json}
# What the file says is read once: TOKENOWNER is the token of the owner, LOGINOWNER what they sign in with. A person made on the
# way has such variables too.
while read -r role login token; do
  case $role in server) SERVER=${ASSENT_SERVER:-$login} ;; *) printf -v "LOGIN${role^^}" %s "$login"; printf -v "TOKEN${role^^}" %s "$token" ;; esac
done < <(jq -r '"server \(.server)", (.people[] | "\(.role) \(.login) \(.token)")' "$ASSENT_CREDENTIALS")

# token ROLE: that person's token.
token() { local made="TOKEN${1^^}"; echo "${!made}"; }

# login ROLE: what that person signs in with; a person made on the way is their own role.
login() { local known="LOGIN${1^^}"; echo "${!known:-$1}"; }

# person LOGIN ROLES SERVICE PARTS…: makes a person with these rights (a JSON list) and these parts in a service; prints a token.
person() {
  local login=$1 roles=$2 service=$3 part; shift 3
  call admin POST /people "{\"login\": \"$login\", \"name\": \"${login^}\", \"roles\": $roles}" >/dev/null
  for part in "$@"; do
    call admin POST /ownerships "{\"service\": \"$service\", \"role\": \"$part\", \"person\": \"$login\"}" >/dev/null
  done
  call admin POST /tokens "{\"name\": \"$login\", \"person\": \"$login\", \"scopes\": [\"read\", \"write\"]}" | jq -r .token
}

# in_force JSON: puts a set of policies in force, by two people.
in_force() {
  local id; id=$(call admin POST /policies "$1" | jq -r .id)
  call change_manager POST "/configurations/$id/activation" '{}' >/dev/null
}

# in_session ROLE PATH JSON: asks as that person in a session with a fresh factor, which a token cannot show.
in_session() {
  local role=$1 path=$2 body=$3 jar password tenant; jar=$(mktemp)
  password=$(jq -r --arg role "$role" '.people[] | select(.role == $role) | .password' "$ASSENT_CREDENTIALS")
  tenant=$(jq -r --arg role "$role" '.people[] | select(.role == $role) | .tenant' "$ASSENT_CREDENTIALS")
  local -a ask=(curl -sS --fail-with-body -o /dev/null -b "$jar" -c "$jar" -H "Origin: $SERVER" -H 'Content-Type: application/json')
  "${ask[@]}" "$SERVER/api/v1/session" -d "{\"tenant\": \"$tenant\", \"login\": \"$(login "$role")\", \"password\": \"$password\"}"
  "${ask[@]}" "$SERVER/api/v1/session/step-up" -d "{\"password\": \"$password\"}"
  "${ask[@]}" "$SERVER/api/v1$path" -d "$body"
  rm -f "$jar"
}

# browser ROLE: signs that person in with their password; the cookie stands in the file $JAR, and asking goes by browse METHOD PATH [JSON].
browser() {
  local password tenant; JAR=$(mktemp)
  password=$(jq -r --arg role "$1" '.people[] | select(.role == $role) | .password' "$ASSENT_CREDENTIALS")
  tenant=$(jq -r --arg role "$1" '.people[] | select(.role == $role) | .tenant' "$ASSENT_CREDENTIALS")
  browse POST /session "{\"tenant\": \"$tenant\", \"login\": \"$(login "$1")\", \"password\": \"$password\"}" >/dev/null
}
browse() { curl -sS -b "$JAR" -c "$JAR" -X "$1" -H "Origin: $SERVER" -H 'Content-Type: application/json' -d "${3:-}" "$SERVER/api/v1$2"; }

# code SECRET: what an authenticator app with this secret shows now (RFC 6238).
code() {
  local key step mac offset
  key=$(echo "$1" | base32 -d | od -An -tx1 | tr -d ' \n')
  step=$(printf '%016x' $(( $(date -u -d "${ASSENT_NOW:-now}" +%s) / 30 )) | sed 's/../\\x&/g')
  mac=$(printf "$step" | openssl dgst -sha1 -mac HMAC -macopt "hexkey:$key" | sed 's/.*= //')
  offset=$(( 16#${mac:39:1} * 2 ))
  printf '%06d' $(( (16#${mac:$offset:8} & 0x7fffffff) % 1000000 ))
}

# enrol ROLE: sets up an authenticator app for that person and prints its secret.
enrol() {
  local made secret; browser "$1"
  made=$(browse POST /second-factors/totp '{"name": "Phone"}')
  secret=$(echo "$made" | jq -r .secret)
  browse POST "/second-factors/$(echo "$made" | jq -r .id)/confirmation" "{\"code\": \"$(code "$secret")\"}" | grep recovery_codes >/dev/null
  rm -f "$JAR"; echo "$secret"
}

# in_session_with SECRET ROLE PATH JSON: asks as that person in a session in which a code of their authenticator app was shown.
in_session_with() {
  browser "$2"
  browse POST /session/step-up "{\"code\": \"$(code "$1")\"}" | jq -e .is_second_factor >/dev/null
  browse POST "$3" "$4" | jq -e '.code == null' >/dev/null
  rm -f "$JAR"
}

# password_refused ROLE PATH JSON: the same with nothing but the password must be refused for want of a second factor.
password_refused() {
  browser "$1"
  browse POST "$2" "$3" | jq -e '.code == "step_up_required" and (.detail | contains("second factor"))' >/dev/null
  rm -f "$JAR"
}

# at "+2 hours": a time in UTC, counted from now.
at() { date -u -d "${ASSENT_NOW:-$(date -u '+%F %T UTC')} $1" +%FT%TZ; }

# fresh: a digest that nobody has used, as a build would give it.
fresh() { echo "sha256:$(head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n')"; }

# call ROLE METHOD PATH [JSON]: asks the API as that person and prints the answer; fails unless the answer is 2xx.
call() {
  local role=$1 method=$2 path=$3 body=${4:-} answer status
  local -a more=()
  if [ -n "$body" ]; then more+=(-H 'Content-Type: application/json' -d "$body"); fi
  if [ "$method" = PATCH ] || [ "$method" = PUT ]; then
    case $path in
      /changes/*) more+=(-H "If-Match: $(etag "$role" "$(echo "$path" | cut -d/ -f3)")");;
      /incidents/*|/service-leads/*|/lesson-sessions/*|/customer-lists/*) more+=(-H 'If-Match: *');;
      /freezes/*|/windows/*|/joint-maintenances/*|/connections/*|/dashboards/*|/people/*/telling|/access-review-schedule) more+=(-H "If-Match: $(version "$role" "$path")");;
    esac
  fi
  answer=$(curl -sS -X "$method" -H "Authorization: Bearer $(token "$role")" -w '\n%{http_code}' "${more[@]}" "$SERVER/api/v1$path")
  status=${answer##*$'\n'}
  answer=${answer%$'\n'*}
  echo "$answer"
  case $status in 2*) return 0;; esac
  echo "$role $method $path: $status" >&2
  echo "$answer" >&2
  return 1
}

# version ROLE PATH: the present ETag of what stands at a path.
version() { curl -sS -o /dev/null -D - -H "Authorization: Bearer $(token "$1")" "$SERVER/api/v1$2" | tr -d '\r' | sed -n 's/^[Ee][Tt][Aa][Gg]: //p'; }

# etag ROLE KEY: the present ETag of a change.
etag() { version "$1" "/changes/$2"; }

# refused STATUS CODE ROLE METHOD PATH [JSON]: the same question must be refused with this status and code.
refused() {
  local want=$1 code=$2; shift 2
  local answer
  if answer=$(call "$@" 2>&1 >/dev/null); then echo "was not refused: $*" >&2; return 1; fi
  grep -q ": $want\$" <<<"$answer" || { echo "not $want: $answer" >&2; return 1; }
  grep -q "\"$code\"" <<<"$answer" || { echo "no $code in: $answer" >&2; return 1; }
}

# state KEY: where a change stands.
state() { call requester GET "/changes/$1" | jq -r .state; }

# fact KEY FILTER VALUE: the change must say so; timers get twenty seconds to come to it.
fact() {
  local found tries
  for tries in $(seq 100); do
    found=$(call requester GET "/changes/$1" | jq -r "$2")
    if [ "$found" = "$3" ]; then echo "$1: $2 is $found"; return 0; fi
    sleep 0.2
  done
  echo "$1: $2 is $found, not $3" >&2
  call requester GET "/changes/$1/requirements" >&2
  return 1
}

# expect KEY STATE: it must stand there.
expect() { fact "$1" .state "$2"; }

# approve ROLE KEY: a yes on exactly the text that stands there now.
approve() {
  local digest; digest=$(call "$1" GET "/changes/$2" | jq -r .content_digest)
  call "$1" POST "/changes/$2/approvals" "{\"decision\": \"approve\", \"content_digest\": \"$digest\"}" >/dev/null
}

# gate SERVICE ARTIFACT: go or stop, with the codes of what is missing.
gate() {
  curl -sS -H "Authorization: Bearer $(token pipeline)" "$SERVER/api/v1/gate?service=$1&environment=production&artifact=$2" \
    | jq -r '.decision + " " + ([.reasons[].code] | join(","))'
}

# expect_gate SERVICE ARTIFACT go|stop
expect_gate() {
  local found; found=$(gate "$1" "$2")
  [ "${found%% *}" = "$3" ] || { echo "the gate says $found, not $3" >&2; return 1; }
  echo "the gate says $found"
}

# change TITLE SERVICE ARTIFACT START END: makes a low-risk change, submits and assesses it, prints its key.
change() {
  local key
  key=$(call requester POST /changes "{
    \"title\": \"$1\", \"description\": \"What the guide's walk does.\", \"justification\": \"To show the way.\",
    \"category\": \"application\", \"complexity\": \"low\",
    \"impact\": {\"data\": \"none\", \"availability\": \"low\", \"compliance\": \"none\"},
    \"targets\": [{\"service\": \"$2\", \"environment\": \"production\", \"artifact\": \"$3\"}],
    \"planned_start\": \"$4\", \"planned_end\": \"$5\",
    \"plan\": [{\"title\": \"Bring it out\", \"minutes\": 10}],
    \"rollback_plan\": [{\"title\": \"Bring the old one back\", \"minutes\": 5}], \"rollback_minutes\": 5
  }" | jq -r .key)
  call requester POST "/changes/$key/submission" '{}' >/dev/null
  call requester POST "/changes/$key/assessment" '{"dependencies_reviewed": true}' >/dev/null
  echo "$key"
}

# evidence KEY ARTIFACT: passed functional evidence from staging.
evidence() {
  call requester POST "/changes/$1/evidence" "{\"kind\": \"note\", \"aspect\": \"functional\", \"result\": \"passed\",
    \"name\": \"Tests in staging\", \"environment\": \"staging\", \"artifact\": \"$2\", \"text\": \"412 of 412 passed\"}" >/dev/null
}

# finish KEY [CAUSE]: validation, review, closure; the review of a change that failed names its root cause.
finish() {
  call owner POST "/changes/$1/validation" '{"result": "works", "text": "Looked at it."}' >/dev/null
  call requester POST "/changes/$1/review" "{\"objectives_met\": true, \"assessment_adequate\": true, \"steps_adequate\": true,
    \"summary\": \"As planned.\"${2:+, \"cause\": \"$2\"}}" >/dev/null
  call requester POST "/changes/$1/closure" '{}' >/dev/null
}

# through SERVICE ENVIRONMENT ARTIFACT [HEADER…]: what a gateway is told: the decision, with the first reason or the change.
through() {
  local place=$1/$2 artifact=$3 header; shift 3
  local -a more=()
  for header in "$@"; do more+=(-H "$header"); done
  curl -sS -H "Authorization: Bearer $(token pipeline)" -H "Assent-Artifact: $artifact" "${more[@]}" "$SERVER/gateway/http/$place" \
    | jq -r '.decision + " " + (.reasons[0].code // .change)'
}

# findings SERVICE DAYS: what is amiss with its coverage in production, when so many days count as silence.
findings() {
  call auditor GET "/coverage?service=$1&days=$2" \
    | jq -r '[.items[] | select(.environment == "production") | .findings[].code] | join(",")'
}

# check SERVICE ENVIRONMENT ARTIFACT: a recorded question; on go it carries the permit.
check() { call pipeline POST /gate-checks "{\"service\": \"$1\", \"environment\": \"$2\", \"artifact\": \"$3\"}"; }

# deliver HOOK SECRET JSON: what an outside system sends; the connection's secret stands in for a person.
deliver() {
  curl -sS -f -o /dev/null -X POST -H "Authorization: Bearer $2" -H 'Content-Type: application/json' -d "$3" "$SERVER$1"
}

# deliver_github HOOK SECRET EVENT JSON: the same, signed as GitHub signs.
deliver_github() {
  local signature; signature=$(printf %s "$4" | openssl dgst -sha256 -hmac "$2" -r | cut -d' ' -f1)
  curl -sS -f -o /dev/null -X POST -H "X-Hub-Signature-256: sha256=$signature" -H "X-GitHub-Event: $3" \
    -H "X-GitHub-Delivery: $(fresh | cut -c8-40)" -H 'Content-Type: application/json' -d "$4" "$SERVER$1"
}

# told CONNECTION COUNT: so many of its deliveries must have been read; the worker gets twenty seconds for it.
told() {
  local found tries
  for tries in $(seq 100); do
    found=$(call admin GET "/connections/$1/deliveries?state=done" | jq '.items | length')
    if [ "$found" = "$2" ]; then return 0; fi
    sleep 0.2
  done
  echo "$found deliveries were read, not $2" >&2
  call admin GET "/connections/$1/deliveries" >&2
  return 1
}

# snow ROLE METHOD PATH [CURL…]: asks as a client of ServiceNow does.
snow() { local role=$1 method=$2 path=$3; shift 3; curl -sS -u "x:$(token "$role")" -X "$method" -H 'Content-Type: application/json' "$SERVER$path" "$@"; }

# devops TOKEN METHOD PATH [CURL…]: asks as a step of ServiceNow DevOps does, with a token behind the id of its tool.
devops() { local key=$1 method=$2 path=$3; shift 3; curl -sS -X "$method" -H "Authorization: sn_devops.DevOpsToken tool:$key" -H 'Content-Type: application/json' "$SERVER/api/sn_devops/v2/devops/$path" "$@"; }

# jira TOKEN METHOD PATH [CURL…]: asks as a client of Jira Cloud does.
jira() { local key=$1 method=$2 path=$3; shift 3; curl -sS -X "$method" -H "Authorization: Bearer $key" -H 'Content-Type: application/json' "$SERVER/rest/$path" "$@"; }
