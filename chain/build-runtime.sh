#!/usr/bin/env bash
# Builds the runtime blob and its checksum, the same bytes in any directory.
#
#   build-runtime.sh            writes artifacts/arbor_runtime.wasm and artifacts/arbor_runtime.wasm.sha256
#   build-runtime.sh --check    builds into a temporary folder and compares with the committed checksum
#   build-runtime.sh --benchmarks FOLDER    writes a blob that can be measured (bench/weights.ts) to another folder
#
# The compiler is part of what the checksum pins: Debian's rustc-web, which ships the sources of core and alloc for
# a wasm target. The script installs nothing. CARGO_TARGET_DIR and CARGO_HOME may point anywhere.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

RUSTC_VERSION='rustc 1.96.0 (ac68faa20 2026-05-25)'
missing=()
[ -x /usr/bin/rustc ] || missing+=(rustc-web)
[ -x /usr/bin/cargo ] || missing+=(cargo-web)
[ -d /usr/lib/rustlib/src/rust/library ] || missing+=(rust-web-src)
[ -x /usr/bin/wasm-ld ] || missing+=(lld)
if [ ${#missing[@]} -gt 0 ]; then
  echo "build-runtime: missing ${missing[*]}; on Debian 12: apt-get install ${missing[*]}" >&2
  exit 2
fi
found="$(/usr/bin/rustc --version)"
case "$found" in
  "$RUSTC_VERSION"*) ;;
  *) echo "build-runtime: $found is not $RUSTC_VERSION; the blob will differ from the committed one" >&2 ;;
esac

check=false
out=artifacts
features=()
usage() { echo "usage: build-runtime.sh [--check | --benchmarks FOLDER]" >&2; exit 64; }
case "${1:-}" in
  '') ;;
  --check) check=true ;;
  --benchmarks)
    [ -n "${2:-}" ] || usage
    case "$2" in /*) out="$2" ;; *) out="$OLDPWD/$2" ;; esac
    mkdir -p "$out"
    out="$(cd "$out" && pwd)"
    if [ "$out" = "$PWD/artifacts" ]; then echo "build-runtime: artifacts holds the shipped blob; name another folder" >&2; exit 64; fi
    features=(--features runtime-benchmarks) ;;
  *) usage ;;
esac

if $check; then
  out="$(mktemp -d)"
  trap 'rm -rf "$out"' EXIT
fi

# rustup's variables would swap the compiler behind the paths below.
unset RUSTUP_TOOLCHAIN RUSTC_WRAPPER RUSTC_WORKSPACE_WRAPPER RUSTFLAGS
export RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 CARGO_INCREMENTAL=0 PATH="/usr/bin:$PATH"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}"
export CARGO_HOME="${CARGO_HOME:-$HOME/.cargo}"
export CARGO_PROFILE_WASM_DEBUG=false

/usr/bin/cargo fetch --locked --quiet

# Our own crates are compiled by relative path, so the checkout's place needs no mapping. rustc takes the last
# matching prefix, so the narrower ones come last.
flags=(
  -Clinker=/usr/bin/wasm-ld -Clinker-flavor=wasm-ld
  -Clink-arg=--export=__heap_base -Clink-arg=--import-memory -Clink-arg=--export-table
  --cfg=substrate_runtime
  --remap-path-prefix=/usr/lib/rustlib/src/rust=/rust
  "--remap-path-prefix=$CARGO_TARGET_DIR=/target"
  "--remap-path-prefix=$CARGO_HOME=/cargo"
)
for registry in "$CARGO_HOME"/registry/src/*/; do
  flags+=("--remap-path-prefix=${registry%/}=/cargo/src")
done
CARGO_ENCODED_RUSTFLAGS="$(printf '%s\x1f' "${flags[@]}")"
export CARGO_ENCODED_RUSTFLAGS="${CARGO_ENCODED_RUSTFLAGS%$'\x1f'}"

/usr/bin/cargo rustc --locked --package arbor-runtime --no-default-features "${features[@]}" --crate-type cdylib \
  --profile wasm --target wasm32v1-none -Zbuild-std=core,alloc

mkdir -p "$out"
install -m 0644 "$CARGO_TARGET_DIR/wasm32v1-none/wasm/arbor_runtime.wasm" "$out/arbor_runtime.wasm"
(cd "$out" && sha256sum arbor_runtime.wasm > arbor_runtime.wasm.sha256)

if $check; then
  if ! diff artifacts/arbor_runtime.wasm.sha256 "$out/arbor_runtime.wasm.sha256"; then
    echo "build-runtime: the committed blob is not what these sources build; run chain/build-runtime.sh and commit" >&2
    exit 1
  fi
  (cd artifacts && sha256sum --check --quiet arbor_runtime.wasm.sha256)
  echo "build-runtime: the committed blob matches its sources"
else
  echo "build-runtime: $(stat -c %s "$out/arbor_runtime.wasm") bytes, sha256 $(cut -c1-64 "$out/arbor_runtime.wasm.sha256")"
fi
