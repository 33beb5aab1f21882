#include "maker_model.hpp"

#include <string>

#include "counts.hpp"

namespace kpm {

MakerModel borrow_model(const py::dict& stated) {
  const auto array = [&](const char* name) { return stated[name].cast<In<double>>(); };
  const auto number = [&](const char* name) { return stated[name].cast<double>(); };
  const auto kind = stated["kind"].cast<std::string>();
  MakerModel model;
  model.states = stated["states"].cast<int>();
  const auto by_state = [&](const char* name, Field field) {
    return entries_of(array(name), model.states, field);
  };
  if (kind == "knightian") {
    model.kind = MakerKind::kKnightian;
    model.prior = by_state("prior", Field::kPrior);
    model.risk_aversion = number("risk_aversion");
    model.ambiguity = number("ambiguity");
  } else if (kind == "starting_orders") {
    model.kind = MakerKind::kStartingOrders;
    model.delta = by_state("delta", Field::kDelta);
  } else if (kind == "worst_state") {
    model.kind = MakerKind::kWorstState;
  } else if (kind == "polytope") {
    model.kind = MakerKind::kPolytope;
    const auto priors = array("priors");
    model.priors = count_of(Field::kPriors, priors.shape(0));
    model.vertices = entries_of(priors, py::ssize_t{model.priors} * model.states, Field::kPriors);
    model.risk_aversion = number("risk_aversion");
  } else if (kind == "utility") {
    model.kind = MakerKind::kUtility;
    model.prior = by_state("prior", Field::kPrior);
    model.wealth = number("wealth");
  } else if (kind == "quadratic") {
    model.kind = MakerKind::kQuadratic;
    model.prior = by_state("prior", Field::kPrior);
    model.curvature = number("c");
  } else {
    throw py::value_error("no such maker: " + kind);
  }
  return model;
}

MakerModel checked_model(const py::dict& stated) {
  const MakerModel model = borrow_model(stated);
  require(validate(model));
  return model;
}

GivenMaker borrow_market(const py::dict& maker, const In<double>& payoffs,
                         const In<double>& inventory) {
  GivenMaker given;
  given.maker = borrow_model(maker);
  Market& market = given.market;
  borrow_payoffs(payoffs, market);
  market.inventory = entries_of(inventory, market.states, Field::kInventory);
  if (given.maker.kind == MakerKind::kKnightian) {
    market.prior = given.maker.prior;
    market.risk_aversion = given.maker.risk_aversion;
    market.ambiguity = given.maker.ambiguity;
  }
  return given;
}

}  // namespace kpm
