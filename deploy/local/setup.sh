#!/usr/bin/env bash
# Installs what the build, the sandbox and the tests need on Debian 12. Quick when there is nothing to do.
# usage: setup.sh [tests|bench|fuzz]    from anywhere; as root, or as a user who may sudo. tests: what only the tests
# need, too; bench: whom the benchmarks compare with; fuzz: clang, for the fuzz programs and the thread sanitizer
# Leaves under build/third_party: kafka/libs (Apache Kafka's jars), proto (OpenTelemetry's and google.rpc protos) and, for
# the tests, venv and node (the OpenTelemetry SDKs for Python and JavaScript)
set -euo pipefail
if [ $# -gt 1 ] || ! [[ ${1:-} =~ ^(tests|bench|fuzz|)$ ]]; then
  echo "usage: setup.sh [tests|bench|fuzz]" >&2
  exit 2
fi
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
third=$root/build/third_party
stamp() { sha256sum "$@" | sha256sum | cut -d' ' -f1; }
say() { printf '  setup  %s\n' "$*"; }

mapfile -t wanted < <(grep -vE '^(#|$)' "$here/packages.txt")
[ "${1:-}" != fuzz ] || wanted+=(clang-14 libclang-rt-14-dev llvm-14)
[ "${1:-}" != tests ] || wanted+=(prometheus prometheus-alertmanager)
# Wherever Node.js comes from.
[ "${1:-}" != tests ] || command -v npm >/dev/null || wanted+=(nodejs npm)
[ "${1:-}" != bench ] || wanted+=(victoria-metrics)
missing=()
installed=$(dpkg-query -W -f='${Package} ${db:Status-Status}\n' "${wanted[@]}" 2>/dev/null | awk '$2 == "installed" {print $1}') || true
for package in "${wanted[@]}"; do
  grep -qxF "$package" <<<"$installed" || missing+=("$package")
done
if ((${#missing[@]})); then
  as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "setup: these Debian packages are missing and there is no sudo to install them: ${missing[*]}" >&2; exit 1; }
    as_root=(sudo)
  fi
  say "installing ${#missing[@]} Debian packages: ${missing[*]}"
  mkdir -p "$root/build"
  log=$root/build/setup-apt.log
  # A package's own service must not start: the sandbox runs its private ones.
  if ! { "${as_root[@]}" apt-get update -qq &&
         "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "setup: apt-get failed; the whole log is in $log" >&2
    exit 1
  fi
fi

# fetch NAME ARGS…: one Maven call, skipped while pom.xml is the one that filled the folder.
want=$(stamp "$here/pom.xml")
if [ "$(cat "$third/stamp" 2>/dev/null)" != "$want" ]; then
  say "fetching Apache Kafka and the OpenTelemetry protos (about 45 MB, once)"
  rm -rf "$third" && mkdir -p "$third"
  maven=(mvn -q -B -f "$here/pom.xml")
  "${maven[@]}" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$third/kafka/libs"
  "${maven[@]}" dependency:unpack-dependencies -DincludeScope=provided -DexcludeTransitive=true \
    -DincludeArtifactIds=opentelemetry-proto,proto-google-common-protos -Dmdep.unpack.includes='**/*.proto' \
    -DmarkersDirectory="$third/markers" -DoutputDirectory="$third/proto"
  [ -d "$third/proto/opentelemetry" ] || { echo "setup: the OpenTelemetry protos did not arrive in $third/proto" >&2; exit 1; }
  echo "$want" >"$third/stamp"
fi

# A Python of its own for the OpenTelemetry SDK that the tests emit with.
requirements=$root/integration-tests/otlp/requirements.txt
if [ "${1:-}" = tests ]; then
  want=$(stamp "$requirements")
  if [ "$(cat "$third/venv/stamp" 2>/dev/null)" != "$want" ]; then
    say "fetching the OpenTelemetry SDK for Python (once)"
    rm -rf "$third/venv"
    /usr/bin/python3 -m venv "$third/venv"
    "$third/venv/bin/pip" install --quiet --disable-pip-version-check -r "$requirements"
    echo "$want" >"$third/venv/stamp"
  fi
  package=$root/integration-tests/otlp/package.json
  want=$(stamp "$package")
  if [ "$(cat "$third/node/stamp" 2>/dev/null)" != "$want" ]; then
    say "fetching the OpenTelemetry SDK for JavaScript (once)"
    rm -rf "$third/node" && mkdir -p "$third/node"
    cp "$package" "$third/node/"
    npm install --prefix "$third/node" --silent --no-audit --no-fund --no-package-lock --ignore-scripts
    echo "$want" >"$third/node/stamp"
  fi
fi
