# SPDX-License-Identifier: Apache-2.0
# Writes a C++ source that includes each file as it is, by the assembler. Called by joulecast_embed.
string(REPLACE "|" ";" names "${NAMES}")
list(SORT names)
set(rows "")
set(pieces "")
set(index 0)
foreach(name IN LISTS names)
  string(APPEND pieces
"__asm__(\".section .rodata\\n\"
        \"joulecast_file_${index}:\\n.incbin \\\"${DIRECTORY}/${name}\\\"\\n\"
        \"joulecast_file_${index}_end:\\n.byte 0\\n.previous\\n\");
extern const char embedded_${index}[] __asm__(\"joulecast_file_${index}\");
extern const char embedded_${index}_end[] __asm__(\"joulecast_file_${index}_end\");
")
  string(APPEND rows "      entry(\"${name}\", embedded_${index}, embedded_${index}_end),\n")
  math(EXPR index "${index} + 1")
endforeach()
file(WRITE "${OUTPUT}.new"
"// Generated from data/ by cmake/write_embedded_files.cmake. Do not edit.
#include \"documents/embedded.hpp\"

namespace joulecast {
${pieces}
namespace {
EmbeddedFile entry(std::string_view name, const char* begin, const char* end) {
  return {name, {begin, static_cast<std::size_t>(end - begin)}};
}
}  // namespace

std::span<const EmbeddedFile> embedded_files() {
  static const EmbeddedFile files[] = {
${rows}  };
  return files;
}
}  // namespace joulecast
")
file(COPY_FILE "${OUTPUT}.new" "${OUTPUT}" ONLY_IF_DIFFERENT)
