// The systems of an interior-point step where there are many more claims than states.
#pragma once

#include "numerics/arena.hpp"
#include "numerics/dense.hpp"
#include "numerics/semidefinite_cholesky.hpp"

namespace kpm {

/// The two coupled systems of a step,
///   (alone + V V') x + b e = r,      -b x + (1 + U U') e = f,
/// with alone >= 0 and b one number per claim, and as many columns in V and U as there are states,
/// or a few times that. With T = (alone, b; -b, 1), F = (V, U) on the diagonal, Woodbury's
///   (T + F F')^-1 = T^-1 - T^-1 F (1 + F' T^-1 F)^-1 F' T^-1
/// needs factors of the columns' size only. What is factored is a sum of squares throughout:
///   B = 1 + U' (alone / det) U,   A = 1 + V' (1 / det) V + X B^-1 X',   X = V' (b / det) U,
/// with det = alone + b^2, the variance of a claim's price. The subtraction in the formula cancels
/// where T is small next to the squares, as it is for each price that cannot move. So T is lifted
/// to a share of them, and the residual of the system as it is corrects for this and for rounding.
/// O(K n^2 + n^3) to factor and O(K n) to solve for n columns.
class NarrowSystem {
 public:
  NarrowSystem(Eigen::Index claims, Eigen::Index prices, Eigen::Index risks, Arena& arena);

  /// The arguments are kept, not copied.
  void factor(const MatrixSlice& prices, const MatrixSlice& risks, const Slice& alone,
              const Slice& slope);

  /// (x, e) := the solution for the right-hand sides (x, e).
  void solve_in_place(Slice& x, Slice& e);

  /// The diagonal of 1 + U U'.
  double risk_diagonal(Eigen::Index claim) const { return risk_square_[claim] + 1.0; }

 private:
  void apply_inverse(Slice& x, Slice& e);
  double size(const Slice& x, const Slice& e) const;
  void find_residual(const Slice& x, const Slice& e);

  const MatrixSlice* prices_ = nullptr;  // V
  const MatrixSlice* risks_ = nullptr;   // U
  const Slice* alone_ = nullptr;
  const Slice* slope_ = nullptr;
  Slice risk_square_;                 // (claims) of the rows of U
  Slice price_unit_, risk_unit_;      // (claims) what a residual counts by
  Slice own_, across_, other_;        // (claims) of T^-1, lifted: alone / det, b / det, 1 / det
  MatrixSlice of_prices_, of_risks_;  // A and B
  MatrixSlice between_;               // X
  SemidefiniteCholesky price_factor_, risk_factor_;
  Slice pushed_prices_, pushed_risks_, line_;  // (prices), (risks), (risks)
  Slice x_, e_;                                // (claims) the right-hand sides
  Slice dx_, de_;                              // (claims) a correction
  Slice by_prices_, by_risks_;                 // (claims) scratch
};

}  // namespace kpm
