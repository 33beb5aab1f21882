// The nodes of a tree that are in work, by any number of threads.
#pragma once

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "book/corners.hpp"
#include "numerics/stop_token.hpp"
#include "search/tree/branching.hpp"
#include "search/tree/node.hpp"
#include "search/tree/node_solver.hpp"

namespace kpm {

/// Nodes leave in the order in which they have entered, and each is processed by what was known
/// when it entered: the outcomes of those that had left by then. So it makes no difference which
/// thread processes a node, nor when, and no thread waits for another as long as nodes are at hand.
/// The calling thread takes part when it wants an outcome; alone, it processes each node when that
/// is to leave.
class NodePipeline {
 public:
  static constexpr std::size_t kMost = 8;  ///< nodes at a time

  struct Team {
    int threads = 1;     ///< 0: all processors that no other search works on
    double delay = 0.0;  ///< seconds of work that one thread does alone
  };

  /// `own` is the calling thread's solver, and processes nothing else while nodes are within.
  NodePipeline(const ScaledMarket& market, const std::vector<Corners>& corners, StopToken& token,
               NodeSolver& own, const Team& team);
  ~NodePipeline();
  NodePipeline(const NodePipeline&) = delete;
  NodePipeline& operator=(const NodePipeline&) = delete;

  std::size_t size() const { return end_ - first_; }
  /// The greatest bound of the nodes within; minus infinity if there are none.
  double bound() const;
  /// Of the node that leaves next.
  double next_bound() const { return slots_[first_ % kMost]->bound; }
  /// Whether a thread has taken it.
  bool next_begun();

  /// `spent`: nodes whose memory may be taken.
  void enter(Node&& node, const NodeTask& task, std::vector<Node>& spent);
  /// The next node, processed. The outcome is the pipeline's, until another node enters.
  NodeOutcome& leave();
  /// The next node, as it entered.
  Node take_back();

  /// Ends the other threads, before the calling one does what they are not to see, such as a fork;
  /// others join when it goes on.
  void dismiss();

  /// How many have worked at a time, the calling one included.
  int threads() const { return most_ + 1; }

 private:
  struct Slot {
    Node node;
    double bound = 0.0;  // the node's, as it entered
    double incumbent = 0.0;
    PseudoCosts costs{0};
    SupportsView supports;
    bool climb = true;
    bool keep_settled = false;
    bool done = false;
    NodeOutcome outcome;
  };

  Slot& slot(std::size_t number) { return *slots_[number % kMost]; }
  void recruit();
  void end_helpers();
  void help(int member, NodeSolver& solver);
  static void work(NodeSolver& solver, Slot& slot, bool keeps);
  void poll_while_waiting(std::unique_lock<std::mutex>& lock);
  std::exception_ptr wait_for_next();

  const ScaledMarket& market_;
  const std::vector<Corners>& corners_;
  StopToken& token_;
  NodeSolver& own_;
  const Team team_;
  const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  const int unwinding_ = std::uncaught_exceptions();

  std::array<std::unique_ptr<Slot>, kMost> slots_;  // that of node n at n modulo kMost
  std::size_t first_ = 0;                           // the nodes first_ .. end_ - 1 are within

  // Under the mutex, where there are helpers.
  std::mutex mutex_;
  std::condition_variable entered_, done_;
  std::size_t end_ = 0;
  std::size_t taken_ = 0;  // the next that no thread has taken
  int allowed_ = 0;        // helpers that may work
  int working_ = 0;        // helpers that do
  bool quit_ = false;
  std::exception_ptr failure_;

  int most_ = 0;                  // helpers at a time
  bool no_more_threads_ = false;  // the system has none
  std::vector<std::unique_ptr<NodeSolver>> solvers_;
  std::vector<std::thread> helpers_;
};

}  // namespace kpm
