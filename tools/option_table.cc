#include "tools/option_table.h"

#include <algorithm>
#include <array>
#include <numeric>

namespace sluice {
namespace {

using enum OptionKind;

constexpr OptionSpec kCommonOptions[] = {
    {"--json", kFlag, "", "SLUICE_JSON", "Common",
     "one JSON document on stdout; errors and progress as JSON lines on stderr"},
    {"--color", kChoice, "auto|always|never", "", "Common",
     "colours; auto: on a terminal, unless NO_COLOR is set"},
    {"-h,--help", kFlag, "", "", "Common", "this page"},
};

constexpr OptionSpec kRunOptions[] = {
    {"--text-field", kText, "PATH", "", "What to read",
     "field with the text (text); doc.body works"},
    {"--id-field", kText, "PATH", "", "What to read",
     "field with the id (\"id\" where there is one, else file:line)"},
    {"--title-field", kText, "PATH", "", "What to read", "field with the title, sent along"},
    {"--input-format", kChoice, "auto|jsonl|text", "", "What to read",
     "auto: by the name of each file"},
    {"--glob", kList, "PATTERN", "", "What to read", "in folders: only names that match"},
    {"--exclude", kList, "PATTERN", "", "What to read", "in folders: no names that match"},
    {"--max-line-bytes", kText, "SIZE", "", "What to read", "longer lines are refused (16Mi)"},

    {"-b,--backend", kChoice, "gemini|local", "", "What to ask",
     "gemini, or local: a service inside sluice, without a key"},
    {"-m,--model", kText, "NAME", "", "What to ask", "default: see `sluice help environment`"},
    {"--task", kChoice, "embed|generate", "", "What to ask", "default: told from the other flags"},
    {"--dim", kText, "N", "", "What to ask", "length of the vectors (what the model gives)"},
    {"--task-type", kText, "NAME", "", "What to ask",
     "embedding task type (RETRIEVAL_DOCUMENT); '' sends none"},
    {"--template", kText, "FILE", "", "What to ask", "prompt with {{field}} in it"},
    {"--generation-config", kText, "FILE", "", "What to ask", "a JSON object, sent as it stands"},
    {"--system-instruction", kText, "FILE", "", "What to ask", "plain text"},
    {"--request-field", kText, "PATH", "", "What to ask", "field with a ready-made request"},
    {"--base-url", kText, "URL", "GOOGLE_GEMINI_BASE_URL", "What to ask",
     "another address of the service (plain http only to this machine)"},
    {"--api-version", kText, "NAME", "", "What to ask", "v1beta by default"},
    {"--api-key-file", kText, "FILE", "", "What to ask", "file with the key, - for standard input"},

    {"-o,--output", kText, "FILE", "", "What to write",
     ".npy or .jsonl (vectors.npy, answers.jsonl)"},
    {"--on-error", kChoice, "fail|skip|nan", "", "What to write",
     "a failed row: ends the run, is left out, is a row of NaN"},
    {"--normalize", kFlag, "", "", "What to write", "vectors of unit length"},
    {"--report", kText, "FILE", "", "What to write", "copy of the report"},

    {"--shard-rows", kText, "N", "", "Sizes and pace", "documents in one job at most (50k)"},
    {"--shard-bytes", kText, "SIZE", "", "Sizes and pace", "request bytes in one job (16Mi)"},
    {"--shard-tokens", kText, "N", "", "Sizes and pace", "estimated tokens in one job (no limit)"},
    {"--shard-answer-bytes", kText, "SIZE", "", "Sizes and pace",
     "expected answer bytes of one job (1Gi)"},
    {"--compress", kText, "zstd:N", "", "Sizes and pace", "level of the shards on disk (zstd:3)"},
    {"--uploads", kText, "N", "", "Sizes and pace", "at the same time (2)"},
    {"--jobs-in-flight", kText, "N", "", "Sizes and pace", "at the service at the same time (20)"},
    {"--attempts", kText, "N", "", "Sizes and pace", "jobs for one shard, when jobs fail (3)"},
    {"--poll", kText, "A..B", "", "Sizes and pace", "pause between looks, growing (30s..5m)"},
    {"--settle", kText, "TIME", "", "Sizes and pace",
     "how long a new job may be missing in the service's list (2m)"},
    {"--threads", kText, "N", "SLUICE_THREADS", "Sizes and pace", "one for each core"},

    {"-C,--run", kText, "DIR", "SLUICE_RUN", "Control", "run folder (OUTPUT.sluice)"},
    {"--fresh", kFlag, "", "", "Control", "throw an older state away first (asks)"},
    {"--keep-remote", kFlag, "", "", "Control", "leave uploaded files at the service"},
    {"-y,--yes", kFlag, "", "", "Control", "yes to every question"},
    {"--no-input", kFlag, "", "", "Control", "never ask"},
    {"--progress", kChoice, "auto|bar|plain|json|none", "SLUICE_PROGRESS", "Control",
     "auto: bar on a terminal, plain lines elsewhere"},
    {"--progress-interval", kText, "TIME", "", "Control",
     "between plain or JSON lines (30s); SIGUSR1 prints one at once"},
    {"-q,--quiet", kFlag, "", "", "Control", "only errors"},
    {"-v,--verbose", kFlag, "", "", "Control", "first say with which settings"},
};

constexpr OptionSpec kStatusOptions[] = {
    {"-C,--run", kText, "DIR", "SLUICE_RUN", "Which", "run folder (the newest *.sluice here)"},
    {"--jobs", kFlag, "", "", "What", "every shard (else the first 20 that are not merged)"},
    {"--errors", kFlag, "", "", "What", "rows that failed and lines that were refused"},
    {"--watch", kOptional, "TIME", "", "What", "again every TIME (2s) until the run is done"},
};

constexpr OptionSpec kEmulateOptions[] = {
    {"--listen", kText, "HOST:PORT", "", "Address", "loopback only; port 0 is any (127.0.0.1:0)"},
    {"--port-file", kText, "FILE", "", "Address", "gets the port, once the service answers"},
    {"--require-key-file", kText, "FILE", "", "Address", "only this API key is accepted"},
    {"--state", kText, "DIR", "", "Service", "keeps files and jobs (else a temporary folder)"},
    {"--latency", kText, "A..B", "", "Service", "how long a job runs (50ms..2s)"},
    {"--seed", kText, "N", "", "Service", "of the shuffle, the latencies and the faults (1)"},
    {"--no-shuffle", kFlag, "", "", "Service", "answers in the order of the requests"},
    {"--fault", kList, "NAME[=ARG]", "", "Service", "a fault on request, listed below"},
    {"--exit-with-parent", kFlag, "", "", "End", "ends when its parent process does"},
    {"--exit-after", kText, "TIME", "", "End", "ends after that time"},
};

constexpr OptionSpec kNeighborsOptions[] = {
    {"--text", kText, "TEXT", "", "Query", "embedded with the model that made the array"},
    {"--row", kText, "N", "", "Query", "a row of the array itself"},
    {"-k,--count", kText, "N", "", "Query", "how many (5)"},
    {"--ids", kText, "FILE", "", "Where", "which document a row is (beside the array)"},
    {"-C,--run", kText, "DIR", "SLUICE_RUN", "Where",
     "run folder with the report (OUT.npy.sluice)"},
    {"--text-field", kText, "PATH", "", "Where", "field with the text (as in the report)"},
    {"-b,--backend", kChoice, "gemini|local", "", "Model", "as in the report"},
    {"-m,--model", kText, "NAME", "", "Model", "as in the report"},
    {"--base-url", kText, "URL", "GOOGLE_GEMINI_BASE_URL", "Model", "as in the report"},
    {"--api-version", kText, "NAME", "", "Model", "v1beta by default"},
    {"--api-key-file", kText, "FILE", "", "Model", "file with the key, - for standard input"},
};

constexpr CommandSpec kCommands[] = {
    {"run", "corpus in, vectors or answers out; starting it again resumes", "INPUT...", 1'000'000,
     "INPUT is a .jsonl file (plain, .gz or .zst), a folder of text files, a glob, or - for\n"
     "standard input. Sizes take k M G (thousands) and Ki Mi Gi (1024); times ms s m h.",
     kRunOptions,
     "  sluice run corpus.jsonl.zst -o vectors.npy --dim 768\n"
     "  sluice run docs/ --glob '*.md' --backend local\n"
     "  zcat a.jsonl.gz | sluice run - --text-field body\n"
     "  sluice run corpus.jsonl --template prompt.txt -o answers.jsonl\n"},
    {"status", "where a run stands", "", 0, "Reads the run folder only; asks no service.",
     kStatusOptions, "  sluice status\n  sluice status -C vectors.npy.sluice --watch\n"},
    {"neighbors", "nearest documents of a text or a row, by cosine", "OUT.npy", 1,
     "Shows that rows and documents belong together.", kNeighborsOptions,
     "  sluice neighbors vectors.npy --text 'how to mend a bicycle' -k 10\n"
     "  sluice neighbors vectors.npy --row 17\n"},
    {"emulate", "local server with the Gemini Developer API", "", 0,
     "Any client can use it; its answers are deterministic and come from no neural model.\n"
     "Prints its base URL and serves until it is stopped.",
     kEmulateOptions,
     "  sluice emulate --listen 127.0.0.1:8787 --state service/\n"
     "  sluice run docs/ --base-url http://127.0.0.1:8787\n"},
    {"help",
     "this page, a command, or a topic: exit-codes, environment, formats",
     "TOPIC",
     1,
     "",
     {},
     ""},
    {"version", "version of this build", "", 0, "", {}, ""},
};

}  // namespace

std::span<const CommandSpec> Commands() { return kCommands; }

std::span<const OptionSpec> CommonOptions() { return kCommonOptions; }

const CommandSpec* FindCommand(std::string_view name) {
  const auto* found = std::ranges::find(kCommands, name, &CommandSpec::name);
  return found == std::end(kCommands) ? nullptr : found;
}

std::string_view OptionName(const OptionSpec& option) {
  const size_t comma = option.names.rfind(',');
  return comma == std::string_view::npos ? option.names : option.names.substr(comma + 1);
}

namespace {

// Levenshtein's distance, one row of the table at a time.
size_t EditDistance(std::string_view from, std::string_view to) {
  std::vector<size_t> row(to.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= from.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= to.size(); ++j) {
      const size_t change = diagonal + (from[i - 1] == to[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, change});
    }
  }
  return row.back();
}

}  // namespace

std::string_view NearestWord(std::string_view word, std::span<const std::string_view> candidates) {
  std::string_view nearest;
  size_t best = std::min<size_t>(2, word.empty() ? 0 : word.size() - 1) + 1;
  for (const std::string_view candidate : candidates) {
    const size_t distance = EditDistance(word, candidate);
    if (distance < best) {
      best = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

std::vector<std::string_view> SplitText(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) {
      return parts;
    }
    text.remove_prefix(end + 1);
  }
}

}  // namespace sluice
