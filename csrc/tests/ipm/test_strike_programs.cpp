// Claims along an index: the same answers with and without matrices.
#include "ipm/step_system.hpp"
#include "ipm/strike_book.hpp"
#include "ipm/strike_system.hpp"
#include "ipm/without_matrices.hpp"

namespace kpm {

TEST(payoffs_along_an_index_are_found_again) {
  test::Random random(70);
  for (int trial = 0; trial < 300; ++trial) {
    const test::RandomBook book = test::strike_book(random, 200);
    const ScaledMarket market(book.market(), compile_staircases(book.market(), book.book()));
    if (market.claims() < StrikeClaims::kFewest || market.of_sets()) {
      continue;
    }
    const StrikeClaims& strikes = market.strikes;
    CHECK(strikes.on_strikes());
    Array valued(market.claims());
    Array owed(market.states());
    const Array x = test::random_array(random, market.states());
    const Array y = test::random_array(random, market.claims());
    strikes.apply(x, valued);
    strikes.apply_transposed(y, owed);
    CHECK_NEAR((valued.matrix() - market.payoffs * x.matrix()).cwiseAbs().maxCoeff(), 0.0, 1e-10);
    CHECK_NEAR((owed.matrix() - market.payoffs.transpose() * y.matrix()).cwiseAbs().maxCoeff(), 0.0,
               1e-10);
  }
}

/// At any point and with any numbers the systems agree with the dense matrices.
TEST(strike_systems_agree_with_dense_matrices) {
  test::Random random(71);
  for (int trial = 0; trial < 300; ++trial) {
    test::RandomBook book = test::strike_book(random, 200);
    const int kind = trial % 3;
    book.ambiguity = kind == 0 ? 0.0 : kind == 1 ? random.uniform(0.01, 0.8) : 50.0;
    const ScaledMarket market(book.market(), compile_staircases(book.market(), book.book()));
    if (market.strikes.on_strikes()) {
      test::check_step_system<StrikeSystem>(market, random);
    }
  }
}

}  // namespace kpm
