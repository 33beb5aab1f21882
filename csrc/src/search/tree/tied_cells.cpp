#include "search/tree/tied_cells.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "numerics/tolerances.hpp"

namespace kpm {

namespace {

struct Option {
  int piece;
  double deficit;  // what the piece's better corner is worth less than the run's best
};

/// A step whose best point lies at most this share of it off its end is as good there.
constexpr double kHair = 1e-7;
/// ... if what ties with the best lies at most this share of it off, too.
constexpr double kNear = 1e-2;

/// Pieces of first .. last that can be part of a tied clearing. `excess` is what the node's bound
/// proves at most of a better one.
std::vector<Option> options(int k, const Corners& corners, int first, int last,
                            const Multipliers& multipliers, double slack, double excess) {
  const double most = multipliers.most(k, corners, first, last);
  const auto deficit = [&](int c) {
    const auto at = static_cast<std::size_t>(c);
    return most - multipliers.worth(k, corners.price[at], corners.demand[at]);
  };
  const auto whole_piece = [&](int piece) {
    return piece >= first && piece <= last && deficit(piece) <= slack &&
           deficit(piece + 1) <= slack;
  };
  std::vector<Option> result;
  for (int piece = first; piece <= last; ++piece) {
    const double low = deficit(piece);
    const double high = deficit(piece + 1);
    if (std::min(low, high) > slack) {
      continue;
    }
    const bool partial = std::max(low, high) > slack;
    if (partial) {
      // Only one corner is as good. The neighbour that shares it stands for it: for a flat if all
      // of the neighbour is as good, for a step, whose best point may lie a hair inside, if this
      // one loses clearly.
      const int neighbour = low <= slack ? piece - 1 : piece + 1;
      const bool inside = neighbour >= first && neighbour <= last;
      const double loss = std::max(low, high);  // along the whole step
      const bool clear_cut = excess < kHair * loss && slack < kNear * loss;
      if (inside && (Staircase::is_step(piece) ? clear_cut : whole_piece(neighbour))) {
        continue;
      }
    }
    result.push_back({piece, std::min(low, high)});
  }
  return result;
}

void descend(const std::vector<std::vector<Option>>& choices, std::size_t level, double slack,
             const Node* node, std::vector<int>& cell,
             std::map<std::vector<int>, const Node*>& found) {
  if (found.size() >= kMostTiedCells) {
    return;
  }
  if (level == choices.size()) {
    found.emplace(cell, node);
    return;
  }
  for (const Option& option : choices[level]) {
    if (option.deficit <= slack) {
      cell[level] = option.piece;
      descend(choices, level + 1, slack - option.deficit, node, cell, found);
    }
  }
}

using Choices = std::vector<std::vector<Option>>;

/// The runs that the options lie in; false where a claim has none.
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

/// Leave out what `ruled_out` says of claim k's options. Whether there was any.
template <class RuledOut>
bool leave_out(std::vector<Option>& options, RuledOut&& ruled_out) {
  const auto end = std::remove_if(options.begin(), options.end(), ruled_out);
  const bool any = end != options.end();
  options.erase(end, options.end());
  return any;
}

/// Leave out the pieces that the curvature of the risk at the best demand rules out, whatever the
/// other claims do. What is left of these can do less then: again, while that helps.
void leave_out_curved(Choices& choices, Box& box, const std::vector<Corners>& corners,
                      const Array& demand, double threshold, TangentBound& tangent) {
  bool fewer = true;
  while (fewer && span_options(choices, box) &&
         std::any_of(choices.begin(), choices.end(), is_open)) {
    fewer = false;
    tangent.set_box(box);
    const double bound = tangent.bound(box);
    for (std::size_t at = 0; at < choices.size(); ++at) {
      const auto k = static_cast<int>(at);
      const double others = bound - tangent.most(k, box.first[at], box.last[at]);
      fewer |= leave_out(choices[at], [&](const Option& option) {
        const auto low = static_cast<std::size_t>(option.piece);
        const double off =
            std::max(demand[k] - corners[at].demand[low], corners[at].demand[low + 1] - demand[k]);
        return off > 0.0 &&
               others + tangent.most(k, option.piece, option.piece) - tangent.rise(k, off) <
                   threshold;
      });
    }
  }
}

/// The same by tangents at the demand moved onto each piece, which see what the ambiguity adds to
/// the curvature, but not how the other claims give way.
void leave_out_moved(Choices& choices, Box& box, const Array& demand, const Array& lambda,
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

/// What rounding may make of the difference between a node's bound and the best clearing's value:
/// of the terms that they are the sums of, so that little stays exact where little is at stake.
double rounding_of(const Multipliers& multipliers, double money) {
  // A corner next to the demand is worth no more than that and twice its claim's lambda.
  return kGapRounding *
         (money + std::abs(multipliers.constant) + 2.0 * multipliers.lambda.abs().sum());
}

}  // namespace

std::vector<TiedCell> tied_cells(const ScaledMarket& market, const std::vector<const Node*>& nodes,
                                 const std::vector<Corners>& corners, const Array& demand,
                                 double best, TangentBound& tangent) {
  const double threshold = best - kTie;
  // Losses and revenue are sums of what the maker holds and sells.
  const double money = std::abs(best) + market.inventory.abs().sum() + demand.abs().sum();
  std::map<std::vector<int>, const Node*> found;
  for (const Node* const node : nodes) {
    const double slack = node->bound - threshold;
    if (slack < 0.0) {
      continue;
    }
    const double excess = std::max(node->bound - best, rounding_of(node->multipliers, money));
    std::vector<std::vector<Option>> choices;
    choices.reserve(corners.size());
    for (int k = 0; k < node->box.claims(); ++k) {
      const auto at = static_cast<std::size_t>(k);
      choices.push_back(options(k, corners[at], node->box.first[at], node->box.last[at],
                                node->multipliers, slack, excess));
    }
    Box box = node->box;
    if (std::any_of(choices.begin(), choices.end(), is_open)) {
      if (tangent.support(demand, node->multipliers.lambda)) {
        leave_out_curved(choices, box, corners, demand, threshold, tangent);
      }
      leave_out_moved(choices, box, demand, node->multipliers.lambda, threshold, tangent);
    }
    std::vector<int> cell(corners.size(), 0);
    descend(choices, 0, slack, node, cell, found);
  }
  std::vector<TiedCell> result;
  result.reserve(found.size());
  for (const auto& [cell, node] : found) {
    result.push_back({cell, node});
  }
  return result;
}

}  // namespace kpm
