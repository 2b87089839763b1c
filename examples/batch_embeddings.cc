// Embeds two texts in one batch job, and prints what came of each.
// docs/library.md shows this program; a test keeps the two the same and runs it.
#include <cstdio>
#include <fstream>
#include <string>

#include "api/sluice.h"

using namespace sluice;

Result<void> Run(const std::string& request_file) {
  SLUICE_ASSIGN(const auto client, MakeClient());  // GOOGLE_API_KEY or GEMINI_API_KEY

  // Upload the input file; after a kill, the same call goes on where the service stands.
  SLUICE_ASSIGN(const UploadedFile input,
                client->files().UploadFile(request_file, {.display_name = "my input",
                                                          .state_file = request_file + ".upload"}));
  SLUICE_ASSIGN(const RemoteFile ready, client->files().WaitActive(input.file.name));

  // Create the job. This is sent once; an answer that was lost is an Error that says so.
  SLUICE_ASSIGN(const BatchJob job, client->batches()
                                        .CreateEmbeddings({.model = "gemini-embedding-001",
                                                           .staged_file = ready.name,
                                                           .display_name = "my batch job"})
                                        .result());

  // Wait for its end, for an hour at most.
  const auto show = [](const BatchJob& seen) {
    std::printf("%s %s\n", seen.name.c_str(), std::string(JobStateName(seen.state)).c_str());
  };
  SLUICE_ASSIGN(const BatchJob ended,
                client->batches().Wait(job.name, {.poll_interval = std::chrono::seconds(1),
                                                  .timeout = std::chrono::hours(1),
                                                  .progress = show}));

  // Process the results, as they arrive. Their order is the service's: go by the key.
  const auto take = [](const JobResponse& response) -> Result<void> {
    std::printf("%s: %s\n", response.key.c_str(),
                response.ok() ? (std::to_string(response.vector.size()) + " values").c_str()
                              : response.error->message.c_str());
    return {};
  };
  SLUICE_TRY(client->batches().ForEachResponse(ended, take));
  return client->batches().Delete(ended.name);
}

int main() {
  // Prepare the input: a key and a request on each line.
  std::ofstream("requests.jsonl")
      << R"({"key":"a","request":{"content":{"parts":[{"text":"a quiet river"}]}}})" << '\n'
      << R"({"key":"b","request":{"content":{"parts":[{"text":"a loud street"}]}}})" << '\n';
  const Result<void> done = Run("requests.jsonl");
  if (!done) {
    std::fprintf(stderr, "%s\n%s\n", done.error().message.c_str(), done.error().hint.c_str());
    return ExitCode(done.error().code);
  }
  return 0;
}
