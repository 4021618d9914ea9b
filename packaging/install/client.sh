#!/bin/sh
# Installs the client of Assent: fetches one release, holds it to its published digests (and to their signature, where signers
# are named), and puts `assent` and `assent-permit` into a folder.
#
#   client.sh VERSION SOURCE FOLDER [SIGNERS]
#
# SOURCE is the address of the folder with the release's files. SIGNERS is a file in the form of ssh's allowed_signers, with the
# principal `release`; it comes from you, not from SOURCE.
set -eu

version=${1:?name the version, such as 0.1.0}
source=${2:?name the address of the release}
folder=${3:?name the folder to install into}
signers=${4:-}

if [ "$(uname -sm)" != 'Linux x86_64' ]; then
  echo "assent: there is a client for Linux on x86-64 alone, and this is $(uname -sm)" >&2
  exit 2
fi
archive=assent-$version-x86_64-linux-client.tar.gz
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fetch() { curl -sSfL --retry 3 --max-time 300 -o "$work/$1" "$source/$1"; }
fetch "$archive"
fetch SHA256SUMS
if [ -n "$signers" ]; then
  fetch SHA256SUMS.sig
  ssh-keygen -Y verify -n assent-release -I release -f "$signers" -s "$work/SHA256SUMS.sig" < "$work/SHA256SUMS" >&2
fi
line=$(grep -F "  $archive" "$work/SHA256SUMS") || {
  echo "assent: SHA256SUMS of the release does not name $archive" >&2
  exit 1
}
(cd "$work" && echo "$line" | sha256sum -c --quiet -) >&2
mkdir -p "$folder"
tar -xzf "$work/$archive" -C "$folder" assent assent-permit
"$folder/assent" --version
