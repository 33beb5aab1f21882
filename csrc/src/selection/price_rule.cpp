#include "selection/price_rule.hpp"

#include <algorithm>
#include <utility>

#include "numerics/entropy.hpp"

namespace kpm {

namespace {

constexpr double kTie = 1e-11;       // revenue per unit of price below which states earn alike
constexpr double kPositive = 1e-12;  // a state price this large can be positive
constexpr double kFixed = 1e-13;     // a price range this narrow is a point
constexpr double kImplied = 1e-12;   // ... and so is one of which this little can be reached
constexpr double kReached = 1e-12;   // claim prices are at least this close to their ranges
constexpr double kVertex = 1e-14;    // ... and this close where no projection has settled them

}  // namespace

PriceRule::PriceRule(const ScaledMarket& market, Arena& arena)
    : market_(market),
      simplex_(market, arena),
      projection_(market, arena),
      xi_(arena.array(market.states())),
      low_(arena.array(market.claims())),
      high_(arena.array(market.claims())) {
  xi_ = market.prior;
}

bool PriceRule::solve(const ArrayView& price_low, const ArrayView& price_high,
                      const ArrayView& flat_demand) {
  simplex_.reset();
  for (int k = 0; k < market_.claims(); ++k) {
    simplex_.set_range(k, price_low[k], price_high[k]);
  }
  if (!simplex_.feasible()) {
    xi_ = market_.prior;
    divergence_ = 0.0;
    nearest_ = false;
    return false;
  }
  const Array no_weight = Array::Zero(market_.states());
  revenue_ = simplex_.maximise(flat_demand, no_weight);
  simplex_.restrict_to_optimal_face(kTie);
  nearest_ = simplex_.is_vertex() && take_vertex();
  if (!nearest_) {
    project_on_face();
    xi_ = projection_.distribution();
    const auto meets = [&](int k) {
      return std::pair{std::max(price_low[k], low_[k]), std::min(price_high[k], high_[k])};
    };
    const bool met = reached(xi_, meets, kReached);
    if (!met) {
      xi_ = inside_ / inside_.sum();
    }
    nearest_ = met && projection_.is_sharp();
  }
  divergence_ = relative_entropy_of(xi_, market_.prior);
  return true;
}

/// The only prices on the face. False where pivots have left so much rounding that the projection's
/// are nearer to what the claims' prices are to be.
bool PriceRule::take_vertex() {
  double sum = 0.0;
  for (int i = 0; i < market_.states(); ++i) {
    const double price = simplex_.state_price(i);
    xi_[i] = price > kPositive ? price : 0.0;  // a basic variable at zero is so but for rounding
    sum += xi_[i];
  }
  xi_ /= sum;
  const auto range = [this](int k) {
    return std::pair{simplex_.range_low(k), simplex_.range_high(k)};
  };
  return reached(xi_, range, kVertex);
}

void PriceRule::project_on_face() {
  projection_.clear();
  for (int i = 0; i < market_.states(); ++i) {
    if (simplex_.is_open(i)) {
      projection_.add_state(i);
    }
  }
  for (int k = 0; k < market_.claims(); ++k) {
    low_[k] = simplex_.range_low(k);
    high_[k] = simplex_.range_high(k);
    projection_.set_range(k, low_[k], high_[k]);
  }
  const auto face = [&](int k) { return std::pair{low_[k], high_[k]}; };
  if (projection_.settle() && reached(projection_.distribution(), face, kReached)) {
    return;
  }
  projection_.clear();
  find_support();
  find_ranges();
  projection_.follow_barrier();
}

/// Whether state prices make every claim's price what it may be.
template <class RangeOf>
bool PriceRule::reached(const ArrayView& state_prices, RangeOf&& range_of, double slack) const {
  for (int k = 0; k < market_.claims(); ++k) {
    const double price = market_.payoffs.row(k).dot(state_prices.matrix());
    const auto [low, high] = range_of(k);
    if (!(price >= low - slack && price <= high + slack)) {  // nor a NaN
      return false;
    }
  }
  return true;
}

/// States whose price is positive somewhere on the face, hence at the projection: KL has an
/// infinite slope at zero.
void PriceRule::find_support() {
  const int n = market_.states();
  const Array no_weight = Array::Zero(market_.claims());
  Array open = Array::Ones(n);
  inside_.setZero(n);
  Array vertex(n);
  const auto range = [this](int k) {
    return std::pair{simplex_.range_low(k), simplex_.range_high(k)};
  };
  const auto note = [&] {
    for (int i = 0; i < n; ++i) {
      vertex[i] = std::max(simplex_.state_price(i), 0.0);
    }
    if (reached(vertex, range, kReached)) {  // a tableau full of tiny pivots may say otherwise
      inside_ += vertex;
    }
    bool progress = false;
    for (int i = 0; i < n; ++i) {
      if (open[i] > 0.0 && simplex_.state_price(i) > kPositive) {
        open[i] = 0.0;
        progress = true;
      }
    }
    return progress;
  };
  note();
  while (open.maxCoeff() > 0.0 && simplex_.maximise(no_weight, open) > kPositive && note()) {
  }
  if (inside_.sum() == 0.0) {
    inside_ = vertex;
  }
  for (int i = 0; i < n; ++i) {
    if (open[i] == 0.0) {
      projection_.add_state(i);
    }
  }
}

/// What each price can be on the face. A price that the others imply, or that only one end of its
/// range allows, becomes a point: the barrier needs ranges with an inside. A range that the others
/// imply is no constraint, and its barrier might be felt far beyond the prices in reach. Where only
/// a sliver of a range is in reach, its barrier counts as little: pushed away from the end by more
/// than there is room, multipliers would be as many times too large.
void PriceRule::find_ranges() {
  const int claims = market_.claims();
  const Array no_weight = Array::Zero(market_.states());
  Array weight = Array::Zero(claims);
  for (int k = 0; k < claims; ++k) {
    const double low = low_[k];
    const double high = high_[k];
    projection_.set_range(k, low, high);
    if (high - low <= kFixed) {
      continue;
    }
    simplex_.set_range(k, 0.0, 1.0);
    simplex_.feasible();  // it was, in less room
    weight[k] = 1.0;
    const double most = simplex_.maximise(weight, no_weight);
    weight[k] = -1.0;
    const double least = -simplex_.maximise(weight, no_weight);
    weight[k] = 0.0;
    const bool implied = least >= low - kFixed && most <= high + kFixed;
    if (!implied) {
      simplex_.set_range(k, low, high);
      simplex_.feasible();
    }
    const double lowest = std::max(least, low);
    const double highest = std::min(most, high);
    if (highest - lowest <= kImplied) {
      // At an end of the range the limit itself is the price, without the simplex's rounding.
      const double price = 0.5 * (lowest + highest);
      const bool at_low = price - low <= kImplied;
      const bool at_high = high - price <= kImplied;
      low_[k] = high_[k] = at_low ? low : at_high ? high : price;
    } else if (implied) {
      low_[k] = -kInfinity;
      high_[k] = kInfinity;
    } else {
      projection_.set_room(k, highest - lowest);
    }
    projection_.set_range(k, low_[k], high_[k]);
  }
}

}  // namespace kpm
