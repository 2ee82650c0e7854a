#!/usr/bin/env bash
# Gather the packages that the machine with the GPU lacks: benchmarks/gpu/packed/<Python>/<package>.tar.xz, together at
# most LIMIT bytes, and contents.txt, which says what is there and what was left out. Needs a network.
#
#     benchmarks/gpu/pack.sh 3.12          for the machine
#     benchmarks/gpu/pack.sh 3.11          for a rehearsal in .venv
set -euo pipefail

LIMIT=60000000
DOWNLOAD_SECONDS=120  # per package

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$(dirname "$here")")
python=${PYTHON:-$root/.venv/bin/python}
version=${1:-3.12}
[[ $version =~ ^3\.[0-9]+$ ]] || { echo "pack.sh: $version is not a version of Python such as 3.12." >&2; exit 2; }
"$python" -m pip --version >/dev/null || { echo "pack.sh: no pip in $python: make install, or set PYTHON." >&2; exit 1; }

platforms=()
for tag in manylinux_2_28 manylinux_2_27 manylinux_2_24 manylinux_2_17 manylinux2014 manylinux1; do
  platforms+=(--platform "${tag}_x86_64")  # pip matches each tag exactly
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/packed"
total=0
while read -r name _; do
  [[ -z $name || $name == \#* ]] && continue
  pin=$(grep -E "^$name==" "$root/requirements.txt") || { echo "pack.sh: requirements.txt has no $name." >&2; exit 1; }
  timeout "$DOWNLOAD_SECONDS" "$python" -m pip install --quiet --disable-pip-version-check --no-input --no-deps \
    --no-compile --only-binary=:all: --python-version "$version" --implementation cp "${platforms[@]}" \
    --target "$work/$name" "$pin" || { echo "pack.sh: $pin could not be fetched for Python $version." >&2; exit 1; }
  archive=$work/$name.tar.xz
  XZ_OPT=-9 tar --create --xz --file "$archive" --directory "$work/$name" .
  size=$(stat --format=%s "$archive")
  if ((total + size > LIMIT)); then
    echo "left out: $pin, $size bytes do not fit" | tee -a "$work/packed/contents.txt"
  else
    total=$((total + size))
    mv "$archive" "$work/packed/"
    echo "$pin, $size bytes" | tee -a "$work/packed/contents.txt"
  fi
  rm -rf "${work:?}/$name" "$archive"
done <"$here/packages.txt"

target=$here/packed/$version
mkdir -p "$here/packed"
rm -rf "$target" "$target.partial"
cp -r "$work/packed" "$target.partial"
mv "$target.partial" "$target"
echo "$target: $total bytes of at most $LIMIT"
