#include "search/tree/linear_subtree.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "numerics/tolerances.hpp"

namespace kpm {

namespace {

constexpr int kDive = 128;  // boxes on the way to a clearing, in a node that looks for one

// Splits of a box that are tried, as a bound takes a fraction of a relaxation's time, and how many
// in a row without a better one end that.
constexpr std::size_t kTried = 24;
constexpr int kInVain = 6;

// Slope of a claim's function outside its run beyond those inside, with the notional that could
// trade as the unit. Where no prices are in a box, or only just, its bound suffers.
constexpr double kSteep = 4.0;

const auto later = [](const auto& a, const auto& b) { return a.node.bound < b.node.bound; };

template <class T>
void move_all(std::vector<T>& from, std::vector<T>& to) {
  std::move(from.begin(), from.end(), std::back_inserter(to));
}

}  // namespace

LinearSubtree::LinearSubtree(const ScaledMarket& market, const std::vector<Corners>& corners,
                             Arena& arena, Checkpoint& checkpoint, LocalSearch& cells)
    : market_(market),
      corners_(corners),
      checkpoint_(checkpoint),
      cells_(cells),
      simplex_(market, arena, &checkpoint),
      ends_(corners),
      hulls_(corners.size()),
      prices_(arena.array(market.claims())),
      demand_(arena.array(market.claims())),
      lambda_(arena.array(market.claims())),
      cell_(corners.size()),
      costs_(market.claims()) {}

void LinearSubtree::grow(const Node& node, const Split& split, double best, const NodeTask& task,
                         NodeOutcome& outcome) {
  best_ = best;
  // Nothing must depend on the nodes that this thread had before.
  simplex_.forget();
  for (Hull& hull : hulls_) {
    hull.corner.clear();
  }
  if (task.climb) {
    begin(task);
    dive({node, {split}}, task, outcome);
  }
  begin(task);
  divide({node, {split}}, task);
  keep_open();
  for (int divided = 0; divided < kDivided && !open_.empty(); ++divided) {
    divide(take_best(), task);
    keep_open();
  }
  for (Branch& branch : open_) {
    outcome.children.push_back(std::move(branch.node));
  }
  move_all(falls_, outcome.falls);
  move_all(exact_, outcome.children);
  move_all(leaves_.pruned, outcome.pruned);
  move_all(leaves_.fathomed, outcome.fathomed);
}

void LinearSubtree::begin(const NodeTask& task) {
  diving_ = nullptr;
  costs_ = task.costs;
  falls_.clear();
  halves_.clear();
  open_.clear();
  exact_.clear();
  leaves_ = {};
}

/// Go on with the better half each time, until it is pruned or a clearing of the tangent: that is
/// where a climb starts. None of the boxes is kept: they are a poor way to divide the node.
void LinearSubtree::dive(Branch branch, const NodeTask& task, NodeOutcome& outcome) {
  diving_ = &outcome;
  for (int boxes = 0; boxes < kDive && diving_ != nullptr; boxes += 2) {
    halves_.clear();
    divide(branch, task);
    if (halves_.empty()) {
      break;
    }
    branch = std::move(*std::max_element(halves_.begin(), halves_.end(), later));
  }
  diving_ = nullptr;
}

/// A half that is pruned as soon as it is tried is so whatever is split: what it leaves of the box
/// is divided in the box's place.
void LinearSubtree::divide(Branch branch, const NodeTask& task) {
  while (try_splits(branch, task)) {
    branch = std::move(halves_.back());
    halves_.pop_back();
  }
}

/// Divide by the split whose halves' bounds fall most, unless one prunes a half: then file the
/// other, and say whether it is open. Pseudo-costs only tell which ones to try: what the other
/// claims gain instead differs from box to box.
bool LinearSubtree::try_splits(const Branch& branch, const NodeTask& task) {
  const bool diving = diving_ != nullptr;  // then any split will do
  keep_maximum(branch.node);
  const double gap = std::max(branch.node.bound - best_, 0.0);
  const double most = score_of(gap, gap, gap);  // where both halves are pruned
  Trial best;
  int in_vain = 0;
  bool narrowed = false;
  for (const Split& split : branch.splits) {
    Trial trial = try_split(branch, split, gap, task.keep_pruned);
    narrowed = !diving && (trial.fate[0] == Fate::kPruned) != (trial.fate[1] == Fate::kPruned);
    if (narrowed || &split == &branch.splits.front() || trial.score > best.score) {
      best = std::move(trial);
      in_vain = 0;
    } else {
      ++in_vain;
    }
    if (diving || narrowed || in_vain == kInVain || best.score >= most) {
      break;
    }
  }
  const std::size_t before = halves_.size();
  move_all(best.cut, leaves_.pruned);
  for (int half = 0; half < 2; ++half) {
    file(std::move(best.half[half]), best.fate[half], task.keep_pruned);
  }
  return narrowed && halves_.size() > before;
}

LinearSubtree::Trial LinearSubtree::try_split(const Branch& branch, const Split& split, double gap,
                                              bool keep_pruned) {
  Trial trial;
  double falls[2] = {};
  for (const bool upper : {false, true}) {
    const int at = upper ? 1 : 0;
    Branch& half = trial.half[at];
    half.node = half_of(branch.node, split, upper);
    trial.fate[at] = judge(half, keep_pruned, trial.cut);
    falls[at] = branch.node.bound - half.node.bound;
    falls_.push_back({half.node.half, half.node.bound});
    costs_.learn(half.node.half, half.node.bound);
    half.node.half = {};  // a relaxation of its own says nothing more of the split
  }
  trial.score = score_of(falls[0], falls[1], gap);
  return trial;
}

/// Bound a box, cut it and see how to go on.
LinearSubtree::Fate LinearSubtree::judge(Branch& branch, bool keep_pruned, std::vector<Node>& cut) {
  Node& node = branch.node;
  const double own = bound(node);
  const double threshold = best_ - kTie;
  if (node.bound >= threshold) {
    ends_.cut(node, node.multipliers, own, threshold, keep_pruned, cut);
  }
  if (node.bound < threshold) {
    return Fate::kPruned;
  }
  if (node.bound <= best_ + kTie) {
    return Fate::kFathomed;
  }
  choose_splits(node.box, corners_, prices_, demand_, node.bound - best_, costs_, kTried,
                branch.splits);
  if (!branch.splits.empty()) {
    return Fate::kOpen;
  }
  if (diving_ != nullptr) {
    climb(node, *diving_);
    diving_ = nullptr;
  }
  return Fate::kExact;
}

void LinearSubtree::file(Branch&& branch, Fate fate, bool keep_pruned) {
  switch (fate) {
    case Fate::kPruned:
      if (keep_pruned) {
        leaves_.pruned.push_back(std::move(branch.node));
      }
      break;
    case Fate::kFathomed:
      leaves_.fathomed.push_back(std::move(branch.node));
      break;
    case Fate::kOpen:
      halves_.push_back(std::move(branch));
      break;
    case Fate::kExact:
      exact_.push_back(std::move(branch.node));
      break;
  }
}

void LinearSubtree::climb(const Node& node, NodeOutcome& outcome) {
  const Box& box = node.box;
  for (int k = 0; k < box.claims(); ++k) {
    const auto at = static_cast<std::size_t>(k);
    const Corners& corners = corners_[at];
    const int first = box.first[at];
    const int last = box.last[at];
    const int by_demand = corners.piece_at_demand(first, last, demand_[k]);
    const auto corner = static_cast<std::size_t>(by_demand);
    const bool there =
        corners.price[corner] <= prices_[k] && prices_[k] <= corners.price[corner + 1];
    cell_[at] = there ? by_demand : corners.piece_at_price(first, last, prices_[k]);
  }
  moves_.clear();
  best_ = std::max(best_, cells_.climb(cell_, moves_, node.multipliers, outcome.candidates));
}

/// The halves wait for their turn.
void LinearSubtree::keep_open() {
  for (Branch& half : halves_) {
    open_.push_back(std::move(half));
    std::push_heap(open_.begin(), open_.end(), later);
  }
  halves_.clear();
}

LinearSubtree::Branch LinearSubtree::take_best() {
  std::pop_heap(open_.begin(), open_.end(), later);
  Branch best = std::move(open_.back());
  open_.pop_back();
  return best;
}

/// The halves of every split that is tried are a few pivots from the maximum of the whole box.
void LinearSubtree::keep_maximum(const Node& node) {
  load(node.box, node.multipliers.value());
  simplex_.maximise();
  simplex_.keep();
  loaded_.clear();
}

void LinearSubtree::restore_maximum() {
  simplex_.restore();
  for (const int claim : loaded_) {
    hulls_[static_cast<std::size_t>(claim)].corner.clear();
  }
  loaded_.clear();
}

/// The bound of a box under the best lambda for its g and p. Returns that of the multipliers, of
/// which the ends of runs can be cut.
double LinearSubtree::bound(Node& node) {
  constexpr double kProducts = 2.0;  // of the payoffs with a number for each claim or state
  checkpoint_.pass(kProducts * market_.claims() * market_.states());
  restore_maximum();
  load(node.box, std::as_const(node.multipliers).value());
  simplex_.maximise();
  for (int k = 0; k < market_.claims(); ++k) {
    lambda_[k] = simplex_.multiplier(k);
  }
  find_point();
  trial_ = node.multipliers;
  trial_.set_lambda(market_, lambda_);
  double own = ends_.bound(trial_, node.box);
  if (own < node.bound) {
    node.multipliers = trial_;
  } else {  // rounding, or hardly any prices are in the box
    own = ends_.bound(node.multipliers, node.box);
  }
  node.bound = std::min(node.bound, own);
  return own;
}

void LinearSubtree::load(const Box& box, const ArrayView& value) {
  for (int k = 0; k < box.claims(); ++k) {
    const auto at = static_cast<std::size_t>(k);
    Hull& hull = hulls_[at];
    if (hull.corner.empty() || hull.first != box.first[at] || hull.last != box.last[at]) {
      hull.first = box.first[at];
      hull.last = box.last[at];
      load_hull(k, value[k]);
      loaded_.push_back(k);
    }
  }
}

/// The upper hull of (pi, (pi - G) y) over the run's corners, with a steep slope on either side.
void LinearSubtree::load_hull(int claim, double value) {
  Hull& hull = hulls_[static_cast<std::size_t>(claim)];
  const Corners& corners = corners_[static_cast<std::size_t>(claim)];
  const auto price = [&](int c) { return corners.price[static_cast<std::size_t>(c)]; };
  const auto worth = [&](int c) {
    return (price(c) - value) * corners.demand[static_cast<std::size_t>(c)];
  };
  checkpoint_.pass(hull.last - hull.first + 1);
  std::vector<int>& chain = hull.corner;
  chain.clear();
  for (int c = hull.first; c <= hull.last + 1; ++c) {
    if (!chain.empty() && price(chain.back()) == price(c)) {
      if (!(worth(c) > worth(chain.back()))) {
        continue;
      }
      chain.pop_back();
    }
    while (chain.size() > 1) {
      const int b = chain.back();
      const int a = chain[chain.size() - 2];
      if ((worth(b) - worth(a)) * (price(c) - price(b)) >
          (worth(c) - worth(b)) * (price(b) - price(a))) {
        break;
      }
      chain.pop_back();
    }
    chain.push_back(c);
  }
  points_.clear();
  slopes_.assign(1, 0.0);
  for (std::size_t n = 0; n < chain.size(); ++n) {
    points_.push_back(price(chain[n]));
    if (n > 0) {
      slopes_.push_back((worth(chain[n]) - worth(chain[n - 1])) /
                        (price(chain[n]) - price(chain[n - 1])));
    }
  }
  slopes_.push_back(0.0);
  // The function is concave: a flat and the step at its end may be steeper than any demand.
  slopes_.front() = kSteep + std::max(slopes_[1], 0.0);
  slopes_.back() = -kSteep + std::min(slopes_[slopes_.size() - 2], 0.0);
  simplex_.set_function(claim, points_, slopes_);
}

/// Prices and demand at the maximum.
void LinearSubtree::find_point() {
  for (int k = 0; k < market_.claims(); ++k) {
    const auto at = static_cast<std::size_t>(k);
    const std::vector<int>& chain = hulls_[at].corner;
    const auto price = [&](std::size_t n) {
      return corners_[at].price[static_cast<std::size_t>(chain[n])];
    };
    const auto demand = [&](std::size_t n) {
      return corners_[at].demand[static_cast<std::size_t>(chain[n])];
    };
    prices_[k] = simplex_.price(k);
    std::size_t n = 0;
    while (n + 1 < chain.size() && price(n + 1) <= prices_[k]) {
      ++n;
    }
    demand_[k] = demand(n);
    if (n + 1 < chain.size() && prices_[k] > price(n)) {
      const double share = (prices_[k] - price(n)) / (price(n + 1) - price(n));
      demand_[k] += share * (demand(n + 1) - demand(n));
    }
  }
}

}  // namespace kpm
