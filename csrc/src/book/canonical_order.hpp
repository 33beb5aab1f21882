// Claims and states in a canonical order.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "book/staircase.hpp"
#include "kpm/kpm.hpp"
#include "kpm/makers.hpp"

namespace kpm {

/// An order of claims and states that depends on their contents, not on how they are listed.
///
/// Claims are sorted by payoff range and staircase, states by the maker's prior or starting orders
/// and by inventory. Ties are broken by the other kind, alternately: a state by what each class of
/// claims pays in it, a claim by what it pays in each class of states (colour refinement, as for
/// canonical labellings of graphs). If classes with several members remain, one member is put
/// first, and so on. If the book is the same whichever member that is, so is its answer, except for
/// names; otherwise the member that leads to the lexicographically least matrix of payoffs is
/// chosen. The vertices of a polytope are sorted as claims are that nobody trades: by their
/// probabilities of states, and states by theirs.
///
/// Where a book is so large and so symmetric that this would take longer than clearing it, members
/// still tied keep the given order.
struct CanonicalOrder {
  std::vector<int> claims;    ///< the caller's index of each claim
  std::vector<int> states;    ///< the caller's index of each state
  std::vector<int> vertices;  ///< the caller's index of each of a polytope's, else none
};

/// The market's own preferences are not read: the maker's are.
CanonicalOrder canonical_order(const Market& market, const MakerModel& maker,
                               const std::vector<Staircase>& stairs);

/// A book in canonical order. Sums over claims or states, pivots and ties then do not depend on how
/// the caller lists them.
class CanonicalBook {
 public:
  /// For the market's own maker.
  CanonicalBook(const Market& market, std::vector<Staircase> stairs);
  /// For any maker, whose preferences the market need not have.
  CanonicalBook(const Market& market, const MakerModel& maker, std::vector<Staircase> stairs);
  CanonicalBook(const CanonicalBook&) = delete;  // the market borrows from it
  CanonicalBook& operator=(const CanonicalBook&) = delete;

  /// Its prior is null unless the maker is Knightian.
  const Market& market() const { return market_; }
  const MakerModel& maker() const { return maker_; }
  const std::vector<Staircase>& stairs() const { return stairs_; }

  /// The staircases, in the caller's order. The book has none any more.
  std::vector<Staircase> release_stairs();

  /// The caller's index of each claim, and of each state.
  const std::vector<int>& claims() const { return order_.claims; }
  const std::vector<int>& states() const { return order_.states; }

  /// Where each of the caller's claims is.
  const std::vector<int>& places() const { return places_; }

 private:
  CanonicalOrder order_;
  Market market_;
  MakerModel maker_;
  std::vector<Staircase> stairs_;
  std::vector<int> places_;
  std::vector<double> memory_;  // prior, delta or vertices; inventory, payoffs
};

/// Put rows of figures by claim or by state back into the caller's order. `scratch` may be used
/// again.
template <class Value>
void restore_order(const std::vector<int>& order, std::vector<Value>& figures,
                   std::vector<Value>& scratch) {
  if (figures.empty()) {
    return;
  }
  scratch.resize(order.size());
  for (std::size_t row = 0; row < figures.size(); row += order.size()) {
    for (std::size_t n = 0; n < order.size(); ++n) {
      scratch[static_cast<std::size_t>(order[n])] = figures[row + n];
    }
    std::copy(scratch.begin(), scratch.end(), figures.begin() + static_cast<std::ptrdiff_t>(row));
  }
}

}  // namespace kpm
