#include <memory>
#include <vector>

#include "random_book.hpp"
#include "risk/polytope_maker.hpp"
#include "risk/starting_orders_maker.hpp"
#include "risk/utility_maker.hpp"

namespace kpm {
namespace {

std::vector<std::unique_ptr<Maker>> makers_of(test::Random& random, int states, double depth) {
  const Array prior = test::random_distribution(random, states);
  Matrix priors(1 + random.below(4), states);
  for (Eigen::Index v = 0; v < priors.rows(); ++v) {
    priors.row(v) = test::random_distribution(random, states).matrix().transpose();
  }
  std::vector<std::unique_ptr<Maker>> makers;
  makers.push_back(std::make_unique<StartingOrdersMaker>(depth * prior));
  makers.push_back(std::make_unique<UtilityMaker>(prior, depth));
  makers.push_back(std::make_unique<PolytopeMaker>(priors, 1.0 / depth));
  return makers;
}

}  // namespace

/// What both sides share against each side by itself: by other formulas.
TEST(both_sides_of_a_block_cost_what_each_does) {
  test::Random random(47);
  int together[3] = {};
  for (int trial = 0; trial < 3000; ++trial) {
    const int states = 2 + random.below(20);
    const double depth = std::exp(random.uniform(-4.0, 4.0));
    const std::vector<std::unique_ptr<Maker>> makers = makers_of(random, states, depth);
    Array losses(states);
    Array claim(states);
    const bool digital = random.below(2) == 0;
    for (int i = 0; i < states; ++i) {
      losses[i] = 0.3 * depth * random.uniform(-1.0, 1.0);
      claim[i] = digital ? random.below(2) : random.uniform(-1.0, 2.0);
    }
    double sizes[3];
    for (double& size : sizes) {
      size = depth * std::exp(random.uniform(trial % 3 == 0 ? -25.0 : -4.0, 0.5));
    }
    for (std::size_t m = 0; m < makers.size(); ++m) {
      Maker& maker = *makers[m];
      for (const double side : {1.0, -1.0}) {  // another position is another base
        maker.set_losses(side * losses);
        double down[3];
        double up[3];
        if (!maker.block_costs(claim.data(), sizes, 3, down, up)) {
          continue;
        }
        ++together[m];
        for (int k = 0; k < 3; ++k) {
          const Array sold = sizes[k] * claim;
          const Array bought = -sold;
          const double allowed = 1e-14 * sold.abs().maxCoeff();
          CHECK_NEAR(up[k], maker.increment(sold, nullptr), allowed);
          CHECK_NEAR(down[k], -maker.increment(bought, nullptr), allowed);
          CHECK_AT_MOST(down[k], up[k], allowed);
        }
      }
    }
  }
  for (const int often : together) {
    CHECK(often > 600);
  }
}

}  // namespace kpm
