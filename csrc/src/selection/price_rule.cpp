#include "selection/price_rule.hpp"

#include "numerics/entropy.hpp"
#include "numerics/tolerances.hpp"

namespace kpm {

namespace {

constexpr double kPositive = 1e-12;  // a state price this large can be positive
constexpr double kVertex = 1e-14;    // the same where no projection has determined them

}  // namespace

PriceRule::PriceRule(const ScaledMarket& market, Arena& arena, Checkpoint* checkpoint)
    : market_(market),
      arena_(arena),
      checkpoint_(checkpoint),
      simplex_(market, arena, checkpoint),
      no_weight_(arena.array(market.states())),
      xi_(arena.array(market.states())) {
  xi_ = market.prior;
}

bool PriceRule::solve(const ArrayView& price_low, const ArrayView& price_high,
                      const ArrayView& flat_demand) {
  simplex_.reset();
  for (int k = 0; k < market_.claims(); ++k) {
    simplex_.set_range(k, price_low[k], price_high[k]);
  }
  // Where all are flats that earn nothing, the face is all that reaches the cell.
  const bool whole = (flat_demand == 0.0 && price_low < price_high).all();
  nearest_ = whole && project_on_face(true);
  bool reached = nearest_ || simplex_.feasible();
  if (reached && !nearest_) {
    simplex_.maximise(flat_demand, no_weight_);
    simplex_.restrict_to_optimal_face(kEqualRevenue);
    nearest_ = (simplex_.is_vertex() && take_vertex()) || project_on_face(false);
  }
  if (!nearest_) {
    PrecisePrices& precise = precise_ ? *precise_ : precise_.emplace(market_, arena_, checkpoint_);
    reached = precise.solve(price_low, price_high, flat_demand);
    nearest_ = precise.nearest();
    xi_ = precise.state_prices();
  }
  divergence_ = relative_entropy_of(xi_, market_.prior);
  return reached;
}

/// The only prices on the face. False where the pivots' rounding leaves them off it.
bool PriceRule::take_vertex() {
  double sum = 0.0;
  for (int i = 0; i < market_.states(); ++i) {
    const double price = simplex_.state_price(i);
    xi_[i] = price > kPositive ? price : 0.0;  // a basic variable may be zero but for rounding
    sum += xi_[i];
  }
  xi_ /= sum;
  return reached(kVertex);
}

/// The projection of the prior on the simplex method's face, or on all that reaches the cell. False
/// where the direct way does not settle.
bool PriceRule::project_on_face(bool whole) {
  InformationProjection& nearest =
      projection_ ? *projection_ : projection_.emplace(market_, arena_, checkpoint_);
  nearest.clear();
  for (int i = 0; i < market_.states(); ++i) {
    if (whole || simplex_.is_open(i)) {
      nearest.add_state(i);
    }
  }
  for (int k = 0; k < market_.claims(); ++k) {
    nearest.set_range(k, simplex_.range_low(k), simplex_.range_high(k));
  }
  if (!nearest.settle()) {
    return false;
  }
  xi_ = nearest.distribution();
  return reached(kPriceTolerance) && nearest.is_sharp();
}

/// Whether every claim's price is in its range on the face.
bool PriceRule::reached(double slack) const {
  for (int k = 0; k < market_.claims(); ++k) {
    const double price = market_.payoffs.row(k).dot(xi_.matrix());
    if (!(price >= simplex_.range_low(k) - slack && price <= simplex_.range_high(k) + slack)) {
      return false;  // nor a NaN
    }
  }
  return true;
}

}  // namespace kpm
