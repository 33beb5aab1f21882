#include "prices/price_basis.hpp"

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "numerics/inner_products.hpp"

namespace kpm {

namespace {

using std::abs;

// An inverse that is farther off is given up; one that is nearer is as good as it gets after a step
// of Newton's method.
constexpr double kFar = 0.1;
constexpr double kNear = 1e-7;
constexpr int kSteps = 5;

/// out -= sum of the rows, each times its number.
void subtract_rows_of(const double* times, const double* const* rows, Eigen::Index many,
                      Eigen::Index count, double* out) {
  subtract_rows(times, rows, many, count, out);
}

void subtract_rows_of(const Twofold* times, const double* const* rows, Eigen::Index many,
                      Eigen::Index count, Twofold* out) {
  for (Eigen::Index r = 0; r < many; ++r) {
    for (Eigen::Index i = 0; i < count; ++i) {
      out[i] -= times[r] * rows[r][i];
    }
  }
}

}  // namespace

template <class Real>
PriceBasis<Real>::PriceBasis(const ScaledMarket& market, Arena& arena)
    : market_(market), states_(market.states()), claims_(market.claims()) {
  if (market.by_state.size() == 0) {
    return;
  }
  const int most = std::min(states_, claims_ + 1);
  inverse_ = arena.grid<Real>(most, most);
  rest_ = arena.grid<Real>(most, most);
  state_ = arena.span<int>(most);
  claim_ = arena.span<int>(most);
  slot_ = arena.span<int>(states_ + claims_);
  step_ = arena.span<Real>(most);
  by_slot_ = arena.span<Real>(most);
  right_ = arena.span<Real>(most);
  factor_ = arena.span<Real>(most);
  by_state_ = arena.span<Real>(states_);
  by_claim_ = arena.span<Real>(claims_);
  payoffs_ = arena.span<const double*>(most);
  rows_ = arena.span<Real*>(most);
}

template <class Real>
void PriceBasis<Real>::start() {
  size_ = 1;
  inverse_(0, 0) = 1.0;
  state_[0] = slot_[0] = 0;
}

/// W := W (2 - M W), Newton's method, which squares what W is off by.
template <class Real>
bool PriceBasis<Real>::refresh() {
  for (int step = 0; step < kSteps; ++step) {
    const double off = multiply_out();
    if (!(off <= kFar)) {
      return false;
    }
    for (int p = 0; p < size_; ++p) {
      Real* const row = &inverse_(p, 0);
      std::copy_n(row, size_, right_.begin());
      for (int q = 0; q < size_; ++q) {
        const Real* const rest = &rest_(q, 0);
        for (int c = 0; c < size_; ++c) {
          row[c] -= right_[q] * rest[c];
        }
      }
    }
    if (off <= kNear) {
      return true;
    }
  }
  return false;
}

/// rest_ := M W - 1. Returns its largest entry.
template <class Real>
double PriceBasis<Real>::multiply_out() {
  Real most = 0.0;
  for (int q = 0; q < size_; ++q) {
    Real* const rest = &rest_(q, 0);
    std::fill(rest, rest + size_, Real(0.0));
    for (int p = 0; p < size_; ++p) {
      const double paid = payoff(q, state_[p]);
      const Real* const row = &inverse_(p, 0);
      for (int c = 0; c < size_; ++c) {
        rest[c] += row[c] * paid;
      }
    }
    rest[q] -= 1.0;
    for (int c = 0; c < size_; ++c) {
      most = std::max(most, abs(rest[c]));
    }
  }
  return static_cast<double>(most);
}

/// out := W right.
template <class Real>
void PriceBasis<Real>::apply_inverse(const Span<Real>& right, Span<Real>& out) const {
  for (int p = 0; p < size_; ++p) {
    out[p] = dot(&inverse_(p, 0), right.begin(), size_);
  }
}

/// by_slot_ := W' right_.
template <class Real>
void PriceBasis<Real>::weigh_rows() {
  std::fill(by_slot_.begin(), by_slot_.begin() + size_, Real(0.0));
  for (int p = 0; p < size_; ++p) {
    const Real* const row = &inverse_(p, 0);
    for (int q = 0; q < size_; ++q) {
      by_slot_[q] += right_[p] * row[q];
    }
  }
}

/// by_slot_ := of each equation as much as makes up a claim's payoffs in the basic states.
template <class Real>
void PriceBasis<Real>::replicate(int claim) {
  for (int p = 0; p < size_; ++p) {
    right_[p] = market_.payoffs(claim, state_[p]);
  }
  weigh_rows();
}

/// Add to by_claim_ the claims' worth under the basic states' step.
template <class Real>
void PriceBasis<Real>::add_worth() {
  for (int p = 0; p < size_; ++p) {
    payoffs_[p] = &market_.by_state(state_[p], 0);
    factor_[p] = -step_[p];
  }
  subtract_rows_of(factor_.begin(), payoffs_.begin(), size_, claims_, by_claim_.begin());
}

/// Subtract from by_state_ what the equations charge, each at its price in by_slot_.
template <class Real>
void PriceBasis<Real>::subtract_costs() {
  for (int i = 0; i < states_; ++i) {
    by_state_[i] -= by_slot_[0];
  }
  for (int q = 1; q < size_; ++q) {
    payoffs_[q] = &market_.payoffs(claim_[q], 0);
  }
  subtract_rows_of(by_slot_.begin() + 1, payoffs_.begin() + 1, size_ - 1, states_,
                   by_state_.begin());
}

template <class Real>
void PriceBasis<Real>::load_column(int variable) {
  if (variable < states_) {
    for (int q = 0; q < size_; ++q) {
      right_[q] = payoff(q, variable);
    }
    apply_inverse(right_, step_);
    const double* const paid = &market_.by_state(variable, 0);
    for (int k = 0; k < claims_; ++k) {
      by_claim_[k] = -paid[k];
    }
  } else {
    for (int p = 0; p < size_; ++p) {
      step_[p] = -inverse_(p, slot_[variable]);
    }
    std::fill(by_claim_.begin(), by_claim_.end(), Real(0.0));
  }
  add_worth();
}

template <class Real>
void PriceBasis<Real>::load_row(int variable) {
  if (variable < states_) {
    std::copy_n(&inverse_(slot_[variable], 0), size_, by_slot_.begin());
    std::fill(by_state_.begin(), by_state_.end(), Real(0.0));
  } else {
    replicate(variable - states_);
    const double* const paid = &market_.payoffs(variable - states_, 0);
    for (int i = 0; i < states_; ++i) {
      by_state_[i] = -paid[i];
    }
  }
  for (int q = 0; q < size_; ++q) {
    by_slot_[q] = -by_slot_[q];
  }
  subtract_costs();
}

template <class Real>
void PriceBasis<Real>::price_out(const Real* gain) {
  for (int p = 0; p < size_; ++p) {
    right_[p] = gain[state_[p]];
  }
  weigh_rows();
  std::copy_n(gain, states_, by_state_.begin());
  subtract_costs();
}

template <class Real>
void PriceBasis<Real>::exchange(int leaving, int entering) {
  if (entering < states_ && leaving < states_) {
    replace_state(slot_[leaving], entering);
  } else if (entering < states_) {
    add(entering, leaving - states_);
  } else if (leaving < states_) {
    remove(slot_[leaving], slot_[entering]);
  } else {
    replace_claim(slot_[entering], leaving - states_);
  }
}

/// The inverse less the product of a column, the factors, and a row.
template <class Real>
void PriceBasis<Real>::subtract_product() {
  if constexpr (std::is_same_v<Real, double>) {
    for (int p = 0; p < size_; ++p) {
      rows_[p] = &inverse_(p, 0);
    }
    subtract_row(factor_.begin(), by_slot_.begin(), size_, rows_.begin(), size_);
  } else {
    for (int p = 0; p < size_; ++p) {
      for (int q = 0; q < size_; ++q) {
        inverse_(p, q) -= factor_[p] * by_slot_[q];
      }
    }
  }
}

template <class Real>
void PriceBasis<Real>::replace_state(int row, int state) {
  for (int q = 0; q < size_; ++q) {
    by_slot_[q] = inverse_(row, q) / step_[row];
  }
  std::copy_n(step_.begin(), size_, factor_.begin());
  factor_[row] -= 1.0;
  subtract_product();
  state_[row] = state;
  slot_[state] = row;
}

template <class Real>
void PriceBasis<Real>::replace_claim(int column, int claim) {
  replicate(claim);
  for (int p = 0; p < size_; ++p) {
    factor_[p] = inverse_(p, column) / by_slot_[column];
  }
  by_slot_[column] -= 1.0;
  subtract_product();
  claim_[column] = claim;
  slot_[states_ + claim] = column;
}

/// A state and, as its price is given now, a claim.
template <class Real>
void PriceBasis<Real>::add(int state, int claim) {
  replicate(claim);
  const Real left = -by_claim_[claim];
  const int last = size_;
  for (int p = 0; p < last; ++p) {
    factor_[p] = -step_[p] / left;
  }
  subtract_product();
  for (int p = 0; p < last; ++p) {
    inverse_(p, last) = factor_[p];
    inverse_(last, p) = -by_slot_[p] / left;
  }
  inverse_(last, last) = Real(1.0) / left;
  state_[last] = state;
  claim_[last] = claim;
  slot_[state] = slot_[states_ + claim] = last;
  ++size_;
}

/// A state and a claim; the last ones take their slots.
template <class Real>
void PriceBasis<Real>::remove(int row, int column) {
  for (int p = 0; p < size_; ++p) {
    factor_[p] = p == row ? Real(0.0) : inverse_(p, column) / inverse_(row, column);
  }
  std::copy_n(&inverse_(row, 0), size_, by_slot_.begin());
  subtract_product();
  const int last = --size_;
  std::copy_n(&inverse_(last, 0), last + 1, &inverse_(row, 0));
  for (int p = 0; p < last; ++p) {
    inverse_(p, column) = inverse_(p, last);
  }
  state_[row] = state_[last];
  claim_[column] = claim_[last];
  slot_[state_[row]] = row;
  slot_[states_ + claim_[column]] = column;
}

/// Solved once more for what the first solution leaves, as rounding has come into the inverse.
template <class Real>
double PriceBasis<Real>::evaluate(const Span<Real>& value, const Span<char>& is_basic) {
  std::fill(by_claim_.begin(), by_claim_.end(), Real(0.0));
  Real sum = 1.0;
  for (int i = 0; i < states_; ++i) {
    if (!is_basic[i] && value[i] != 0.0) {  // few
      sum -= value[i];
      for (int k = 0; k < claims_; ++k) {
        by_claim_[k] += value[i] * market_.by_state(i, k);
      }
    }
  }
  right_[0] = sum;
  for (int q = 1; q < size_; ++q) {
    right_[q] = value[states_ + claim_[q]] - by_claim_[claim_[q]];
  }
  apply_inverse(right_, step_);
  Real missed = 0.0;
  for (int q = 0; q < size_; ++q) {
    for (int p = 0; p < size_; ++p) {
      right_[q] -= step_[p] * payoff(q, state_[p]);
    }
    missed = std::max(missed, abs(right_[q]));
  }
  apply_inverse(right_, factor_);
  for (int p = 0; p < size_; ++p) {
    step_[p] += factor_[p];
  }
  add_worth();
  return static_cast<double>(missed);
}

template class PriceBasis<double>;
template class PriceBasis<Twofold>;

}  // namespace kpm
