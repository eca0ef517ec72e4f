// SPDX-License-Identifier: Apache-2.0
// Laws as files in a folder of the user.
#include <joulecast/law.hpp>

#include "documents/save.hpp"
#include "documents/value.hpp"
#include "laws/law_file.hpp"
#include "laws/shipped.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace joulecast {
namespace {

Result<Law> read_law(const std::filesystem::path& path) {
  auto text = read_text_file(path);
  if (!text) return std::unexpected(text.error());
  auto law = parse_law(*text, path.string());
  if (!law) return law;
  std::filesystem::path rows = path;
  rows.replace_extension(rows_ending);
  std::error_code ignored;
  if (!std::filesystem::exists(rows, ignored)) return law;
  auto hashes = read_text_file(rows);
  if (!hashes) return std::unexpected(hashes.error());
  auto parsed = parse_row_hashes(*hashes, rows.string(), *law);
  if (!parsed) return std::unexpected(parsed.error());
  return law;
}

// The laws of that family among those that were tried; the law itself where it has the form.
Result<std::optional<Law>> exchange(Law law, std::string_view family,
                                    const std::filesystem::path& path) {
  const auto* own = std::get_if<FamilyLaw>(&law.form);
  if (family.empty() || (own != nullptr && own->family == family)) return law;
  std::filesystem::path trials = path;
  trials.replace_extension(trials_ending);
  std::error_code ignored;
  if (!std::filesystem::exists(trials, ignored)) return std::nullopt;
  auto text = read_text_file(trials);
  if (!text) return std::unexpected(text.error());
  auto parsed = parse_trials(*text, trials.string(), law);
  if (!parsed) return std::unexpected(parsed.error());
  return with_family(law, family);
}

}  // namespace

Result<void> save_law(const std::filesystem::path& directory, const Law& law) {
  std::filesystem::path path = directory / law.device / to_string(*law.precision) / law.operation;
  std::error_code problem;
  std::filesystem::create_directories(path.parent_path(), problem);
  if (problem) {
    return std::unexpected(Error{ErrorKind::io, problem.message(),
                                 Location{.file = path.parent_path().string()},
                                 "check the path and its permissions"});
  }
  const auto save = [&](std::string_view ending, const std::string& text) {
    std::filesystem::path file = path;
    file += ending;
    return save_text(file, text);
  };
  if (auto saved = save(".json", write_law(law)); !saved) return saved;
  if (auto saved = save(trials_ending, write_trials(law)); !saved) return saved;
  return save(rows_ending, write_row_hashes(law));
}

Result<LawSet> read_laws(const std::filesystem::path& directory, std::string_view family) {
  const auto fail = [&](ErrorKind kind, std::string message, std::string remedy) {
    return std::unexpected(Error{kind, std::move(message),
                                 Location{.file = directory.string(), .path = "--laws"},
                                 std::move(remedy)});
  };
  std::error_code problem;
  if (!std::filesystem::is_directory(directory, problem)) {
    return fail(ErrorKind::not_found, "no such directory", "name a folder of law files (.json)");
  }
  std::vector<std::filesystem::path> paths;
  // Not a range-for: its increment throws where a folder inside cannot be read.
  std::filesystem::recursive_directory_iterator entry(directory, problem);
  for (; !problem && entry != end(entry); entry.increment(problem)) {
    const std::string name = entry->path().filename().string();
    const bool is_law =
        name.ends_with(".json") && !name.ends_with(trials_ending) && name != "transfer.json";
    if (is_law) paths.push_back(entry->path());
  }
  if (problem) return fail(ErrorKind::io, problem.message(), "check its permissions");
  if (paths.empty()) return fail(ErrorKind::not_found, "holds no .json file", "check the path");
  // The order of a directory is the file system's; results must not depend on it.
  std::sort(paths.begin(), paths.end());
  std::vector<Law> laws;
  std::set<std::string> ids;
  for (const std::filesystem::path& path : paths) {
    auto law = read_law(path);
    if (!law) return std::unexpected(law.error());
    auto wanted = exchange(std::move(*law), family, path);
    if (!wanted) return std::unexpected(wanted.error());
    if (!*wanted) continue;
    law = std::move(**wanted);
    if (!ids.insert(law->id).second) {
      return std::unexpected(Error{ErrorKind::schema, fmt::format("a second law for {}", law->id),
                                   Location{.file = path.string()}, "keep one of them"});
    }
    laws.push_back(std::move(*law));
  }
  const LawSet prior = shipped_prior();
  return LawSet(std::move(laws), prior.prior(), prior.power());
}

}  // namespace joulecast
