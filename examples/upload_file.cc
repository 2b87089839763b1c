// Uploads a file: upload_file PATH STATE_FILE. Killed in the middle and started again, it goes on
// where the service stands.
#include <cstdio>

#include "api/sluice.h"

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: upload_file PATH STATE_FILE\n");
    return 2;
  }
  const auto client = sluice::MakeClient({.request_timeout = std::chrono::seconds(20)});
  if (!client) {
    std::fprintf(stderr, "%s\n", client.error().message.c_str());
    return sluice::ExitCode(client.error().code);
  }
  const auto uploaded = (*client)->files().UploadFile(argv[1], {.state_file = argv[2]});
  if (!uploaded) {
    std::fprintf(stderr, "%s\n", uploaded.error().message.c_str());
    return sluice::ExitCode(uploaded.error().code);
  }
  std::printf("%s %s\n", uploaded->file.name.c_str(), uploaded->sha256.c_str());
  return 0;
}
