#!/bin/sh
# Makes a private certificate authority, once, and certificates under it. Leaves alone what exists.
# usage: make-certificates.sh AUTHORITY FOLDER/NAME@HOST … FOLDER/NAME=ROLE[+ROLE…] …
#   AUTHORITY         folder of the authority's own key: for nobody but this script
#   FOLDER/NAME@HOST  a server that answers under HOST and localhost
#   FOLDER/NAME=ROLE  a person or a machine that calls the servers in these roles
# Each entry becomes FOLDER/NAME.pem and FOLDER/NAME.key, with the authority's certificate beside them as FOLDER/ca.pem.
set -eu
umask 077
authority=$1; shift
mkdir -p "$authority"

# make NAME KEY CERTIFICATE OPTIONS…: the certificate takes its name last, so what is there is whole.
make() {
  name=$1; key=$2; certificate=$3; shift 3
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -batch -sha256 \
    -subj "/O=LiveOps/CN=$name" -keyout "$key" -out "$certificate.new" "$@" 2>"$authority/log" ||
    { cat "$authority/log" >&2; exit 1; }
  mv "$certificate.new" "$certificate"
  echo "certificate $certificate"
}

[ -s "$authority/ca.pem" ] ||
  make "LiveOps private authority" "$authority/ca.key" "$authority/ca.pem" -days 3650 \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign

for entry in "$@"; do
  path=${entry%%[@=]*}
  folder=$(dirname "$path")
  mkdir -p "$folder"
  cmp -s "$authority/ca.pem" "$folder/ca.pem" || cp "$authority/ca.pem" "$folder/ca.pem"
  [ ! -s "$path.pem" ] || continue
  case $entry in
    *@*) names="DNS:localhost,IP:127.0.0.1,DNS:${entry#*@}"; use=serverAuth ;;
    *=*) names="URI:liveops:role:$(echo "${entry#*=}" | sed 's/+/,URI:liveops:role:/g')"; use=clientAuth ;;
    *) echo "make-certificates.sh: $entry has neither @HOST nor =ROLE" >&2; exit 2 ;;
  esac
  make "$(basename "$path")" "$path.key" "$path.pem" -CA "$authority/ca.pem" -CAkey "$authority/ca.key" -days 825 \
    -addext "subjectAltName=$names" -addext basicConstraints=critical,CA:FALSE \
    -addext keyUsage=critical,digitalSignature -addext "extendedKeyUsage=$use"
done
