#include "search/tree/branch_and_bound.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <memory>
#include <utility>

#include "search/team.hpp"
#include "search/tree/node_solver.hpp"
#include "search/tree/tied_cells.hpp"

namespace kpm {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::int64_t kSingleNodes = 8;  // so many nodes one at a time, then in rounds of
constexpr std::size_t kRound = 8;         // so many
constexpr std::int64_t kPolishNodes = 8;  // nodes after the proof, at least
constexpr double kTight = 100 * kTie;     // a bound this close tells which cells tie
constexpr double kAtEnd = 1e-7;           // share of a step: demand this close to its end is there
constexpr auto kPollInterval = std::chrono::milliseconds(20);

class Tree {
 public:
  Tree(const ScaledMarket& market, const std::vector<Corners>& corners,
       const TreeSettings& settings)
      : market_(market),
        corners_(corners),
        settings_(settings),
        begin_(Clock::now()),
        next_poll_(begin_ + kPollInterval),
        next_check_(next_poll_),
        first_(market, corners, [this] { return still_wanted(); }) {}

  TreeResult run() {
    const Searching counted;
    merge(first_.first_clearings());
    Node root;
    root.box = whole(corners_);
    root.multipliers.reserve(market_);
    push(std::move(root));
    // Whatever the limits: one node, and so a bound, is always there.
    while (!open_.empty() && !done()) {
      const std::size_t nodes = progress_.nodes < kSingleNodes ? 1 : kRound;
      round(std::min(nodes, open_.size()));
      poll();
    }
    return result();
  }

 private:
  /// Best bound first; of equal ones the older.
  static bool later(const Node& a, const Node& b) {
    return a.bound != b.bound ? a.bound < b.bound : a.id > b.id;
  }

  void push(Node&& node) {
    node.id = next_id_++;
    open_.push_back(std::move(node));
    std::push_heap(open_.begin(), open_.end(), later);
  }

  Node pop() {
    std::pop_heap(open_.begin(), open_.end(), later);
    Node node = std::move(open_.back());
    open_.pop_back();
    return node;
  }

  double upper_bound() const {
    return std::max({best_, fathomed_bound_, open_.empty() ? -kInfinity : open_.front().bound});
  }

  bool proven() const { return upper_bound() <= best_ + settings_.tolerance * stake_; }

  bool done() {
    if (status_ != Status::kOptimal || open_.front().bound <= best_ + kTie) {
      return true;
    }
    if (!proven()) {
      if (settings_.node_limit > 0 && progress_.nodes >= settings_.node_limit) {
        status_ = Status::kNodeLimit;
      }
      return status_ != Status::kOptimal;
    }
    if (polish_until_ == 0) {
      polish_until_ = 2 * progress_.nodes + kPolishNodes;
      if (settings_.node_limit > 0) {
        polish_until_ = std::min(polish_until_, settings_.node_limit);
      }
    }
    return progress_.nodes >= polish_until_;
  }

  /// Process the `count` best nodes, each as if it were alone.
  void round(std::size_t count) {
    std::vector<Node> nodes;
    nodes.reserve(count);
    for (std::size_t n = 0; n < count; ++n) {
      nodes.push_back(pop());
    }
    std::vector<NodeOutcome> outcomes(count);
    std::atomic<std::size_t> next{0};
    const double incumbent = best_;
    in_round_ = true;
    const auto work = [&](NodeSolver& solver) {
      for (std::size_t n = next.fetch_add(1); n < count; n = next.fetch_add(1)) {
        outcomes[n] = solver.process(std::move(nodes[n]), incumbent, settings_.keep_leaves);
      }
    };
    int others = 0;
    if (count > 1) {
      others = std::min(helpers(settings_.threads, begin_, settings_.thread_delay),
                        static_cast<int>(count) - 1);
    }
    while (static_cast<int>(others_.size()) < others) {
      others_.push_back(std::make_unique<NodeSolver>(
          market_, corners_, [this] { return !stopped_.load(std::memory_order_relaxed); }));
    }
    const int team = run_team(
        others,
        [&](int member) {
          work(member == 0 ? first_ : *others_[static_cast<std::size_t>(member) - 1]);
        },
        [&] { still_wanted(); },
        [&] {
          next.store(count);
          stopped_.store(true);
        });
    in_round_ = false;
    threads_ = std::max(threads_, team);
    for (NodeOutcome& outcome : outcomes) {
      ++progress_.nodes;
      if (progress_.nodes == 1) {
        progress_.root_bound = outcome.relaxed;
      }
      merge(std::move(outcome));
    }
  }

  void merge(NodeOutcome&& outcome) {
    for (Candidate& candidate : outcome.candidates) {
      if (candidate.value > best_) {
        best_ = candidate.value;
        stake_ = settings_.stake ? settings_.stake(candidate) : 1.0;
      }
      candidates_.push_back(std::move(candidate));
    }
    const double best = best_;
    candidates_.erase(std::remove_if(candidates_.begin(), candidates_.end(),
                                     [&](const Candidate& c) { return c.value < best - kTie; }),
                      candidates_.end());
    for (Node& child : outcome.children) {
      push(std::move(child));
    }
    for (Node& node : outcome.fathomed) {
      fathomed_bound_ = std::max(fathomed_bound_, node.bound);
      fathomed_.push_back(std::move(node));
    }
    if (settings_.keep_leaves) {
      std::move(outcome.pruned.begin(), outcome.pruned.end(), std::back_inserter(pruned_));
    }
    iterations_ += outcome.iterations;
    progress_.solved += outcome.cells;
    progress_.relaxations += outcome.relaxations;
    progress_.columns += outcome.columns;
  }

  /// Asked by the calling thread in the middle of a round. The nodes of a round that is given up
  /// are all gone through, each until it asks: they come back as they were.
  bool still_wanted() {
    const auto now = Clock::now();
    if (in_round_ && settings_.limit && status_ == Status::kOptimal && now >= next_check_) {
      next_check_ = now + kPollInterval;
      status_ = settings_.limit();
    }
    if (status_ != Status::kOptimal) {
      stopped_.store(true, std::memory_order_relaxed);
    }
    return status_ == Status::kOptimal;
  }

  void poll() {
    const auto now = Clock::now();
    if (settings_.stop && status_ == Status::kOptimal && (now >= next_poll_ || !polled_)) {
      polled_ = true;
      next_poll_ = now + kPollInterval;
      status_ = settings_.stop(progress());
    }
  }

  Progress progress() const {
    Progress progress = progress_;
    progress.open = static_cast<std::int64_t>(open_.size());
    progress.certainty_equivalent = best_;
    progress.upper_bound = upper_bound();
    return progress;
  }

  /// Whether a candidate is of that cell, or of one beside it with its demand at the ends that the
  /// two share: the selection comes to the cell from there.
  bool is_known(const std::vector<int>& cell, const Candidate& candidate) const {
    if (cell == candidate.cell) {
      return true;
    }
    if (!candidate.optimum || !part_of(cell, candidate.cell)) {
      return false;
    }
    for (std::size_t k = 0; k < cell.size(); ++k) {
      const auto low = static_cast<std::size_t>(candidate.cell[k]);
      const std::vector<double>& ends = corners_[k].demand;
      const double shared = ends[low + (cell[k] > candidate.cell[k] ? 1 : 0)];
      const double demand = candidate.optimum->demand[static_cast<Eigen::Index>(k)];
      if (cell[k] != candidate.cell[k] &&
          std::abs(demand - shared) > kAtEnd * (ends[low] - ends[low + 1])) {
        return false;
      }
    }
    return true;
  }

  /// Solve the cells that may tie with the best.
  void collect_ties() {
    // Where the proof ended far from the last digits, no cell's tie can be told.
    std::vector<const Node*> tight;
    for (const Node& node : fathomed_) {
      if (node.bound <= best_ + kTight) {
        tight.push_back(&node);
      }
    }
    for (const std::vector<int>& cell : tied_cells(tight, corners_, best_ - kTie)) {
      const auto known = [&](const Candidate& c) { return is_known(cell, c); };
      if (std::none_of(candidates_.begin(), candidates_.end(), known)) {
        merge(first_.solve(cell));
      }
    }
  }

  TreeResult result() {
    TreeResult result;
    const bool stopped = status_ != Status::kOptimal;
    if (proven()) {
      status_ = Status::kOptimal;  // whatever stopped it came after the proof
    }
    // What is left unexplored of a proven tree may hold ties as well.
    std::move(open_.begin(), open_.end(), std::back_inserter(fathomed_));
    if (!stopped) {
      collect_ties();
    }
    fathomed_bound_ = best_;
    for (const Node& node : fathomed_) {
      fathomed_bound_ = std::max(fathomed_bound_, node.bound);
    }
    open_.clear();
    result.status = status_;
    result.value = best_;
    result.progress = progress();
    result.upper_bound = result.progress.upper_bound;
    result.iterations = iterations_;
    result.threads = threads_;
    std::sort(candidates_.begin(), candidates_.end(),
              [](const Candidate& a, const Candidate& b) { return a.cell < b.cell; });
    const auto same = [](const Candidate& a, const Candidate& b) { return a.cell == b.cell; };
    candidates_.erase(std::unique(candidates_.begin(), candidates_.end(), same), candidates_.end());
    result.candidates = std::move(candidates_);
    if (settings_.keep_leaves) {
      result.leaves = std::move(pruned_);
      std::move(fathomed_.begin(), fathomed_.end(), std::back_inserter(result.leaves));
    }
    return result;
  }

  const ScaledMarket& market_;
  const std::vector<Corners>& corners_;
  const TreeSettings& settings_;
  Clock::time_point begin_, next_poll_, next_check_;
  NodeSolver first_;
  std::vector<std::unique_ptr<NodeSolver>> others_;

  std::vector<Node> open_;      // a heap
  std::vector<Node> fathomed_;  // no better than the best clearing, perhaps as good
  std::vector<Node> pruned_;    // worse
  std::vector<Candidate> candidates_;
  double best_ = -kInfinity;
  double stake_ = 1.0;  // in the best clearing
  double fathomed_bound_ = -kInfinity;
  Status status_ = Status::kOptimal;
  Progress progress_;
  std::int64_t iterations_ = 0;
  std::int64_t next_id_ = 0;
  std::int64_t polish_until_ = 0;
  bool polled_ = false;
  bool in_round_ = false;
  std::atomic<bool> stopped_{false};  // what the other threads know of status_
  int threads_ = 1;
};

}  // namespace

TreeResult branch_and_bound(const ScaledMarket& market, const std::vector<Corners>& corners,
                            const TreeSettings& settings) {
  return Tree(market, corners, settings).run();
}

}  // namespace kpm
