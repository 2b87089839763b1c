#include "tools/option_table.h"

#include <algorithm>
#include <array>

namespace sluice {
namespace {

using enum OptionKind;

constexpr OptionSpec kCommonOptions[] = {
    {"--json", kFlag, "", "SLUICE_JSON", "Common",
     "one JSON document on stdout; errors and progress as JSON lines on stderr"},
    {"--color", kChoice, "auto|always|never", "", "Common",
     "colours; auto: on a terminal, unless NO_COLOR is set"},
    {"--config", kText, "FILE", "SLUICE_CONFIG", "Common",
     "settings from this file alone (./sluice.toml, then yours, then the system's)"},
    {"--profile", kText, "NAME", "SLUICE_PROFILE", "Common",
     "with the settings of [profile.NAME], too"},
    {"-h,--help", kFlag, "", "", "Common", "this page"},
};

constexpr OptionSpec kRootOptions[] = {
    {"--version", kFlag, "", "", "Common", "version of this build"},
    {"--dump-man", kFlag, "", "", "Common", ""},
};

constexpr OptionSpec kServiceOptions[] = {
    {"--auth", kText, "NAME", "SLUICE_AUTH", "Service",
     "how to sign in: gemini (by an API key), or vertex (Vertex AI, as gcloud does)"},
    {"--project", kText, "NAME", "GOOGLE_CLOUD_PROJECT", "Service",
     "at Vertex AI (that of the credentials)"},
    {"--location", kText, "NAME", "GOOGLE_CLOUD_LOCATION", "Service",
     "at Vertex AI: a region, us, eu or global (global)"},
    {"--base-url", kText, "URL", "GOOGLE_GEMINI_BASE_URL", "Service",
     "another address of the service (plain http only to this machine)"},
    {"--api-version", kText, "NAME", "GOOGLE_GENAI_API_VERSION", "Service",
     "v1beta by default, v1 at Vertex AI"},
    {"--api-key-file", kText, "FILE", "", "Service", "file with the key, - for standard input"},
};

// Several lists as one.
template <size_t... kSizes>
consteval auto Joined(const OptionSpec (&... lists)[kSizes]) {
  std::array<OptionSpec, (kSizes + ...)> all;
  auto* end = all.begin();
  ((end = std::ranges::copy(lists, end).out), ...);
  return all;
}

constexpr OptionSpec kReadOptions[] = {
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
};

constexpr OptionSpec kAskOptions[] = {
    {"-b,--backend", kChoice, "gemini|vertex|local", "", "What to ask",
     "gemini, vertex, or local: a service inside sluice, without a key"},
    {"-m,--model", kText, "NAME", "", "What to ask", "default: see `sluice help environment`"},
    {"--task", kChoice, "embed|generate", "", "What to ask", "default: told from the other flags"},
    {"--dim", kText, "N", "", "What to ask", "length of the vectors (what the model gives)"},
    {"--task-type", kText, "NAME", "", "What to ask",
     "embedding task type (RETRIEVAL_DOCUMENT); '' sends none"},
    {"--template", kText, "FILE", "", "What to ask", "prompt with {{field}} in it"},
    {"--generation-config", kText, "FILE", "", "What to ask", "a JSON object, sent as it stands"},
    {"--system-instruction", kText, "FILE", "", "What to ask", "plain text"},
    {"--request-field", kText, "PATH", "", "What to ask", "field with a ready-made request"},
    {"--normalize", kFlag, "", "", "What to ask", "vectors of unit length"},
};

constexpr OptionSpec kRunServiceOptions[] = {
    {"--project", kText, "NAME", "GOOGLE_CLOUD_PROJECT", "Service",
     "vertex: whose jobs they are (that of the credentials)"},
    {"--location", kText, "NAME", "GOOGLE_CLOUD_LOCATION", "Service",
     "vertex: a region, us, eu or global (global)"},
    {"--bucket", kText, "NAME[/PREFIX]", "", "Service",
     "vertex: where in Cloud Storage shards and answers go"},
    {"--bigquery-dataset", kText, "NAME", "", "Service",
     "vertex, generation: go by tables in it instead; with --bucket, loaded from there"},
    {"--base-url", kText, "URL", "GOOGLE_GEMINI_BASE_URL", "Service",
     "another address of the service (plain http only to this machine)"},
    {"--api-version", kText, "NAME", "", "Service", "v1beta by default, v1 at Vertex AI"},
    {"--api-key-file", kText, "FILE", "", "Service", "file with the key, - for standard input"},
    {"--keep-remote", kFlag, "", "", "Service", "leave uploaded files at the service"},
};

constexpr OptionSpec kWriteOptions[] = {
    {"-o,--output", kText, "FILE", "", "What to write",
     ".npy or .jsonl (vectors.npy, answers.jsonl)"},
    {"--on-error", kChoice, "fail|skip|nan", "", "What to write",
     "a failed row: ends the run, is left out, is a row of NaN"},
    {"--keep-answers", kFlag, "", "", "What to write",
     "leave the service's answers in the run folder, compressed"},
    {"--report", kText, "FILE", "", "What to write", "copy of the report"},
};

constexpr OptionSpec kRefuseOptions[] = {
    {"--on-error", kChoice, "fail|skip", "", "What to read",
     "a line that is refused: ends the work, is left out (skip)"},
};

constexpr OptionSpec kShardOptions[] = {
    {"--shard-rows", kText, "N", "", "Sizes", "documents in one job at most (50k)"},
    {"--shard-bytes", kText, "SIZE", "", "Sizes", "request bytes in one job (16Mi)"},
    {"--shard-tokens", kText, "N", "", "Sizes", "estimated tokens in one job (no limit)"},
    {"--shard-answer-bytes", kText, "SIZE", "", "Sizes", "expected answer bytes of one job (1Gi)"},
};

constexpr OptionSpec kPackOptions[] = {
    {"--compress", kText, "zstd:N", "", "Sizes", "level of the shards on disk, or none (zstd:3)"},
    {"--threads", kText, "N", "SLUICE_THREADS", "Sizes", "one for each core"},
};

constexpr OptionSpec kPaceOptions[] = {
    {"--uploads", kText, "N", "", "Pace", "at the same time (2)"},
    {"--jobs-in-flight", kText, "N", "", "Pace", "at the service at the same time (20)"},
    {"--attempts", kText, "N", "", "Pace",
     "jobs for one shard, when jobs or rows of them fail (3)"},
    {"--poll", kText, "A..B", "", "Pace", "pause between looks, growing (30s..5m)"},
    {"--settle", kText, "TIME", "", "Pace",
     "how long a new job may be missing in the service's list (2m)"},
    {"--request-timeout", kText, "TIME", "", "Pace", "for one request, without its transfer (2m)"},
    {"--stall-timeout", kText, "TIME", "", "Pace", "for a transfer that does not move (1m)"},
    {"--deadline", kText, "TIME", "", "Pace",
     "then stop with exit code 75; the same command goes on"},
};

constexpr OptionSpec kLimitOptions[] = {
    {"--max-jobs", kText, "N", "", "Limits", "jobs of the whole run; then exit code 5 (no limit)"},
    {"--max-rows", kText, "N", "", "Limits", "rows asked for, again or not (no limit)"},
    {"--max-answer-bytes", kText, "SIZE", "", "Limits", "of one job; more is refused (64Gi)"},
    {"--on-unknown", kChoice, "adopt|ask", "", "Limits",
     "when a lost job is not found: rule it out and go on, or stop (adopt)"},
};

constexpr OptionSpec kProgressOptions[] = {
    {"--progress", kChoice, "auto|bar|plain|json|none", "SLUICE_PROGRESS", "Control",
     "auto: bar on a terminal, plain lines elsewhere"},
    {"--progress-interval", kText, "TIME", "", "Control",
     "between plain or JSON lines (30s); SIGUSR1 prints one at once"},
    {"-q,--quiet", kFlag, "", "", "Control", "only errors"},
};

constexpr OptionSpec kWhichRunOptions[] = {
    {"-C,--run", kText, "DIR", "SLUICE_RUN", "Which", "run folder (the newest *.sluice here)"},
};

constexpr OptionSpec kKeptServiceOptions[] = {
    {"--base-url", kText, "URL", "", "Service", "where the run's service is now (as before)"},
    {"--api-version", kText, "NAME", "", "Service", "v1beta by default"},
    {"--api-key-file", kText, "FILE", "", "Service", "file with the key, - for standard input"},
};

constexpr OptionSpec kRetryWhatOptions[] = {
    {"--class", kList, "NAME", "", "Which",
     "quota, transient, missing, malformed, cancelled (those by default), too-long, blocked, "
     "invalid, all"},
    {"--on-error", kChoice, "fail|skip|nan", "", "What to write",
     "a row that fails again (as the run had it)"},
    {"--report", kText, "FILE", "", "What to write", "copy of the report"},
};

constexpr OptionSpec kThreadOptions[] = {
    {"--threads", kText, "N", "SLUICE_THREADS", "Pace", "one for each core"},
};

constexpr OptionSpec kRetryControlOptions[] = {
    {"-n,--dry-run", kFlag, "", "", "Control", "only say what would be asked again"},
};

constexpr OptionSpec kCancelOnlyOptions[] = {
    {"--delete-files", kFlag, "", "", "What", "delete the input files at the service, too"},
    {"--settle", kText, "TIME", "", "What",
     "how long a new job may be missing in the service's list (2m)"},
    {"--request-timeout", kText, "TIME", "", "What", "for one request (2m)"},
    {"-n,--dry-run", kFlag, "", "", "Control", "only say what would be cancelled"},
    {"-y,--yes", kFlag, "", "", "Control", "yes to every question"},
    {"--no-input", kFlag, "", "", "Control", "never ask"},
    {"-q,--quiet", kFlag, "", "", "Control", "only errors"},
};

constexpr OptionSpec kRunControlOptions[] = {
    {"-C,--run", kText, "DIR", "SLUICE_RUN", "Control", "run folder (OUTPUT.sluice)"},
    {"--fresh", kFlag, "", "", "Control", "throw an older state away first (asks)"},
    {"-y,--yes", kFlag, "", "", "Control", "yes to every question"},
    {"--no-input", kFlag, "", "", "Control", "never ask"},
};

constexpr OptionSpec kVerboseOptions[] = {
    {"-v,--verbose", kFlag, "", "", "Control", "first say with which settings"},
};

constexpr auto kRunOptions = Joined(kReadOptions, kAskOptions, kRunServiceOptions, kWriteOptions,
                                    kShardOptions, kPackOptions, kPaceOptions, kLimitOptions,
                                    kRunControlOptions, kProgressOptions, kVerboseOptions);
constexpr auto kPrepareOptions = Joined(kReadOptions, kRefuseOptions, kAskOptions, kShardOptions,
                                        kPackOptions, kRunControlOptions, kProgressOptions);
constexpr auto kRetryOptions =
    Joined(kWhichRunOptions, kRetryWhatOptions, kKeptServiceOptions, kPaceOptions, kThreadOptions,
           kLimitOptions, kRetryControlOptions, kProgressOptions);
constexpr auto kCancelOptions = Joined(kWhichRunOptions, kKeptServiceOptions, kCancelOnlyOptions);

constexpr OptionSpec kBenchMeasureOptions[] = {
    {"--stage", kList, "NAME", "", "What to measure", "only this one; may be given several times"},
    {"--corpus", kText, "FILE", "", "What to measure", "a corpus of yours (made up by default)"},
    {"--text-field", kText, "PATH", "", "What to measure", "field of it with the text (text)"},
    {"--docs", kText, "N", "", "What to measure", "documents of the made-up corpus (100k)"},
    {"--bytes-per-doc", kText, "SIZE", "", "What to measure", "their mean size (1k)"},
    {"--rows", kText, "N", "", "What to measure", "made-up answers to decode (20k)"},
    {"--dim", kText, "N", "", "What to measure", "length of their vectors (768)"},
    {"--against", kText, "CMD", "", "What to measure",
     "a command to time on the same bytes in turn"},
    {"--runs", kText, "N", "", "How", "after one to warm up (5)"},
    {"--work", kText, "DIR", "", "How", "where to make a temporary folder ($TMPDIR)"},
    {"--export-json", kText, "FILE", "", "How", "the results with every single measurement"},
    {"-q,--quiet", kFlag, "", "", "How", "do not say what is being measured"},
    {"--measure", kText, "STAGE", "", "How", ""},
    {"--no-bound", kFlag, "", "", "How", ""},
};

constexpr auto kBenchOptions = Joined(kBenchMeasureOptions, kShardOptions, kPackOptions);

constexpr OptionSpec kBenchGenerateOptions[] = {
    {"--seed", kText, "N", "", "What to make", "another one, another content (1)"},
    {"--bytes", kText, "SIZE", "", "Corpus", "of the whole, instead of --docs"},
    {"--docs", kText, "N", "", "Corpus", "documents (100k)"},
    {"--bytes-per-doc", kText, "SIZE", "", "Corpus", "mean size of a document's line (1k)"},
    {"--escapes", kText, "SHARE", "", "Corpus", "of the text's bytes that are in escapes (4%)"},
    {"--non-ascii", kText, "SHARE", "", "Corpus", "of the text's bytes that are not ASCII (10%)"},
    {"--script", kList, "latin|cyrillic|cjk|emoji", "", "Corpus",
     "what is not ASCII; may be given several times (all of them)"},
    {"--rows", kText, "N", "", "Answers", "one line each (100k)"},
    {"--dim", kText, "N", "", "Answers", "length of the vectors (768)"},
    {"--files", kText, "N", "", "Answers", "that the lines are dealt out to (8)"},
    {"--usage-metadata", kFlag, "", "", "Answers", "members behind the array"},
    {"--spaced", kFlag, "", "", "Answers", "blanks behind commas and colons"},
    {"--failed", kText, "SHARE", "", "Answers", "rows answered by an error (0%)"},
};

constexpr OptionSpec kStatusOptions[] = {
    {"-C,--run", kText, "DIR", "SLUICE_RUN", "Which", "run folder (the newest *.sluice here)"},
    {"--jobs", kFlag, "", "", "What", "every shard (else the first 20 that are not merged)"},
    {"--errors", kFlag, "", "", "What", "rows that failed and lines that were refused"},
    {"--watch", kOptional, "TIME", "", "What", "again every TIME (2s) until the run is done"},
};

constexpr OptionSpec kVerifyOptions[] = {
    {"-C,--run", kText, "DIR", "SLUICE_RUN", "Which", "run folder (the newest *.sluice here)"},
};

constexpr OptionSpec kEmulateOptions[] = {
    {"--listen", kText, "HOST:PORT", "", "Address", "loopback only; port 0 is any (127.0.0.1:0)"},
    {"--port-file", kText, "FILE", "", "Address", "gets the port, once the service answers"},
    {"--require-key-file", kText, "FILE", "", "Address", "only this API key is accepted"},
    {"--credentials-file", kText, "FILE", "", "Google Cloud",
     "written: a service account, whose tokens are then needed"},
    {"--token-life", kText, "TIME", "", "Google Cloud", "of an access token (1h)"},
    {"--bucket", kList, "NAME", "", "Google Cloud", "of Cloud Storage, made when absent"},
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
    {"-b,--backend", kChoice, "gemini|vertex|local", "", "Model", "as in the report"},
    {"--project", kText, "NAME", "GOOGLE_CLOUD_PROJECT", "Model", "at Vertex AI"},
    {"--location", kText, "NAME", "GOOGLE_CLOUD_LOCATION", "Model", "at Vertex AI (global)"},
    {"-m,--model", kText, "NAME", "", "Model", "as in the report"},
    {"--base-url", kText, "URL", "GOOGLE_GEMINI_BASE_URL", "Model", "as in the report"},
    {"--api-version", kText, "NAME", "", "Model", "v1beta by default"},
    {"--api-key-file", kText, "FILE", "", "Model", "file with the key, - for standard input"},
};

constexpr OptionSpec kJobsCreateOptions[] = {
    {"-m,--model", kText, "NAME", "", "What to ask", "default: see `sluice help environment`"},
    {"--generation-config", kText, "FILE", "", "What to ask",
     "a JSON object, put into each request that does not say otherwise"},
    {"--system-instruction", kText, "FILE", "", "What to ask",
     "plain text or a JSON object, put into each request in the same way"},
    {"--display-name", kText, "TEXT", "", "Job", "of the job, and of the file that is uploaded"},
    {"--to", kText, "URI", "", "Job",
     "Vertex AI: where the answers go, gs://bucket/prefix or bq://project.dataset"},
    {"--priority", kText, "N", "", "Job", "jobs with a higher one run first (0)"},
    {"--inline", kFlag, "", "", "Job", "requests go into the call itself (20 MB at most)"},
    {"--upload", kFlag, "", "", "Job", "requests are uploaded first, however few they are"},
    {"-n,--dry-run", kFlag, "", "", "Job", "only say what would be created"},
    {"-q,--quiet", kFlag, "", "", "Job", "no progress"},
};

constexpr OptionSpec kJobsListOptions[] = {
    {"--state", kChoice, "pending|running|succeeded|failed|cancelled|expired", "", "Which",
     "only jobs in this state"},
    {"--filter", kText, "TEXT", "", "Which", "handed to the service, which may ignore it"},
    {"--limit", kText, "N", "", "Which", "the first N of all pages (0: all)"},
    {"--page-size", kText, "N", "", "Which", "one page, of at most N"},
    {"--page-token", kText, "TOKEN", "", "Which", "one page: the one that a page before it named"},
};

constexpr OptionSpec kJobsWaitOptions[] = {
    {"--poll", kText, "TIME", "", "Pace", "pause between looks (30s)"},
    {"--timeout", kText, "TIME", "", "Pace", "how long to wait; then exit 75 (1h)"},
    {"-q,--quiet", kFlag, "", "", "Pace", "no line for each look"},
};

constexpr OptionSpec kConfirmOptions[] = {
    {"-n,--dry-run", kFlag, "", "", "Control", "only say what would be done"},
    {"-y,--yes", kFlag, "", "", "Control", "do not ask (needed where no terminal is)"},
    {"--no-input", kFlag, "", "", "Control", "never ask"},
};

constexpr OptionSpec kJobsResponsesOptions[] = {
    {"-o,--output", kText, "FILE", "", "What to write", "there once it is whole (standard output)"},
    {"--raw", kFlag, "", "", "What to write", "the lines as the service sent them"},
};

constexpr OptionSpec kFilesUploadOptions[] = {
    {"--display-name", kText, "TEXT", "", "File", "for people"},
    {"--name", kText, "ID", "", "File", "files/ID: a-z, 0-9 and dashes (the service makes one up)"},
    {"--mime-type", kText, "TYPE", "", "File", "application/jsonl, or what the service accepts"},
    {"--state", kText, "FILE", "", "Transfer",
     "keeps the upload while it runs: the same command goes on after a kill"},
    {"-n,--dry-run", kFlag, "", "", "Transfer", "only say what would be sent"},
    {"-q,--quiet", kFlag, "", "", "Transfer", "no progress"},
};

constexpr OptionSpec kFilesListOptions[] = {
    {"--orphans", kFlag, "", "", "Which", "uploaded files that no job and no run here needs"},
    {"--older-than", kText, "TIME", "", "Which", "made longer ago (with --orphans: 1h)"},
    {"-C,--run", kList, "DIR", "SLUICE_RUN", "Which", "run folders to ask besides *.sluice here"},
    {"--limit", kText, "N", "", "Which", "the first N of all pages (0: all)"},
    {"--page-size", kText, "N", "", "Which", "one page, of at most N (100)"},
    {"--page-token", kText, "TOKEN", "", "Which", "one page: the one that a page before it named"},
};

constexpr OptionSpec kFilesDeleteOptions[] = {
    {"--orphans", kFlag, "", "", "Which", "those that `sluice files list --orphans` shows"},
    {"--older-than", kText, "TIME", "", "Which", "made longer ago (with --orphans: 1h)"},
    {"-C,--run", kList, "DIR", "SLUICE_RUN", "Which", "run folders to ask besides *.sluice here"},
    {"-n,--dry-run", kFlag, "", "", "Control", "only say what would be done"},
    {"-y,--yes", kFlag, "", "", "Control", "do not ask (needed where no terminal is)"},
    {"--no-input", kFlag, "", "", "Control", "never ask"},
};

constexpr OptionSpec kFilesDownloadOptions[] = {
    {"-o,--output", kText, "FILE", "", "What to write",
     "there once it is whole; -: standard output"},
    {"-q,--quiet", kFlag, "", "", "What to write", "no summary"},
};

constexpr size_t kAnyNumber = 1'000'000;

constexpr std::string_view kSourceDescription =
    "SOURCE is files/NAME, an uploaded file, or JSONL here: a file (plain, .gz or .zst), or - for\n"
    "standard input. Its lines are {\"key\": ..., \"request\": {...}}, or bare requests, which "
    "get\n"
    "their number as key.\n"
    "Up to 1 MB of requests go into the call itself; more are uploaded first.\n"
    "With --auth vertex SOURCE is gs://BUCKET/OBJECT, or bq://PROJECT.DATASET.TABLE for models "
    "that\n"
    "read tables (not Gemini embedding models).\n"
    "Prints the name of the job.";

constexpr std::string_view kOrphanDescription =
    "An orphan is an uploaded file that no job of the account names as its source, and no run\n"
    "folder here as its own. Younger than an hour it may be one whose job is still to come.\n"
    "Files that the service made are never orphans: it does not let them be deleted.";

constexpr std::string_view kBenchDescription =
    "Stages: read, prepare (check and write as requests), compress, write, pack (all of them, "
    "with\n"
    "one thread and with all), decode (answers to their places in an array). Each is measured in "
    "a\n"
    "process of its own, in turn; shown are medians, and how long its bound takes for the same "
    "bytes\n"
    "in the same process: copying them in memory, zstd or the number reader alone, or the disk.\n"
    "--against times CMD (by /bin/sh) in turn with pack, or the one --stage that is given: whole\n"
    "processes. {} in it and $SLUICE_BENCH_INPUT are what the stage reads, $SLUICE_BENCH_REQUESTS "
    "the\n"
    "request lines of the corpus, $SLUICE_BENCH_OUTPUT a file that it may write. {} is put in "
    "quoted:\n"
    "leave it bare, or write \"$SLUICE_BENCH_INPUT\".";

constexpr CommandSpec kCommands[] = {
    {"run", "corpus in, vectors or answers out; starting it again resumes", "INPUT...", kAnyNumber,
     "INPUT is a .jsonl file (plain, .gz or .zst), a folder of text files, a glob, or - for\n"
     "standard input; gs://BUCKET/OBJECT and gs://BUCKET/FOLDER/ lie in Cloud Storage, and so may\n"
     "the output. Sizes take k M G (thousands) and Ki Mi Gi (1024); times ms s m h.",
     kRunOptions,
     "  sluice run corpus.jsonl.zst -o vectors.npy --dim 768\n"
     "  sluice run docs/ --glob '*.md' --backend local\n"
     "  sluice run corpus.jsonl --backend vertex --location us-central1 --bucket my-bucket/run1\n"
     "  zcat a.jsonl.gz | sluice run - --text-field body\n"
     "  sluice run corpus.jsonl --template prompt.txt -o answers.jsonl\n"},
    {"prepare", "the first step of a run alone: corpus in, shards out", "INPUT...", kAnyNumber,
     "Checks the corpus and packs it into the shards of a run folder; needs no key and no "
     "network.\n"
     "`sluice run` with the same INPUT, flags and -C goes on from there.",
     kPrepareOptions,
     "  sluice prepare corpus/*.jsonl.zst -C big.sluice --compress zstd:1\n"
     "  sluice run corpus/*.jsonl.zst -C big.sluice -o vectors.npy\n"},
    {"status", "where a run stands", "", 0, "Reads the run folder only; asks no service.",
     kStatusOptions, "  sluice status\n  sluice status -C vectors.npy.sluice --watch\n"},
    {"verify", "look once more at everything that a run left", "RUN", 1,
     "Reads the corpus again and compares everything in the run folder and the output with it; "
     "asks\n"
     "no service and changes nothing. Exit code 0: nothing is wrong, whether or not the run is\n"
     "complete; 7: something is, and is listed; 8: a live process works on the run.",
     kVerifyOptions, "  sluice verify vectors.npy.sluice\n  sluice verify --json\n"},
    {"retry", "ask again for rows that failed, and write the output anew", "", 0,
     "What was delivered is kept and not paid for again; until the new output is whole, the old "
     "one\n"
     "stays. A retry that was stopped goes on with the same command.",
     kRetryOptions,
     "  sluice retry\n  sluice retry -C vectors.npy.sluice --class blocked --class too-long\n"},
    {"cancel", "end the remote jobs of a run", "", 0,
     "Afterwards nothing more is bought for it: `sluice run` writes what the jobs delivered, "
     "`sluice\n"
     "retry` asks for the rest.",
     kCancelOptions, "  sluice cancel -C vectors.npy.sluice -y --delete-files\n"},
    {"neighbors", "nearest documents of a text or a row, by cosine", "OUT.npy", 1,
     "Shows that rows and documents belong together.", kNeighborsOptions,
     "  sluice neighbors vectors.npy --text 'how to mend a bicycle' -k 10\n"
     "  sluice neighbors vectors.npy --row 17\n"},
    {"jobs", "batch jobs at the service", "VERB", 0, "", {}, ""},
    {"jobs create", "ask for a job that generates", "SOURCE", 1, kSourceDescription,
     kJobsCreateOptions,
     "  sluice jobs create requests.jsonl -m gemini-2.5-flash --display-name nightly\n"
     "  sluice jobs create gs://bucket/requests.jsonl --auth vertex --to gs://bucket/answers\n"
     "  sluice jobs create files/abc123 --json\n",
     kServiceOptions},
    {"jobs create-embeddings", "ask for a job that embeds", "SOURCE", 1, kSourceDescription,
     kJobsCreateOptions, "  sluice jobs create-embeddings requests.jsonl\n", kServiceOptions},
    {"jobs get",
     "one job",
     "NAME",
     1,
     "",
     {},
     "  sluice jobs get batches/abc123\n",
     kServiceOptions},
    {"jobs list", "all jobs, newest first", "", 0,
     "Pages are fetched as they are needed; --page-size or --page-token gives a single one.",
     kJobsListOptions, "  sluice jobs list --state running --json\n", kServiceOptions},
    {"jobs wait", "until a job has ended", "NAME", 1,
     "Exit code 0: it succeeded; 3: some of its requests failed; 6: it failed, expired or was\n"
     "cancelled; 75: it has not ended yet.",
     kJobsWaitOptions, "  sluice jobs wait batches/abc123 --timeout 55m\n", kServiceOptions},
    {"jobs cancel", "stop jobs that have not ended", "NAME...", kAnyNumber,
     "What was served already may still be answered: look at the responses.", kConfirmOptions,
     "  sluice jobs cancel batches/abc123 -y\n", kServiceOptions},
    {"jobs delete", "forget jobs and their inline responses", "NAME...", kAnyNumber,
     "A job that runs is better cancelled first.", kConfirmOptions,
     "  sluice jobs delete batches/abc123 -y\n", kServiceOptions},
    {"jobs responses", "what came of each request of a job, as JSON lines", "NAME", 1,
     "The order is the service's, not that of the requests: go by the key.\n"
     "Exit code 3: some requests failed.",
     kJobsResponsesOptions, "  sluice jobs responses batches/abc123 -o answers.jsonl\n",
     kServiceOptions},
    {"files", "files at the service", "VERB", 0, "", {}, ""},
    {"files upload", "send a file", "FILE", 1,
     "Goes on by itself where a broken connection left it.", kFilesUploadOptions,
     "  sluice files upload requests.jsonl --state upload.state\n", kServiceOptions},
    {"files get",
     "one file",
     "NAME",
     1,
     "",
     {},
     "  sluice files get files/abc123\n",
     kServiceOptions},
    {"files list", "all files", "", 0, kOrphanDescription, kFilesListOptions,
     "  sluice files list --orphans\n", kServiceOptions},
    {"files delete", "delete files: by name, or orphans, or old ones", "[NAME...]", kAnyNumber,
     kOrphanDescription, kFilesDeleteOptions,
     "  sluice files delete --orphans --older-than 36h -n\n"
     "  sluice files delete files/abc123 -y\n",
     kServiceOptions},
    {"files download", "fetch a file that the service made", "NAME", 1,
     "Uploaded files cannot be fetched back.", kFilesDownloadOptions,
     "  sluice files download files/batch-abc123 -o answers.jsonl\n", kServiceOptions},
    {"emulate", "local server with the Gemini Developer API and Vertex AI", "", 0,
     "Cloud Storage, the part of BigQuery that batch jobs need, and sign-in are there, too. Any\n"
     "client can use it; its answers are deterministic and come from no neural model.\n"
     "Prints its base URL and serves until it is stopped.",
     kEmulateOptions,
     "  sluice emulate --listen 127.0.0.1:8787 --state service/\n"
     "  sluice run docs/ --base-url http://127.0.0.1:8787\n"},
    {"bench", "measure each stage on this machine", "", 0, kBenchDescription, kBenchOptions,
     "  sluice bench --docs 1M --compress zstd:1 --export-json bench.json\n"
     "  sluice bench --corpus corpus.jsonl --stage pack\n"
     "  sluice bench --corpus corpus.jsonl --compress zstd:1 \\\n"
     "    --against 'zstd -1 -T2 --check -f -q \"$SLUICE_BENCH_REQUESTS\" -o "
     "\"$SLUICE_BENCH_OUTPUT\"'\n"},
    {"bench generate", "a corpus or answers to measure with", "WHAT PATH", 2,
     "WHAT is corpus or answers. A corpus goes to the file PATH, or to standard output (-); "
     "answers\n"
     "to PATH, a new or an empty folder, with expected.npy, the array that they decode to, beside "
     "them.\n"
     "The same flags give the same bytes on every machine.",
     kBenchGenerateOptions,
     "  sluice bench generate corpus made.jsonl --bytes 1G --non-ascii 30%\n"
     "  sluice bench generate answers made/ --rows 10k --usage-metadata\n"},
    {"config", "settings kept in files", "VERB", 0, "", {}, ""},
    {"config show",
     "which settings hold for a command, and where each comes from",
     "[COMMAND...]",
     2,
     "Settings are the options of a command by their long names: poll = \"30s..5m\". In a file "
     "they\n"
     "hold for every command that has them, below [run] for one, below [profile.NAME] with "
     "--profile.\n"
     "A flag goes before a variable, a variable before a file.",
     {},
     "  sluice config show\n  sluice config show retry --profile night\n"},
    {"config path", "where settings are looked for, nearest first", "", 0, "", {}, ""},
    {"help",
     "this page, a command, or a topic: exit-codes, environment, formats",
     "TOPIC",
     2,
     "",
     {},
     ""},
    {"completion",
     "completions for a shell, on standard output",
     "bash|zsh|fish",
     1,
     "A package installs them; by hand:",
     {},
     "  source <(sluice completion bash)\n"
     "  sluice completion zsh > ~/.zfunc/_sluice    # a folder in $fpath, before compinit\n"
     "  sluice completion fish > ~/.config/fish/completions/sluice.fish\n"},
    {"version", "version of this build", "", 0, "", {}, ""},
};

}  // namespace

std::span<const CommandSpec> Commands() { return kCommands; }

const CommandSpec* FindCommand(std::string_view name) {
  const auto* found = std::ranges::find(kCommands, name, &CommandSpec::name);
  return found == std::end(kCommands) ? nullptr : found;
}

bool IsVerb(const CommandSpec& command) { return command.name.find(' ') != std::string_view::npos; }

std::string_view LastWord(const CommandSpec& command) {
  return command.name.substr(command.name.find(' ') + 1);
}

std::span<const CommandSpec> VerbsOf(const CommandSpec& command) {
  const CommandSpec* begin = &command + 1;
  const CommandSpec* end =
      IsVerb(command) ? begin : std::find_if_not(begin, std::end(kCommands), IsVerb);
  return {begin, end};
}

bool OnlyNamesVerbs(const CommandSpec& command) {
  return !VerbsOf(command).empty() && command.options.empty();
}

std::vector<const CommandSpec*> CommandsBelow(const CommandSpec* noun) {
  std::vector<const CommandSpec*> commands;
  for (const CommandSpec& command : noun == nullptr ? Commands() : VerbsOf(*noun)) {
    if (noun != nullptr || !IsVerb(command)) {
      commands.push_back(&command);
    }
  }
  return commands;
}

std::vector<const OptionSpec*> AllOptions(const CommandSpec* command) {
  std::vector<const OptionSpec*> all;
  const auto add = [&all](std::span<const OptionSpec> options) {
    for (const OptionSpec& option : options) {
      all.push_back(&option);
    }
  };
  if (command != nullptr) {
    add(command->options);
    add(command->shared_options);
  }
  add(kCommonOptions);
  if (command == nullptr) {
    add(kRootOptions);
  }
  return all;
}

std::string_view OptionName(const OptionSpec& option) {
  const size_t comma = option.names.rfind(',');
  return comma == std::string_view::npos ? option.names : option.names.substr(comma + 1);
}

}  // namespace sluice
