// A clearing in one unit of money.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "book/canonical_order.hpp"
#include "book/traded_market.hpp"
#include "kpm/kpm.hpp"
#include "mechanisms/limits.hpp"
#include "mechanisms/maker_optimal/book_search.hpp"
#include "mechanisms/maker_optimal/stakes.hpp"
#include "mechanisms/maker_optimal/tradable_book.hpp"
#include "mechanisms/maker_optimal/unit.hpp"
#include "mechanisms/maker_optimal/warm_start.hpp"
#include "mechanisms/publication.hpp"
#include "risk/dual_bound.hpp"
#include "selection/selection.hpp"

namespace kpm {

/// From the staircases to a clearing, its bound and its status, in docs/theory.md's order. Each
/// step relies on those before it.
class UnitClearing {
 public:
  using Clock = Limits::Clock;

  /// `start`: of the clearing. `memory`: null if nothing is kept from one clearing to the next.
  UnitClearing(const CanonicalBook& book, const Orders& orders, Clock::time_point start,
               const ClearSettings& settings, Limits& limits, Unit& unit, WarmStart* memory)
      : book_(book),
        orders_(orders),
        start_(start),
        settings_(settings),
        limits_(limits),
        unit_(unit),
        memory_(memory) {}

  /// Empty if so little trades that another search, of `unit.book`, must distinguish it from
  /// rounding; or if the last clearing was to prove this one, `warm`, and its cell is not enough
  /// after all. Where that shows at once, `warm` becomes false and the book is searched. What is to
  /// be kept of this clearing is left in the memory, if there is one.
  std::optional<Clearing> clear(bool& warm);

 private:
  void prepare();
  bool search(bool& warm);
  bool choose(bool warm);
  void end_trial(Choice&& choice);
  bool support(bool warm);
  bool publish_choice();
  void appraise();
  void bound();
  Status judge();
  bool is_supported(double wanted);
  bool wants_finer_unit(Status status);
  bool remember(bool warm);
  void finish();

  bool too_coarse(double stake);
  bool nothing_can_trade() const;
  double least_stake() const;
  Progress in_money(Progress progress) const;
  double seconds_since_start();

  const CanonicalBook& book_;
  const Orders& orders_;
  Clock::time_point start_;
  const ClearSettings& settings_;
  Limits& limits_;
  Unit& unit_;
  WarmStart* memory_;
  const Market& market_ = book_.market();
  StopToken& token_ = limits_.token();

  // The book: as its demand is counted, as it is searched, and as the maker sees it.
  const std::vector<Staircase>& whole_ = unit_.whole(book_);
  const std::vector<double> riskless_ = unit_.counted.riskless;  // the unit may change
  std::optional<TradableBook> tradable_ = std::exchange(unit_.book, std::nullopt);  // if it was cut
  const std::vector<Staircase>& stairs_ = tradable_ ? tradable_->stairs : whole_;
  const std::vector<Staircase>& seen_ =
      tradable_ && !tradable_->netted.empty() ? tradable_->netted : whole_;
  const TradedMarket traded_{ScaledMarket(market_, stairs_), stairs_};
  const ScaledMarket& scaled_ = traded_.market();
  const Stakes stakes_{market_, scaled_, stairs_};
  double cells_ = 1.0;

  Found found_;
  Choice choice_;
  Multipliers support_;
  double own_bound_ = kInfinity;  // of the whole book, by the choice's support
  Published published_;
  double value_ = 0.0;            // certainty equivalent of the published figures, scaled
  double no_trade_ = 0.0;         // the same of none
  double net_ = 0.0;              // notional of what the maker trades, money
  double upper_ = kInfinity;      // bound of the search or of the support, scaled
  double certified_ = kInfinity;  // upper bound that a certificate proves, money
  Clearing clearing_;
  bool proved_ = false;   // by the choice's own support: no search is needed
  bool as_good_ = false;  // no trade is worth as much, but for rounding
  bool hidden_ = false;   // what the maker trades, beside trade of others with each other
};

}  // namespace kpm
