#include "tools/shown_upload.h"

#include "io/base/clock.h"
#include "tools/transfer_progress.h"

namespace sluice {

Result<UploadedFile> UploadShown(const CommandContext& context, Client& client,
                                 const StageSource& source, UploadOptions options) {
  SystemClock clock;
  TransferProgress progress(context.console, clock, "uploaded", source.size);
  options.progress = [&](uint64_t bytes) { progress.Show(bytes); };
  const std::stop_token stop = context.signals.stop_token();
  SLUICE_ASSIGN(UploadedFile uploaded, client.files().Upload(source, options, stop));
  SLUICE_ASSIGN(uploaded.file, client.files().WaitActive(uploaded.file.name, stop));
  return uploaded;
}

}  // namespace sluice
