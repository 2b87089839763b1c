// Made-up answers for measuring a decode, and the array that a right decode makes of them:
//
//   make_answers FOLDER ROWS FILES plain|usage|spaced
//
// usage: members behind the array, as real answers have; spaced: a blank behind commas and colons.
#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>

#include "tools/bench/answer_maker.h"

int main(int argc, char** argv) {
  if (argc != 5) {
    fmt::print(stderr, "usage: make_answers FOLDER ROWS FILES plain|usage|spaced\n");
    return 2;
  }
  const std::string_view shape = argv[4];
  sluice::AnswerMakerOptions options;
  options.folder = argv[1];
  options.rows = std::stoull(argv[2]);
  options.files = static_cast<uint32_t>(std::stoul(argv[3]));
  options.failed_share = 0.001;
  options.usage_metadata = shape == "usage";
  options.spaced = shape == "spaced";
  std::filesystem::create_directories(options.folder);
  const auto files = sluice::MakePosixFileSystem();
  const auto made = sluice::MakeAnswers(*files, options);
  if (!made.has_value()) {
    fmt::print(stderr, "error: {}\n", made.error().message);
    return 1;
  }
}
