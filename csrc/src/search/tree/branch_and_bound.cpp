#include "search/tree/branch_and_bound.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <memory>
#include <optional>
#include <utility>

#include "numerics/checkpoint.hpp"
#include "numerics/near_ties.hpp"
#include "numerics/tolerances.hpp"
#include "search/safe_start.hpp"
#include "search/team.hpp"
#include "search/tree/node_solver.hpp"
#include "search/tree/pipeline.hpp"
#include "search/tree/tangent_bound.hpp"
#include "search/tree/tied_cells.hpp"

namespace kpm {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::int64_t kPolishNodes = 8;  // nodes after the proof, at least
constexpr std::int64_t kSmall = 5;        // nodes of a tree that a search along the risk outweighs
constexpr std::int64_t kFirst = 4;        // nodes that look for a better clearing, then
constexpr std::int64_t kClimbEvery = 4;   // one in so many
constexpr std::size_t kSupports = 64;     // of other nodes that a node is bounded by
constexpr std::size_t kOfNode = 2;        // supports that a node leaves, at most
constexpr int kToChoose = 2;    // the selection's time, in that of a cell, at most as a rule
constexpr int kToMakeSafe = 6;  // likewise, where it has to make a clearing that loses nothing
constexpr int kTiny = 8;        // states and claims of the smallest books
constexpr double kUnpolled =
    8e5;                        // operations in which no limit stops these: by then they are done
constexpr double kHeavy = 1e7;  // operations: a book whose cells take this long starts safely

bool is_tiny(const ScaledMarket& market) { return market.states() + market.claims() <= kTiny; }

class Tree {
 public:
  Tree(const ScaledMarket& market, const std::vector<Corners>& corners,
       const TreeSettings& settings)
      : market_(market),
        corners_(corners),
        settings_(settings),
        token_(*settings.token),
        reporter_(settings, {}),  // the first at once
        costs_(market.claims()),
        first_(market, corners, token_, is_tiny(market) ? kUnpolled : 0.0),
        to_the_end_(goes_on_to_the_end(market, settings.tolerance)) {
    candidates_.reserve(kReserve);
    reserve_.reserve(kReserve + 1);
  }

  TreeResult run() {
    const Searching counted;
    Node root;
    root.box = whole(corners_);
    root.multipliers = Multipliers(market_);
    root.multipliers.set(market_, 0.0);
    start(root);
    push(std::move(root));
    // Whatever the limits, the first node is begun.
    leave_time();
    threads_ = pipeline_.run();
    if (coarse_) {
      TreeResult nothing;
      nothing.coarse = true;
      return nothing;
    }
    make_safe();
    return result();
  }

  // What the pipeline calls, one thread at a time but for process().

  bool nothing_open() const { return open_.empty(); }

  /// The calling thread only.
  void report() {
    leave_time();
    if (progress_.nodes > reported_) {
      reporter_.report([this] {
        reported_ = progress_.nodes;
        return progress();
      });
    }
  }

  /// Whether no node is begun after those at work.
  bool ends() {
    coarse_ = coarse_ || too_coarse();
    if (coarse_ || open_.empty()) {
      return true;
    }
    const std::int64_t limit = std::max(settings_.node_limit, polish_until_);
    if (limit > 0 && pipeline_.begun() >= limit && pipeline_.at_work() > 0) {
      return true;
    }
    return done();
  }

  /// With the best node.
  void begin(Slot& slot) {
    const std::int64_t number = pipeline_.begun();
    slot.node = pop();
    slot.id = slot.node.id;
    slot.bound = slot.node.bound;
    slot.incumbent = best_;
    slot.costs = costs_;
    slot.supports = {supports_, kPlaces, std::min(seen_supports_, kSupports), seen_supports_};
    // Of disjoint claims the first clearings are as good as the best, or nearly.
    slot.climb = number < kFirst || (number % kClimbEvery == 0 && !market_.disjoint.disjoint());
    if (slot.outcome.spare.box.first.empty() && !spent_.empty()) {
      slot.outcome.spare = std::move(spent_.back());
      spent_.pop_back();
    }
  }

  void process(int member, Slot& slot) {
    std::unique_ptr<NodeSolver>& own = others_[static_cast<std::size_t>(member)];
    if (member > 0 && !own) {
      own = std::make_unique<NodeSolver>(market_, corners_, token_);
    }
    const NodeTask task{slot.incumbent, slot.costs, slot.supports, slot.climb,
                        settings_.keep_leaves};
    (member > 0 ? *own : first_).process(std::move(slot.node), task, slot.outcome);
  }

  void take(Slot& slot) {
    ++progress_.nodes;
    if (progress_.nodes == 1) {
      progress_.root_bound = slot.outcome.relaxed;
    }
    if (slot.id < anew_from_) {
      slot.outcome.children.clear();  // they are part of the node that the search began anew with
    }
    std::move(slot.outcome.whole.begin(), slot.outcome.whole.end(), std::back_inserter(whole_));
    merge(slot.outcome);
    if (progress_.nodes >= kSmall && !whole_.empty() && !open_.empty()) {
      begin_anew();
    }
  }

 private:
  static constexpr auto kAtWork = static_cast<std::size_t>(Pipeline<Tree>::kMost);
  static constexpr std::size_t kPlaces = kSupports + kOfNode * kAtWork;

  /// First clearings, and a bound in case the first node is abandoned. Where a cell takes long, a
  /// clearing that takes no time comes first.
  void start(Node& root) {
    const double size = market_.claims() + market_.states();
    if (size * size * size > kHeavy) {
      take(SafeStart(market_, corners_).follow());
    }
    const Clock::time_point begin = token_.timed() ? token_.now() : token_.seen();
    NodeOutcome first = first_.first_clearings();
    merge(first);
    if (token_.timed() && progress_.solved > 0) {
      of_a_cell_ = (token_.now() - begin) / progress_.solved;
    }
    if (token_.stopped()) {
      SafeStart safe(market_, corners_);
      root.multipliers = safe.multipliers();
      root.bound = root.multipliers.bound(corners_, root.box);
    }
  }

  /// Reserve time for what follows the search: for a clearing that loses nothing, as long as there
  /// is none, and for the choice among the best ones.
  void leave_time() {
    token_.leave(best_ >= -kTie ? Clock::duration{} : kToMakeSafe * of_a_cell_,
                 kToChoose * of_a_cell_);
  }

  /// A search that was stopped early may hold no clearing worth as much as no trade. Where the one
  /// that follows the maker's prices is not either, the selection makes one that is.
  void make_safe() {
    // No trade is worth exactly zero without inventory, and more with it.
    if (best_ >= -kTie && !(market_.claims() > 0 && market_.inventory.maxCoeff() > 0.0)) {
      return;
    }
    if (token_.stopped()) {
      return;  // the selection does it, once
    }
    SafeStart safe(market_, corners_);
    if (best_ < safe.no_trade() - kTie) {
      take(safe.follow());
    }
  }

  /// Best bound first; of equal ones the older.
  static bool later(const Node& a, const Node& b) {
    return a.bound != b.bound ? a.bound < b.bound : a.id > b.id;
  }

  void push(Node&& node) {
    node.id = next_id_++;
    open_.push_back(std::move(node));
    std::push_heap(open_.begin(), open_.end(), later);
  }

  /// With the first node, in place of all that came of it.
  void begin_anew() {
    whole_.front().bound = std::min(whole_.front().bound, upper_bound());
    whole_.front().enough = proof_suffices() ? settings_.tolerance * stake() : 0.0;
    open_.clear();
    anew_from_ = next_id_;
    push(std::move(whole_.front()));
    whole_.clear();
  }

  Node pop() {
    std::pop_heap(open_.begin(), open_.end(), later);
    Node node = std::move(open_.back());
    open_.pop_back();
    return node;
  }

  double upper_bound() const {
    return std::max({best_, fathomed_bound_, pipeline_.bound(),
                     open_.empty() ? -kInfinity : open_.front().bound});
  }

  /// Whether another search, with a smaller unit of money, resolves more than this one can.
  bool too_coarse() {
    if (!settings_.too_coarse || best_ == -kInfinity || best_ == judged_ || token_.stopped()) {
      return false;
    }
    judged_ = best_;
    return settings_.too_coarse(stake());
  }

  /// Scaled money at stake in the best clearing: asked for of few.
  double stake() {
    if (stake_of_ != best_ && best_ > -kInfinity) {
      stake_of_ = best_;
      stake_ = settings_.stake ? settings_.stake(*best_of(candidates_)) : 1.0;
    }
    return stake_;
  }

  bool proven() {
    const double bound = upper_bound();
    return bound <= best_ || bound <= best_ + settings_.tolerance * stake();
  }

  /// Asked for no more; what is worth less than no trade takes longer to replace.
  bool proof_suffices() const { return settings_.tolerance >= kFineTolerance && best_ >= 0.0; }

  bool done() {
    if (token_.stopped()) {
      status_ = Status::kInterrupted;
    }
    if (status_ != Status::kOptimal || open_.front().bound <= best_ + kTie) {
      return true;
    }
    if (!proven()) {
      polish_until_ = 0;  // with less at stake in a better clearing, the proof may not suffice
      if (settings_.node_limit > 0 && progress_.nodes >= settings_.node_limit) {
        status_ = Status::kNodeLimit;
      }
      return status_ != Status::kOptimal;
    }
    if (proof_suffices()) {
      return true;
    }
    if (to_the_end_) {
      return settings_.node_limit > 0 && progress_.nodes >= settings_.node_limit;
    }
    if (polish_until_ == 0) {
      polish_until_ = 2 * progress_.nodes + kPolishNodes;
      if (settings_.node_limit > 0) {
        polish_until_ = std::min(polish_until_, settings_.node_limit);
      }
    }
    return progress_.nodes >= polish_until_;
  }

  /// What is kept of an outcome is taken out of it.
  void merge(NodeOutcome& outcome) {
    for (Candidate& candidate : outcome.candidates) {
      take(std::move(candidate));
    }
    for (Node& child : outcome.children) {
      push(std::move(child));
    }
    for (Node& node : outcome.fathomed) {
      fathomed_bound_ = std::max(fathomed_bound_, node.bound);
      fathomed_.push_back(std::move(node));
    }
    if (settings_.keep_leaves || first_.reuses_nodes()) {
      std::move(outcome.pruned.begin(), outcome.pruned.end(),
                std::back_inserter(settings_.keep_leaves ? pruned_ : spent_));
    }
    for (Multipliers& support : outcome.supports) {
      add_support(support);
    }
    if (outcome.relaxations > 0) {
      costs_.learn(outcome.half, outcome.relaxed);
    }
    for (const Fall& fall : outcome.falls) {
      costs_.learn(fall.half, fall.bound);
    }
    iterations_ += outcome.iterations;
    progress_.solved += outcome.cells;
    progress_.relaxations += outcome.relaxations;
    progress_.columns += outcome.columns;
  }

  /// A node at work reads those that were there when it was begun: their places are taken by none
  /// that came since.
  void add_support(Multipliers& support) {
    if (supports_.size() < kPlaces) {
      supports_.reserve(kPlaces);
      supports_.push_back(std::move(support));
    } else {  // the outcome has the memory of the oldest
      std::swap(supports_[seen_supports_ % kPlaces], support);
    }
    ++seen_supports_;
  }

  /// Keep a clearing: with the best, or among the next best.
  void take(Candidate&& candidate) {
    if (candidate.value < best_ - kTie) {
      keep_in_reserve(std::move(candidate), reserve_);
      return;
    }
    if (candidate.value > best_) {
      best_ = candidate.value;
      for (std::size_t n = 0; n < candidates_.size();) {
        if (candidates_[n].value >= best_ - kTie) {
          ++n;
          continue;
        }
        keep_in_reserve(std::move(candidates_[n]), reserve_);
        candidates_.erase(candidates_.begin() + static_cast<std::ptrdiff_t>(n));
      }
    }
    candidates_.push_back(std::move(candidate));
  }

  Progress progress() const {
    Progress progress = progress_;
    progress.open = static_cast<std::int64_t>(open_.size()) + pipeline_.at_work();
    progress.certainty_equivalent = best_;
    progress.upper_bound = upper_bound();
    return progress;
  }

  /// Solve the cells that may tie with the best.
  void collect_ties() {
    // Where the proof ended far from the last digits, ties cannot be determined.
    std::vector<const Node*> tight;
    for (const Node& node : fathomed_) {
      if (node.bound <= best_ + kTightBound) {
        tight.push_back(&node);
      }
    }
    const auto best = best_of(candidates_);
    const auto optimum = best != candidates_.end() ? best->optimum : nullptr;
    Arena arena;
    std::optional<TangentBound> tangent;  // made where cells may tie
    Checkpoint checkpoint(token_);
    std::vector<Multipliers> worse;  // supports of cells that do not tie: they may rule out others
    for (const auto& [cell, node] :
         tied_cells(market_, tight, corners_, optimum.get(), best_, arena, tangent)) {
      const auto known = [&cell = cell, this](const Candidate& c) {
        return stands_for(c, cell, corners_);
      };
      if (std::any_of(candidates_.begin(), candidates_.end(), known)) {
        continue;
      }
      if (token_.stopped() || checkpoint.stops(1.0 * market_.claims() * market_.states())) {
        return;
      }
      const Box box{cell, cell};
      const auto beneath = [&box = box, this](const Multipliers& support) {
        return support.bound(corners_, box) < best_ - kTie;
      };
      TangentBound& near_best =
          tangent ? *tangent : tangent.emplace(market_, corners_, arena, optimum.get());
      const Array demand = optimum ? Array(optimum->demand) : Array::Zero(market_.claims());
      if (std::any_of(worse.begin(), worse.end(), beneath) ||
          near_best.rules_out(box, demand, node->multipliers.lambda(), best_ - kTie)) {
        continue;
      }
      NodeOutcome outcome = first_.solve(cell);
      for (const Candidate& candidate : outcome.candidates) {
        if (candidate.value < best_ - kTie && candidate.optimum) {
          const CellOptimum& cell_optimum = *candidate.optimum;
          worse.push_back(multipliers_of(market_, cell_optimum.worst_case,
                                         cell_optimum.marginal_state_prices,
                                         cell_optimum.multipliers, cell_optimum.divergence));
        }
      }
      merge(outcome);
    }
  }

  TreeResult result() {
    TreeResult result;
    const bool stopped = status_ != Status::kOptimal;
    if (proven()) {
      status_ = Status::kOptimal;  // whatever stopped it came after the proof
    }
    // The unexplored nodes of a proven tree may hold ties as well.
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
    sort_by_cell(candidates_);
    result.candidates = std::move(candidates_);
    result.reserve = std::move(reserve_);
    if (settings_.keep_leaves) {
      result.leaves = std::move(pruned_);
      std::move(fathomed_.begin(), fathomed_.end(), std::back_inserter(result.leaves));
    }
    return result;
  }

  const ScaledMarket& market_;
  const std::vector<Corners>& corners_;
  const TreeSettings& settings_;
  StopToken& token_;
  Reporter reporter_;
  Clock::duration of_a_cell_{};  // to solve one of the first
  PseudoCosts costs_;
  Supports supports_;  // a ring
  std::size_t seen_supports_ = 0;
  NodeSolver first_;
  std::array<std::unique_ptr<NodeSolver>, kAtWork> others_;  // of threads but the first

  Pipeline<Tree> pipeline_{*this, settings_};
  std::vector<Node> open_;             // a heap
  std::vector<Node> whole_;            // the first node, if it may be searched anew
  std::vector<Node> fathomed_;         // no better than the best clearing, perhaps as good
  std::vector<Node> pruned_;           // worse, if they are kept
  std::vector<Node> spent_;            // or else their memory
  std::vector<Candidate> candidates_;  // no worse than the best by more than kTie
  std::vector<Candidate> reserve_;     // the next best, best first
  double best_ = -kInfinity;
  double stake_ = 1.0;  // in a clearing worth ...
  double stake_of_ = -kInfinity;
  double judged_ = -kInfinity;  // the best clearing that too_coarse() judged last
  double fathomed_bound_ = -kInfinity;
  Progress progress_;
  std::int64_t iterations_ = 0;
  std::int64_t next_id_ = 0, anew_from_ = 0, reported_ = 0;  // nodes
  std::int64_t polish_until_ = 0;
  int threads_ = 1;
  Status status_ = Status::kOptimal;
  bool to_the_end_;
  bool coarse_ = false;
};

}  // namespace

TreeResult branch_and_bound(const ScaledMarket& market, const std::vector<Corners>& corners,
                            const TreeSettings& settings) {
  return Tree(market, corners, settings).run();
}

bool goes_on_to_the_end(const ScaledMarket& market, double tolerance) {
  // Bounds that rounding holds above the best clearing would have it count cells.
  const double rounding = kGapRounding * (1.0 + market.inventory.abs().maxCoeff());
  return tolerance < kFineTolerance && rounding <= 0.1 * kTie;
}

}  // namespace kpm
