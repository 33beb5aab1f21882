#include "prices/price_tableau.hpp"

#include <algorithm>
#include <type_traits>

#include "numerics/inner_products.hpp"

namespace kpm {

namespace {

using std::abs;

// A small basis is computed afresh where it misses its equations by more, before a pivot that is so
// small that it may be rounding of those that led there, and after it, as it makes that larger.
constexpr double kMissed = 1e-11;
constexpr double kDoubtful = 1e-3;

constexpr int kShort = 24;  // entries of a row for which a call takes longer than the work

/// Whether a pivot changes all rows in one call.
template <class Real>
bool together(int places) {
  return std::is_same_v<Real, double> && places >= kShort;
}

}  // namespace

template <class Real>
PriceTableau<Real>::PriceTableau(const ScaledMarket& market, Arena& arena, Checkpoint* checkpoint)
    : market_(market),
      checkpoint_(checkpoint),
      states_(market.states()),
      rows_(market.claims() + 1),
      columns_(market.states() + market.claims()),
      places_(columns_ - rows_),
      small_(market.by_state.size() > 0),
      small_basis_(market, arena),
      tableau_(arena.grid<Real>(small_ ? 0 : rows_, places_ + 1)),
      nonbasic_(arena.span<int>(places_)),
      place_(arena.span<int>(columns_)),
      basic_value_(arena.span<Real>(rows_)),
      basis_(arena.span<int>(rows_)),
      moved_(arena.span<int>(places_)),
      is_basic_(arena.span<char>(columns_)),
      row_(arena.span<Real>(small_ ? places_ : 0)),
      column_(arena.span<Real>(small_ ? rows_ : 0)),
      wanted_(arena.span<char>(columns_)),
      factors_(arena.span<Real>(!small_ && together<Real>(places_) ? rows_ : 0)),
      others_(arena.span<Real*>(factors_.size())) {
  if (small_) {
    refresh_ = 50;
    smallest_pivot_ = std::max(kSmallestPivot, std::is_same_v<Real, double> ? 1e-8 : 0.0);
  }
}

template <class Real>
void PriceTableau<Real>::build() {
  age_ = 0;
  std::fill(is_basic_.begin(), is_basic_.end(), char{0});
  for (int row = 0; row < rows_; ++row) {
    basis_[row] = row == 0 ? 0 : states_ + row - 1;
    is_basic_[basis_[row]] = 1;
  }
  for (int place = 0; place < places_; ++place) {
    nonbasic_[place] = place + 1;
    place_[place + 1] = place;
  }
  if (small_) {
    small_basis_.start();
  } else {
    fill();
  }
}

/// The tableau of the first basis, xi_0 and all claim prices: pi_k = P_k0 + sum_i (P_ki - P_k0)
/// xi_i.
template <class Real>
void PriceTableau<Real>::fill() {
  std::fill(&tableau_(0, 0), &tableau_(1, 0), Real(1.0));
  for (int row = 1; row < rows_; ++row) {
    const int claim = row - 1;
    const double first = market_.payoffs(claim, 0);
    for (int place = 0; place < places_; ++place) {
      tableau_(row, place) = Real(first) - market_.payoffs(claim, place + 1);
    }
    tableau_(row, places_) = first;
  }
}

template <class Real>
void PriceTableau<Real>::refresh() {
  if (small_) {
    age_ = 0;
    if (!small_basis_.refresh()) {
      build();
    }
    return;
  }
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
  age_ = 0;
}

template <class Real>
void PriceTableau<Real>::prepare() {
  if (!fresh_) {
    fresh_ = true;
    build();
  } else if (is_stale()) {
    refresh();
  }
}

template <class Real>
void PriceTableau<Real>::evaluate_basis(Span<Real> value) {
  if (small_) {
    if (!(small_basis_.evaluate(value, is_basic_) <= kMissed) && age_ > 0) {
      refresh();
      for (int i = 0; i < states_; ++i) {
        value[i] = is_basic_[i] ? value[i] : Real(0.0);
      }
      small_basis_.evaluate(value, is_basic_);
    }
    for (int r = 0; r < rows_; ++r) {
      basic_value_[r] = small_basis_.basic(basis_[r]);
    }
    return;
  }
  int moved = 0;  // nonbasic variables that are not zero: most state prices are
  for (int j = 0; j < columns_; ++j) {
    if (!is_basic_[j] && value[j] != 0.0) {  // in the variables' order, as rounding sees it
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
      const Real& moves_by = value[nonbasic_[place]];
      for (int r = 0; r < kCount; ++r) {
        sums[r] -= row[r * (places_ + 1) + place] * moves_by;
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
}

template <class Real>
bool PriceTableau<Real>::refresh_for(const Real& in_row, const Real& in_column) {
  const Real size = abs(in_row);
  if (!small_ || age_ == 0 || (size > kDoubtful && abs(in_row - in_column) <= kDoubtful * size)) {
    return false;
  }
  refresh();
  return true;
}

template <class Real>
void PriceTableau<Real>::pivot(int row, int entering) {
  if (checkpoint_ != nullptr) {
    checkpoint_->pass(kCost * operations());
  }
  if (small_) {
    age_ = abs(column_[row]) > kDoubtful ? age_ : refresh_;
    small_basis_.exchange(basis_[row], entering);
  } else {
    exchange(row, entering);
  }
  const int place = place_[entering];  // the leaving variable's from now on
  const int leaving = basis_[row];
  is_basic_[leaving] = 0;
  is_basic_[entering] = 1;
  basis_[row] = entering;
  nonbasic_[place] = leaving;
  place_[leaving] = place;
  ++age_;
}

template <class Real>
void PriceTableau<Real>::exchange(int row, int entering) {
  const int place = place_[entering];
  Real* const pivot_row = &tableau_(row, 0);
  const Real pivot = pivot_row[place];
  pivot_row[place] = 1.0;
  for (int j = 0; j <= places_; ++j) {
    pivot_row[j] /= pivot;
  }
  const bool at_once = together<Real>(places_);
  int others = 0;
  for (int r = 0; r < rows_; ++r) {
    Real* const other = &tableau_(r, 0);
    const Real factor = other[place];
    if (r == row || factor == 0.0) {
      continue;
    }
    other[place] = 0.0;
    if (at_once) {
      factors_[others] = factor;
      others_[others++] = other;
      continue;
    }
    for (int j = 0; j <= places_; ++j) {
      other[j] -= factor * pivot_row[j];
    }
  }
  if constexpr (std::is_same_v<Real, double>) {
    if (at_once) {
      subtract_row(factors_.begin(), pivot_row, places_ + 1, others_.begin(), others);
    }
  }
}

template <class Real>
const Real* PriceTableau<Real>::load_row(int row) {
  small_basis_.load_row(basis_[row]);
  for (int place = 0; place < places_; ++place) {
    row_[place] = small_basis_.nonbasic(nonbasic_[place]);
  }
  return row_.begin();
}

template <class Real>
typename PriceTableau<Real>::Column PriceTableau<Real>::load_column(int variable) {
  small_basis_.load_column(variable);
  for (int r = 0; r < rows_; ++r) {
    column_[r] = small_basis_.basic(basis_[r]);
  }
  return {column_.begin(), 1};
}

template <class Real>
void PriceTableau<Real>::write_gains(const Real* gain, Span<Real>& gains) {
  small_basis_.price_out(gain);
  for (int place = 0; place < places_; ++place) {
    gains[place] = small_basis_.nonbasic(nonbasic_[place]);
  }
}

template class PriceTableau<double>;
template class PriceTableau<Twofold>;

}  // namespace kpm
