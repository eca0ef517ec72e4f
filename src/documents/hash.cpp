// SPDX-License-Identifier: Apache-2.0
#include "documents/hash.hpp"

#include <array>
#include <cstdint>

#include <sys/types.h>
// libmd's header wants the BSD integer names of sys/types.h first.
#include <sha256.h>

namespace joulecast {

std::string sha256(std::string_view text) {
  SHA2_CTX context;
  SHA256Init(&context);
  SHA256Update(&context, reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
  std::array<std::uint8_t, SHA256_DIGEST_LENGTH> digest{};
  SHA256Final(digest.data(), &context);
  constexpr std::string_view digits = "0123456789abcdef";
  std::string hexadecimal;
  for (const std::uint8_t byte : digest) {
    hexadecimal += digits[byte >> 4U];
    hexadecimal += digits[byte & 15U];
  }
  return hexadecimal;
}

}  // namespace joulecast
