// The systems of an interior-point step where claims pay along an index, on either side of strikes.
#pragma once

#include <array>

#include "ipm/risk_border.hpp"
#include "ipm/step_system.hpp"

namespace kpm {

/// Claims are eliminated from the lowest strike to the highest. What is left of a weight Xi, or of
/// the curvature in H, is Xi^1/2 Z Xi^1/2 with Z the identity less what the claims so far take up.
/// Later claims see only what it makes of lines: those on the states above the strike, along which
/// claims with lower strikes pay, and those on the states below, along which claims with higher
/// strikes do. So Z is kept in an orthonormal basis of these four directions (a value and a slope
/// each, weighted by Xi^1/2), and goes from strike to strike by the rotations that take a state
/// from one side to the other. No line is the difference of two others, and only pivots are
/// divided by, which are as large as in Cholesky's method on the whole matrix.
/// A claim of all states comes last, whose price is fixed, and whose value is, by kappa; d and mu,
/// the others that all states share, border the systems. What claims pay in all states alike moves
/// nothing: they count from what they pay in the heaviest state, which would drown the others.
/// What rounding leaves is corrected by the residual.
class StrikeSystem final : public StepSystem {
 public:
  StrikeSystem(const ScaledMarket& market, const RiskBlock& risk, Arena& arena);

  void factor(const Slice& weight, const Slice& alone, const Slice& slope,
              const Slice& scale) override;
  void solve_in_place(Slice& x, Slice& e) override;
  void apply(const Slice& y, Slice& out) override;
  double diagonal(Eigen::Index claim) const override { return diagonal_[claim]; }

 private:
  static constexpr int kLines = 4;  // value and slope above the strike, value and slope below
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
  void balance(const Basis& basis);
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
  void solve(double* x, double* e);
  double set_residual(const Slice& x, const Slice& e);

  const StrikeClaims& claims_;
  Basis prices_, values_;
  Span<Pivot> pivots_;                         // (claims + 1), all states the last
  Slice diagonal_, scale_, slope_, alone_;     // (claims)
  Slice scaled_;                               // (claims)
  Slice right_x_, right_e_, rest_x_, rest_e_;  // (claims) right-hand sides and residuals
  Slice weight_, by_state_;                    // (states)
  RiskBorder border_;                          // of each state
  Grid<double> own_, own_of_;                  // (its variables, states) and (…, claims + 1)
  double push_of_all_ = 0.0, loss_of_all_ = 0.0;
};

}  // namespace kpm
