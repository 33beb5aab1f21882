#include <algorithm>
#include <cmath>

#include "ipm/disjoint_book.hpp"
#include "ipm/without_matrices.hpp"
#include "numerics/entropy.hpp"
#include "prices/information_projection.hpp"
#include "random_book.hpp"

namespace kpm {

TEST(the_projection_meets_its_prices_and_satisfies_pythagoras) {
  test::Random random(34);
  int settled = 0;
  for (int trial = 0; trial < 500; ++trial) {
    const test::RandomBook book(random, 3 + random.below(6), 1 + random.below(3), 3);
    const ScaledMarket market(book.market(), compile_staircases(book.market(), book.book()));
    Arena arena;
    InformationProjection projection(market, arena);
    projection.clear();
    for (int i = 0; i < market.states(); ++i) {
      projection.add_state(i);
    }
    const Array other = test::random_distribution(random, market.states());
    std::vector<double> low, high;
    for (int k = 0; k < market.claims(); ++k) {
      const double price = market.payoffs.row(k).dot(other.matrix());
      const double width = random.below(2) == 0 ? 0.0 : 0.05 * random.uniform();
      low.push_back(std::max(0.0, price - width));
      high.push_back(std::min(1.0, price + width));
      projection.set_range(k, low.back(), high.back());
    }
    if (!projection.settle()) {
      continue;
    }
    ++settled;
    const Array x = projection.distribution();
    CHECK_NEAR(x.sum(), 1.0, 1e-12);
    for (int k = 0; k < market.claims(); ++k) {
      const double price = market.payoffs.row(k).dot(x.matrix());
      CHECK_AT_MOST(low[static_cast<std::size_t>(k)], price, 1e-12);
      CHECK_AT_MOST(price, high[static_cast<std::size_t>(k)], 1e-12);
    }
    // KL(z|q) >= KL(z|x) + KL(x|q) for every z with prices in the ranges: x is the nearest.
    const double direct = relative_entropy_of(other, market.prior);
    CHECK_AT_MOST(relative_entropy_of(other, x) + relative_entropy_of(x, market.prior), direct,
                  1e-11);
  }
  CHECK(settled > 400);
}

// A claim on each state, and sums of states that these imply: ends that are missed together do not
// all bind.
TEST(prices_that_follow_from_others_do_not_stop_the_projection) {
  test::Random random(36);
  int settled = 0;
  for (int trial = 0; trial < 500; ++trial) {
    const int states = 4 + random.below(7);
    const int claims = states + 1 + random.below(4);
    test::RandomBook book(random, states, claims, 3 * claims);
    for (int k = 0; k < claims; ++k) {
      for (int i = 0; i < states; ++i) {
        const bool pays = k < states ? i == k : random.below(2) == 0 || i == k - states;
        book.payoffs[static_cast<std::size_t>(k) * static_cast<std::size_t>(states) +
                     static_cast<std::size_t>(i)] = pays && i != k + 1 - states;
      }
    }
    book.claim.clear();
    book.side.clear();
    book.price.clear();
    book.quantity.clear();
    for (int k = 0; k < claims; ++k) {  // each claim counts
      book.claim.push_back(k);
      book.side.push_back(1);
      book.price.push_back(0.5);
      book.quantity.push_back(1.0);
    }
    const ScaledMarket market(book.market(), compile_staircases(book.market(), book.book()));
    Arena arena;
    InformationProjection projection(market, arena);
    projection.clear();
    for (int i = 0; i < market.states(); ++i) {
      projection.add_state(i);
    }
    const Array other = test::random_distribution(random, market.states());
    std::vector<double> low, high;
    for (int k = 0; k < market.claims(); ++k) {
      const double price = market.payoffs.row(k).dot(other.matrix());
      const bool known = random.below(4) == 0;
      low.push_back(std::max(0.0, price - (known ? 0.0 : 0.01 * random.uniform())));
      high.push_back(std::min(1.0, price + (known ? 0.0 : 0.01 * random.uniform())));
      projection.set_range(k, low.back(), high.back());
    }
    if (!projection.settle()) {
      continue;
    }
    ++settled;
    const Array x = projection.distribution();
    CHECK_NEAR(x.sum(), 1.0, 1e-12);
    for (int k = 0; k < market.claims(); ++k) {
      const double price = market.payoffs.row(k).dot(x.matrix());
      CHECK_AT_MOST(low[static_cast<std::size_t>(k)], price, 1e-12);
      CHECK_AT_MOST(price, high[static_cast<std::size_t>(k)], 1e-12);
    }
    const double direct = relative_entropy_of(other, market.prior);
    CHECK_AT_MOST(relative_entropy_of(other, x) + relative_entropy_of(x, market.prior), direct,
                  1e-11);
  }
  CHECK(settled > 490);
}

TEST(ranges_that_contradict_each_other_are_refused) {
  test::Random random(37);
  int refused = 0;
  for (int trial = 0; trial < 100; ++trial) {
    const int states = 3 + random.below(5);
    test::RandomBook book(random, states, states, 3 * states);
    for (int k = 0; k < states; ++k) {
      for (int i = 0; i < states; ++i) {
        book.payoffs[static_cast<std::size_t>(k) * static_cast<std::size_t>(states) +
                     static_cast<std::size_t>(i)] = i == k ? 1.0 : 0.0;
      }
    }
    const ScaledMarket market(book.market(), compile_staircases(book.market(), book.book()));
    if (market.claims() < states) {
      continue;
    }
    Arena arena;
    InformationProjection projection(market, arena);
    projection.clear();
    for (int i = 0; i < states; ++i) {
      projection.add_state(i);
      projection.set_range(i, 1.01 / states, 1.0);  // more than one in sum
    }
    CHECK(!projection.settle());
    for (int i = 0; i < states; ++i) {
      projection.set_range(i, 0.0, 0.99 / states);  // less than one
    }
    CHECK(!projection.settle());
    ++refused;
  }
  CHECK(refused > 20);
}

// Where claims pay on disjoint sets of states the projection is found without Newton's method: also
// where claims or states must have no price, and ranges have no room.
TEST(the_projection_of_disjoint_claims_always_settles_and_is_that_of_the_general_method) {
  test::Random random(38);
  int agreed = 0;
  for (int trial = 0; trial < 300; ++trial) {
    constexpr int kEnough = static_cast<int>(DisjointClaims::kFewest);
    const test::RandomBook book =
        test::disjoint_book(random, 300, trial % 4 == 0 ? 2 : kEnough);  // few: by sums as well
    const ScaledMarket market(book.market(), compile_staircases(book.market(), book.book()));
    if (!DisjointClaims(market.payoffs).disjoint()) {
      continue;
    }
    const ScaledMarket general = test::without_structure(market);
    Arena arena;
    InformationProjection projection(market, arena);
    InformationProjection other_way(general, arena);
    projection.clear();
    other_way.clear();
    Array other = test::random_distribution(random, market.states());
    const bool everywhere = random.below(2) == 0;
    for (int i = 0; i < market.states(); ++i) {
      if (everywhere || random.below(4) > 0) {
        projection.add_state(i);
        other_way.add_state(i);
      } else {
        other[i] = 0.0;
      }
    }
    other /= other.sum();
    const double width = trial % 3 == 0 ? 0.0 : 0.1 * random.uniform();
    Array low(market.claims()), high(market.claims());
    for (int k = 0; k < market.claims(); ++k) {
      const double price = market.payoffs.row(k).dot(other.matrix());
      low[k] = std::max(0.0, price - width * random.uniform());
      high[k] = price + width * random.uniform();
      projection.set_range(k, low[k], high[k]);
      other_way.set_range(k, low[k], high[k]);
    }
    CHECK(projection.settle() && projection.is_sharp());
    const Array x = projection.distribution();
    CHECK_NEAR(x.sum(), 1.0, 1e-14);
    for (int k = 0; k < market.claims(); ++k) {
      const double price = market.payoffs.row(k).dot(x.matrix());
      CHECK_AT_MOST(low[k], price, 1e-14);
      CHECK_AT_MOST(price, high[k], 1e-14);
    }
    const double away = relative_entropy_of(x, market.prior);
    CHECK_AT_MOST(relative_entropy_of(other, x) + away, relative_entropy_of(other, market.prior),
                  1e-12);
    if (other_way.settle()) {
      ++agreed;
      CHECK_AT_MOST((x - other_way.distribution()).abs().maxCoeff(), 0.0, 1e-11);
    }
    double mass = 0.0;  // distances are from the prior on the support
    for (int i = 0; i < market.states(); ++i) {
      mass += everywhere || x[i] > 0.0 || other[i] > 0.0 ? market.prior[i] : 0.0;
    }
    const double from_support = away + std::log(mass);
    CHECK(projection.settle(from_support + 1e-9));
    CHECK(!projection.settle(from_support - 1e-9));
  }
  CHECK(agreed > 100);
}

/// Limits in doubles that leave no price room add up to one but for their own rounding, and more
/// where there are many: the distribution does all the same.
TEST(the_projection_of_disjoint_claims_without_room_adds_up_to_one) {
  test::Random random(39);
  constexpr int kClaims = 90;
  test::RandomBook book(random, kClaims, kClaims, 3);
  std::fill(book.payoffs.begin(), book.payoffs.end(), 0.0);
  for (int k = 0; k < kClaims; ++k) {
    book.payoffs[static_cast<std::size_t>(kClaims + 1) * static_cast<std::size_t>(k)] = 1.0;
  }
  const ScaledMarket market(book.market(), compile_staircases(book.market(), book.book()));
  const Array wanted = test::random_distribution(random, kClaims);
  for (const double off : {-5e-14, 0.0, 5e-14}) {
    Arena arena;
    InformationProjection projection(market, arena);
    projection.clear();
    for (int i = 0; i < kClaims; ++i) {
      projection.add_state(i);
      projection.set_range(i, (1.0 + off) * wanted[i], (1.0 + off) * wanted[i]);
    }
    CHECK(projection.settle());
    CHECK_NEAR(projection.distribution().sum(), 1.0, 2e-15);
    CHECK_AT_MOST((projection.distribution() - wanted).abs().maxCoeff(), 0.0, 1e-15);
  }
}

/// A sum over so many states has 1e-13 of rounding if it is taken in turn: no price seemed met.
TEST(the_projection_settles_for_any_number_of_states) {
  test::Random random(35);
  for (const int states : {1000, 16'000, 100'000}) {
    test::RandomBook book(random, states, 1, 3);
    std::fill(book.payoffs.begin(), book.payoffs.end(), 0.0);
    book.payoffs[0] = 1.0;
    std::fill(book.prior.begin(), book.prior.end(), 1.0 / states);
    const ScaledMarket market(book.market(), compile_staircases(book.market(), book.book()));
    Arena arena;
    InformationProjection projection(market, arena);
    projection.clear();
    for (int i = 0; i < states; ++i) {
      projection.add_state(i);
    }
    projection.set_range(0, 0.5, 1.0);
    CHECK(projection.settle() && projection.is_sharp());
    CHECK_NEAR(projection.distribution()[0], 0.5, 1e-13);
    CHECK_NEAR(projection.distribution()[states - 1] * (states - 1), 0.5, 1e-12);
  }
}

}  // namespace kpm
