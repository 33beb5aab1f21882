#include "book/corners.hpp"
#include "check.hpp"
#include "numerics/stop_token.hpp"
#include "random_book.hpp"
#include "search/safe_start.hpp"

namespace kpm {

/// Step by step an equilibrium is found through hundreds of iterations, each of which may be told
/// that nobody waits any more: at that poll it ends, and polling changes nothing.
TEST(an_equilibrium_found_step_by_step_ends_when_told) {
  test::Random random(91);
  int ended = 0;
  for (int trial = 0; trial < 30; ++trial) {
    const test::RandomBook book(random, 4 + random.below(5), 3 + random.below(6), 40);
    const std::vector<Staircase> stairs = compile_staircases(book.market(), book.book());
    const ScaledMarket market(book.market(), stairs);
    const std::vector<Corners> corners = find_corners(market, stairs);
    const auto search = [&](int last, int& polls) {
      polls = 0;
      StopToken token([&] { return polls <= last; }, [&](double) { ++polls; });
      Checkpoint checkpoint(token);
      SafeStart safe(market, corners);
      safe.follow();
      return safe.equilibrium(checkpoint);
    };
    int all = 0;
    const std::vector<int> cell = search(1'000'000, all);
    CHECK(all > 0);
    for (int last = 0; last < all; last += 1 + all / 8) {
      int polls = 0;
      bool told = false;
      try {
        search(last, polls);
      } catch (const Abandoned&) {
        told = true;
      }
      CHECK(told && polls == last + 1);
      ++ended;
    }
    int polls = 0;
    CHECK(search(all, polls) == cell && polls == all);
  }
  CHECK(ended > 100);
}

}  // namespace kpm
