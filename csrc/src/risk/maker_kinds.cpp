#include "risk/maker_kinds.hpp"

#include <cmath>

#include "risk/knightian_maker.hpp"
#include "risk/polytope_maker.hpp"
#include "risk/quadratic_maker.hpp"
#include "risk/starting_orders_maker.hpp"
#include "risk/utility_maker.hpp"
#include "risk/worst_state_maker.hpp"

namespace kpm {

std::unique_ptr<Maker> make_maker(const MakerModel& model) {
  const auto states = [&](const double* values) {
    return Eigen::Map<const Array>(values, model.states);
  };
  switch (model.kind) {
    case MakerKind::kKnightian:
      return std::make_unique<KnightianMaker>(states(model.prior), model.risk_aversion,
                                              model.ambiguity);
    case MakerKind::kStartingOrders:
      return std::make_unique<StartingOrdersMaker>(states(model.delta));
    case MakerKind::kWorstState:
      break;
    case MakerKind::kPolytope:
      return std::make_unique<PolytopeMaker>(
          Eigen::Map<const Matrix>(model.vertices, model.priors, model.states),
          model.risk_aversion);
    case MakerKind::kUtility:
      return std::make_unique<UtilityMaker>(states(model.prior), model.wealth);
    case MakerKind::kQuadratic:
      return std::make_unique<QuadraticMaker>(states(model.prior), model.curvature);
  }
  return std::make_unique<WorstStateMaker>(model.states);
}

Array prior_of(const MakerModel& maker) {
  const auto n = static_cast<Eigen::Index>(maker.states);
  switch (maker.kind) {
    case MakerKind::kStartingOrders: {
      const Eigen::Map<const Array> starting(maker.delta, n);
      const Array share = starting / starting.maxCoeff();  // the sum of huge orders may overflow
      return share / share.sum();
    }
    case MakerKind::kWorstState:
      return Array::Constant(n, 1.0 / static_cast<double>(n));
    case MakerKind::kPolytope: {
      const Eigen::Map<const Matrix> priors(maker.vertices, maker.priors, n);
      const Array mean = priors.colwise().mean().transpose().array();
      return mean / mean.sum();
    }
    case MakerKind::kKnightian:
    case MakerKind::kUtility:
    case MakerKind::kQuadratic:
      break;
  }
  return Eigen::Map<const Array>(maker.prior, n);
}

double cost_of_nothing(const MakerModel& maker) {
  if (maker.kind != MakerKind::kStartingOrders) {
    return 0.0;
  }
  const double total = Eigen::Map<const Array>(maker.delta, maker.states).sum();
  return total - total * std::log(total);  // t - sum delta ln t is least at t = sum delta
}

ScaledMaker::ScaledMaker(const MakerModel& maker, const ScaledMarket& scaled)
    : kind(maker.kind), prior(prior_of(maker)) {
  const double unit = 1.0 / scaled.scale;
  if (kind == MakerKind::kStartingOrders) {
    total = Eigen::Map<const Array>(maker.delta, maker.states).sum() * unit;
  }
  wealth = maker.wealth * unit;
  curvature = maker.curvature * unit;
  risk_aversion = maker.risk_aversion * scaled.scale;
  if (kind == MakerKind::kPolytope) {
    priors = Eigen::Map<const Matrix>(maker.vertices, maker.priors, maker.states);
  }
}

std::unique_ptr<MakerFunction> make_function(const ScaledMarket& market, const ScaledMaker& maker,
                                             Arena& arena) {
  switch (maker.kind) {
    case MakerKind::kKnightian:
      return std::make_unique<KnightianFunction>(market.prior, market.kind, market.risk_aversion,
                                                 market.ambiguity, arena);
    case MakerKind::kStartingOrders:
      return std::make_unique<StartingOrdersFunction>(maker.total * maker.prior, arena);
    case MakerKind::kWorstState:
      break;
    case MakerKind::kPolytope:
      return std::make_unique<PolytopeFunction>(maker.priors, maker.risk_aversion, arena);
    case MakerKind::kUtility:
      return std::make_unique<LogUtilityFunction>(maker.prior, maker.wealth, arena);
    case MakerKind::kQuadratic:
      return std::make_unique<QuadraticFunction>(maker.prior, maker.curvature, arena);
  }
  return std::make_unique<WorstStateFunction>(market.states(), arena);
}

double certainty_equivalent(const ScaledMaker& maker, int v, double a, const ArrayView& loss,
                            double* gradient) {
  return certainty_equivalent(&maker.priors(v, 0), a, loss, gradient);
}

}  // namespace kpm
