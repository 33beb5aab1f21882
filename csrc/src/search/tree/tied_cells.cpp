#include "search/tree/tied_cells.hpp"

#include <algorithm>
#include <set>

namespace kpm {

namespace {

struct Option {
  int piece;
  double deficit;  // what the piece's better corner is worth less than the run's best
};

/// A step that loses more than this multiple of the slack along its way is as good at its end only.
constexpr double kClearCut = 1e4;

/// Pieces of first .. last that can be part of a tied clearing.
std::vector<Option> options(int k, const Corners& corners, int first, int last,
                            const Multipliers& multipliers, double slack) {
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
      const bool clear_cut = std::max(low, high) > kClearCut * slack;
      if (inside && (Staircase::is_step(piece) ? clear_cut : whole_piece(neighbour))) {
        continue;
      }
    }
    result.push_back({piece, std::min(low, high)});
  }
  return result;
}

void descend(const std::vector<std::vector<Option>>& choices, std::size_t level, double slack,
             std::vector<int>& cell, std::set<std::vector<int>>& found) {
  if (found.size() >= kMostTiedCells) {
    return;
  }
  if (level == choices.size()) {
    found.insert(cell);
    return;
  }
  for (const Option& option : choices[level]) {
    if (option.deficit <= slack) {
      cell[level] = option.piece;
      descend(choices, level + 1, slack - option.deficit, cell, found);
    }
  }
}

}  // namespace

std::vector<std::vector<int>> tied_cells(const std::vector<const Node*>& nodes,
                                         const std::vector<Corners>& corners, double threshold) {
  std::set<std::vector<int>> found;
  for (const Node* const node : nodes) {
    const double slack = node->bound - threshold;
    if (slack < 0.0) {
      continue;
    }
    std::vector<std::vector<Option>> choices;
    choices.reserve(corners.size());
    for (int k = 0; k < node->box.claims(); ++k) {
      const auto at = static_cast<std::size_t>(k);
      choices.push_back(options(k, corners[at], node->box.first[at], node->box.last[at],
                                node->multipliers, slack));
    }
    std::vector<int> cell(corners.size(), 0);
    descend(choices, 0, slack, cell, found);
  }
  return {found.begin(), found.end()};
}

}  // namespace kpm
