#!/bin/bash
# Documentation of all rooms, from the modules of a release build, in .build/documentation; warnings are errors, and so is a public
# declaration that says nothing. Open it with 'docc preview' or any web server. Needs nothing but the toolchain.
set -euo pipefail
cd "$(dirname "$0")/.."

modules=.build/release/Modules
graphs=.build/symbol-graphs
target="$(swiftc -print-target-info | sed -n 's/.*"triple": "\(.*\)",/\1/p' | head -n 1)"

flags=(-target "$target" -I "$modules" -module-cache-path .build/module-cache)
for map in Sources/*/module.modulemap .build/release/*.build/module.modulemap \
  $(find .build/checkouts/*/Sources -name module.modulemap); do
  flags+=(-Xcc "-fmodule-map-file=$map")
done
for flag in $(pkg-config --cflags fftw3f lapack hdf5-serial zlib libcrypto); do flags+=(-Xcc "$flag"); done

rm -rf "$graphs"
for page in Documentation/csilink.docc/Rooms/*.md; do
  room="$(basename "$page" .md)"
  test -f "$modules/$room.swiftmodule" || { echo "$0: no module $room; run 'make build' first" >&2; exit 1; }
  mkdir -p "$graphs/$room"
  swift symbolgraph-extract "${flags[@]}" -module-name "$room" -minimum-access-level public \
    -skip-synthesized-members -omit-extension-block-symbols -output-dir "$graphs/$room"
done

docc convert Documentation/csilink.docc --additional-symbol-graph-dir "$graphs" --warnings-as-errors \
  --fallback-display-name csilink --fallback-bundle-identifier csilink --output-dir .build/documentation
swift Documentation/undocumented.swift "$graphs"
