#include "io/codec/byte_pipe.h"

#include <gtest/gtest.h>
#include <random>
#include <string>
#include <thread>

#include "io/file/file_system.h"

namespace sluice {
namespace {

// Everything until the end of the stream.
Result<std::string> ReadAll(BytePipe& pipe, size_t piece) {
  std::string all;
  std::string buffer(piece, '\0');
  while (true) {
    SLUICE_ASSIGN(const size_t count, pipe.Read(std::as_writable_bytes(std::span(buffer))));
    if (count == 0) {
      return all;
    }
    all.append(buffer, 0, count);
  }
}

TEST(BytePipe, GivesTheBytesInOrderWhateverThePieces) {
  std::mt19937_64 random(20261122);
  std::string text(100'000, '\0');
  for (char& character : text) {
    character = static_cast<char>(random());
  }
  BytePipe pipe(777);
  const std::jthread writer([&] {
    for (size_t at = 0; at < text.size();) {
      const size_t size = std::min(text.size() - at, size_t{random() % 2000});
      EXPECT_TRUE(pipe.Write(AsBytes(std::string_view(text).substr(at, size))).has_value());
      at += size;
    }
    pipe.EndWriting(std::nullopt);
  });
  EXPECT_EQ(ReadAll(pipe, 1001).value(), text);
}

TEST(BytePipe, GivesWhatCameBeforeAnErrorAndThenTheError) {
  BytePipe pipe;
  ASSERT_TRUE(pipe.Write(AsBytes("front")).has_value());
  pipe.EndWriting(Error{.code = ErrorCode::kTransport, .message = "cut", .hint = {}});
  std::string buffer(10, '\0');
  EXPECT_EQ(pipe.Read(std::as_writable_bytes(std::span(buffer))), 5U);
  EXPECT_EQ(pipe.Read(std::as_writable_bytes(std::span(buffer))).error().message, "cut");
}

TEST(BytePipe, AWriterThatWaitsIsToldThatTheReaderHasGone) {
  BytePipe pipe(4);
  const std::jthread reader([&] { pipe.EndReading(); });
  const Result<void> written = pipe.Write(AsBytes("more than fits"));
  ASSERT_FALSE(written.has_value());
  EXPECT_EQ(written.error().code, ErrorCode::kUnfinished);
}

}  // namespace
}  // namespace sluice
