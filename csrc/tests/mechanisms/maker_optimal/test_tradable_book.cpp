#include "mechanisms/levels.hpp"
#include "mechanisms/maker_optimal/tradable_book.hpp"
#include "random_book.hpp"

namespace kpm {

/// What is cut to what trades keeps at least what the bound says, however much that is; where the
/// bound says that a cut cannot pay there is none.
TEST(no_cut_leaves_less_than_its_bound) {
  test::Random random(93);
  int cut = 0;
  int refused = 0;
  for (int trial = 0; trial < 600; ++trial) {
    test::RandomBook book(random, 2 + random.below(4), 1 + random.below(3), 1 + random.below(40));
    for (double& quantity : book.quantity) {
      quantity *= random.below(4) == 0 ? std::pow(10.0, random.uniform(2.0, 8.0)) : 1.0;
    }
    const Market market = book.market();
    const std::vector<Staircase> stairs = compile_staircases(market, book.book());
    const double traded = std::pow(10.0, random.uniform(-3.0, 4.0));
    double whole = 0.0;
    for (const double level : Levels(market, stairs).notional) {
      whole += level;
    }
    const double least = least_left(stairs, traded);
    CHECK_AT_MOST(least, whole, 1e-9 * whole);
    StopToken token([] { return true; });
    const std::optional<TradableBook> found = tradable_book(market, stairs, token, traded);
    if (found && found->netted.empty()) {
      CHECK_AT_MOST(least, found->notional(), 0.0);
      ++cut;
    }
    refused += least > whole / 64.0 ? 1 : 0;
  }
  CHECK(cut > 50 && refused > 50);
}

}  // namespace kpm
