// What trades at a limit, by counting.
#include <algorithm>

#include "check.hpp"
#include "selection/allocation.hpp"

namespace kpm {

/// As much as possible: all bids, or all offers, unless the net demand forbids it.
TEST(as_much_as_possible_trades_at_a_limit) {
  for (int bids = 0; bids <= 6; ++bids) {
    for (int offers = 0; offers <= 6; ++offers) {
      for (int net = -offers; net <= bids; ++net) {
        const Matched matched = match_at_limit(bids, offers, net);
        int most = 0;
        for (int bought = 0; bought <= bids; ++bought) {
          const int sold = bought - net;
          if (sold >= 0 && sold <= offers) {
            most = std::max(most, bought);
          }
        }
        CHECK(matched.bought == most);
        CHECK(matched.sold == most - net);
      }
    }
  }
}

/// Net demand beyond what is there, by rounding, fills no order by more than it asks for.
TEST(rounding_of_the_net_demand_overfills_nobody) {
  test::Random random(83);
  for (int trial = 0; trial < 2000; ++trial) {
    const double bids = random.uniform(0.0, 3.0);
    const double offers = random.uniform(0.0, 3.0);
    const double net = (random.below(2) == 0 ? bids : -offers) * (1.0 + 1e-15 * random.below(5));
    const Matched matched = match_at_limit(bids, offers, net);
    CHECK(matched.bought >= 0.0 && matched.bought <= bids);
    CHECK(matched.sold >= 0.0 && matched.sold <= offers);
    CHECK_NEAR(matched.bought - matched.sold, net, 2e-14);
  }
}

}  // namespace kpm
