#!/bin/bash
# Installs what `cargo xtask dist` made where nothing else is: the package on a bare Debian, the client in an empty folder, the
# image with a root that cannot be written. Before both servers stands nginx, with the block of its setup page as it is written there.
# Only root may do that, and only this script's own processes are ended.
#
#   walk.sh FOLDER VERSION     the folder of the release
#
# ASSENT_TEST_MIRROR names the mirror of Debian; debootstrap's own is the default. ASSENT_TEST_DEBIAN names a root that
# debootstrap made before: it is copied instead.
set -euo pipefail

release=$(realpath "${1:?name the folder of the release}")
version=${2:?name the version}
page=$(dirname "$(realpath "$0")")/../../docs/operations/setup/reverse-proxy.md
work=$(mktemp -d)
server=
proxy=
finish() {
  for process in $server $proxy; do kill "$process" 2>/dev/null || true; wait "$process" 2>/dev/null || true; done
  rm -rf --one-file-system "$work"
}
trap finish EXIT

step() { echo "--- $*"; }
wrong() { echo "WRONG: $*" >&2; exit 1; }
port=$((20000 + RANDOM % 10000))
outer=$((port + 10000))
# People and pipelines come by nginx and TLS; whether the server is ready is asked at its own door.
url=https://127.0.0.1:$outer
inner=http://127.0.0.1:$port

# What runs in the background until `stop`: the command after exec, so that its id is the server's.
start() {
  "$@" > "$work/server.log" 2>&1 &
  server=$!
  for _ in $(seq 300); do
    curl -sf "$inner/readyz" > /dev/null && return
    kill -0 "$server" 2>/dev/null || break
    sleep 0.1
  done
  cat "$work/server.log" >&2
  wrong 'the server is not ready'
}
stop() { kill "$server"; wait "$server" || true; server=; }

# nginx with the block of the page: its ports, its name and where the certificate stands are this script's, and nothing else differs.
step 'nginx as its page sets it up'
mkdir "$work/nginx"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -keyout "$work/nginx/assent.key" -out "$work/nginx/assent.pem" \
  -config <(printf '%s\n' '[req]' 'distinguished_name = name' 'x509_extensions = own' 'prompt = no' '[name]' 'CN = assent' \
    '[own]' 'basicConstraints = critical, CA:FALSE' 'subjectAltName = IP:127.0.0.1') 2> "$work/openssl.log" ||
  { cat "$work/openssl.log" >&2; wrong 'there is no certificate'; }
block=$(sed -n '/^```nginx$/,/^```$/p' "$page" | sed '1d;$d' | sed -e "s|listen 443 ssl;|listen 127.0.0.1:$outer ssl;|" \
  -e "s|http://127.0.0.1:8080|$inner|" -e "s|/etc/ssl/|$work/nginx/|" -e 's|server_name assent.example;|server_name 127.0.0.1;|')
grep -qF "$inner;" <<< "$block" && grep -qF ":$outer ssl;" <<< "$block" && ! grep -qF /etc/ssl <<< "$block" ||
  { echo "$block" >&2; wrong 'the page holds another block for nginx than this script knows'; }
printf 'pid nginx.pid;\nerror_log error.log;\nevents {}\nhttp {\naccess_log off;\n%s\n}\n' "$block" > "$work/nginx/nginx.conf"
/usr/sbin/nginx -p "$work/nginx" -c nginx.conf -e error.log -g 'daemon off;' > "$work/nginx/out.log" 2>&1 &
proxy=$!
# What people read comes by nginx, and so does a stream while it is open. A token is read from a file, so that no list of processes shows it.
through_nginx() {
  local head=$work/head
  curl -sS --cacert "$work/nginx/assent.pem" -D "$head" -o /dev/null "$url/readyz"
  grep -qi '^server: nginx' "$head" && grep -q ' 200' "$head" || { cat "$head" "$work/nginx/error.log" >&2; wrong 'nginx does not answer for the server'; }
  # What is for the host alone does not pass.
  [ "$(curl -s --cacert "$work/nginx/assent.pem" -o "$work/figures" -w '%{http_code}' "$url/metrics")" = 404 ] || wrong 'nginx shows the figures'
  curl -s --cacert "$work/nginx/assent.pem" "$url/readyz" | jq -e '. == {"is_ready": true}' > /dev/null || wrong 'nginx shows the reasons of readiness'
  curl -sf "$inner/metrics" | tail -1 | grep -qF '# EOF' || wrong 'the host itself gets no figures'
  # The stream stays open, so curl is cut off.
  curl -sS --cacert "$work/nginx/assent.pem" -N --max-time 2 -D "$head" -o "$work/stream" \
    -H @<(printf 'Authorization: Bearer %s\n' "$(cat "$work/token")") "$url/api/v1/stream" 2> /dev/null || true
  grep -qi '^content-type: text/event-stream' "$head" || { cat "$head" >&2; wrong 'a stream does not come through nginx'; }
}

# The client stands alone in a folder, as it would in an image over nothing.
step 'the client in an empty folder'
empty=$work/empty
mkdir "$empty"
tar -xzf "$release/assent-$version-x86_64-linux-client.tar.gz" -C "$empty" assent assent-permit
[ "$(chroot "$empty" /assent --version)" = "assent $version" ] || wrong 'the client has another version'
chroot "$empty" /assent-permit --help > /dev/null
cp "$work/nginx/assent.pem" "$empty/authority.pem"

# The gate of a new server stops, and says why: the server, its log and the client work together.
stopped() {
  local code=0
  ASSENT_SERVER=$url ASSENT_CA_CERT=/authority.pem ASSENT_TOKEN=$(cat "$work/token") chroot "$empty" /assent gate check --service shop --environment production \
    --artifact "sha256:$(printf '0%.0s' $(seq 64))" > "$work/gate.txt" 2>&1 || code=$?
  [ "$code" = 1 ] && grep -q change_missing "$work/gate.txt" || { cat "$work/gate.txt" >&2; wrong "the gate check ended with $code"; }
}
# Makes the token of an administrator whose password stands in a file.
token() {
  tr -d '\n' < "$work/password" > "$empty/password"
  ASSENT_SERVER=$url ASSENT_CA_CERT=/authority.pem chroot "$empty" /assent --json --as acme/ada --as-password /password token create --name walk --person ada \
    --scope read --scope write --scope gate --scope admin | jq -r .token > "$work/token"
  rm "$empty/password"
}
set_up() {
  ASSENT_SERVER=$url ASSENT_CA_CERT=/authority.pem ASSENT_TOKEN=$(cat "$work/token") chroot "$empty" /assent service set shop --name Shop --criticality low
  ASSENT_SERVER=$url ASSENT_CA_CERT=/authority.pem ASSENT_TOKEN=$(cat "$work/token") chroot "$empty" /assent person create deploy --role pipeline --name Pipeline
  ASSENT_SERVER=$url ASSENT_CA_CERT=/authority.pem ASSENT_TOKEN=$(cat "$work/token") chroot "$empty" /assent --json token create --name deploy --person deploy \
    --scope read --scope gate > "$work/deploy.json"
  jq -r .token "$work/deploy.json" > "$work/token"
}

step 'a bare Debian'
debian=$work/debian
if [ -n "${ASSENT_TEST_DEBIAN:-}" ]; then
  cp -a --one-file-system "$ASSENT_TEST_DEBIAN" "$debian"
else
  debootstrap --variant=minbase --include=adduser bookworm "$debian" ${ASSENT_TEST_MIRROR:+"$ASSENT_TEST_MIRROR"} > "$work/debootstrap.log" ||
    { tail -20 "$work/debootstrap.log" >&2; wrong 'debootstrap failed'; }
fi

step 'install the package'
cp "$release/assent_${version}_amd64.deb" "$debian/assent.deb"
chroot "$debian" dpkg --install /assent.deb
[ "$(chroot "$debian" stat -c '%U %a' /var/lib/assent)" = 'assent 700' ] || wrong 'the data folder belongs to another'
[ "$(chroot "$debian" stat -c '%U %G %a' /etc/assent/assent.toml)" = 'root assent 640' ] || wrong 'the settings are open'
printf 'public_url = "%s"\nlisten = "127.0.0.1:%s"\ndata = "/var/lib/assent"\ntrusted_proxy = ["127.0.0.1/32"]\n' "$url" "$port" > "$debian/etc/assent/assent.toml"

step 'the first administrator, the server, the gate'
as_assent=(chroot --userspec=assent:assent "$debian" /usr/bin/assent)
"${as_assent[@]}" person create --admin --tenant acme --login ada --data /var/lib/assent --public-url "$url" |
  sed -n 's/^password: //p' > "$work/password"
start "${as_assent[@]}" serve --config /etc/assent/assent.toml
token
through_nginx
set_up
stopped

step 'upgrade over it'
dpkg-deb --raw-extract "$release/assent_${version}_amd64.deb" "$work/next"
sed -i "s/^Version: .*/Version: $version+next/" "$work/next/DEBIAN/control"
dpkg-deb --root-owner-group -Znone --build "$work/next" "$debian/next.deb" > /dev/null
chroot "$debian" dpkg --install /next.deb
[ "$(chroot "$debian" dpkg-query -W -f '${Version}' assent)" = "$version+next" ] || wrong 'the package was not upgraded'
grep -qF "$url" "$debian/etc/assent/assent.toml" || wrong 'the upgrade took the settings away'
stop
start "${as_assent[@]}" serve --config /etc/assent/assent.toml
stopped
stop

step 'remove and purge'
chroot "$debian" dpkg --purge assent
[ ! -e "$debian/usr/bin/assent" ] && [ ! -e "$debian/etc/assent" ] || wrong 'the purge left the program or its settings'
[ -s "$debian/var/lib/assent/assent.db" ] || wrong 'the purge took the data'

step 'the image as user 65532 with a root that cannot be written'
mkdir "$work/layout"
tar -xf "$release/assent-$version-x86_64-linux-image.tar" -C "$work/layout"
umoci unpack --image "$work/layout:$version" "$work/bundle" > "$work/umoci.log" 2>&1 || { cat "$work/umoci.log" >&2; wrong 'umoci cannot unpack the image'; }
jq -e '.process.user.uid == 65532 and .process.args == ["/usr/bin/assent", "serve"]' "$work/bundle/config.json" > /dev/null ||
  wrong 'the image runs as another, or another command'
data=$work/volume
install -d -m 0700 -o 65532 -g 65532 "$data"
# A namespace of its own: the root is mounted for reading alone, the volume over it, and the devices that every runtime gives
# (OCI runtime specification, "Default Devices").
mkdir -p "$work/bundle/rootfs/dev"
image=(env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin ASSENT_DATA=/var/lib/assent "ASSENT_LISTEN=127.0.0.1:$port" "ASSENT_PUBLIC_URL=$url"
  unshare --mount bash -euc 'mount --bind "$1" "$1"; mount --bind "$2" "$1/var/lib/assent"; mount --bind /dev "$1/dev"; mount -o remount,bind,ro "$1"
    if touch "$1/written" 2>/dev/null; then echo "the root can be written" >&2; exit 3; fi
    root=$1; shift 2; exec chroot --userspec=65532:65532 --groups= "$root" /usr/bin/assent "$@"' image "$work/bundle/rootfs" "$data")
"${image[@]}" person create --admin --tenant acme --login ada --data /var/lib/assent --public-url "$url" |
  sed -n 's/^password: //p' > "$work/password"
start "${image[@]}" serve
token
through_nginx
set_up
stopped
stop
[ "$(stat -c %u "$data/assent.db")" = 65532 ] || wrong 'the data belong to another'
echo 'RIGHT'
