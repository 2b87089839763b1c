#include "api/files/sha256.h"

#include <gtest/gtest.h>

#include "io/file/file_system.h"

namespace sluice {
namespace {

// FIPS 180-4 example "abc".
constexpr const char* kAbc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

TEST(Sha256, HashesInParts) {
  EXPECT_EQ(Sha256Hex("abc"), kAbc);
  Sha256 hash;
  hash.Update(AsBytes("a"));
  hash.Update(AsBytes(""));
  hash.Update(AsBytes("bc"));
  EXPECT_EQ(hash.HexDigest(), kAbc);
}

TEST(Sha256, KnowsBothSpellingsOfTheService) {
  // echo -n HEX | base64 -w0, and the base64 of the 32 bytes.
  EXPECT_TRUE(
      IsSameSha256("YmE3ODE2YmY4ZjAxY2ZlYTQxNDE0MGRlNWRhZTIyMjNiMDAzNjFhMzk2MTc3YTljYjQxMGZm"
                   "NjFmMjAwMTVhZA==",
                   kAbc));
  EXPECT_TRUE(IsSameSha256("ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=", kAbc));
  EXPECT_FALSE(IsSameSha256("ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa1=", kAbc));
  EXPECT_FALSE(IsSameSha256("", kAbc));
}

}  // namespace
}  // namespace sluice
