// A clearing: compile the book once, search it, translate the answer back once.
#include <optional>
#include <utility>
#include <vector>

#include "book/canonical_order.hpp"
#include "kpm/kpm.hpp"
#include "kpm/validation.hpp"
#include "mechanisms/levels.hpp"
#include "mechanisms/limits.hpp"
#include "mechanisms/maker_optimal/clear_compiled.hpp"
#include "mechanisms/maker_optimal/no_trade.hpp"
#include "mechanisms/maker_optimal/scaled_down_clearing.hpp"
#include "mechanisms/maker_optimal/tradable_book.hpp"
#include "mechanisms/maker_optimal/unit.hpp"
#include "mechanisms/maker_optimal/unit_clearing.hpp"
#include "mechanisms/maker_optimal/warm_start.hpp"

namespace kpm {

namespace {

using Clock = Limits::Clock;

/// Cut quantities that dwarf the rest from the unit's book, if no search has. False if giants that
/// trade must be scaled down first.
bool cut_giants(const CanonicalBook& book, Unit& unit, StopToken& token, WarmStart* memory,
                bool& warm) {
  const Market& market = book.market();
  const std::vector<Staircase>& whole = unit.whole(book);
  unit.by_search = unit.book.has_value();
  if (unit.by_search || unit.giants == Unit::Giants::kWhole || !has_giants(market, whole)) {
    return true;
  }
  if (warm && memory != nullptr) {
    memory->fail();
    warm = false;
  }
  unit.book = tradable_book(market, whole, token);
  if (unit.had_trial() || (unit.book && !has_giants(market, unit.book->stairs))) {
    return true;
  }
  unit.begin_trial(shrink_giants(market, whole));
  return false;
}

/// `start`: of the clearing, its compilation included.
Clearing clear_from(const CanonicalBook& book, const Orders& orders, Clock::time_point start,
                    const ClearSettings& settings, WarmStart* memory) {
  if (memory != nullptr && !memory->allowed(settings)) {
    memory = nullptr;  // what is remembered stays
  }
  bool warm = memory != nullptr && memory->wants_to_try();
  const Clock::duration compiled = Clock::now() - start;
  // So little may trade that rounding of what could have traded hides it. A search that finds that
  // is followed by one in units of what does trade.
  std::optional<Limits> limits(std::in_place, settings, start, orders.count, compiled);
  std::optional<Unit> unit(std::in_place);
  for (;;) {
    ++unit->tried;
    std::optional<Clearing> clearing;
    if (cut_giants(book, *unit, limits->token(), memory, warm)) {
      clearing = UnitClearing(book, orders, start, settings, *limits, *unit, memory).clear(warm);
    }
    if (clearing) {
      Clearing better = unit->better(std::move(*clearing));
      // Searched to the end of too large a unit: what has stopped the clearing left it no finer
      // one.
      if (better.status == Status::kInaccurate && limits->status() != Status::kOptimal) {
        better.status = limits->status();
      }
      lose_nothing(book, orders, settings, better);
      return better;
    }
    if (warm && memory != nullptr) {  // in vain: as if it had not been
      memory->fail();
      warm = false;
      limits.emplace(settings, start, orders.count, compiled);
      unit.emplace();
    }
  }
}

}  // namespace

Clearing clear(const Market& market, const Orders& orders, const ClearSettings& settings) {
  require(validate(market, orders));
  const auto start = Clock::now();
  const CanonicalBook book(market, compile_staircases(market, orders));
  return clear_from(book, orders, start, settings, nullptr);
}

Clearing clear_compiled(const Market& market, const Orders& orders, std::vector<Staircase>& stairs,
                        const ClearSettings& settings, WarmStart* memory) {
  const auto start = Clock::now();
  CanonicalBook book(market, std::move(stairs));
  Clearing clearing = clear_from(book, orders, start, settings, memory);
  stairs = book.release_stairs();
  return clearing;
}

}  // namespace kpm
