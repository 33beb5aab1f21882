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

/// Pieces that are left out together, where a bound on all of them allows it.
constexpr int kBlock = 32;
/// Corners on either side of the best that may tie with it before all the others are left out.
constexpr int kNearby = 3;
/// kStepEnd where the step loses so firmly that the selection takes demand there to the end.
constexpr double kFirmStepEnd = 5e-6;

/// Pieces of first .. last that can be part of a tied clearing. `excess` is the node's bound less
/// the best clearing's value.
std::vector<Option> options(int k, const Corners& corners, int first, int last,
                            const Multipliers& multipliers, double slack, double excess) {
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
  std::vector<Option> result;
  // Mostly all that ties is beside the best corner: what lies on either side is left out whole.
  int begin = first;
  for (int c = best - 1; c > first && best - c <= kNearby; --c) {
    if (none_ties(first, c)) {
      begin = c;
      break;
    }
  }
  int end = last;
  for (int c = best + 1; c <= last && c - best <= kNearby; ++c) {
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
    result.push_back({piece, std::min(low, high)});
  }
  return result;
}

using Choices = std::vector<std::vector<Option>>;

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
      const auto steps =
          static_cast<std::size_t>(std::count_if(choices_[k].begin(), choices_[k].end(), is_step));
      least_[k] = least_[k + 1] + (steps == 0 ? 1 : 0);
      most_[k] = most_[k + 1] + (steps < choices_[k].size() ? 1 : 0);
      double least = choices_[k].empty() ? kInfinity : choices_[k].front().deficit;
      for (const Option& option : choices_[k]) {
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
    if (choices[k].empty()) {
      return false;
    }
    box.first[k] = choices[k].front().piece;
    box.last[k] = choices[k].back().piece;
  }
  return true;
}

bool is_open(const std::vector<Option>& options) { return options.size() > 1; }

bool any_open(const Choices& choices) {
  return std::any_of(choices.begin(), choices.end(), is_open);
}

/// Where no claim has several options: whether there is a cell, and its deficits leave it tied.
bool is_tied(const Choices& choices, double slack) {
  return std::all_of(choices.begin(), choices.end(), [&](const std::vector<Option>& options) {
    const bool fits = !options.empty() && options.front().deficit <= slack;
    slack -= fits ? options.front().deficit : 0.0;
    return fits;
  });
}

std::vector<int> first_of_each(const Choices& choices) {
  std::vector<int> cell;
  cell.reserve(choices.size());
  for (const std::vector<Option>& options : choices) {
    cell.push_back(options.front().piece);
  }
  return cell;
}

/// Leave out the options that are `ruled_out`. Returns whether there were any.
template <class RuledOut>
bool leave_out(std::vector<Option>& options, RuledOut&& ruled_out) {
  const auto end = std::remove_if(options.begin(), options.end(), ruled_out);
  const bool any = end != options.end();
  options.erase(end, options.end());
  return any;
}

/// Leave out options of each claim in turn: `of_claim` is told the claim and the tangent's bound of
/// the box that all of them span. Each piece left out narrows the demand of that box: repeated
/// while it helps.
template <class OfClaim>
void narrow(Choices& choices, Box& box, TangentBound& tangent, OfClaim&& of_claim) {
  bool fewer = true;
  while (fewer && span_options(choices, box) && any_open(choices)) {
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
                      const Array& demand, double threshold, TangentBound& tangent) {
  narrow(choices, box, tangent, [&](std::size_t at, double bound) {
    const auto k = static_cast<int>(at);
    const double others = bound - tangent.most(k, box.first[at], box.last[at]);
    return leave_out(choices[at], [&](const Option& option) {
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
                       const Array& demand, double best, double rounding, TangentBound& tangent) {
  narrow(choices, box, tangent, [&](std::size_t at, double bound) {
    if (!is_open(choices[at])) {
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
    const bool stood_in = std::any_of(choices[at].begin(), choices[at].end(), is_flat_there);
    return leave_out(choices[at], [&](const Option& option) {
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
void leave_out_moved(Choices& choices, Box& box, const Array& demand, const ArrayView& lambda,
                     double threshold, TangentBound& tangent) {
  for (std::size_t k = 0; k < choices.size() && span_options(choices, box); ++k) {
    if (!is_open(choices[k])) {
      continue;
    }
    leave_out(choices[k], [&](const Option& option) {
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

std::vector<TiedCell> tied_cells(const ScaledMarket& market, const std::vector<const Node*>& nodes,
                                 const std::vector<Corners>& corners, const Array& demand,
                                 double best, std::unique_ptr<TangentBound>& made) {
  const double threshold = best - kTie;
  // Losses and revenue are sums of what the maker holds and sells.
  const double money = std::abs(best) + market.inventory.abs().sum() + demand.abs().sum();
  std::vector<Lister> listers;
  std::vector<TiedCell> result;
  for (const Node* const node : nodes) {
    const double slack = node->bound - threshold;
    if (slack < 0.0) {
      continue;
    }
    const double excess = std::max(node->bound - best, rounding_of(node->multipliers, money));
    Choices choices;
    choices.reserve(corners.size());
    for (int k = 0; k < node->box.claims(); ++k) {
      const auto at = static_cast<std::size_t>(k);
      choices.push_back(options(k, corners[at], node->box.first[at], node->box.last[at],
                                node->multipliers, slack, excess));
    }
    if (any_open(choices)) {
      Box box = node->box;
      if (!made) {
        made = std::make_unique<TangentBound>(market, corners);
      }
      TangentBound& tangent = *made;
      if (tangent.support(demand, node->multipliers.lambda())) {
        leave_out_curved(choices, box, corners, demand, threshold, tangent);
      } else if (const Multipliers& of = node->multipliers;
                 tangent.support_inside(demand, of.marginal_state_prices(), of.lambda())) {
        leave_out_at_kink(choices, box, corners, demand, best, rounding_of(of, money), tangent);
      }
      leave_out_moved(choices, box, demand, node->multipliers.lambda(), threshold, tangent);
    }
    if (nodes.size() == 1 && !any_open(choices)) {
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
