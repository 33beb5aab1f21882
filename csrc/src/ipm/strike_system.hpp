// The systems of an interior-point step where claims pay along an index, on either side of strikes.
#pragma once

#include <array>

#include "book/scaled_market.hpp"
#include "ipm/risk_block.hpp"
#include "numerics/arena.hpp"
#include "numerics/few_rows.hpp"

namespace kpm {

/// The two coupled systems of a step, those of NestedSystem,
///   (alone + P (Xi - xi xi' / sum) P') x + b e = r,      -b x + (1 + s H s) e = f.
/// Claims are eliminated from the lowest strike to the highest. What is left of a weight Xi, or of
/// the curvature in H, is Xi^1/2 Z Xi^1/2 with Z the identity less what the claims so far take up;
/// and all that later claims see of it is what it makes of lines: those on the states above the
/// strike, where claims with lower strikes pay lines, and those on the states below, where claims
/// with higher strikes do. So Z is kept in an orthonormal basis of these four directions (a value
/// and a slope each, weighted by Xi^1/2), and moved from strike to strike by the rotations that
/// take a state from one side to the other. No line is a difference of others, nothing is divided
/// by what may be small but the pivots, and those are as large as in Cholesky's method on the
/// whole matrix. A claim of all states comes last, as in NestedSystem: its price is fixed. O(N +
/// K).
class StrikeSystem {
 public:
  StrikeSystem(const ScaledMarket& market, const RiskBlock& risk, Arena& arena);

  /// For the risk block's current point, with one weight per state in Xi.
  void factor(const Slice& weight, const Slice& alone, const Slice& slope, const Slice& scale);

  /// (x, e) := the solution for the right-hand sides (x, e).
  void solve_in_place(Slice& x, Slice& e);

  /// out := H y.
  void apply(const Slice& y, Slice& out);

  /// The diagonal of 1 + s H s.
  double diagonal(Eigen::Index claim) const { return diagonal_[claim]; }

 private:
  static constexpr int kBorder = 3;  // kappa, d and mu
  static constexpr int kShared = 2;  // d and mu
  static constexpr int kLines = 4;   // value and slope above the strike, value and slope below
  using Border = FewRows<kBorder>;
  using Shared = FewRows<kShared>;
  using Lines = std::array<double, kLines>;

  /// The triangular root of the weights' moments, on one side of a strike: of a line it makes two
  /// coordinates.
  struct Root {
    double value = 0.0, mixed = 0.0, slope = 0.0;
  };

  /// The rotations that take a state of this weight into such a root.
  struct Rotations {
    Rotations() = default;
    Rotations(Root& root, double weight, double way);
    double cos1, sin1, cos2, sin2;
  };

  /// A state's way from above a strike to below: from one basis into the next.
  struct Crossing {
    Root above;  // the root with this state
    Rotations out, in;

    Lines forward(const Lines& old) const;    // those of the next basis, for a vector in this one
    Lines backward(const Lines& next) const;  // the transpose
    Lines apart() const;  // those of the direction that leaves this one, and is in the next
  };

  /// What is left of both weights, and what couples them: (price, coupling; -coupling', value).
  struct Rest {
    std::array<Lines, kLines> price, coupling, value;
  };

  struct Pivot {
    Lines price, value;         // the claim in each basis, its value times s
    Lines x_price, x_value;     // what x moves: price u, coupling' u
    Lines e_price, e_value;     // what e moves: coupling v, value v
    double of_x, across, of_e;  // the inverse (of_x, -across; across, of_e) of the claim's rows
  };

  /// Of one weight: the crossings of its states, and the heaviest, where claims count from.
  struct Basis {
    Span<Crossing> crossings;  // (states) in the order of the index
    Eigen::Index heaviest = 0;
  };

  void load_states(const Slice& weight);
  void balance();
  Lines lines(const StrikeClaims::Claim& claim, const Basis& basis, const Root& below) const;
  void owe(const ArrayView& claims, const Basis& basis, double of_all,
           Eigen::Ref<Array> owed) const;
  void move(Pivot& pivot, const Rest& rest) const;
  void invert(Pivot& pivot, double alone, double slope) const;
  void eliminate(const Pivot& pivot, Rest& rest) const;
  void cross(Eigen::Index place, Rest& rest) const;
  void invert_all(const Root& price, const Root& value, const Rest& rest);
  void factor_shared(const Slice& weight);
  void sweep(double* x, double* e, double all_value);

  const StrikeClaims& claims_;
  const RiskBlock& risk_;
  Basis prices_, values_;
  Span<Pivot> pivots_;                       // (claims + 1), all states the last
  Slice diagonal_, scale_, alone_, scaled_;  // (claims)
  Slice by_state_;                           // (states)
  Grid<double> own_;                // (kBorder, states) the border, and of each claim's states
  Grid<double> own_of_;             // (kBorder, claims + 1)
  Grid<double> x_by_, e_by_;        // (kShared, claims) what d and mu do
  Grid<double> push_by_, loss_by_;  // (kShared, states)
  double push_of_all_ = 0.0, loss_of_all_ = 0.0;
  Border border_;
  Border::Factor border_factor_;
  Shared::Factor shared_factor_;
};

}  // namespace kpm
