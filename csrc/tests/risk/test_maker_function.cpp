#include <memory>
#include <vector>

#include "check.hpp"
#include "kpm/makers.hpp"
#include "random_book.hpp"
#include "risk/knightian_maker.hpp"
#include "risk/maker_kinds.hpp"
#include "risk/polytope_maker.hpp"
#include "risk/quadratic_maker.hpp"
#include "risk/starting_orders_maker.hpp"
#include "risk/utility_maker.hpp"
#include "risk/worst_state_maker.hpp"

namespace kpm {
namespace {

constexpr int kKinds = 6;

/// A maker by its parameters, with the function that its file describes it by.
struct RandomMaker {
  RandomMaker(test::Random& random, int kind, int states)
      : prior(test::random_distribution(random, states)), delta(prior), vertices(3, states) {
    for (int v = 0; v < 3; ++v) {
      vertices.row(v) = test::random_distribution(random, states).matrix().transpose();
    }
    delta *= std::exp(random.uniform(-2.0, 2.0));
    model.kind = static_cast<MakerKind>(kind);
    model.states = states;
    model.prior = prior.data();
    model.delta = delta.data();
    model.priors = 3;
    model.vertices = vertices.data();
    model.risk_aversion = std::exp(random.uniform(-2.0, 1.0));
    model.ambiguity = random.below(2) == 0 ? 0.0 : std::exp(random.uniform(-6.0, -3.0));
    model.wealth = std::exp(random.uniform(0.0, 2.0));
    model.curvature = std::exp(random.uniform(0.0, 2.0));
    const double a = model.risk_aversion;
    switch (model.kind) {
      case MakerKind::kKnightian:
        function = std::make_unique<KnightianFunction>(prior, kind_of(prior, model.ambiguity), a,
                                                       model.ambiguity, arena);
        break;
      case MakerKind::kStartingOrders:
        function = std::make_unique<StartingOrdersFunction>(delta, arena);
        break;
      case MakerKind::kWorstState:
        function = std::make_unique<WorstStateFunction>(states, arena);
        break;
      case MakerKind::kPolytope:
        function = std::make_unique<PolytopeFunction>(vertices, a, arena);
        break;
      case MakerKind::kUtility:
        function = std::make_unique<LogUtilityFunction>(prior, model.wealth, arena);
        break;
      case MakerKind::kQuadratic:
        function = std::make_unique<QuadraticFunction>(prior, model.curvature, arena);
        break;
    }
    maker = make_maker(model);
  }

  Array prior, delta;
  Matrix vertices;
  MakerModel model;
  Arena arena;
  std::unique_ptr<MakerFunction> function;
  std::unique_ptr<Maker> maker;
};

Array random_losses(test::Random& random, int states) {
  Array losses(states);
  for (double& loss : losses) {
    loss = random.uniform(-1.0, 1.0);
  }
  return losses;
}

}  // namespace

TEST(a_function_and_its_conjugate_meet_at_its_gradient) {
  test::Random random(11);
  for (int trial = 0; trial < 600; ++trial) {
    const int states = 1 + random.below(6);
    RandomMaker any(random, trial % kKinds, states);
    MakerFunction& function = *any.function;
    const Array losses = random_losses(random, states);
    const double cost = function.evaluate(losses);
    const Array g = function.g();
    const Array p = function.worst_case();
    CHECK_NEAR(g.sum(), 1.0, 1e-14);
    CHECK_NEAR(cost + function.conjugate(g, p), (g * losses).sum(), 1e-13);
    // Any other prices have more of a penalty than they are worth.
    const Array other = test::random_distribution(random, states);
    const bool tilts = any.model.kind == MakerKind::kKnightian ||  // p and its g belong together
                       any.model.kind == MakerKind::kPolytope;
    if (!tilts) {
      CHECK_AT_MOST((other * losses).sum(), cost + function.conjugate(other, other), 1e-13);
    }
    CHECK_AT_MOST(cost, losses.maxCoeff(), 1e-15);
    CHECK_NEAR(function.evaluate(Array::Zero(states)), 0.0, 1e-15);
    CHECK_NEAR(function.evaluate(losses + 3.0), cost + 3.0, 1e-14);
  }
}

TEST(makers_have_the_cost_and_the_prices_of_their_function) {
  test::Random random(12);
  for (int trial = 0; trial < 600; ++trial) {
    const int states = 1 + random.below(6);
    RandomMaker any(random, trial % kKinds, states);
    const Array losses = random_losses(random, states);
    const double of_nothing = any.maker->set_losses(Array::Zero(states));
    const double cost = any.maker->set_losses(losses);
    CHECK_NEAR(cost - of_nothing, any.function->evaluate(losses), 1e-13);
    CHECK_NEAR((any.maker->state_prices() - any.function->g()).abs().maxCoeff(), 0.0, 1e-14);
    // The maker's own penalty is the least over all p.
    const Array g = any.maker->state_prices();
    CHECK_AT_MOST(any.maker->conjugate(g) + of_nothing,
                  any.function->conjugate(g, any.function->worst_case()), 1e-12);
    CHECK_NEAR(any.maker->increment(-losses), of_nothing - cost, 1e-13);
  }
}

TEST(the_curvature_is_how_the_gradient_changes) {
  test::Random random(13);
  int seen[kKinds] = {};
  for (int trial = 0; trial < 600; ++trial) {
    const int kind = trial % kKinds;
    const int states = 2 + random.below(5);
    RandomMaker any(random, kind, states);
    MakerFunction& function = *any.function;
    const Array losses = random_losses(random, states);
    const Array first = random_losses(random, states);
    const Array second = random_losses(random, states);
    constexpr double kStep = 1e-6;
    function.evaluate(losses + kStep * second);
    const Array up = function.g();
    function.evaluate(losses - kStep * second);
    const Array change = (up - function.g()) / (2.0 * kStep);
    function.evaluate(losses);
    if (any.model.kind == MakerKind::kKnightian && any.model.ambiguity > 0.0 &&
        function.ambiguity_price() < 1e-2) {
      continue;  // next to a kink
    }
    // A vertex or a positive price that enters within the step: another function.
    if (any.model.kind == MakerKind::kQuadratic && (function.g() - up).abs().minCoeff() == 0.0) {
      continue;
    }
    function.prepare_curvature();
    std::vector<double> of_first(static_cast<std::size_t>(function.root_size()));
    std::vector<double> of_second(of_first.size());
    function.root(first.data(), of_first.data());
    function.root(second.data(), of_second.data());
    const double curved =
        dot(of_first.data(), of_second.data(), static_cast<Eigen::Index>(of_first.size()));
    CHECK_NEAR(curved, (first * change).sum(), 1e-6 * (1.0 + std::abs(curved)));
    ++seen[kind];
  }
  for (const int count : seen) {
    CHECK(count > 20);
  }
}

TEST(the_prior_of_a_vertex_costs_no_more_than_the_worst_of_them) {
  test::Random random(14);
  for (int trial = 0; trial < 200; ++trial) {
    const int states = 1 + random.below(6);
    RandomMaker any(random, static_cast<int>(MakerKind::kPolytope), states);
    const double a = trial % 2 == 0 ? any.model.risk_aversion : 0.0;
    const PolytopeFunction unaverse(any.vertices, 0.0, any.arena);
    PolytopeFunction function(any.vertices, a, any.arena);
    const Array losses = random_losses(random, states);
    const double worst = function.evaluate(losses);
    double most = -kInfinity;
    Array gradient(states);
    for (Eigen::Index v = 0; v < 3; ++v) {
      most = std::max(most, certainty_equivalent(&any.vertices(v, 0), a, losses, gradient.data()));
      CHECK_NEAR(gradient.sum(), 1.0, 1e-15);
    }
    CHECK_NEAR(worst, most, 1e-14);
    CHECK(unaverse.conjugate(any.prior, any.prior) == 0.0);
    CHECK(states == 1 ||
          unaverse.conjugate(any.prior, Array(any.vertices.row(0).transpose())) == kInfinity);
  }
}

}  // namespace kpm
