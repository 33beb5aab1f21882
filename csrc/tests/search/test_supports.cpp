// Multipliers that nodes of a tree leave to others.
#include <algorithm>
#include <cstddef>
#include <utility>

#include "check.hpp"
#include "search/tree/node.hpp"
#include "search/tree/supports.hpp"

namespace kpm {

namespace {

Multipliers numbered(double number) {
  Multipliers one(2, 1);
  one.lambda()[0] = number;
  return one;
}

double number_of(const Multipliers& support) { return std::as_const(support).lambda()[0]; }

}  // namespace

/// Other threads look at a view while the calling one adds what as many nodes have left.
TEST(a_view_stays_until_as_many_have_been_added_as_were_spared) {
  constexpr std::size_t kSpared = 16;
  RecentSupports recent(kSpared);
  CHECK(recent.latest().size() == 0);
  for (int added = 0; added < 200; ++added) {
    Multipliers next = numbered(added);
    recent.add(next);
    const SupportsView view = recent.latest();
    CHECK(view.size() == std::min<std::size_t>(static_cast<std::size_t>(added) + 1, 64));
    CHECK(number_of(view[0]) == added);
    if (added == 100) {
      for (std::size_t n = 0; n < kSpared; ++n) {
        Multipliers more = numbered(++added);
        recent.add(more);
        for (std::size_t shown = 0; shown < view.size(); ++shown) {
          CHECK(number_of(view[shown]) == 100.0 - static_cast<double>(shown));
        }
      }
    }
  }
}

TEST(a_node_leaves_no_more_supports_than_are_spared_for_it) {
  NodeOutcome outcome;
  for (int n = 0; n < 5; ++n) {
    outcome.add_support(numbered(n));
  }
  CHECK(outcome.supports.size() == NodeOutcome::kMostSupports);
  CHECK(number_of(outcome.supports[1]) == 1.0);
}

}  // namespace kpm
