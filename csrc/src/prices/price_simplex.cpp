#include "prices/price_simplex.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <type_traits>
#include <vector>

#include "numerics/golden.hpp"
#include "numerics/tolerances.hpp"

namespace kpm {

namespace {

using std::abs;

/// Violations that are worth a pivot. Those above but within kSimplexTolerance may be rounding of
/// the ranges.
template <class Real>
constexpr double kViolation = kSimplexTolerance;
template <>
constexpr double kViolation<Twofold> = 1e-15;

constexpr double kOptimal = 1e-12;  // reduced costs below this do not improve
constexpr double kUnmoved = 1e-25;  // an entry this small moves nothing: rounding
constexpr int kGreedyPivots = 10;   // times rows and columns, in a maximum, before least index
constexpr int kFreePivots = 2;      // times rows and columns, in a call, before costs lead the way
constexpr int kMostPivots = 50;     // times rows and columns: by then rounding makes it cycle
}  // namespace

template <class Real>
BasicPriceSimplex<Real>::BasicPriceSimplex(const ScaledMarket& market, Arena& arena,
                                           Checkpoint* checkpoint)
    : PriceTableau<Real>(market, arena, checkpoint),
      low_(arena.span<Real>(columns_)),
      high_(arena.span<Real>(columns_)),
      value_(arena.span<Real>(columns_)),
      cost_(arena.span<Real>(columns_)),
      reduced_(arena.span<Real>(columns_)),
      along_(arena.span<Real>(places_)),
      gain_(arena.span<Real>(this->is_small() ? states_ : 0)),
      at_high_(arena.span<char>(columns_)) {
  reset();
}

template <class Real>
void BasicPriceSimplex<Real>::reset() {
  for (int j = 0; j < columns_; ++j) {
    low_[j] = 0.0;
    high_[j] = j < states_ ? kInfinity : 1.0;  // sum xi = 1 implies it
    at_high_[j] = 0;
  }
  this->forget_basis();
  exact_ = priced_ = false;
}

/// Values of the basic variables from those of the nonbasic ones.
template <class Real>
void BasicPriceSimplex<Real>::evaluate() {
  this->prepare();
  for (int j = 0; j < columns_; ++j) {
    value_[j] = is_basic_[j] ? 0.0 : at_high_[j] ? high_[j] : low_[j];
  }
  this->evaluate_basis(value_);
  for (int r = 0; r < rows_; ++r) {
    value_[basis_[r]] = basic_value_[r];
  }
  exact_ = true;
}

/// What evaluate() would find after a nonbasic variable has moved, but for rounding.
template <class Real>
void BasicPriceSimplex<Real>::move(int entering, const Column& entries, const Real& change) {
  for (int r = 0; r < rows_; ++r) {
    value_[basis_[r]] -= entries[r] * change;
  }
  value_[entering] += change;
  exact_ = false;
}

template <class Real>
void BasicPriceSimplex<Real>::set_range(int claim, double low, double high) {
  low_[states_ + claim] = low;
  high_[states_ + claim] = high;
  exact_ = false;
}

/// Dual simplex for a zero objective: every basis is dual feasible, so only the ranges matter, and
/// the largest pivot may be taken. That ends soon or cycles, so a long call goes on with costs for
/// which the present basis is optimal, no two in the same proportion: each pivot then improves. The
/// answer is given for values computed afresh.
template <class Real>
bool BasicPriceSimplex<Real>::feasible() {
  const int size = rows_ + columns_;
  if (priced_ && !exact_) {
    // A range that was a point has no side; now that it may have width, its cost tells which.
    for (int j = states_; j < columns_; ++j) {
      at_high_[j] = reduced_[j] < 0.0 ? 1 : 0;
    }
  }
  Real tolerated = kViolation<Real>;
  for (int step = 0;; ++step) {
    if (step == 0 ? !exact_ : this->is_stale()) {
      evaluate();
    }
    if (!priced_ && step >= kFreePivots * size) {
      price_basis();
    }
    int row = -1;
    Real worst = tolerated;
    for (int r = 0; r < rows_; ++r) {
      const int j = basis_[r];
      const Real violation = std::max(low_[j] - value_[j], value_[j] - high_[j]);
      if (violation > worst) {
        row = r;
        worst = violation;
      }
    }
    if (row < 0 || step > kMostPivots * size) {
      if (!exact_) {
        evaluate();
        continue;
      }
      return true;  // or undecided: violation() tells
    }
    const int leaving = basis_[row];
    const bool rises = value_[leaving] < low_[leaving];
    const Real* const entries = this->row(row);
    const int entering =
        priced_ ? entering_by_cost(entries, rises) : entering_by_size(entries, rises);
    if (entering < 0) {
      if (!exact_) {
        evaluate();
        continue;
      }
      if (worst <= kSimplexTolerance) {
        tolerated = worst;
        continue;
      }
      farkas_row_ = row;
      farkas_ = entries;
      farkas_sign_ = rises ? -1.0 : 1.0;
      return false;
    }
    const Column column = this->column(entering);
    if (this->refresh_for(entries[place_[entering]], column[row])) {
      evaluate();
      continue;
    }
    if (priced_) {
      const Real ratio = reduced_[entering] / entries[place_[entering]];
      for (int place = 0; place < places_; ++place) {
        reduced_[nonbasic_[place]] -= ratio * entries[place];
      }
      reduced_[entering] = 0.0;
      reduced_[leaving] = -ratio;
    }
    const Real target = rises ? low_[leaving] : high_[leaving];
    move(entering, column, (value_[leaving] - target) / entries[place_[entering]]);
    value_[leaving] = target;
    this->pivot(row, entering);
    at_high_[leaving] = rises ? 0 : 1;
  }
}

/// Whether moving a nonbasic variable off its bound brings the basic one of `row` nearer to its
/// range, and by how much: the leaving variable moves by -entry times the entering one.
template <class Real>
Real BasicPriceSimplex<Real>::help(const Real* entries, bool rises, int place) const {
  const int j = nonbasic_[place];
  if (low_[j] == high_[j]) {
    return 0.0;
  }
  const Real entry = entries[place];
  return (entry > 0.0) == (rises == (at_high_[j] != 0)) ? abs(entry) : Real(0.0);
}

/// Of equals the variable of least index, whatever the places of their columns.
template <class Real>
int BasicPriceSimplex<Real>::entering_by_size(const Real* entries, bool rises) const {
  int entering = -1;
  Real largest = this->smallest_pivot_;
  for (int place = 0; place < places_; ++place) {
    const Real size = abs(entries[place]);
    // Whether it helps takes longer to find out, and matters of few.
    if (size < largest || (size == largest && nonbasic_[place] >= entering)) {
      continue;
    }
    if (help(entries, rises, place) > 0.0) {
      entering = nonbasic_[place];
      largest = size;
    }
  }
  return entering;
}

/// The ratio test, which keeps reduced costs on their side of zero; of pivots that do so but for
/// kOptimal the largest (Harris).
template <class Real>
int BasicPriceSimplex<Real>::entering_by_cost(const Real* entries, bool rises) const {
  Real least = kInfinity;
  for (int place = 0; place < places_; ++place) {
    const Real size = help(entries, rises, place);
    if (size > this->smallest_pivot_) {
      least = std::min(least, (abs(reduced_[nonbasic_[place]]) + kOptimal) / size);
    }
  }
  int entering = -1;
  Real largest = this->smallest_pivot_;
  for (int place = 0; place < places_; ++place) {
    const int j = nonbasic_[place];
    const Real size = help(entries, rises, place);
    if ((size > largest || (size == largest && j < entering)) && abs(reduced_[j]) / size <= least) {
      entering = j;
      largest = size;
    }
  }
  return entering;
}

/// Costs of the nonbasic variables that make the basis optimal, no two in the same proportion.
template <class Real>
void BasicPriceSimplex<Real>::price_basis() {
  for (int j = 0; j < columns_; ++j) {
    const double cost = 1.0 + golden_weight(j);
    reduced_[j] = is_basic_[j] ? 0.0 : at_high_[j] ? -cost : cost;
  }
  priced_ = true;
}

/// reduced = cost - cost_B B^-1 A; cost_ is set by maximise().
template <class Real>
void BasicPriceSimplex<Real>::reduced_costs() {
  if (this->is_small()) {
    this->write_gains(gain_.begin(), along_);
    for (int r = 0; r < rows_; ++r) {
      reduced_[basis_[r]] = 0.0;
    }
    for (int place = 0; place < places_; ++place) {
      reduced_[nonbasic_[place]] = along_[place];
    }
    return;
  }
  for (int place = 0; place < places_; ++place) {
    along_[place] = cost_[nonbasic_[place]];
  }
  for (int r = 0; r < rows_; ++r) {
    const Real basic = cost_[basis_[r]];
    reduced_[basis_[r]] = 0.0;
    if (basic != 0.0) {
      const Real* const row = this->row(r);
      for (int place = 0; place < places_; ++place) {
        along_[place] -= basic * row[place];
      }
    }
  }
  for (int place = 0; place < places_; ++place) {
    reduced_[nonbasic_[place]] = along_[place];
  }
}

/// What each state's price gains by its own cost and those of claims.
template <class Real>
void BasicPriceSimplex<Real>::count_gain() {
  std::copy_n(cost_.begin(), states_, gain_.begin());
  for (int k = 0; k < columns_ - states_; ++k) {
    const Real& cost = cost_[states_ + k];
    for (int i = 0; i < states_ && cost != 0.0; ++i) {
      gain_[i] += cost * this->market_.payoffs(k, i);
    }
  }
}

template <class Real>
double BasicPriceSimplex<Real>::violation() const {
  Real worst = 0.0;
  for (int j = 0; j < columns_; ++j) {
    worst = std::max({worst, low_[j] - value_[j], value_[j] - high_[j]});
  }
  return static_cast<double>(worst);
}

template <class Real>
double BasicPriceSimplex<Real>::maximise(const ArrayView& claim_weights,
                                         const ArrayView& state_weights) {
  for (int j = 0; j < columns_; ++j) {
    cost_[j] = j < states_ ? state_weights[j] : claim_weights[j - states_];
  }
  priced_ = false;
  if (this->is_small()) {
    count_gain();
  }
  for (int step = 0;; ++step) {
    if (!exact_) {
      evaluate();
    }
    reduced_costs();
    const bool greedy = step < kGreedyPivots * (rows_ + columns_);
    int entering = -1;
    Real best = kOptimal;
    for (int place = 0; place < places_; ++place) {
      const int j = nonbasic_[place];
      if (low_[j] == high_[j]) {
        continue;
      }
      const Real gain = at_high_[j] ? -reduced_[j] : reduced_[j];
      const bool first = entering < 0 || j < entering;
      if (greedy ? gain > best || (gain == best && j < entering) : gain > kOptimal && first) {
        entering = j;
        best = gain;
      }
    }
    if (entering < 0 || step > kMostPivots * (rows_ + columns_)) {
      return static_cast<double>(dot(cost_.begin(), value_.begin(), columns_));
    }
    const double direction = at_high_[entering] ? -1.0 : 1.0;
    Real length = high_[entering] - low_[entering];
    int row = -1;
    bool to_high = false;
    const Column entries = this->column(entering);
    for (int r = 0; r < rows_; ++r) {
      const Real rate = -direction * entries[r];
      if (abs(rate) <= this->smallest_pivot_) {
        continue;
      }
      const int j = basis_[r];
      const Real room = rate > 0.0 ? high_[j] - value_[j] : value_[j] - low_[j];
      const Real reach = std::max(room, Real(0.0)) / abs(rate);
      const bool tie = row >= 0 && reach == length && j < basis_[row];
      if (reach < length || tie) {
        length = reach;
        row = r;
        to_high = rate > 0.0;
      }
    }
    if (row >= 0 && this->refresh_for(entries[row], entries[row])) {
      exact_ = false;
      continue;
    }
    exact_ = false;
    if (row < 0) {
      at_high_[entering] = at_high_[entering] ? 0 : 1;  // straight to its other bound: no pivot
      if (this->checkpoint_ != nullptr) {
        this->checkpoint_->pass(kCost * this->operations());
      }
    } else {
      const int leaving = basis_[row];
      this->pivot(row, entering);
      at_high_[leaving] = to_high ? 1 : 0;
    }
  }
}

template <class Real>
bool BasicPriceSimplex<Real>::unique_multipliers(double margin) const {
  return std::all_of(basis_.begin(), basis_.end(), [&](int j) {
    return value_[j] - low_[j] > margin && high_[j] - value_[j] > margin;
  });
}

template <class Real>
bool BasicPriceSimplex<Real>::is_vertex() const {
  for (int j = 0; j < columns_; ++j) {
    if (!is_basic_[j] && low_[j] < high_[j]) {
      return false;
    }
  }
  return true;
}

template <class Real>
void BasicPriceSimplex<Real>::restrict_to_optimal_face(double tie) {
  for (int j = 0; j < columns_; ++j) {
    if (!is_basic_[j] && abs(reduced_[j]) > tie) {
      low_[j] = high_[j] = value_[j];
    }
  }
}

template <class Real>
void BasicPriceSimplex<Real>::enter_face() {
  const double share = 1.0 / states_;
  std::vector<std::array<double, 2>> room;  // below and above each basic value
  room.reserve(static_cast<std::size_t>(rows_));
  for (int r = 0; r < rows_; ++r) {
    const int j = basis_[r];
    room.push_back(
        {static_cast<double>(value_[j] - low_[j]), static_cast<double>(high_[j] - value_[j])});
  }
  for (int j = 0; j < states_; ++j) {
    if (is_basic_[j] || !(low_[j] < high_[j])) {
      continue;
    }
    double inverse_length = 2.0;
    const Column entries = this->column(j);
    for (int r = 0; r < rows_; ++r) {
      const auto falls = static_cast<double>(entries[r]);
      const double most = room[static_cast<std::size_t>(r)][falls > 0.0 ? 0 : 1];
      if (abs(falls) > kUnmoved) {
        inverse_length = std::max(inverse_length, 2.0 * abs(falls) / std::max(most, 0.0));
      }
    }
    move(j, entries, share / inverse_length);
  }
}

template class BasicPriceSimplex<double>;
template class BasicPriceSimplex<Twofold>;

}  // namespace kpm
