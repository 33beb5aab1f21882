// What must hold for every clearing of every book, whatever the search did. Ends the process where
// it does not.
#pragma once

#include "book.hpp"
#include "kpm/kpm.hpp"

namespace fuzz {

/// Allowances of one book, as kpm_fast.verification.result_checks has them.
struct Slack {
  explicit Slack(const Book& book);

  double scale = 1.0;          ///< money: the notional
  double rounding = 0.0;       ///< money: what doubles cannot tell
  std::vector<double> price;   ///< (claims) money per share
  std::vector<double> span;    ///< (claims) payoff range, money per share
  std::vector<double> volume;  ///< (claims) shares
};

/// Fills, prices, payoffs, value and bound of one clearing.
void check_clearing(const Book& book, const Slack& slack, const kpm::Clearing& clearing);

/// No clearing at some state prices of our own is worth more than the bound.
void check_bound(const Book& book, const Slack& slack, const kpm::Clearing& clearing);

/// The bounds of both hold for the clearing of the other.
void check_agreement(const Slack& slack, const kpm::Clearing& one, const kpm::Clearing& other);

/// The same bits in every figure but the times.
void check_same_bits(const kpm::Clearing& one, const kpm::Clearing& other);

/// The solution of a cell, which is a clearing as well.
void check_cell(const Book& book, const Slack& slack, const kpm::CellSolution& solution,
                const kpm::Clearing& clearing);

}  // namespace fuzz
