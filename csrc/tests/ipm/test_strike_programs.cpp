// Claims along an index: the same answers with and without matrices.
#include "ipm/check_system.hpp"
#include "ipm/strike_book.hpp"
#include "ipm/strike_system.hpp"
#include "ipm/without_matrices.hpp"

namespace kpm {

TEST(payoffs_along_an_index_are_found) {
  test::Random random(70);
  int found = 0;
  int exact = 0;
  for (int trial = 0; trial < 300; ++trial) {
    const test::StrikeBook book(random, 200);
    const ScaledMarket market(book.market(), compile_staircases(book.market(), book.book()));
    const StrikeClaims strikes(market.payoffs);
    found += strikes.on_strikes() ? 1 : 0;
    if (!strikes.on_strikes()) {
      CHECK(book.mixed);  // straddles can hide which side of a strike is which
      continue;
    }
    Array valued(market.claims());
    Array owed(market.states());
    const Array x = test::random_array(random, market.states());
    const Array y = test::random_array(random, market.claims());
    strikes.apply(x, valued);
    strikes.apply_transposed(y, owed);
    CHECK_NEAR((valued.matrix() - market.payoffs * x.matrix()).cwiseAbs().maxCoeff(), 0.0, 1e-10);
    const Array as_paid = market.payoffs.transpose() * y.matrix();
    CHECK_NEAR((owed - as_paid).abs().maxCoeff(), 0.0, 1e-10);
    const double rounding = 1e-14 * y.abs().sum();
    CHECK_AT_MOST(strikes.least_owed(y), as_paid.minCoeff(), rounding);
    exact += strikes.exact() ? 1 : 0;
    CHECK(!strikes.exact() || strikes.least_owed(y) > as_paid.minCoeff() - 10.0 * rounding);
  }
  CHECK(found > 270 && exact > 200);
}

TEST(payoffs_off_their_lines_are_not_taken_for_claims_on_strikes) {
  test::Random random(72);
  int known = 0;
  for (int trial = 0; trial < 100; ++trial) {
    test::StrikeBook book(random, 200);
    ScaledMarket market(book.market(), compile_staircases(book.market(), book.book()));
    if (!StrikeClaims(market.payoffs).on_strikes()) {
      continue;
    }
    ++known;
    // In a chain no other claim and no other order of states explains a bump between two others.
    market.payoffs.row(0).setZero();
    market.payoffs(0, 0) = market.payoffs(0, market.states() / 2) = 1.0;
    market.payoffs(0, market.states() - 1) = 0.5;
    CHECK(!StrikeClaims(market.payoffs).on_strikes());
  }
  CHECK(known > 80);
}

/// At any point and with any numbers the systems agree with the dense matrices.
TEST(strike_systems_agree_with_dense_matrices) {
  test::Random random(71);
  int known = 0;
  for (int trial = 0; trial < 300; ++trial) {
    test::StrikeBook book(random, 200);
    const int kind = trial % 3;
    book.ambiguity = kind == 0 ? 0.0 : kind == 1 ? random.uniform(0.01, 0.8) : 50.0;
    const ScaledMarket market(book.market(), compile_staircases(book.market(), book.book()));
    if (market.strikes.on_strikes()) {
      ++known;
      test::check_step_system<StrikeSystem>(market, random);
    }
  }
  CHECK(known > 240);
}

/// Of payoffs printed with nine decimals, too, which lie on lines but for these.
TEST(relaxations_of_claims_on_strikes_have_the_same_bound_with_and_without_matrices) {
  test::Random random(73);
  int known = 0;
  for (int trial = 0; trial < 60; ++trial) {
    const test::StrikeBook book(random, 200, trial % 2 == 0 ? 16.0 : 9.0);
    const std::vector<Staircase> stairs = compile_staircases(book.market(), book.book());
    const ScaledMarket market(book.market(), stairs);
    const std::vector<Corners> corners = find_corners(market, stairs);
    known += market.strikes.on_strikes() ? 1 : 0;
    CHECK_NEAR(test::relaxation_bound(market, corners),
               test::relaxation_bound(test::without_structure(market), corners), 2e-11);
  }
  CHECK(known > 40);
}

}  // namespace kpm
