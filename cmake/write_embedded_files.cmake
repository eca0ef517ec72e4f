# SPDX-License-Identifier: Apache-2.0
# Writes a C++ source with the content of each file as a raw string literal. Long files are split,
# because a literal may be limited in length. Called by joulecast_embed.
string(REPLACE "|" ";" names "${NAMES}")
set(rows "")
set(pieces "")
set(index 0)
foreach(name IN LISTS names)
  file(READ "${DIRECTORY}/${name}" hex HEX)
  string(LENGTH "${hex}" length)
  math(EXPR bytes "${length} / 2")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," array "${hex}")
  # Breaking the line now and then keeps compilers and people from choking on it.
  string(REGEX REPLACE "(('[^']*',){32})" "\\1\n" array "${array}")
  string(APPEND pieces "const char file_${index}[] = {${array}'\\0'};\n")
  string(APPEND rows "    {\"${name}\", {file_${index}, ${bytes}}},\n")
  math(EXPR index "${index} + 1")
endforeach()
file(WRITE "${OUTPUT}.new"
"// Generated from data/ by cmake/write_embedded_files.cmake. Do not edit.
#include \"documents/embedded.hpp\"

namespace joulecast {
namespace {
${pieces}const EmbeddedFile files[] = {
${rows}};
}  // namespace

std::span<const EmbeddedFile> embedded_files() { return files; }
}  // namespace joulecast
")
file(COPY_FILE "${OUTPUT}.new" "${OUTPUT}" ONLY_IF_DIFFERENT)
file(REMOVE "${OUTPUT}.new")
