#include "book/corners.hpp"
#include "book/presolve.hpp"
#include "book/scaled_market.hpp"
#include "book/units.hpp"
#include "random_book.hpp"

namespace kpm {

TEST(payoffs_run_over_the_unit_interval_and_inventory_starts_at_zero) {
  test::Random random(13);
  for (int trial = 0; trial < 200; ++trial) {
    const test::RandomBook book(random, 2 + random.below(5), 1 + random.below(4), random.below(40));
    const std::vector<Staircase> stairs = compile_staircases(book.market(), book.book());
    const ScaledMarket scaled(book.market(), stairs);
    CHECK(scaled.claims() == book.claims);
    CHECK(scaled.inventory.minCoeff() == 0.0);
    for (int k = 0; k < scaled.claims(); ++k) {
      CHECK(scaled.payoffs.row(k).minCoeff() == 0.0 && scaled.payoffs.row(k).maxCoeff() == 1.0);
      for (int i = 0; i < book.states; ++i) {
        CHECK_NEAR(scaled.price(k, book.payoffs_of(k)[i]), scaled.payoffs(k, i), 1e-15);
      }
      // Money is a price times a quantity, in either units.
      const double money = scaled.price(k, scaled.offset[k] + 0.25 * scaled.span[k]) *
                           scaled.demand(k, 3.0) * scaled.scale;
      CHECK_NEAR(money, 0.75 * scaled.span[k], 1e-13 * scaled.span[k]);
    }
  }
}

TEST(a_constant_added_to_all_payoffs_changes_no_bit) {
  test::Random random(14);
  for (int trial = 0; trial < 100; ++trial) {
    test::RandomBook book(random, 4, 3, 30);
    const ScaledMarket scaled(book.market(), compile_staircases(book.market(), book.book()));
    for (double& payoff : book.payoffs) {
      payoff += 64.0;  // exact: payoffs are small integers
    }
    const ScaledMarket shifted(book.market(), compile_staircases(book.market(), book.book()));
    CHECK((scaled.payoffs.array() == shifted.payoffs.array()).all());
    CHECK((scaled.offset + 64.0 == shifted.offset).all());
  }
}

TEST(multipliers_return_to_the_caller_s_shares) {
  test::Random random(15);
  const test::RandomBook book(random, 4, 3, 30);
  const ScaledMarket scaled(book.market(), compile_staircases(book.market(), book.book()));
  const Array lambda = (Array(3) << 0.25, -1.0, 2.0).finished();
  const std::vector<double> shares = original_multipliers(3, scaled, lambda);
  for (int k = 0; k < 3; ++k) {
    CHECK_NEAR(scaled.demand(k, shares[static_cast<std::size_t>(k)]), lambda[k], 1e-15);
  }
}

TEST(corners_are_found_as_a_scan_finds_them) {
  test::Random random(16);
  for (int trial = 0; trial < 100; ++trial) {
    const test::RandomBook book(random, 3, 2, 30);
    const std::vector<Staircase> stairs = compile_staircases(book.market(), book.book());
    const ScaledMarket scaled(book.market(), stairs);
    for (const Corners& corners : find_corners(scaled, stairs)) {
      CHECK(std::is_sorted(corners.price.begin(), corners.price.end()));
      CHECK(std::is_sorted(corners.demand.begin(), corners.demand.end(), std::greater<>()));
      const int first = random.below(corners.pieces());
      const int last = first + random.below(corners.pieces() - first);
      const double price = random.below(21) / 20.0;
      const double demand =
          corners.demand[static_cast<std::size_t>(random.below(corners.pieces()))];
      int above = first;
      while (above <= last && corners.price[static_cast<std::size_t>(above)] <= price) {
        ++above;
      }
      int below = first;
      while (below <= last && corners.demand[static_cast<std::size_t>(below)] >= demand) {
        ++below;
      }
      CHECK(corners.above_price(first, last, price) == above ||
            corners.price[static_cast<std::size_t>(last) + 1] <= price);
      CHECK(corners.below_demand(first, last, demand) == below ||
            corners.demand[static_cast<std::size_t>(last) + 1] >= demand);
    }
  }
}

TEST(a_claim_and_its_complement_become_one_and_come_apart_again) {
  test::Random random(17);
  for (int trial = 0; trial < 200; ++trial) {
    test::RandomBook book(random, 4, 2, 25);
    const double top = *std::max_element(book.payoffs.begin(), book.payoffs.begin() + 4);
    const double floor = *std::min_element(book.payoffs.begin(), book.payoffs.begin() + 4);
    const bool complement = random.below(2) == 0;
    for (std::size_t i = 0; i < 4; ++i) {
      book.payoffs[4 + i] = complement ? top + floor - book.payoffs[i] : book.payoffs[i];
    }
    for (double& limit : book.price) {
      limit = floor + (top - floor) * random.below(9) / 8.0;  // within the payoffs of both
    }
    const std::vector<Staircase> stairs = compile_staircases(book.market(), book.book());
    const ScaledMarket full(book.market(), stairs);
    const std::vector<Corners> corners = find_corners(full, stairs);
    const Presolve presolve(full, stairs, true);
    CHECK(presolve.market().claims() == 1 && !presolve.same_claims());
    CHECK(Presolve(full, stairs, false).market().claims() == 2);
    const Corners& joint = presolve.corners()[0];
    for (int piece = 0; piece < joint.pieces(); ++piece) {
      const Piece part = joint.piece(piece);
      const double price = 0.5 * (part.price_low + part.price_high);
      const std::vector<int> cell = presolve.restore({piece});
      CHECK(cell.size() == 2);
      double least = 0.0;
      double most = 0.0;
      for (std::size_t k = 0; k < 2; ++k) {
        const bool turned = complement && k == 1;
        const Piece own = corners[k].piece(cell[k]);
        const double own_price = turned ? 1.0 - price : price;
        CHECK(own.price_low - 1e-12 <= own_price && own_price <= own.price_high + 1e-12);
        least += turned ? -own.demand_high : own.demand_low;
        most += turned ? -own.demand_low : own.demand_high;
      }
      // The merged claim's demand is the sum of both, but for a constant of the complement's.
      CHECK_NEAR(most - least, part.demand_high - part.demand_low, 1e-12);
    }
  }
}

}  // namespace kpm
