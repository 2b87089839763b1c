// The merge alone, from answer files to a .npy file, as the engine does it:
//
//   decode_answers [--reference|--drop] OUTPUT.npy ROWS DIMENSION THREADS ANSWERS...
//
// --reference: the same program with simdjson for the lines and numbers.
// --drop: the rows are decoded and thrown away, for counting the decoding alone.
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <string>
#include <vector>

#include "bench/reference_decoder.h"
#include "engine/merge.h"
#include "io/sink/dropping_sink.h"
#include "io/sink/npy_header.h"

namespace sluice {
namespace {

struct Arguments {
  bool reference = false;
  bool drop = false;
  std::string output;
  uint64_t rows = 0;
  int dimension = 0;
  size_t threads = 2;
  std::vector<std::string> answers;
};

std::optional<Arguments> ParseArguments(std::vector<std::string> words) {
  Arguments arguments;
  arguments.reference = !words.empty() && words.front() == "--reference";
  arguments.drop = !words.empty() && words.front() == "--drop";
  if (arguments.reference || arguments.drop) {
    words.erase(words.begin());
  }
  if (words.size() < 5) {
    return std::nullopt;
  }
  arguments.output = words[0];
  arguments.rows = std::stoull(words[1]);
  arguments.dimension = std::stoi(words[2]);
  arguments.threads = std::stoull(words[3]);
  arguments.answers.assign(words.begin() + 4, words.end());
  return arguments;
}

Result<void> WriteIds(FileSystem& files, const std::string& path, uint64_t rows) {
  SLUICE_ASSIGN(const auto file, files.Open(path, OpenMode::kCreate));
  std::string text;
  for (uint64_t row = 0; row < rows; ++row) {
    fmt::format_to(std::back_inserter(text), "{{\"row\":{0},\"id\":{0}}}\n", row);
  }
  return file->Write(AsBytes(text));
}

Result<MergeOutcome> Merge(FileSystem& files, const Arguments& arguments, const std::string& work,
                           MergeEnvironment& environment, ShardSink& shard) {
  CorpusOptions reading = AnswerReading(work);
  reading.inputs = arguments.answers;
  SLUICE_ASSIGN(auto list, ListCorpusFiles(files, reading));
  SLUICE_ASSIGN(const auto answers, OpenCorpus(files, std::move(list), reading));
  const MergeOptions options{.range = {.first = 0, .count = arguments.rows},
                             .dimension = arguments.dimension,
                             .threads = arguments.threads};
  return MergeAnswers(*answers, options, environment, shard);
}

Result<MergeOutcome> Decode(const Arguments& arguments) {
  const auto files = MakePosixFileSystem();
  RequestOptions requests;
  requests.model = "m";
  SLUICE_ASSIGN(const auto own, MakeLineProtocol("gemini", requests));
  const auto reference = MakeReferenceProtocol(*own);
  StageTimes times;
  MergeEnvironment environment{
      .protocol = arguments.reference ? *reference : *own, .times = times, .stop = {}};
  const std::string work = arguments.output + ".work";
  SLUICE_TRY(files->MakeFolders(work));
  if (arguments.drop) {
    DroppingSink nowhere;
    return Merge(*files, arguments, work, environment, nowhere);
  }
  SLUICE_ASSIGN(const auto sink, MakeSink(*files, {.output = arguments.output,
                                                   .work_folder = work,
                                                   .dimension = arguments.dimension}));
  SLUICE_ASSIGN(const auto shard, sink->OpenShard({.first = 0, .count = arguments.rows}));
  SLUICE_ASSIGN(MergeOutcome outcome, Merge(*files, arguments, work, environment, *shard));
  SLUICE_TRY(shard->Seal());
  const std::string ids = work + "/ids";
  SLUICE_TRY(WriteIds(*files, ids, arguments.rows));
  SLUICE_TRY(sink->Close({.row_count = arguments.rows, .ids_path = ids, .failures = {}}));
  std::filesystem::remove_all(work);
  return outcome;
}

}  // namespace
}  // namespace sluice

int main(int argc, char** argv) {
  const auto arguments = sluice::ParseArguments({argv + 1, argv + argc});
  if (!arguments.has_value()) {
    fmt::print(stderr,
               "usage: decode_answers [--reference|--drop] OUTPUT.npy ROWS DIMENSION THREADS "
               "ANSWERS...\n");
    return 2;
  }
  const auto outcome = sluice::Decode(*arguments);
  if (!outcome.has_value()) {
    fmt::print(stderr, "error: {}\n", outcome.error().message);
    return 1;
  }
  fmt::print("ok={} failed={} duplicates={} values={} general={}\n", outcome->ok,
             outcome->failed.size(), outcome->duplicates, outcome->values, outcome->general_values);
}
