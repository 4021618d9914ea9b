#!/bin/sh
# Makes the certificate that Kubernetes' API server wants of the companion: an authority of its own for this one webhook, a
# certificate for the service's name, and the text for `caBundle`.
#
#   certificate.sh FOLDER [SERVICE] [NAMESPACE] [DAYS]
#
# Writes ca.crt, tls.crt, tls.key and ca-bundle.txt. The authority's key is not kept: renewing means running this again, setting
# caBundle first and the secret second.
set -eu

folder=${1:?name the folder to write into}
service=${2:-assent-gateway}
namespace=${3:-assent}
days=${4:-365}
name=$service.$namespace.svc

umask 077
mkdir -p "$folder"
cd "$folder"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

openssl ecparam -name prime256v1 -genkey -noout -out "$work/ca.key"
openssl req -x509 -new -key "$work/ca.key" -sha256 -days "$days" -subj "/CN=Authority of $name" -out ca.crt \
  -addext 'basicConstraints=critical,CA:TRUE,pathlen:0' -addext 'keyUsage=critical,keyCertSign'
openssl ecparam -name prime256v1 -genkey -noout -out "$work/ec.key"
openssl pkcs8 -topk8 -nocrypt -in "$work/ec.key" -out tls.key
openssl req -new -key tls.key -subj "/CN=$service" -out "$work/tls.csr"
cat > "$work/extensions" <<END
basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature
extendedKeyUsage=serverAuth
subjectAltName=DNS:$name,DNS:$name.cluster.local
END
openssl x509 -req -in "$work/tls.csr" -CA ca.crt -CAkey "$work/ca.key" -CAcreateserial -CAserial "$work/serial" \
  -sha256 -days "$days" -extfile "$work/extensions" -out tls.crt 2>/dev/null
base64 < ca.crt | tr -d '\n' > ca-bundle.txt

cat <<END
Made for $name, valid for $days days. Next:

  kubectl --namespace $namespace create secret tls assent-tls --cert $folder/tls.crt --key $folder/tls.key \\
    --dry-run=client -o yaml | kubectl apply -f -
  kubectl patch validatingwebhookconfiguration assent --type json \\
    --patch "[{\"op\": \"replace\", \"path\": \"/webhooks/0/clientConfig/caBundle\", \"value\": \"\$(cat $folder/ca-bundle.txt)\"}]"
END
