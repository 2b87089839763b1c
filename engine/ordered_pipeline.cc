#include "engine/ordered_pipeline.h"

#include <oneapi/tbb/flow_graph.h>
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/task_arena.h>

#include <atomic>
#include <exception>
#include <mutex>
#include <optional>
#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#endif

#include "io/base/exhaustion.h"

namespace sluice {
namespace {

namespace flow = oneapi::tbb::flow;

// What a node did has happened before wait_for_all() returns. The thread sanitizer cannot know,
// since oneTBB's library is not built with it.
#if defined(__SANITIZE_THREAD__)
struct NodeWork {
  explicit NodeWork(void* owner) : graph(owner) {}
  ~NodeWork() { __tsan_release(graph); }
  void* graph;
};
void AfterAllNodes(void* graph) { __tsan_acquire(graph); }
#else
struct [[maybe_unused]] NodeWork {
  explicit NodeWork(void* /*graph*/) {}
};
void AfterAllNodes(void* /*graph*/) {}
#endif

// Graph messages must be copyable, so the item is passed as a shared handle with its number.
struct Message {
  uint64_t number = 0;
  std::shared_ptr<std::unique_ptr<PipelineItem>> item;
};

// Keeps the first failure; every station asks before it works.
class FirstError {
 public:
  [[nodiscard]] bool failed() const { return failed_.load(std::memory_order_acquire); }

  void Keep(Error error) {
    const std::scoped_lock lock(mutex_);
    if (!error_.has_value()) {
      error_ = std::move(error);
      failed_.store(true, std::memory_order_release);
    }
  }

  [[nodiscard]] std::optional<Error> Take() { return std::move(error_); }

 private:
  std::atomic<bool> failed_{false};
  std::mutex mutex_;
  std::optional<Error> error_;
};

Error Stopped() {
  return {.code = ErrorCode::kUnfinished, .message = "stopped; what was done so far is kept"};
}

// The border where exceptions end.
Result<void> WorkAt(const Station& station, PipelineItem& item) {
  return Caught([&] { return station.work(item); }, "a pipeline station failed");
}

class Graph {
 public:
  Graph(size_t items_max, const PipelineSource& source, const std::vector<Station>& stations,
        std::stop_token stop)
      : source_(source),
        stop_(std::move(stop)),
        items_max_(items_max),
        // Reads when an item has left: whoever made the room takes the next one through.
        read_(graph_, flow::serial,
              [this](flow::continue_msg /*room*/, Read::output_ports_type& ports) {
                if (const std::optional<Message> message = Next()) {
                  std::get<0>(ports).try_put(*message);
                }
              }) {
    flow::sender<Message>* last = &flow::output_port<0>(read_);
    for (const Station& station : stations) {
      last = Append(*last, station);
    }
    end_ = std::make_unique<flow::function_node<Message, flow::continue_msg>>(
        graph_, flow::serial, [this](const Message& message) {
          const NodeWork work(this);
          source_.recycle(std::move(*message.item));
          ++items_out_;
          return flow::continue_msg();
        });
    flow::make_edge(*last, *end_);
    flow::make_edge(*end_, read_);
  }

  Result<void> Run() {
    for (size_t i = 0; i < items_max_; ++i) {
      read_.try_put(flow::continue_msg());
    }
    graph_.wait_for_all();
    AfterAllNodes(this);
    if (std::optional<Error> error = error_.Take()) {
      return std::unexpected(std::move(*error));
    }
    SLUICE_CHECK(items_in_ == items_out_, "the pipeline lost a block");
    if (stopped_) {
      return std::unexpected(Stopped());
    }
    return {};
  }

 private:
  using Work = flow::function_node<Message, Message>;
  using Read = flow::multifunction_node<flow::continue_msg, std::tuple<Message>>;

  // Nothing at the end, and from then on.
  std::optional<Message> Next() {
    const NodeWork work(this);
    if (ended_ || error_.failed()) {
      return std::nullopt;
    }
    stopped_ = stop_.stop_requested();
    ended_ = stopped_;
    if (ended_) {
      return std::nullopt;
    }
    Result<std::unique_ptr<PipelineItem>> item = NextItem();
    if (!item.has_value()) {
      error_.Keep(std::move(item).error());
      return std::nullopt;
    }
    ended_ = *item == nullptr;
    if (ended_) {
      return std::nullopt;
    }
    return Message{.number = items_in_++,
                   .item = std::make_shared<std::unique_ptr<PipelineItem>>(std::move(*item))};
  }

  Result<std::unique_ptr<PipelineItem>> NextItem() {
    return Caught([this] { return source_.next(); }, "a pipeline source failed");
  }

  flow::sender<Message>* Append(flow::sender<Message>& before, const Station& station) {
    const bool in_order = station.order == Station::Order::kInOrder;
    // No edge leads to a node that is not held yet: see EndOfTasks.
    nodes_.push_back(std::make_unique<Work>(
        graph_, in_order ? flow::serial : flow::unlimited, [this, &station](Message message) {
          const NodeWork work(this);
          if (stop_.stop_requested()) {
            error_.Keep(Stopped());
          }
          if (!error_.failed()) {
            if (Result<void> done = WorkAt(station, **message.item); !done.has_value()) {
              error_.Keep(std::move(done).error());
            }
          }
          return message;
        }));
    Work& node = *nodes_.back();
    if (in_order) {
      orders_.push_back(std::make_unique<flow::sequencer_node<Message>>(
          graph_, [](const Message& message) { return message.number; }));
      flow::make_edge(before, *orders_.back());
      flow::make_edge(*orders_.back(), node);
    } else {
      flow::make_edge(before, node);
    }
    return &node;
  }

  // Tasks look at nodes, also when the constructor ran out of memory half-way.
  struct EndOfTasks {
    flow::graph& graph;
    ~EndOfTasks() {
      try {
        graph.wait_for_all();
      } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch)
        // A task ran out of memory, too: what the constructor threw says so already.
      }
    }
  };

  const PipelineSource& source_;
  std::stop_token stop_;
  FirstError error_;
  bool stopped_ = false;
  bool ended_ = false;
  uint64_t items_in_ = 0;
  uint64_t items_out_ = 0;
  flow::graph graph_;
  size_t items_max_;
  Read read_;
  std::vector<std::unique_ptr<flow::sequencer_node<Message>>> orders_;
  std::vector<std::unique_ptr<Work>> nodes_;
  std::unique_ptr<flow::function_node<Message, flow::continue_msg>> end_;
  const EndOfTasks end_of_tasks_{graph_};  // last: it goes before the nodes
};

}  // namespace

Result<void> RunOrderedPipeline(size_t workers, const PipelineSource& source,
                                const std::vector<Station>& stations, std::stop_token stop) {
  // As many threads as asked for, also when that is more than there are cores.
  const oneapi::tbb::global_control threads(oneapi::tbb::global_control::max_allowed_parallelism,
                                            workers);
  oneapi::tbb::task_arena arena(static_cast<int>(workers));
  // What is thrown beside the stations' work: by recycle(), by oneTBB for want of memory.
  return Caught([&] {
    return arena.execute([&] {
      Graph graph(workers, source, stations, std::move(stop));
      return graph.Run();
    });
  });
}

}  // namespace sluice
