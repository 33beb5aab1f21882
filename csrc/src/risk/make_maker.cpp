#include "risk/make_maker.hpp"

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

}  // namespace kpm
