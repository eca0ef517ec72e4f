// SPDX-License-Identifier: Apache-2.0
#include "documents/save.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>

namespace joulecast {
namespace {

// A file under a name of its own beside the target, which disappears unless it takes the target's.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::filesystem::path& target) {
    // Two processes that write the same table have different numbers; a leftover of one that was
    // killed has another suffix.
    for (int suffix = 0; descriptor_ < 0 && suffix < 100; ++suffix) {
      name_ = fmt::format("{}.{}.{}.partial", target.string(), getpid(), suffix);
      descriptor_ = open(name_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
      if (descriptor_ < 0 && errno != EEXIST) return;
    }
  }
  ~TemporaryFile() {
    if (descriptor_ < 0) return;
    close(descriptor_);
    if (!kept_) unlink(name_.c_str());
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  [[nodiscard]] bool is_open() const { return descriptor_ >= 0; }

  bool write_all(std::string_view text) {
    while (!text.empty()) {
      const ssize_t written = write(descriptor_, text.data(), text.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return false;
      text.remove_prefix(static_cast<std::size_t>(written));
    }
    // Otherwise a crash of the machine could leave the new name with none of the content.
    return fsync(descriptor_) == 0;
  }

  bool rename_to(const std::filesystem::path& target) {
    kept_ = rename(name_.c_str(), target.c_str()) == 0;
    return kept_;
  }

 private:
  std::string name_;
  int descriptor_ = -1;
  bool kept_ = false;
};

Error failure(const std::filesystem::path& path) {
  return Error{ErrorKind::io, fmt::format("cannot be written: {}", std::strerror(errno)),
               Location{.file = path.string()}, "check the folder, its permissions and the disk"};
}

}  // namespace

Result<void> save_text(const std::filesystem::path& path, std::string_view text) {
  std::error_code ignored;
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  if (!std::filesystem::is_directory(folder, ignored)) {
    return std::unexpected(Error{ErrorKind::not_found, "its folder does not exist",
                                 Location{.file = path.string()}, "make the folder first"});
  }
  if (std::filesystem::exists(path, ignored) && !std::filesystem::is_regular_file(path, ignored)) {
    return std::unexpected(Error{ErrorKind::io, "it is there, and is no file",
                                 Location{.file = path.string()}, "name a file"});
  }
  TemporaryFile file(path);
  if (!file.is_open()) return std::unexpected(failure(path));
  if (!file.write_all(text)) return std::unexpected(failure(path));
  if (!file.rename_to(path)) return std::unexpected(failure(path));
  return {};
}

}  // namespace joulecast
