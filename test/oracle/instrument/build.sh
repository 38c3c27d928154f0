#!/usr/bin/env bash
# Builds llama.cpp's libraries, and the instrument against them: build.sh TREE FOLDER
# TREE is a source tree of llama.cpp from June 2026 on; FOLDER gets the program `instrument`. Needs cmake and g++.
set -euo pipefail
[ $# -eq 2 ] || { sed -n '2,3s/^# //p' "$0" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
tree=$(cd "$1" && pwd)
mkdir -p "$2/parts"
out=$(cd "$2" && pwd)
metal=$tree/ggml/src/ggml-metal

if ! ls "$tree"/build/bin/libllama.* > /dev/null 2>&1; then
  off=()
  for part in LLAMA_CURL LLAMA_OPENSSL LLAMA_BUILD_COMMON LLAMA_BUILD_TESTS LLAMA_BUILD_TOOLS LLAMA_BUILD_SERVER \
    LLAMA_BUILD_APP LLAMA_BUILD_EXAMPLES LLAMA_BUILD_UI GGML_NATIVE GGML_OPENMP; do off+=("-D$part=OFF"); done
  # Nothing is computed, so nothing is optimised.
  cmake -S "$tree" -B "$tree/build" -DBUILD_SHARED_LIBS=ON -DCMAKE_BUILD_TYPE=Release \
    -DCMAKE_C_FLAGS_RELEASE='-O0 -DNDEBUG' -DCMAKE_CXX_FLAGS_RELEASE='-O0 -DNDEBUG' "${off[@]}" > "$out/cmake.log"
  cmake --build "$tree/build" --target llama -j "$(nproc)" >> "$out/cmake.log"
fi

# Decisions of the tree's own backends that stand in files which do not compile here: whole functions are cut out of them.
cut_out() { # FILE FUNCTION
  awk -v head="$2(" '!on && /^[a-z]/ && index($0, head) { on = 1 } on { print } on && /^}/ { exit }' "$1" > "$out/parts/function"
  [ -s "$out/parts/function" ] || { echo "$1 has no function $2" >&2; exit 1; }
  cat "$out/parts/function"
}
{
  grep -q 'ggml_metal_supports_mul_mat_op' "$metal/ggml-metal-device.m" &&
    cut_out "$metal/ggml-metal-device.m" ggml_metal_supports_mul_mat_op
  cut_out "$metal/ggml-metal-device.m" ggml_metal_device_supports_op
  cut_out "$metal/ggml-metal.cpp" ggml_backend_metal_buffer_type_get_alloc_size
  cut_out "$tree/ggml/src/ggml-blas/ggml-blas.cpp" ggml_backend_blas_device_supports_op
} > "$out/parts/decisions.inc"

includes=("-I$out/parts" "-I$metal")
for folder in ggml/include ggml/src include src vendor; do includes+=("-I$tree/$folder"); done
# Unused functions, which call Metal, are dropped when linking.
compile() { g++ -std=c++17 -w -DNDEBUG -ffunction-sections -fno-access-control "${includes[@]}" -c "$1" -o "$out/parts/$2.o"; }
for name in ops common fusion tuning; do
  [ ! -f "$metal/ggml-metal-$name.cpp" ] || compile "$metal/ggml-metal-$name.cpp" "metal-$name"
done
for name in devices measure; do compile "$here/$name.cpp" "$name"; done
g++ -o "$out/instrument" "$out"/parts/*.o -Wl,--gc-sections -L"$tree/build/bin" -Wl,-rpath,"$tree/build/bin" \
  -lllama -lggml -lggml-cpu -lggml-base -ldl
echo "$out/instrument"
