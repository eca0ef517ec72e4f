// SPDX-License-Identifier: Apache-2.0
#include "metering/sysfs.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <fstream>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace joulecast {
namespace {

// "hwmon12" after "hwmon9": by length, then by letters.
bool by_number(const std::filesystem::path& a, const std::filesystem::path& b) {
  const std::string left = a.filename();
  const std::string right = b.filename();
  return left.size() != right.size() ? left.size() < right.size() : left < right;
}

}  // namespace

SysfsNumber::SysfsNumber(const std::filesystem::path& path)
    : file_(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
  if (file_ < 0) error_number_ = errno;
  exists_ = file_ >= 0 || error_number_ != ENOENT;
}

SysfsNumber::SysfsNumber(SysfsNumber&& other) noexcept
    : file_(std::exchange(other.file_, -1)),
      exists_(other.exists_),
      error_number_(other.error_number_) {}

SysfsNumber& SysfsNumber::operator=(SysfsNumber&& other) noexcept {
  std::swap(file_, other.file_);
  exists_ = other.exists_;
  error_number_ = other.error_number_;
  return *this;
}

SysfsNumber::~SysfsNumber() {
  if (file_ >= 0) close(file_);
}

std::optional<double> SysfsNumber::read() {
  std::array<char, 64> text{};
  if (file_ < 0) return std::nullopt;
  const ssize_t size = pread(file_, text.data(), text.size(), 0);
  if (size < 0) {
    error_number_ = errno;
    return std::nullopt;
  }
  std::int64_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + size, number);
  if (parsed.ec != std::errc()) {
    error_number_ = EINVAL;
    return std::nullopt;
  }
  return static_cast<double>(number);
}

std::vector<std::string> read_lines(const std::filesystem::path& path) {
  constexpr std::size_t most_lines = 100;
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; lines.size() < most_lines && std::getline(file, line);) {
    lines.push_back(line);
  }
  return lines;
}

std::string read_line(const std::filesystem::path& path) {
  const auto lines = read_lines(path);
  return lines.empty() ? std::string() : lines.front();
}

std::vector<std::filesystem::path> list_numbered(const std::filesystem::path& parent,
                                                 std::string_view begins_with) {
  std::vector<std::filesystem::path> found;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(parent, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->path().filename().string().starts_with(begins_with)) found.push_back(entry->path());
  }
  std::sort(found.begin(), found.end(), by_number);
  return found;
}

}  // namespace joulecast
