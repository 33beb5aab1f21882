// A book whose orders are added, changed and cancelled.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "book/staircase.hpp"
#include "engine/order_index.hpp"
#include "engine/price_levels.hpp"
#include "kpm/engine.hpp"

namespace kpm {

/// The orders of a market with a number of claims. Each is in three structures: the index of ids,
/// the list of its side at its limit, and the sequence of priority. An event touches only these,
/// and marks its claim as changed. All room that an event needs is made before its first change:
/// one that runs out of memory leaves the book as it was.
class OrderBook {
 public:
  OrderBook(std::int64_t claims, const EngineLimits& limits);

  /// The memory of a book with fixed limits.
  static std::uint64_t bytes(std::int64_t claims, const EngineLimits& limits);

  /// Make room for so many orders and levels: until there are more, no event allocates.
  void reserve(std::int64_t orders, std::int64_t levels);

  std::int64_t claims() const { return static_cast<std::int64_t>(changed_.size()); }
  std::int64_t size() const { return static_cast<std::int64_t>(index_.size()); }

  Fault add(const BookOrder& order);
  Fault cancel(std::int64_t id);
  Fault reduce(std::int64_t id, double quantity);
  Fault replace(std::int64_t id, double price, double quantity);
  void remove_all();

  bool contains(std::int64_t id) const { return index_.find(id) != OrderIndex::kNone; }
  bool find(std::int64_t id, BookOrder& order) const;

  /// Call it with every order, first come first.
  template <class Visit>
  void by_priority(Visit&& visit) const {
    for (std::int32_t at = oldest_; at != kNone; at = slot(at).later) {
      visit(slot(at).order);
    }
  }

  /// Whether a claim's staircase is another than when it was last made.
  bool changed(std::int64_t claim) const { return changed_[static_cast<std::size_t>(claim)] != 0; }
  /// The claim's levels as they are now, ascending: what compile_staircases would add up.
  const std::vector<Level>& levels(std::int64_t claim);

 private:
  static constexpr std::int32_t kNone = -1;
  static constexpr std::int64_t kMostSlots = std::numeric_limits<std::int32_t>::max();

  struct alignas(64) Slot {  // a line of the cache
    BookOrder order;
    std::int32_t level = kNone;                   // none for an order for nothing
    std::int32_t before = kNone, after = kNone;   // at the level
    std::int32_t earlier = kNone, later = kNone;  // in priority; `later` of a free slot
  };

  void fetch_around(std::int32_t at) const;
  Slot& slot(std::int32_t at) { return slots_[static_cast<std::size_t>(at)]; }
  const Slot& slot(std::int32_t at) const { return slots_[static_cast<std::size_t>(at)]; }
  LevelSide& side_of(const Slot& order) {
    PriceLevel& level = price_levels_[order.level];
    return order.order.side > 0 ? level.buy : level.sell;
  }
  std::int32_t level_of(const BookOrder& order) const;
  Fault make_room_at(std::int32_t level, const BookOrder& order, std::int32_t leaving);
  std::int32_t new_slot();
  void change(std::int32_t at, const BookOrder& other, std::int32_t level);
  void stand(std::int32_t at, std::int32_t level);
  void leave(std::int32_t at);
  void to_the_end(std::int32_t at);
  void out_of_line(std::int32_t at);
  double sorted_sum(const LevelSide& side, bool descending);

  EngineLimits limits_;
  OrderIndex index_;
  PriceLevels price_levels_;
  std::vector<Slot> slots_;
  std::vector<char> changed_;  // (claims)
  std::int32_t free_ = kNone;
  std::int32_t oldest_ = kNone, newest_ = kNone;
  std::vector<Level> levels_;  // of the claim asked for last
  std::vector<double> sorted_;
};

}  // namespace kpm
