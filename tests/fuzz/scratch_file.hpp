// SPDX-License-Identifier: Apache-2.0
#pragma once

// A file in a folder of its own that is written anew for each input: for readers that take paths.

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

class ScratchFile {
 public:
  explicit ScratchFile(const char* name) {
    std::string folder =
        (std::filesystem::temp_directory_path() / "joulecast-fuzz-XXXXXX").string();
    if (mkdtemp(folder.data()) == nullptr) std::abort();
    path_ = std::filesystem::path(folder) / name;
  }
  ~ScratchFile() {
    std::error_code ignored;
    std::filesystem::remove_all(path_.parent_path(), ignored);
  }
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;

  void write(const std::uint8_t* data, std::size_t size) const {
    std::ofstream(path_, std::ios::binary)
        .write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
  }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};
