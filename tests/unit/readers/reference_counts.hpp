// SPDX-License-Identifier: Apache-2.0
#pragma once

// What PyTorch and transformers count of models that they build from configurations:
// scripts/reference_counts/README.md.

#include "documents/value.hpp"

#include <joulecast/model.hpp>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace joulecast {

struct ReferenceRecord {
  std::string id{};
  std::string set{};  // "models" or "tiny"
  Value value{};
};

inline std::int64_t integer(const Value* value) { return std::get<std::int64_t>(value->data); }
inline const std::string& text(const Value* value) { return std::get<std::string>(value->data); }
inline const Array& items(const Value* value) { return std::get<Array>(value->data); }
inline bool is_null(const Value* value) {
  return value == nullptr || std::holds_alternative<std::nullptr_t>(value->data);
}

// The records of a section that hold no error. Lines of other sections are not parsed.
inline std::vector<ReferenceRecord> reference_records(std::string_view section) {
  const std::filesystem::path source = JOULECAST_SOURCE_DIR;
  const std::string file = (source / "scripts/reference_counts/counts.jsonl").string();
  const std::string lines = read_text_file(file).value();
  const std::string wanted = "\"section\":\"" + std::string(section) + "\"";
  std::vector<ReferenceRecord> records;
  std::size_t begin = 0;
  while (begin < lines.size()) {
    const std::size_t end = std::min(lines.find('\n', begin), lines.size());
    const std::string_view line = std::string_view(lines).substr(begin, end - begin);
    begin = end + 1;
    if (line.find(wanted) == line.npos) continue;
    Value value = parse_json(line, file).value();
    if (find_member(value, "error") != nullptr) continue;
    ReferenceRecord record{text(find_member(value, "id")), text(find_member(value, "set")), {}};
    record.value = std::move(value);
    records.push_back(std::move(record));
  }
  return records;
}

inline std::filesystem::path config_of(const ReferenceRecord& record) {
  const std::filesystem::path source = JOULECAST_SOURCE_DIR;
  const std::string folder = record.set == "tiny" ? "scripts/reference_counts/tiny" : "data/models";
  return source / folder / (record.id + ".json");
}

}  // namespace joulecast
