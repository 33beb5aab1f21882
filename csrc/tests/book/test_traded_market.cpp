#include <algorithm>
#include <numeric>

#include "book/traded_market.hpp"
#include "check.hpp"
#include "random_book.hpp"

namespace kpm {

namespace {

/// The book with states divided: state i of the result is `share[i]` of state `into[i]`.
test::RandomBook divided(const test::RandomBook& book, const std::vector<int>& into,
                         const std::vector<double>& share) {
  test::RandomBook result = book;
  result.states = static_cast<int>(into.size());
  result.payoffs.clear();
  result.prior.clear();
  result.inventory.clear();
  for (int k = 0; k < book.claims; ++k) {
    for (const int i : into) {
      result.payoffs.push_back(book.payoffs_of(k)[i]);
    }
  }
  for (std::size_t i = 0; i < into.size(); ++i) {
    result.prior.push_back(share[i] * book.prior[static_cast<std::size_t>(into[i])]);
    result.inventory.push_back(book.inventory[static_cast<std::size_t>(into[i])]);
  }
  return result;
}

}  // namespace

TEST(states_that_no_claim_tells_apart_are_merged) {
  test::Random random(31);
  for (int trial = 0; trial < 100; ++trial) {
    test::RandomBook book(random, 2 + random.below(5), 1 + random.below(4), 30);
    std::iota(book.inventory.begin(), book.inventory.end(), 0.0);  // tells them apart
    std::vector<int> into;
    std::vector<double> share;
    for (int i = 0; i < book.states; ++i) {
      into.push_back(i);
      share.push_back(0.75);
    }
    for (int i = 0; i < book.states; ++i) {  // the second parts are not next to the first
      into.push_back(book.states - 1 - i);
      share.push_back(0.25);
    }
    const test::RandomBook twice = divided(book, into, share);
    const std::vector<Staircase> stairs = compile_staircases(book.market(), book.book());
    const ScaledMarket plain(book.market(), stairs);
    CHECK(TradedMarket(plain, stairs).market().states() == book.states);
    const TradedMarket merged(ScaledMarket(twice.market(), stairs), stairs);
    const ScaledMarket& market = merged.market();
    CHECK(market.states() == book.states);
    CHECK((market.payoffs.array() - plain.payoffs.array()).abs().maxCoeff() <= 1e-15);
    CHECK((market.inventory == plain.inventory).all());
    CHECK((market.prior - plain.prior).abs().maxCoeff() <= 1e-15);
    CHECK(market.kind == plain.kind);
    // What a merged state has is divided in proportion to the prior.
    const Array whole = test::random_distribution(random, book.states);
    const Array parts = merged.restore(whole);
    for (std::size_t i = 0; i < into.size(); ++i) {
      CHECK_NEAR(parts[static_cast<Eigen::Index>(i)], share[i] * whole[into[i]], 1e-15);
    }
    CHECK((merged.merge(parts) - whole).abs().maxCoeff() <= 1e-15);
  }
}

TEST(a_claim_without_orders_tells_nothing_apart) {
  test::Random random(32);
  for (int states : {3, 40}) {  // few, all pairs of which are compared, and many
    test::RandomBook book(random, states, 2, 60);
    std::fill(book.inventory.begin(), book.inventory.end(), 0.0);
    for (int i = 0; i < states; ++i) {
      book.payoffs[static_cast<std::size_t>(i)] = i == 0 ? 1.0 : 0.0;
      book.payoffs[static_cast<std::size_t>(states) + static_cast<std::size_t>(i)] = i;
    }
    for (double& quantity : book.quantity) {
      quantity += 1.0;
    }
    const std::vector<Staircase> both = compile_staircases(book.market(), book.book());
    CHECK(TradedMarket(ScaledMarket(book.market(), both), both).market().states() == states);
    for (std::int64_t& claim : book.claim) {
      claim = 0;
    }
    const std::vector<Staircase> one = compile_staircases(book.market(), book.book());
    const TradedMarket merged(ScaledMarket(book.market(), one), one);
    CHECK(merged.market().states() == 2 && merged.market().claims() == 1);
    CHECK(merged.market().original == std::vector<int>{0});
    book.inventory.back() = 0.5;
    CHECK(TradedMarket(ScaledMarket(book.market(), one), one).market().states() == 3);
  }
}

}  // namespace kpm
