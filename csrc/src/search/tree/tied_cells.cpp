#include "search/tree/tied_cells.hpp"

#include <algorithm>
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
constexpr double kBoundRounding = 1e-14;  // scaled money: a bound this close to a value is met

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

/// Leave out the pieces that the curvature of the risk rules out, whatever the other claims do.
void leave_out(std::vector<std::vector<Option>>& choices, const std::vector<Corners>& corners,
               const Array& demand, const Multipliers& multipliers, double threshold,
               TangentBound& tangent) {
  Box box;
  for (const std::vector<Option>& options_k : choices) {
    if (options_k.empty()) {
      return;
    }
    box.first.push_back(options_k.front().piece);
    box.last.push_back(options_k.back().piece);
  }
  for (std::size_t k = 0; k < choices.size(); ++k) {
    if (choices[k].size() == 1) {
      continue;
    }
    Box one = box;
    const auto ruled_out = [&](const Option& option) {
      one.first[k] = one.last[k] = option.piece;
      return tangent.support(moved_onto(one, corners, demand), multipliers.lambda) &&
             tangent.bound(one) < threshold;
    };
    choices[k].erase(std::remove_if(choices[k].begin(), choices[k].end(), ruled_out),
                     choices[k].end());
    if (choices[k].empty()) {
      return;
    }
    box.first[k] = choices[k].front().piece;
    box.last[k] = choices[k].back().piece;
  }
}

}  // namespace

Array moved_onto(const Box& box, const std::vector<Corners>& corners, const Array& demand) {
  Array moved = demand;
  for (Eigen::Index k = 0; k < moved.size(); ++k) {
    const auto at = static_cast<std::size_t>(k);
    const std::vector<double>& ends = corners[at].demand;
    moved[k] = std::clamp(moved[k], ends[static_cast<std::size_t>(box.last[at]) + 1],
                          ends[static_cast<std::size_t>(box.first[at])]);
  }
  return moved;
}

std::vector<TiedCell> tied_cells(const std::vector<const Node*>& nodes,
                                 const std::vector<Corners>& corners, const Array& demand,
                                 double best, TangentBound& tangent) {
  const double threshold = best - kTie;
  std::map<std::vector<int>, const Node*> found;
  for (const Node* const node : nodes) {
    const double slack = node->bound - threshold;
    if (slack < 0.0) {
      continue;
    }
    const double excess = std::max(node->bound - best, kBoundRounding);
    std::vector<std::vector<Option>> choices;
    choices.reserve(corners.size());
    for (int k = 0; k < node->box.claims(); ++k) {
      const auto at = static_cast<std::size_t>(k);
      choices.push_back(options(k, corners[at], node->box.first[at], node->box.last[at],
                                node->multipliers, slack, excess));
    }
    leave_out(choices, corners, demand, node->multipliers, threshold, tangent);
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
