#!/bin/sh
# Builds .venv below the clone from pyproject.toml and constraints.txt; does nothing when both are as they were.
# POSIX shell, because nothing but python3.11 and make may be expected of a fresh machine.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
uv_version=0.13.8
stamp_file="$root/.venv/.streamrec-stamp"

fail() {
    echo "error: $1" >&2
    exit 2
}

# Every python on PATH is asked for its version: a name alone says nothing where version managers leave wrappers.
find_python() {
    old_ifs=$IFS
    IFS=:
    for folder in $PATH; do
        for name in python3.11 python3; do
            if [ -x "$folder/$name" ] && "$folder/$name" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' >/dev/null 2>&1; then
                IFS=$old_ifs
                echo "$folder/$name"
                return
            fi
        done
    done
    IFS=$old_ifs
    return 1
}

wanted_stamp() {
    "$python" - "$root/pyproject.toml" "$root/constraints.txt" "$root/devstack/bootstrap.sh" <<'PYTHON'
import hashlib, os, pathlib, sys

digest = hashlib.sha256()
for part in [sys.version, sys.base_prefix, os.environ.get("TORCH_BACKEND", "")]:
    digest.update(part.encode() + b"\0")
for name in sys.argv[1:]:
    digest.update(pathlib.Path(name).read_bytes() + b"\0")
print(digest.hexdigest())
PYTHON
}

install_uv() {
    "$python" -c 'import venv, ensurepip' 2>/dev/null ||
        fail "$python lacks the venv module; install it (Debian and Ubuntu: python3.11-venv)"
    if [ "$("$uv" --version 2>/dev/null | cut -d' ' -f2)" != "$uv_version" ]; then
        # pip, and the one that makes the venv, ask rustc for its version; a rustup on PATH would then write to the home.
        export RUSTUP_HOME="${RUSTUP_HOME:-$root/.tools/rustup}"
        "$python" -m venv --clear "$root/.tools/uv"
        "$root/.tools/uv/bin/python" -m pip install --quiet --disable-pip-version-check "uv==$uv_version" ||
            fail "pip could not install uv $uv_version; look at the lines above, and at pip's index and proxy settings"
    fi
}

build_venv() {
    echo "setting up .venv (about a minute from a warm cache, a few minutes the first time)" >&2
    # Without a home folder uv has nowhere to cache.
    if [ ! -w "${HOME:-/nonexistent}" ]; then export UV_CACHE_DIR="${UV_CACHE_DIR:-$root/.tools/uv-cache}"; fi
    export UV_PYTHON_DOWNLOADS=never
    "$uv" venv --quiet --clear --python "$python" "$root/.venv"
    # Without byte code every start of a program is two to three times slower.
    "$uv" pip install --quiet --python "$root/.venv/bin/python" --compile-bytecode \
        ${TORCH_BACKEND:+--torch-backend "$TORCH_BACKEND"} \
        -r "$root/pyproject.toml" --extra dev -c "$root/constraints.txt" ||
        fail "uv could not install the packages of constraints.txt; look at the lines above"
}

python=$(find_python) || fail "no Python 3.11 on PATH; install python3.11 (Debian and Ubuntu: apt install python3.11 python3.11-venv)"
stamp=$(wanted_stamp)
if [ -x "$root/.venv/bin/python" ] && [ -f "$stamp_file" ] && [ "$(cat "$stamp_file")" = "$stamp" ]; then
    exit 0
fi
uv="$root/.tools/uv/bin/uv"
install_uv
build_venv
echo "$stamp" >"$stamp_file"
