#include "search/tree/tied_cells.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "numerics/near_ties.hpp"
#include "numerics/tolerances.hpp"

namespace kpm {

namespace {

struct Option {
  int piece;
  double deficit;  // what the piece's better corner is worth less than the best of its run
};

using Options = Span<const Option>;

/// The options of each claim, in one array.
class Choices {
 public:
  explicit Choices(std::size_t claims) {
    runs_.reserve(claims);
    all_.reserve(2 * claims);
  }

  void add_claim() { runs_.push_back({all_.size(), all_.size()}); }
  /// To the claim added last.
  void add(const Option& option) {
    all_.push_back(option);
    runs_.back().end = all_.size();
  }
  /// Leave out those of a claim that are `ruled_out`. Returns whether there were any.
  template <class RuledOut>
  bool leave_out(std::size_t claim, RuledOut&& ruled_out) {
    Run& run = runs_[claim];
    const auto begin = all_.begin() + static_cast<std::ptrdiff_t>(run.begin);
    const auto end = all_.begin() + static_cast<std::ptrdiff_t>(run.end);
    const auto left = std::remove_if(begin, end, ruled_out);
    run.end = static_cast<std::size_t>(left - all_.begin());
    return left != end;
  }

  std::size_t size() const { return runs_.size(); }
  Options operator[](std::size_t claim) const {
    const Run& run = runs_[claim];
    return {all_.data() + run.begin, static_cast<Eigen::Index>(run.end - run.begin)};
  }
  bool is_open(std::size_t claim) const { return runs_[claim].end - runs_[claim].begin > 1; }
  bool any_open() const {
    return std::any_of(runs_.begin(), runs_.end(),
                       [](const Run& run) { return run.end - run.begin > 1; });
  }

 private:
  struct Run {
    std::size_t begin, end;
  };

  std::vector<Option> all_;
  std::vector<Run> runs_;  // (claims)
};

/// Pieces that are left out together, where a bound on all of them allows it.
constexpr int kBlock = 32;
/// Corners on either side of the best that may tie with it before all the others are left out.
constexpr int kNearby = 3;
/// kStepEnd where the step loses so firmly that the selection takes demand there to the end.
constexpr double kFirmStepEnd = 5e-6;

/// Add a claim and those of its pieces first .. last that can be part of a tied clearing. `excess`
/// is the node's bound less the best clearing's value.
void add_options(int k, const Corners& corners, int first, int last, const Multipliers& multipliers,
                 double slack, double excess, Choices& choices) {
  choices.add_claim();
  const int best = multipliers.best_corner(k, corners, first, last);
  const auto worth = [&](int c) {
    const auto at = static_cast<std::size_t>(c);
    return multipliers.worth(k, corners.price[at], corners.demand[at]);
  };
  const double most = worth(best);
  const auto deficit = [&](int c) { return most - worth(c); };
  const auto none_ties = [&](int from, int to) {
    return most - multipliers.worth_at_most(k, corners, from, to) > slack;
  };
  const auto whole_piece = [&](int piece) {
    return piece >= first && piece <= last && deficit(piece) <= slack &&
           deficit(piece + 1) <= slack;
  };
  // Mostly all that ties is beside the best corner: what lies on either side is left out whole, if
  // that is more than what it takes to look at each.
  const bool many = last - first > 4 * kNearby;
  int begin = first;
  for (int c = best - 1; many && c > first && best - c <= kNearby; --c) {
    if (none_ties(first, c)) {
      begin = c;
      break;
    }
  }
  int end = last;
  for (int c = best + 1; many && c <= last && c - best <= kNearby; ++c) {
    if (none_ties(c, last + 1)) {
      end = c - 1;
      break;
    }
  }
  double high = deficit(begin);
  for (int piece = begin; piece <= end; ++piece) {
    while (piece + kBlock <= end && none_ties(piece, piece + kBlock)) {
      piece += kBlock;
      high = deficit(piece);
    }
    const double low = high;
    high = deficit(piece + 1);
    if (std::min(low, high) > slack) {
      continue;
    }
    const bool partial = std::max(low, high) > slack;
    if (partial) {
      // Only one corner is as good. The neighbour that shares it stands in for the piece: for a
      // flat if all of the neighbour is as good; for a step, whose best point may lie a little
      // inside, if all that ties is so near its end that the selection takes it there.
      const int neighbour = low <= slack ? piece - 1 : piece + 1;
      const bool inside = neighbour >= first && neighbour <= last;
      const double loss = std::max(low, high);  // along the whole step
      const double at_end = loss >= kFirm ? kFirmStepEnd : kStepEnd;
      const bool clear_cut = excess < at_end * loss && slack < kNearEnd * loss;
      if (inside && (Staircase::is_step(piece) ? clear_cut : whole_piece(neighbour))) {
        continue;
      }
    }
    choices.add({piece, std::min(low, high)});
  }
}

bool is_step(const Option& option) { return Staircase::is_step(option.piece); }

/// Lists the cells of a node, those with the most steps first, which matters where more tie than
/// can be compared. A step includes the demand of the flats beside it, so that rule 2 chooses among
/// most of the demands in the cell with the most steps.
class Lister {
 public:
  Lister(Choices choices, double slack, const Node* node)
      : choices_(std::move(choices)),
        slack_(slack),
        node_(node),
        least_(choices_.size() + 1, 0),
        most_(choices_.size() + 1, 0),
        rest_(choices_.size() + 1, 0.0),
        cell_(choices_.size(), 0) {
    for (std::size_t k = choices_.size(); k-- > 0;) {
      const Options options = choices_[k];
      const Eigen::Index steps = std::count_if(options.begin(), options.end(), is_step);
      least_[k] = least_[k + 1] + (steps == 0 ? 1 : 0);
      most_[k] = most_[k + 1] + (steps < options.size() ? 1 : 0);
      double least = kInfinity;
      for (const Option& option : options) {
        least = std::min(least, option.deficit);
      }
      rest_[k] = rest_[k + 1] + least;
    }
  }

  /// Flats in a cell, at most.
  int most_flats() const { return most_[0]; }

  /// Add the cells that have so many flats, until there are enough.
  void list(int flats, std::map<std::vector<int>, const Node*>& found) {
    descend(0, flats, slack_, found);
  }

 private:
  void descend(std::size_t level, int flats, double slack,
               std::map<std::vector<int>, const Node*>& found) {
    if (found.size() >= kMostTiedCells || flats < least_[level] || flats > most_[level]) {
      return;
    }
    if (level == choices_.size()) {
      found.emplace(cell_, node_);
      return;
    }
    for (const Option& option : choices_[level]) {
      if (option.deficit + rest_[level + 1] <= slack) {
        cell_[level] = option.piece;
        descend(level + 1, flats - (is_step(option) ? 0 : 1), slack - option.deficit, found);
      }
    }
  }

  Choices choices_;
  double slack_;  // that a cell's deficits may use up
  const Node* node_;
  std::vector<int> least_, most_;  // (claims + 1) flats of the claims from there on
  std::vector<double> rest_;       // (claims + 1) their deficits, at least
  std::vector<int> cell_;
};

/// The box that holds the options; false where a claim has none.
bool span_options(const Choices& choices, Box& box) {
  for (std::size_t k = 0; k < choices.size(); ++k) {
    const Options options = choices[k];
    if (options.size() == 0) {
      return false;
    }
    box.first[k] = options[0].piece;
    box.last[k] = options[options.size() - 1].piece;
  }
  return true;
}

/// Where no claim has several options: whether there is a cell, and its deficits leave it tied.
bool is_tied(const Choices& choices, double slack) {
  for (std::size_t k = 0; k < choices.size(); ++k) {
    const Options options = choices[k];
    if (options.size() == 0 || !(options[0].deficit <= slack)) {
      return false;
    }
    slack -= options[0].deficit;
  }
  return true;
}

std::vector<int> first_of_each(const Choices& choices) {
  std::vector<int> cell;
  cell.reserve(choices.size());
  for (std::size_t k = 0; k < choices.size(); ++k) {
    cell.push_back(choices[k][0].piece);
  }
  return cell;
}

/// Leave out options of each claim in turn: `of_claim` is told the claim and the tangent's bound of
/// the box that all of them span. Each piece left out narrows the demand of that box: repeated
/// while it helps.
template <class OfClaim>
void narrow(Choices& choices, Box& box, TangentBound& tangent, OfClaim&& of_claim) {
  bool fewer = true;
  while (fewer && span_options(choices, box) && choices.any_open()) {
    fewer = false;
    tangent.set_box(box);
    const double bound = tangent.bound(box);
    for (std::size_t at = 0; at < choices.size(); ++at) {
      fewer |= of_claim(at, bound);
    }
  }
}

/// Leave out the pieces that the curvature of the risk at the best demand rules out for any demand
/// of the other claims.
void leave_out_curved(Choices& choices, Box& box, const std::vector<Corners>& corners,
                      const ArrayView& demand, double threshold, TangentBound& tangent) {
  narrow(choices, box, tangent, [&](std::size_t at, double bound) {
    const auto k = static_cast<int>(at);
    const double others = bound - tangent.most(k, box.first[at], box.last[at]);
    return choices.leave_out(at, [&](const Option& option) {
      const auto low = static_cast<std::size_t>(option.piece);
      const double off =
          std::max(demand[k] - corners[at].demand[low], corners[at].demand[low + 1] - demand[k]);
      return off > 0.0 &&
             others + tangent.most(k, option.piece, option.piece) - tangent.rise(k, off) <
                 threshold;
    });
  });
}

/// Leave out the pieces that a kink of the risk at the best demand rules out: those off it by more
/// than a tie can be, and steps that it lies at the end of, beside a flat that has the same demand,
/// if nothing but that end ties.
void leave_out_at_kink(Choices& choices, Box& box, const std::vector<Corners>& corners,
                       const ArrayView& demand, double best, double rounding,
                       TangentBound& tangent) {
  narrow(choices, box, tangent, [&](std::size_t at, double bound) {
    if (!choices.is_open(at)) {
      return false;
    }
    const auto k = static_cast<int>(at);
    const double tied = tangent.farthest(k, bound - (best - kTie));
    const double open = tangent.farthest(k, std::max(bound - best, rounding));
    const auto ends = [&](int piece) {
      const auto first = static_cast<std::size_t>(piece);
      return std::pair(corners[at].demand[first + 1], corners[at].demand[first]);
    };
    const auto is_flat_there = [&](const Option& option) {
      return !is_step(option) && std::abs(ends(option.piece).first - demand[k]) <= open;
    };
    const Options options = choices[at];
    const bool stood_in = std::any_of(options.begin(), options.end(), is_flat_there);
    return choices.leave_out(at, [&](const Option& option) {
      const auto [low, high] = ends(option.piece);
      if (std::max(low - demand[k], demand[k] - high) > tied) {
        return true;
      }
      const double width = high - low;
      return is_step(option) && stood_in && tied < kNearEnd * width && open < kStepEnd * width &&
             std::min(std::abs(demand[k] - low), std::abs(high - demand[k])) <= open;
    });
  });
}

/// The same by tangents at the demand moved onto each piece, which include what ambiguity adds to
/// the curvature, but not how the other claims adapt.
void leave_out_moved(Choices& choices, Box& box, const ArrayView& demand, const ArrayView& lambda,
                     double threshold, TangentBound& tangent) {
  for (std::size_t k = 0; k < choices.size() && span_options(choices, box); ++k) {
    if (!choices.is_open(k)) {
      continue;
    }
    choices.leave_out(k, [&](const Option& option) {
      box.first[k] = box.last[k] = option.piece;
      return tangent.rules_out(box, demand, lambda, threshold);
    });
  }
}

/// The rounding of the difference between a node's bound and the best clearing's value: relative to
/// the terms that they are sums of, so that it is small where little is at stake.
double rounding_of(const Multipliers& multipliers, double money) {
  // A corner next to the demand is worth no more than that and twice its claim's lambda.
  return kGapRounding *
         (money + std::abs(multipliers.constant) + 2.0 * multipliers.lambda().abs().sum());
}

}  // namespace

bool stands_for(const Candidate& candidate, const std::vector<int>& cell,
                const std::vector<Corners>& corners) {
  if (cell == candidate.cell) {
    return true;
  }
  if (!candidate.optimum || !part_of(cell, candidate.cell)) {
    return false;
  }
  for (std::size_t k = 0; k < cell.size(); ++k) {
    const auto low = static_cast<std::size_t>(candidate.cell[k]);
    const LargeArray<double>& ends = corners[k].demand;
    const double shared = ends[low + (cell[k] > candidate.cell[k] ? 1 : 0)];
    const double demand = candidate.optimum->demand[static_cast<Eigen::Index>(k)];
    if (cell[k] != candidate.cell[k] &&
        std::abs(demand - shared) > kStepEnd * (ends[low] - ends[low + 1])) {
      return false;
    }
  }
  return true;
}

std::vector<TiedCell> tied_cells(const ScaledMarket& market, const std::vector<const Node*>& nodes,
                                 const std::vector<Corners>& corners, const CellOptimum* best,
                                 double value, Arena& arena, std::optional<TangentBound>& made) {
  const Array none = Array::Zero(best == nullptr ? market.claims() : 0);
  const ArrayView demand = best == nullptr ? ArrayView(none) : ArrayView(best->demand);
  const double threshold = value - kTie;
  // Losses and revenue are sums of what the maker holds and sells.
  const double money = std::abs(value) + market.inventory.abs().sum() + demand.abs().sum();
  std::vector<Lister> listers;
  std::vector<TiedCell> result;
  for (const Node* const node : nodes) {
    const double slack = node->bound - threshold;
    if (slack < 0.0) {
      continue;
    }
    const double excess = std::max(node->bound - value, rounding_of(node->multipliers, money));
    Choices choices(corners.size());
    for (int k = 0; k < node->box.claims(); ++k) {
      const auto at = static_cast<std::size_t>(k);
      add_options(k, corners[at], node->box.first[at], node->box.last[at], node->multipliers, slack,
                  excess, choices);
    }
    if (choices.any_open()) {
      Box box = node->box;
      TangentBound& tangent = made ? *made : made.emplace(market, corners, arena, best);
      if (tangent.support(demand, node->multipliers.lambda())) {
        leave_out_curved(choices, box, corners, demand, threshold, tangent);
      } else if (const Multipliers& of = node->multipliers;
                 tangent.support_inside(demand, of.marginal_state_prices(), of.lambda())) {
        leave_out_at_kink(choices, box, corners, demand, value, rounding_of(of, money), tangent);
      }
      leave_out_moved(choices, box, demand, node->multipliers.lambda(), threshold, tangent);
    }
    if (nodes.size() == 1 && !choices.any_open()) {
      if (is_tied(choices, slack)) {
        result.push_back({first_of_each(choices), node});
      }
      return result;
    }
    listers.emplace_back(std::move(choices), slack, node);
  }
  std::map<std::vector<int>, const Node*> found;
  int most = 0;
  for (const Lister& lister : listers) {
    most = std::max(most, lister.most_flats());
  }
  for (int flats = 0; flats <= most && found.size() < kMostTiedCells; ++flats) {
    for (Lister& lister : listers) {
      lister.list(flats, found);
    }
  }
  result.reserve(found.size());
  for (const auto& [cell, node] : found) {
    result.push_back({cell, node});
  }
  return result;
}

}  // namespace kpm
