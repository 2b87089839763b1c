#include "tools/files_commands.h"

#include <set>
#include <string>
#include <vector>

#include "tools/each_name.h"
#include "tools/file_format.h"
#include "tools/file_selection.h"
#include "tools/list_flags.h"
#include "tools/service_client.h"

namespace sluice {
namespace {

// Leaves only those of `files`, which were listed just now, that nothing needs.
Result<void> KeepOrphans(const CommandContext& context, const Client& client,
                         std::vector<RemoteFile>& files) {
  if (files.empty()) {
    return {};
  }
  SLUICE_ASSIGN(const std::set<std::string> needed,
                FindNeededFiles(client.batches(), context.arguments.List("--run"),
                                context.signals.stop_token()));
  std::erase_if(files, [&](const RemoteFile& file) { return needed.contains(file.name); });
  return {};
}

// The files of one page, or of all, that are selected.
Result<FilePage> SelectFiles(const CommandContext& context, Client& client,
                             const FileSelection& selection, const ListFlags& flags) {
  const ListFilesOptions options{.page_size = flags.page_size, .page_token = flags.page_token};
  const auto wanted = [&](const RemoteFile& file) { return selection.Accepts(file); };
  const std::stop_token stop = context.signals.stop_token();
  FilePage page;
  if (flags.one_page) {
    SLUICE_ASSIGN(page, client.files().List(options, stop));
    std::erase_if(page.files, std::not_fn(wanted));
  } else {
    // What is an orphan is known only when all are listed.
    const uint64_t limit = selection.orphans_only() ? 0 : flags.limit;
    SLUICE_ASSIGN(page.files,
                  TakeItems<RemoteFile>(client.files().ListAll(options, stop), limit, wanted));
  }
  if (selection.orphans_only()) {
    SLUICE_TRY(KeepOrphans(context, client, page.files));
  }
  if (flags.limit > 0 && page.files.size() > flags.limit) {
    page.files.resize(flags.limit);
  }
  return page;
}

// The names on the command line, or those of the files that the flags select.
Result<std::vector<std::string>> NamesToDelete(const CommandContext& context, Client& client) {
  const std::vector<std::string>& given = context.arguments.positionals;
  SLUICE_ASSIGN(const FileSelection selection,
                FileSelection::Read(context.arguments, SystemClock().WallNow()));
  if (given.empty() == selection.takes_all()) {
    return Fail(ErrorCode::kUsage,
                "'files delete' needs either names, or --orphans or --older-than to select files");
  }
  if (!given.empty()) {
    SLUICE_TRY(RefuseCloudAddress(given.front()));
    return given;
  }
  SLUICE_ASSIGN(const FilePage page, SelectFiles(context, client, selection, {}));
  std::vector<std::string> names;
  for (const RemoteFile& file : page.files) {
    if (IsDeletable(file)) {
      names.push_back(file.name);
    }
  }
  return names;
}

}  // namespace

Result<int> FilesGetCommand(const CommandContext& context) {
  const Console& console = context.console;
  SLUICE_ASSIGN(const std::string name, RequirePositional(context.arguments));
  SLUICE_ASSIGN(const auto client, OpenClient(context));
  SLUICE_ASSIGN(const RemoteFile file, client->files().Get(name, context.signals.stop_token()));
  console.Print(console.json ? FormatFileAsJson(file, "", console.out) : FormatFile(file));
  return 0;
}

Result<int> FilesListCommand(const CommandContext& context) {
  const Console& console = context.console;
  SLUICE_ASSIGN(const ListFlags flags, ReadListFlags(context.arguments));
  SLUICE_ASSIGN(const FileSelection selection,
                FileSelection::Read(context.arguments, SystemClock().WallNow()));
  SLUICE_ASSIGN(const auto client, OpenClient(context));
  SLUICE_ASSIGN(const FilePage page, SelectFiles(context, *client, selection, flags));
  if (console.json) {
    console.Print(FormatFilesAsJson(page.files, page.next_page_token, console.out));
    return 0;
  }
  console.Print(FormatFileTable(page.files));
  SayNextPage(console, page.next_page_token);
  return 0;
}

Result<int> FilesDeleteCommand(const CommandContext& context) {
  SLUICE_ASSIGN(const auto client, OpenClient(context));
  SLUICE_ASSIGN(const std::vector<std::string> names, NamesToDelete(context, *client));
  return ForEachName(context, names,
                     {.verb = "delete",
                      .past = "deleted",
                      .warning = "Jobs that have not read a file yet will fail.",
                      .call = [&](const std::string& name) {
                        return client->files().Delete(name, context.signals.stop_token());
                      }});
}

}  // namespace sluice
