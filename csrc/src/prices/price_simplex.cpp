#include "prices/price_simplex.hpp"

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "numerics/inner_products.hpp"
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
constexpr int kGreedyPivots = 10;   // times rows and columns, in a maximum, before least index
constexpr int kFreePivots = 2;      // times rows and columns, in a call, before costs lead the way
constexpr int kMostPivots = 50;     // times rows and columns: by then rounding makes it cycle
constexpr int kRefresh = 200;       // pivots after which the tableau is computed afresh

constexpr int kShort = 24;  // entries of a row for which a call takes longer than the work

/// out -= times row.
template <class Real>
void subtract(const Real& times, const Real* row, int count, Real* out) {
  if constexpr (std::is_same_v<Real, double>) {
    if (count > kShort) {
      subtract_row(times, row, count, out);
      return;
    }
  }
  for (int j = 0; j < count; ++j) {
    out[j] -= times * row[j];
  }
}

}  // namespace

template <class Real>
BasicPriceSimplex<Real>::BasicPriceSimplex(const ScaledMarket& market, Arena& arena,
                                           Checkpoint* checkpoint)
    : market_(market),
      checkpoint_(checkpoint),
      states_(market.states()),
      rows_(market.claims() + 1),
      columns_(market.states() + market.claims()),
      places_(columns_ - rows_),
      tableau_(arena.grid<Real>(rows_, places_ + 1)),
      nonbasic_(arena.span<int>(places_)),
      place_(arena.span<int>(columns_)),
      low_(arena.span<Real>(columns_)),
      high_(arena.span<Real>(columns_)),
      value_(arena.span<Real>(columns_)),
      cost_(arena.span<Real>(columns_)),
      reduced_(arena.span<Real>(columns_)),
      basic_value_(arena.span<Real>(rows_)),
      along_(arena.span<Real>(places_)),
      basis_(arena.span<int>(rows_)),
      moved_(arena.span<int>(places_)),
      is_basic_(arena.span<char>(columns_)),
      wanted_(arena.span<char>(columns_)),
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
  fresh_ = exact_ = priced_ = false;
}

/// The tableau of the first basis, xi_0 and all claim prices: pi_k = P_k0 + sum_i (P_ki - P_k0)
/// xi_i.
template <class Real>
void BasicPriceSimplex<Real>::build() {
  pivots_ = 0;
  std::fill(is_basic_.begin(), is_basic_.end(), char{0});
  basis_[0] = 0;
  is_basic_[0] = 1;
  for (int place = 0; place < places_; ++place) {
    nonbasic_[place] = place + 1;
    place_[place + 1] = place;
    tableau_(0, place) = 1.0;
  }
  tableau_(0, places_) = 1.0;
  for (int row = 1; row < rows_; ++row) {
    const int claim = row - 1;
    const double first = market_.payoffs(claim, 0);
    for (int place = 0; place < places_; ++place) {
      tableau_(row, place) = Real(first) - market_.payoffs(claim, place + 1);
    }
    tableau_(row, places_) = first;
    basis_[row] = states_ + claim;
    is_basic_[basis_[row]] = 1;
  }
}

/// The tableau of the same basis without the rounding of the pivots that led there.
template <class Real>
void BasicPriceSimplex<Real>::refresh() {
  std::copy(is_basic_.begin(), is_basic_.end(), wanted_.begin());
  build();
  for (int column = 0; column < columns_; ++column) {
    if (!wanted_[column] || is_basic_[column]) {
      continue;
    }
    int row = -1;
    Real largest = kSmallestPivot;
    for (int r = 0; r < rows_; ++r) {
      const int basic = basis_[r];
      const Real entry = abs(tableau_(r, place_[column]));
      if (!wanted_[basic] && entry > largest) {
        largest = entry;
        row = r;
      }
    }
    if (row >= 0) {
      pivot(row, column);
    }
  }
  pivots_ = 0;
}

/// Values of the basic variables from those of the nonbasic ones.
template <class Real>
void BasicPriceSimplex<Real>::evaluate() {
  if (!fresh_) {
    fresh_ = true;
    build();
  } else if (pivots_ >= kRefresh) {
    refresh();
  }
  int moved = 0;  // nonbasic variables that are not zero: most state prices are
  for (int j = 0; j < columns_; ++j) {
    value_[j] = is_basic_[j] ? 0.0 : at_high_[j] ? high_[j] : low_[j];
    if (value_[j] != 0.0) {  // in the variables' order, as rounding sees it
      moved_[moved++] = place_[j];
    }
  }
  // Four rows at a time: no subtraction waits for another row's.
  const auto evaluate_rows = [&](int first, auto count) {
    constexpr int kCount = decltype(count)::value;
    const Real* const row = &tableau_(first, 0);
    Real sums[kCount];
    for (int r = 0; r < kCount; ++r) {
      sums[r] = row[r * (places_ + 1) + places_];
    }
    for (int m = 0; m < moved; ++m) {
      const int place = moved_[m];
      const Real& value = value_[nonbasic_[place]];
      for (int r = 0; r < kCount; ++r) {
        sums[r] -= row[r * (places_ + 1) + place] * value;
      }
    }
    std::copy_n(sums, kCount, &basic_value_[first]);
  };
  int first = 0;
  for (; std::is_same_v<Real, double> && first + 4 <= rows_; first += 4) {
    evaluate_rows(first, std::integral_constant<int, 4>{});
  }
  for (; first < rows_; ++first) {
    evaluate_rows(first, std::integral_constant<int, 1>{});
  }
  for (int r = 0; r < rows_; ++r) {
    value_[basis_[r]] = basic_value_[r];
  }
  exact_ = true;
}

/// What evaluate() would find after a nonbasic variable has moved, but for rounding.
template <class Real>
void BasicPriceSimplex<Real>::move(int entering, const Real& change) {
  const int place = place_[entering];
  for (int r = 0; r < rows_; ++r) {
    value_[basis_[r]] -= tableau_(r, place) * change;
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

template <class Real>
void BasicPriceSimplex<Real>::pivot(int row, int entering) {
  if (checkpoint_ != nullptr) {
    checkpoint_->pass(kCost * static_cast<double>(rows_) * states_);
  }
  const int place = place_[entering];  // the leaving variable's from now on
  const int leaving = basis_[row];
  Real* const pivot_row = &tableau_(row, 0);
  const Real pivot = pivot_row[place];
  pivot_row[place] = 1.0;
  for (int j = 0; j <= places_; ++j) {
    pivot_row[j] /= pivot;
  }
  for (int r = 0; r < rows_; ++r) {
    Real* const other = &tableau_(r, 0);
    const Real factor = other[place];
    if (r != row && factor != 0.0) {
      other[place] = 0.0;
      subtract(factor, pivot_row, places_ + 1, other);
    }
  }
  is_basic_[leaving] = 0;
  is_basic_[entering] = 1;
  basis_[row] = entering;
  nonbasic_[place] = leaving;
  place_[leaving] = place;
  ++pivots_;
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
    if (step == 0 ? !exact_ : pivots_ >= kRefresh) {
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
    const int entering = priced_ ? entering_by_cost(row, rises) : entering_by_size(row, rises);
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
      farkas_sign_ = rises ? -1.0 : 1.0;
      return false;
    }
    if (priced_) {
      const Real ratio = reduced_[entering] / tableau_(row, place_[entering]);
      for (int place = 0; place < places_; ++place) {
        reduced_[nonbasic_[place]] -= ratio * tableau_(row, place);
      }
      reduced_[entering] = 0.0;
      reduced_[leaving] = -ratio;
    }
    const Real target = rises ? low_[leaving] : high_[leaving];
    move(entering, (value_[leaving] - target) / tableau_(row, place_[entering]));
    value_[leaving] = target;
    pivot(row, entering);
    at_high_[leaving] = rises ? 0 : 1;
  }
}

/// Whether moving a nonbasic variable off its bound brings the basic one of `row` nearer to its
/// range, and by how much: the leaving variable moves by -entry times the entering one.
template <class Real>
Real BasicPriceSimplex<Real>::help(int row, bool rises, int place) const {
  const int j = nonbasic_[place];
  if (low_[j] == high_[j]) {
    return 0.0;
  }
  const Real entry = tableau_(row, place);
  return (entry > 0.0) == (rises == (at_high_[j] != 0)) ? abs(entry) : Real(0.0);
}

/// Of equals the variable of least index, whatever the places of their columns.
template <class Real>
int BasicPriceSimplex<Real>::entering_by_size(int row, bool rises) const {
  const Real* const entries = &tableau_(row, 0);
  int entering = -1;
  Real largest = kSmallestPivot;
  for (int place = 0; place < places_; ++place) {
    const Real size = abs(entries[place]);
    // Whether it helps takes longer to find out, and matters of few.
    if (size < largest || (size == largest && nonbasic_[place] >= entering)) {
      continue;
    }
    if (help(row, rises, place) > 0.0) {
      entering = nonbasic_[place];
      largest = size;
    }
  }
  return entering;
}

/// The ratio test, which keeps reduced costs on their side of zero; of pivots that do so but for
/// kOptimal the largest (Harris).
template <class Real>
int BasicPriceSimplex<Real>::entering_by_cost(int row, bool rises) const {
  Real least = kInfinity;
  for (int place = 0; place < places_; ++place) {
    const Real size = help(row, rises, place);
    if (size > kSmallestPivot) {
      least = std::min(least, (abs(reduced_[nonbasic_[place]]) + kOptimal) / size);
    }
  }
  int entering = -1;
  Real largest = kSmallestPivot;
  for (int place = 0; place < places_; ++place) {
    const int j = nonbasic_[place];
    const Real size = help(row, rises, place);
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
  constexpr double kGolden = 0.6180339887498949;
  for (int j = 0; j < columns_; ++j) {
    const double turn = kGolden * j;
    const double cost = 1.0 + (turn - std::floor(turn));
    reduced_[j] = is_basic_[j] ? 0.0 : at_high_[j] ? -cost : cost;
  }
  priced_ = true;
}

/// reduced = cost - cost_B B^-1 A; cost_ is set by maximise().
template <class Real>
void BasicPriceSimplex<Real>::reduced_costs() {
  for (int place = 0; place < places_; ++place) {
    along_[place] = cost_[nonbasic_[place]];
  }
  for (int r = 0; r < rows_; ++r) {
    const Real basic = cost_[basis_[r]];
    reduced_[basis_[r]] = 0.0;
    if (basic != 0.0) {
      const Real* const row = &tableau_(r, 0);
      for (int place = 0; place < places_; ++place) {
        along_[place] -= basic * row[place];
      }
    }
  }
  for (int place = 0; place < places_; ++place) {
    reduced_[nonbasic_[place]] = along_[place];
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
    for (int r = 0; r < rows_; ++r) {
      const Real rate = -direction * tableau_(r, place_[entering]);
      if (abs(rate) <= kSmallestPivot) {
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
    exact_ = false;
    if (row < 0) {
      at_high_[entering] = at_high_[entering] ? 0 : 1;  // straight to its other bound
    } else {
      const int leaving = basis_[row];
      pivot(row, entering);
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

template class BasicPriceSimplex<double>;
template class BasicPriceSimplex<Twofold>;

}  // namespace kpm
