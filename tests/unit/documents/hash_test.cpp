// SPDX-License-Identifier: Apache-2.0
#include "documents/hash.hpp"

#include <gtest/gtest.h>
#include <set>
#include <string>

namespace joulecast {
namespace {

// Vectors of FIPS 180-2, appendix B, and of NIST's "SHA-256 example" collection.
TEST(Sha256, GivesThePublishedDigests) {
  EXPECT_EQ(sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha256("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
                   "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu"),
            "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
  EXPECT_EQ(sha256(std::string(1'000'000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

// One byte and four zero bytes of the same NIST collection: bytes above 127 and embedded zeros.
TEST(Sha256, ReadsBytesNotCharacters) {
  EXPECT_EQ(sha256("\xbd"), "68325720aabd7c82f30f554b313d0570c95accbb7dc4b5aae11204c08ffe732b");
  EXPECT_EQ(sha256(std::string(4, '\0')),
            "df3f619804a92fdb4057192dc43dd748ea778adc52bc498ce80524c014b81119");
}

// The padding changes its form where the last block holds 55, 56 or 64 bytes.
TEST(Sha256, TellsEveryLengthAroundTheBlockSizeApart) {
  std::set<std::string> digests;
  for (std::size_t length = 0; length <= 130; ++length) {
    const std::string digest = sha256(std::string(length, '\0'));
    EXPECT_EQ(digest.size(), 64U);
    EXPECT_EQ(digest.find_first_not_of("0123456789abcdef"), std::string::npos);
    digests.insert(digest);
  }
  EXPECT_EQ(digests.size(), 131U);
}

}  // namespace
}  // namespace joulecast
