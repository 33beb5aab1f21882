// The systems of an interior-point step where claims pay on nested sets of states.
#pragma once

#include "ipm/risk_border.hpp"
#include "ipm/step_system.hpp"

namespace kpm {

/// What lies outside a set matters to it only by two numbers, the sums of x and of s e over the
/// sets around. So claims are eliminated from the smallest sets to the largest. Each leaves what
/// its set's price and value answer to these two,
///   (p, q; -q, r)  with p, r >= 0 and q of the sign of b,
/// in sums of terms of one sign: nothing cancels. The set of all states comes last. Its price is
/// fixed, and so is its value, by kappa; d and mu, the others that all states share, border the
/// systems.
class NestedSystem final : public StepSystem {
 public:
  NestedSystem(const ScaledMarket& market, const RiskBlock& risk, Arena& arena);

  void factor(const Slice& weight, const Slice& alone, const Slice& slope,
              const Slice& scale) override;
  void solve_in_place(Slice& x, Slice& e) override;
  void apply(const Slice& y, Slice& out) override;
  double diagonal(Eigen::Index claim) const override { return diagonal_[claim]; }

 private:
  /// A claim's set, or that of all states.
  struct Node {
    double p, q, r;              // the answers
    double mass;                 // of Xi
    double slope, scale, alone;  // b, s
    double of_x, across, of_e;   // the inverse (of_x, -across; across, of_e) of the claim's rows
    double price, value;         // forwards: what those within leave of the right-hand sides
    double push, loss;           // backwards: the sums of x and s e over it and those around
    RiskBorder::Row own, cross;  // the border, of states in no smaller set and of the whole set
  };

  void load_states(const Slice& weight);
  void eliminate(const Node& node, Node& outer);
  void invert(Node& node) const;
  void factor_shared(const Slice& weight);
  void sweep(double* x, double* e);

  const NestedClaims& sets_;
  Span<Node> nodes_;   // (claims + 1), all states the last
  Slice diagonal_;     // (claims)
  RiskBorder border_;  // of what is in each node's set
};

}  // namespace kpm
