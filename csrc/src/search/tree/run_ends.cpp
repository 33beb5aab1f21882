#include "search/tree/run_ends.hpp"

#include <utility>

namespace kpm {

namespace {

constexpr int kBlock = 32;  // pieces that are cut together, where a bound on all of them allows it

}  // namespace

double RunEnds::bound(const Multipliers& multipliers, const Box& box) {
  double sum = multipliers.constant;
  for (int k = 0; k < box.claims(); ++k) {
    const auto at = static_cast<std::size_t>(k);
    most_[at] = multipliers.most(k, corners_[at], box.first[at], box.last[at]);
    sum += most_[at];
  }
  return sum;
}

void RunEnds::cut(Node& node, const Multipliers& multipliers, double bound, double threshold,
                  bool keep, std::vector<Node>& pruned) {
  for (int k = 0; k < node.box.claims(); ++k) {
    const auto at = static_cast<std::size_t>(k);
    const Corners& corners = corners_[at];
    int& first = node.box.first[at];
    int& last = node.box.last[at];
    const double others = bound - most_[at];
    const auto worth = [&](int c) {
      const auto corner = static_cast<std::size_t>(c);
      return others + multipliers.worth(k, corners.price[corner], corners.demand[corner]);
    };
    const auto settle = [&](int from, int to) {
      if (keep) {
        Node cut = node;
        cut.multipliers = multipliers;
        cut.box.first[at] = from;
        cut.box.last[at] = to;
        cut.bound = others + multipliers.most(k, corners, from, to);
        pruned.push_back(std::move(cut));
      }
    };
    const auto below = [&](int from, int to) {  // all corners, by a bound on them
      return others + multipliers.worth_at_most(k, corners, from, to) < threshold;
    };
    int begin = first;
    while (begin + kBlock <= last && below(begin, begin + kBlock)) {
      begin += kBlock;
    }
    while (begin <= last && worth(begin) < threshold && worth(begin + 1) < threshold) {
      ++begin;
    }
    if (begin > last) {
      node.bound = others + multipliers.most(k, corners, first, last);
      if (&multipliers != &node.multipliers) {
        node.multipliers = multipliers;
      }
      return;  // the whole box is pruned
    }
    int end = last;
    while (end - kBlock > begin && below(end - kBlock + 1, end + 1)) {
      end -= kBlock;
    }
    while (end > begin && worth(end + 1) < threshold && worth(end) < threshold) {
      --end;
    }
    const int old_first = first;
    const int old_last = last;
    if (begin > old_first) {
      settle(old_first, begin - 1);
      first = begin;
    }
    if (end < old_last) {
      settle(end + 1, old_last);
      last = end;
    }
  }
}

}  // namespace kpm
