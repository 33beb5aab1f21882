#include "prices/concave_simplex.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "numerics/inner_products.hpp"

namespace kpm {

namespace {

constexpr double kGain = 1e-12;  // a slope along which a step is worth it
constexpr double kRate = 1e-9;   // tableau entries below this are rounding
constexpr int kMostSteps = 4;    // times rows and columns

}  // namespace

ConcaveSimplex::ConcaveSimplex(const ScaledMarket& market, Arena& arena, Checkpoint* checkpoint)
    : PriceTableau<double>(market, arena, checkpoint),
      functions_(static_cast<std::size_t>(market.claims())),
      value_(arena.array(columns_)),
      along_(arena.array(places_)),
      gain_(arena.array(is_small() ? states_ : 0)),
      counted_(arena.array(market.claims())),
      multiplier_(arena.array(market.claims())),
      rate_(arena.array(rows_)),
      reach_(arena.array(rows_)),
      piece_(static_cast<std::size_t>(rows_)) {
  for (Function& function : functions_) {
    function.slopes.assign(1, 0.0);
  }
  forget();
}

void ConcaveSimplex::forget() {
  forget_basis();
  prepare();
  value_.setZero();
  evaluate();
}

void ConcaveSimplex::evaluate() {
  evaluate_basis({value_.data(), columns_});
  for (int r = 0; r < rows_; ++r) {
    value_[basis_[r]] = basic_value_[r];
  }
  along_.setZero();
  gain_.setZero();
  counted_.setZero();
}

void ConcaveSimplex::keep() {
  if (2 * age_ >= refresh_) {  // or after a few steps it would be computed afresh each time
    refresh();
    evaluate();
    price_out();
  }
  copy_basis(false);
}

void ConcaveSimplex::restore() { copy_basis(true); }

/// To what is kept, or back. The functions themselves are no part of it.
void ConcaveSimplex::copy_basis(bool back) {
  std::size_t at = 0;
  const auto copy = [&](void* part, std::size_t size) {
    kept_.resize(std::max(kept_.size(), at + size));
    std::byte* const kept = &kept_[at];
    std::memcpy(back ? part : kept, back ? kept : part, size);
    at += size;
  };
  const auto numbers = [&](double* part, int count) {
    copy(part, static_cast<std::size_t>(count) * sizeof(double));
  };
  const auto indices = [&](int* part, int count) {
    copy(part, static_cast<std::size_t>(count) * sizeof(int));
  };
  if (is_small()) {
    small_basis_.copy(numbers, indices);
    numbers(gain_.data(), states_);
  } else {
    numbers(&tableau_(0, 0), rows_ * (places_ + 1));
  }
  numbers(value_.data(), columns_);
  numbers(along_.data(), places_);
  numbers(counted_.data(), market_.claims());
  indices(nonbasic_.begin(), places_);
  indices(place_.begin(), columns_);
  indices(basis_.begin(), rows_);
  indices(&age_, 1);
  copy(is_basic_.begin(), static_cast<std::size_t>(columns_));
  for (Function& function : functions_) {
    indices(&function.below, 1);
    indices(&function.above, 1);
  }
}

void ConcaveSimplex::set_function(int claim, const std::vector<double>& points,
                                  const std::vector<double>& slopes) {
  Function& function = functions_[static_cast<std::size_t>(claim)];
  function.points = points;
  function.slopes = slopes;
  const double price = value_[states_ + claim];
  const auto next = std::lower_bound(points.begin(), points.end(), price);
  function.below = function.above = static_cast<int>(next - points.begin());
  if (is_basic_[states_ + claim] == 0 && next != points.end() && *next == price) {
    ++function.above;
  }
}

bool ConcaveSimplex::maximise() {
  const int most = kMostSteps * (rows_ + columns_);
  bool found = false;
  price_out();
  for (int steps = 0; steps < most; ++steps) {
    if (is_stale()) {
      prepare();
      evaluate();
      price_out();
    }
    price_moves();
    double gain = kGain;
    bool rises = true;
    const int variable = entering(gain, rises);
    if (variable < 0) {
      found = true;
      break;
    }
    if (!step(variable, gain, rises)) {
      break;  // the next one would be the same
    }
  }
  if (!found) {
    price_moves();
  }
  for (int k = 0; k < market_.claims(); ++k) {
    const int column = states_ + k;
    const Function& function = functions_[static_cast<std::size_t>(k)];
    multiplier_[k] = is_basic_[column] != 0
                         ? -function.slopes[static_cast<std::size_t>(function.above)]
                         : along_[place_[column]];
  }
  return found;
}

/// The slope of a variable that rises.
double ConcaveSimplex::slope(int column) const {
  if (column < states_) {
    return 0.0;
  }
  const Function& function = functions_[static_cast<std::size_t>(column - states_)];
  return function.slopes[static_cast<std::size_t>(function.above)];
}

/// Reduced costs, but for the variables' own slopes, where slopes have changed.
void ConcaveSimplex::price_out() {
  for (int r = 0; r < rows_; ++r) {
    if (basis_[r] >= states_) {
      count_slope(r);
    }
  }
}

void ConcaveSimplex::count_slope(int row) {
  double& counted = counted_[basis_[row] - states_];
  const double now = slope(basis_[row]);
  if (now != counted) {
    if (is_small()) {
      subtract_row(counted - now, &market_.payoffs(basis_[row] - states_, 0), states_,
                   gain_.data());
    } else {
      subtract_row(now - counted, &tableau_(row, 0), places_, along_.data());
    }
    counted = now;
  }
}

/// Reduced costs where they are no row of a tableau.
void ConcaveSimplex::price_moves() {
  if (is_small()) {
    Span<double> along(along_.data(), places_);
    write_gains(gain_.data(), along);
  }
}

/// A pivot, of the reduced costs too: they are a row of the tableau.
void ConcaveSimplex::exchange(int row, int entering) {
  const int place = place_[entering];
  const int leaving = basis_[row];
  const double cost = along_[place] + slope(entering);
  pivot(row, entering);
  if (is_small()) {
    if (leaving >= states_) {
      subtract_row(counted_[leaving - states_], &market_.payoffs(leaving - states_, 0), states_,
                   gain_.data());
    }
    if (entering >= states_) {
      counted_[entering - states_] = 0.0;
      count_slope(row);
    }
    return;
  }
  along_[place] = 0.0;
  subtract_row(cost, &tableau_(row, 0), places_, along_.data());
  if (entering >= states_) {
    counted_[entering - states_] = slope(entering);
  }
  if (leaving >= states_) {
    along_[place] -= counted_[leaving - states_];
  }
}

/// The variable whose move gains most per unit, and which way.
int ConcaveSimplex::entering(double& gain, bool& rises) const {
  int best = -1;
  const auto consider = [&](int column, double gains, bool up) {
    if (gains > gain || (gains == gain && column < best)) {
      best = column;
      gain = gains;
      rises = up;
    }
  };
  for (int place = 0; place < places_; ++place) {
    const int column = nonbasic_[place];
    if (column < states_) {
      consider(column, along_[place], true);
      continue;
    }
    const Function& function = functions_[static_cast<std::size_t>(column - states_)];
    consider(column, function.slopes[static_cast<std::size_t>(function.above)] + along_[place],
             true);
    consider(column, -function.slopes[static_cast<std::size_t>(function.below)] - along_[place],
             false);
  }
  return best;
}

/// How far the step goes until a basic variable has to stop, or its slope changes.
double ConcaveSimplex::reach(int row) const {
  const int column = basis_[row];
  const double rate = rate_[row];
  if (std::abs(rate) <= kRate) {
    return kInfinity;
  }
  if (column < states_) {
    return rate < 0.0 ? std::max(value_[column], 0.0) / -rate : kInfinity;
  }
  const std::vector<double>& points = functions_[static_cast<std::size_t>(column - states_)].points;
  const int piece = piece_[static_cast<std::size_t>(row)];
  if (rate > 0.0 ? piece == static_cast<int>(points.size()) : piece == 0) {
    return kInfinity;
  }
  const double end = points[static_cast<std::size_t>(rate > 0.0 ? piece : piece - 1)];
  return std::max((end - value_[column]) / rate, 0.0);
}

/// False if nothing ends the step, which only rounding can bring about: nothing has moved.
bool ConcaveSimplex::step(int entering, double gain, bool rises) {
  ++pivots_;
  const double direction = rises ? 1.0 : -1.0;
  const Column entries = column(entering);
  for (int r = 0; r < rows_; ++r) {
    rate_[r] = -direction * entries[r];
    if (basis_[r] >= states_) {
      piece_[static_cast<std::size_t>(r)] =
          functions_[static_cast<std::size_t>(basis_[r] - states_)].above;
    }
    reach_[r] = reach(r);
  }
  Move move{entering, direction};
  if (entering >= states_) {
    const Function& own = functions_[static_cast<std::size_t>(entering - states_)];
    move.piece = rises ? own.above : own.below;
  }
  if (!pass_breakpoints(gain, move)) {
    return false;
  }
  if (move.leaving >= 0 && refresh_for(rate_[move.leaving], rate_[move.leaving])) {
    evaluate();
    price_out();
    return true;
  }
  advance(move);
  if (move.leaving >= 0) {
    exchange(move.leaving, entering);
  } else if (checkpoint_ != nullptr) {  // from one breakpoint of the price to another: no pivot
    checkpoint_->pass(static_cast<double>(rows_) * places_);
  }
  return true;
}

/// How far the entering price goes to its own next breakpoint.
double ConcaveSimplex::own_reach(const Move& move) const {
  if (move.entering < states_) {
    return kInfinity;
  }
  const std::vector<double>& points =
      functions_[static_cast<std::size_t>(move.entering - states_)].points;
  const bool rises = move.direction > 0.0;
  if (rises ? move.piece == static_cast<int>(points.size()) : move.piece == 0) {
    return kInfinity;
  }
  const double end = points[static_cast<std::size_t>(rises ? move.piece : move.piece - 1)];
  return move.direction * (end - value_[move.entering]);
}

/// Go on over breakpoints, at each of which the gain per unit falls, until it is used up or a state
/// has no price left. False if nothing ends the step.
bool ConcaveSimplex::pass_breakpoints(double gain, Move& move) {
  double own_end = own_reach(move);
  for (;;) {
    int first = -1;
    double least = own_end;
    for (int r = 0; r < rows_; ++r) {
      if (reach_[r] < least ||
          (first >= 0 && reach_[r] == least && std::abs(rate_[r]) > std::abs(rate_[first]))) {
        first = r;
        least = reach_[r];
      }
    }
    move.length = least;
    if (first < 0 && own_end == kInfinity) {
      return false;
    }
    if (first >= 0 && basis_[first] < states_) {
      move.leaving = first;
      return true;
    }
    const int column = first < 0 ? move.entering : basis_[first];
    const double rate = first < 0 ? move.direction : rate_[first];
    const std::vector<double>& slopes =
        functions_[static_cast<std::size_t>(column - states_)].slopes;
    int& piece = first < 0 ? move.piece : piece_[static_cast<std::size_t>(first)];
    const int next = piece + (rate > 0.0 ? 1 : -1);
    gain -= std::abs(rate) * std::abs(slopes[static_cast<std::size_t>(piece)] -
                                      slopes[static_cast<std::size_t>(next)]);
    if (gain <= kGain) {
      move.leaving = first;
      return true;
    }
    piece = next;
    if (first < 0) {
      own_end = own_reach(move);
    } else {
      reach_[first] = reach(first);
    }
  }
}

/// Take the step. What ends it is exactly where it ends.
void ConcaveSimplex::advance(const Move& move) {
  for (int r = 0; r < rows_; ++r) {
    value_[basis_[r]] += move.length * rate_[r];
    if (basis_[r] >= states_ && r != move.leaving) {
      Function& function = functions_[static_cast<std::size_t>(basis_[r] - states_)];
      const int piece = piece_[static_cast<std::size_t>(r)];
      if (piece != function.above) {
        function.below = function.above = piece;
        count_slope(r);
      }
    }
  }
  value_[move.entering] += move.direction * move.length;
  const auto stop_at_breakpoint = [this](int column, int piece, bool rises) {
    Function& function = functions_[static_cast<std::size_t>(column - states_)];
    function.below = rises ? piece : piece - 1;
    function.above = function.below + 1;
    value_[column] = function.points[static_cast<std::size_t>(function.below)];
  };
  if (move.entering >= states_) {
    Function& own = functions_[static_cast<std::size_t>(move.entering - states_)];
    own.below = own.above = move.piece;
  }
  if (move.leaving < 0) {
    stop_at_breakpoint(move.entering, move.piece, move.direction > 0.0);
    return;
  }
  const int column = basis_[move.leaving];
  if (column < states_) {
    value_[column] = 0.0;
  } else {
    stop_at_breakpoint(column, piece_[static_cast<std::size_t>(move.leaving)],
                       rate_[move.leaving] > 0.0);
  }
}

}  // namespace kpm
